/// Why a request was not admitted. Each is final for that request; none has counted.
public enum AdmissionRefusal: Hashable, Sendable, CaseIterable {
    case unknownToken
    case tokenRevoked
    case tokenExpired
    case projectInactive
    case capUsedUp
}

/// What the database says of a token at the moment of a decision, in the transaction that acts on it.
public struct TokenStanding: Hashable, Sendable {
    public let revokedAt: Timestamp?
    public let expiresAt: Timestamp?
    public let projectDeactivatedAt: Timestamp?
    public let requestCount: Int64
    /// 0 for no cap.
    public let maxRequests: Int64

    public init(
        revokedAt: Timestamp?, expiresAt: Timestamp?, projectDeactivatedAt: Timestamp?, requestCount: Int64,
        maxRequests: Int64
    ) {
        self.revokedAt = revokedAt
        self.expiresAt = expiresAt
        self.projectDeactivatedAt = projectDeactivatedAt
        self.requestCount = requestCount
        self.maxRequests = maxRequests
    }

    /// The reason why no request at `now` is admitted whatever the cap holds, if there is one.
    public func refusal(at now: Timestamp) -> AdmissionRefusal? {
        if revokedAt != nil { return .tokenRevoked }
        if let expiresAt, expiresAt <= now { return .tokenExpired }
        if projectDeactivatedAt != nil { return .projectInactive }
        return nil
    }

    /// How many of `asked` requests the cap still allows: exact at the edge, all of them without a cap.
    public func granted(of asked: Int64) -> Int64 {
        maxRequests == 0 ? asked : min(asked, max(0, maxRequests - requestCount))
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
