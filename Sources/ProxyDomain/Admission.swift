/// Why a request was not admitted. Each is final for that request; none has counted.
public enum AdmissionRefusal: Hashable, Sendable {
    case unknownToken
    case tokenRevoked
    case tokenExpired
    case projectInactive
    case capUsedUp
    /// As many requests as the token may send in a minute; the next is granted after that many seconds, unless others come
    /// first.
    case requestRateReached(limit: Int64, retryAfterSeconds: Int64)
}

/// What the database says of a token at the moment of a decision, in the transaction that acts on it.
public struct TokenStanding: Hashable, Sendable {
    public let revokedAt: Timestamp?
    public let expiresAt: Timestamp?
    public let projectDeactivatedAt: Timestamp?
    public let requestCount: Int64
    /// 0 for no cap.
    public let maxRequests: Int64
    public let limits: TokenLimits
    /// What the limit per minute is judged by.
    public let window: RequestWindow

    public init(
        revokedAt: Timestamp?, expiresAt: Timestamp?, projectDeactivatedAt: Timestamp?, requestCount: Int64,
        maxRequests: Int64, limits: TokenLimits = TokenLimits(), window: RequestWindow = RequestWindow()
    ) {
        self.revokedAt = revokedAt
        self.expiresAt = expiresAt
        self.projectDeactivatedAt = projectDeactivatedAt
        self.requestCount = requestCount
        self.maxRequests = maxRequests
        self.limits = limits
        self.window = window
    }

    /// Whether a request must be admitted before it is forwarded: then no limit is ever passed.
    public var isLimited: Bool { maxRequests > 0 || limits != TokenLimits() }

    /// The reason why no request at `now` is admitted whatever the cap holds, if there is one.
    public func refusal(at now: Timestamp) -> AdmissionRefusal? {
        if revokedAt != nil { return .tokenRevoked }
        if let expiresAt, expiresAt <= now { return .tokenExpired }
        if projectDeactivatedAt != nil { return .projectInactive }
        return nil
    }

    /// How many of `asked` requests at `now` the cap and the limits still allow: exact at the edge, all of them without any.
    public func granted(of asked: Int64, at now: Timestamp) -> Int64 {
        let capped = maxRequests == 0 ? asked : min(asked, max(0, maxRequests - requestCount))
        guard let limit = limits.requestsPerMinute else { return capped }
        return window.granted(of: capped, limit: limit, at: now)
    }

    /// Why a request is refused that the cap or a limit did not allow, after `granted` others at `now` were.
    public func refusalOfMore(after granted: Int64, at now: Timestamp) -> AdmissionRefusal {
        guard let limit = limits.requestsPerMinute, maxRequests == 0 || requestCount + granted < maxRequests else {
            return .capUsedUp
        }
        var window = window
        window.add(granted, at: now)
        return .requestRateReached(
            limit: limit, retryAfterSeconds: window.secondsUntilFree(limit: limit, at: now))
    }
}

/// What became of a request that asked to be admitted.
public enum AdmissionVerdict: Hashable, Sendable {
    /// Counted and in the database. `remaining` is what the cap still held after this request; `nil` without a cap.
    case admitted(remaining: Int64?)
    case refused(AdmissionRefusal)
    /// The database did not answer: nothing is known to be counted, and the client may try again.
    case unavailable
}
