public import ProxyDomain

/// Keeps tokens. Secrets never reach it, only their digests.
///
/// Each call is one atomic step: another caller sees all of it or none of it. No call here writes a counter.
public protocol TokenStore: Sendable {
    /// Adds a token.
    /// - Throws: `.missingReference` when the project does not exist, `.alreadyExists(field: "id")` or `"digest"`.
    func create(_ token: Token, digest: TokenDigest) async throws(StorageError)

    /// Finds a token.
    /// - Throws: `.notFound`.
    func token(_ id: TokenID) async throws(StorageError) -> Token

    /// Lists tokens in the order of their identifiers, which is that of their creation.
    /// - Parameters:
    ///   - cursor: the last token already seen; `nil` to begin.
    ///   - limit: most tokens to give, 1…1000.
    func tokens(_ filter: TokenFilter, after cursor: TokenID?, limit: Int) async throws(StorageError) -> [Token]

    /// Changes a token. Deactivating is revoking: one that is revoked keeps its first revocation instant.
    /// - Returns: the token as it is now.
    /// - Throws: `.changedMeanwhile`, when the change says what it expects, `.notFound`.
    func update(_ id: TokenID, _ change: TokenChange, at now: Timestamp) async throws(StorageError) -> Token

    /// Revokes a token. Harmless when it is revoked already.
    /// - Returns: whether this call revoked it.
    /// - Throws: `.notFound`.
    func revoke(_ id: TokenID, at now: Timestamp) async throws(StorageError) -> Bool

    /// Revokes all tokens of a project in one step.
    /// - Throws: `.notFound` when there is no such project.
    func revokeTokens(of project: ProjectID, at now: Timestamp) async throws(StorageError) -> RevocationSummary

    /// Finds a token and its project by the digest of its secret. `nil` when there is none.
    func grant(for digest: TokenDigest) async throws(StorageError) -> GrantRecord?
}

/// Which tokens to list. Every part that is set must hold.
public struct TokenFilter: Hashable, Sendable {
    public var projectID: ProjectID?
    /// `true`: neither revoked nor expired at `now`; `false`: revoked or expired.
    public var isActive: Bool?
    public var now: Timestamp

    public init(projectID: ProjectID? = nil, isActive: Bool? = nil, now: Timestamp) {
        self.projectID = projectID
        self.isActive = isActive
        self.now = now
    }
}

/// What revoking all tokens of a project did.
public struct RevocationSummary: Hashable, Sendable {
    public let revoked: Int
    public let alreadyRevoked: Int
    public var total: Int { revoked + alreadyRevoked }

    public init(revoked: Int, alreadyRevoked: Int) {
        self.revoked = revoked
        self.alreadyRevoked = alreadyRevoked
    }
}

/// A token, the project it belongs to, and the project's further ways that are active, read in one step.
public struct GrantRecord: Hashable, Sendable {
    public let token: Token
    public let project: Project
    /// In the order of their priority, then of their creation.
    public let upstreams: [Upstream]

    public init(token: Token, project: Project, upstreams: [Upstream] = []) {
        self.token = token
        self.project = project
        self.upstreams = upstreams
    }
}
