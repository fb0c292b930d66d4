public import ProxyDomain

/// Keeps the further ways of projects to their providers.
///
/// Each call is one atomic step: another caller sees all of it or none of it.
public protocol UpstreamStore: Sendable {
    /// Adds a way.
    /// - Throws: `.missingReference` when the project does not exist, `.alreadyExists(field: "id")`.
    func create(_ upstream: Upstream) async throws(StorageError)

    /// Finds a way.
    /// - Throws: `.notFound`.
    func upstream(_ id: UpstreamID) async throws(StorageError) -> Upstream

    /// Lists ways in the order of their identifiers, which is that of their creation.
    /// - Parameters:
    ///   - project: whose; `nil` for everybody's.
    ///   - cursor: the last one already seen; `nil` to begin.
    ///   - limit: most ways to give, 1…1000.
    func upstreams(
        of project: ProjectID?, after cursor: UpstreamID?, limit: Int
    ) async throws(StorageError) -> [Upstream]

    /// Changes a way. Deactivating one that is inactive keeps its first deactivation instant.
    /// - Returns: the way as it is now.
    /// - Throws: `.changedMeanwhile`, when the change says what it expects, `.notFound`.
    func update(_ id: UpstreamID, _ change: UpstreamChange, at now: Timestamp) async throws(StorageError) -> Upstream

    /// Removes a way, with its key.
    /// - Throws: `.notFound`.
    func remove(_ id: UpstreamID) async throws(StorageError)
}
