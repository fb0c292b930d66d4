public import ProxyDomain

/// What was copied into this database from another.
public protocol CopyStore: Sendable {
    /// The copy that has begun and not ended; while there is one, what the database holds is a part of another's.
    func unfinishedCopy() async throws(StorageError) -> CopyRecord?
}

/// A copy of another database into this one.
public struct CopyRecord: Hashable, Sendable {
    /// The other database, without its password.
    public let source: String
    public let beganAt: Timestamp

    public init(source: String, beganAt: Timestamp) {
        self.source = source
        self.beganAt = beganAt
    }
}
