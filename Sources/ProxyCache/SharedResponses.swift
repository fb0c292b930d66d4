public import ProxyDomain

/// Answers that several servers hold together, behind those that each holds itself.
public protocol SharedResponses: Sendable {
    /// Finds a fresh answer. `nil` when there is none, or it can't be told in time.
    func response(for key: CacheKey, at now: Timestamp) async -> StoredResponse?

    /// Keeps an answer, if it can. Returns at once.
    /// - Parameter lastPurge: the number of the last purge known when the answer was asked for.
    func keep(_ response: StoredResponse, for key: CacheKey, lastPurge: Int64)

    /// Something was changed at a path: what GET gave there is given no more by this server, and forgotten. Returns at once.
    /// - Parameters:
    ///   - project: whose; `nil` for all.
    ///   - isLikely: whether there is likely to be any; otherwise only the first change at the path has it looked for.
    func invalidate(_ project: ProjectID?, path: String, isLikely: Bool)
}

/// What a relay is given of the cache.
///
/// A class, because every request looks at it: one reference is cheaper to hold than five values.
public final class CacheSetup: Sendable {
    public let cache: ResponseCache
    public let shared: (any SharedResponses)?
    /// In seconds, for answers that may be kept and don't say how long; 0 for not at all.
    public let usualLifetime: Int64
    /// Largest answer that is held, framing included.
    public let maxObjectBytes: Int
    /// Whether streams of events are held.
    public let keepsStreams: Bool

    public init(
        cache: ResponseCache, shared: (any SharedResponses)? = nil, usualLifetime: Int64, maxObjectBytes: Int,
        keepsStreams: Bool
    ) {
        self.cache = cache
        self.shared = shared
        self.usualLifetime = usualLifetime
        self.maxObjectBytes = maxObjectBytes
        self.keepsStreams = keepsStreams
    }
}
