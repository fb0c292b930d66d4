public import ProxyDomain

/// Keeps projects.
///
/// Each call is one atomic step: another caller sees all of it or none of it.
public protocol ProjectStore: Sendable {
    /// Adds a project.
    /// - Throws: `.alreadyExists(field: "name")` when the name is taken, byte for byte; `.alreadyExists(field: "id")`.
    func create(_ project: Project) async throws(StorageError)

    /// Finds a project.
    /// - Throws: `.notFound`.
    func project(_ id: ProjectID) async throws(StorageError) -> Project

    /// Lists projects in the order of their identifiers, which is that of their creation.
    /// - Parameters:
    ///   - cursor: the last project already seen; `nil` to begin.
    ///   - limit: most projects to give, 1…1000.
    func projects(after cursor: ProjectID?, limit: Int) async throws(StorageError) -> [Project]

    /// Changes a project. Deactivating one that is inactive keeps its first deactivation instant.
    /// - Returns: the project as it is now.
    /// - Throws: `.changedMeanwhile`, when the change says what it expects, `.notFound`, `.alreadyExists(field: "name")`.
    func update(_ id: ProjectID, _ change: ProjectChange, at now: Timestamp) async throws(StorageError) -> Project
}
