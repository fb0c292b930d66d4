/// How much of a limit is taken up at an instant, as a request at that instant would be judged.
public struct LimitUse: Hashable, Sendable {
    /// In the limit's unit. Above the limit where that is in shadow, was lowered, or was passed by what a request used beyond
    /// what was set aside for it.
    public let used: Int64
    /// Not below 0.
    public let remaining: Int64
    /// When there is room for one more, if nothing else comes; `nil` while there is, and where none ever comes back.
    public let freeAt: Timestamp?

    init(_ used: Int64, of limit: Int64, freeAt: Timestamp? = nil) {
        self.used = used
        remaining = max(0, limit - used)
        self.freeAt = freeAt
    }
}

extension Token {
    /// Requests so far that count towards its cap.
    public var cappedCount: Int64 { requestCount - (cacheHits == .free ? cacheHitCount : 0) }

    /// Of its cap; `nil` without one.
    public var capUse: LimitUse? { maxRequests > 0 ? LimitUse(cappedCount, of: maxRequests) : nil }

    /// Of its requests per minute; `nil` without such a limit.
    public func requestUse(at now: Timestamp) -> LimitUse? {
        limits.requestsPerMinute.map { requestWindow.use(of: $0, at: now) }
    }

    /// Of its tokens per minute, with what is set aside for requests under way; `nil` without such a limit.
    public func tokenUse(at now: Timestamp) -> LimitUse? {
        limits.tokensPerMinute.map { tokenWindow.use(of: $0, at: now) }
    }
}

extension MinuteWindow {
    fileprivate func use(of limit: Int64, at now: Timestamp) -> LimitUse {
        LimitUse(used(at: now), of: limit, freeAt: instantFree(limit: limit, at: now))
    }
}
