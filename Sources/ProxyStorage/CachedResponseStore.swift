public import ProxyDomain

/// Keeps answers that several servers may give again, and what all servers are to forget.
///
/// What is kept may be lost at any time, for instance in a crash: nobody was promised it.
public protocol CachedResponseStore: Sendable {
    /// Finds an answer that is to be kept at `now`. `nil` when there is none.
    func cachedResponse(_ key: String, at now: Timestamp) async throws(StorageError) -> CachedResponse?

    /// Keeps an answer, in place of one under the same key, unless a purge has come that its maker did not know of.
    /// - Parameter lastPurge: the number of the last purge that its maker knew of when it asked for the answer.
    /// - Returns: whether it is kept.
    func keep(_ response: CachedResponse, lastPurge: Int64, at now: Timestamp) async throws(StorageError) -> Bool

    /// Removes answers, and has all servers do the same with those that they hold.
    /// - Returns: the purge's number, higher than all before it, and how many answers were removed.
    func purgeCache(
        _ purge: CachePurge, at now: Timestamp
    ) async throws(StorageError) -> (number: Int64, removed: Int)

    /// Removes what GET gave at a path, with any query.
    /// - Parameter project: whose; `nil` for all.
    /// - Returns: how many were removed.
    func forgetCached(of project: ProjectID?, at path: String) async throws(StorageError) -> Int

    /// The purges of a day that came after `number`, in their order. `number` nil gives the last one alone, if any.
    func cachePurges(after number: Int64?) async throws(StorageError) -> [(number: Int64, purge: CachePurge)]

    /// Notes that answers were given again, each once, by their keys. What isn't kept is passed over.
    func noteCacheUses(_ keys: Set<String>, at now: Timestamp) async throws(StorageError)

    /// Removes answers that are not to be kept any longer, then those that nobody was given for longest until no more than `maxBytes` are left.
    /// - Returns: how many were removed.
    func trimCache(to maxBytes: Int64, at now: Timestamp) async throws(StorageError) -> Int
}

/// An answer as it is kept.
public struct CachedResponse: Hashable, Sendable {
    /// What it answers, as a digest in hexadecimal.
    public let key: String
    public let project: ProjectID
    public let method: String
    /// Path and query of the request.
    public let url: String
    /// How long it is worth keeping.
    public let keptUntil: Timestamp
    /// The answer, as text of the maker's own.
    public let content: String

    public init(
        key: String, project: ProjectID, method: String, url: String, keptUntil: Timestamp, content: String
    ) {
        self.key = key
        self.project = project
        self.method = method
        self.url = url
        self.keptUntil = keptUntil
        self.content = content
    }
}
