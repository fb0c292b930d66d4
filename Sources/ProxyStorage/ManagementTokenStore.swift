public import ProxyDomain

/// Keeps who may call the management API besides the holder of the settings' token.
public protocol ManagementTokenStore: Sendable {
    /// Adds a credential.
    /// - Throws: `.alreadyExists(field: "name")`, when one with this name has not been revoked.
    func create(_ token: ManagementToken, digest: TokenDigest) async throws(StorageError)

    /// The credential of a digest, also one that opens nothing any more; `nil` when there is none.
    func managementToken(_ digest: TokenDigest) async throws(StorageError) -> ManagementToken?

    /// Lists credentials in the order of their identifiers, which is that of their creation.
    /// - Parameters:
    ///   - cursor: the last one already seen; `nil` to begin.
    ///   - limit: most to give, 1…1000.
    func managementTokens(
        after cursor: ManagementTokenID?, limit: Int
    ) async throws(StorageError) -> [ManagementToken]

    /// Revokes a credential, for good, and ends its sign-ins. One that is revoked already keeps its instant.
    /// - Throws: `.notFound`.
    func revoke(managementToken id: ManagementTokenID, at now: Timestamp) async throws(StorageError)
}

/// Somebody who has signed in to the admin pages.
public struct AdminSession: Hashable, Sendable {
    /// SHA-256 of the secret in the cookie.
    public let digest: TokenDigest
    /// SHA-256 of the credential it was begun with: what that opens at the moment, the session opens.
    public let credential: TokenDigest
    public let createdAt: Timestamp
    /// When it was last used, to about a minute.
    public var seenAt: Timestamp

    public init(digest: TokenDigest, credential: TokenDigest, createdAt: Timestamp, seenAt: Timestamp) {
        self.digest = digest
        self.credential = credential
        self.createdAt = createdAt
        self.seenAt = seenAt
    }
}

/// Keeps who has signed in to the admin pages, for every server on the database.
public protocol AdminSessionStore: Sendable {
    func begin(_ session: AdminSession) async throws(StorageError)

    /// The session of a cookie; `nil` when there is none, or it has been ended.
    func adminSession(_ digest: TokenDigest) async throws(StorageError) -> AdminSession?

    /// Notes that a session was used.
    func touch(_ digest: TokenDigest, at now: Timestamp) async throws(StorageError)

    /// Ends a session. One that is not there has been ended.
    func endSession(_ digest: TokenDigest) async throws(StorageError)

    /// Ends every session that was begun with a credential.
    func endSessions(of credential: TokenDigest) async throws(StorageError)

    /// Forgets the sessions that were last used before one instant, or begun before another.
    func forgetSessions(seenBefore: Timestamp, begunBefore: Timestamp) async throws(StorageError)
}
