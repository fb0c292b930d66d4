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
    /// With what is set aside for this request, more tokens than the token may use in a minute. It is granted after that many
    /// seconds, unless others come first; never, when it asks for more than the limit by itself.
    case tokenRateReached(limit: Int64, asked: Int64, retryAfterSeconds: Int64?)
    /// The budget of the token, or of its project, has nothing left until it begins anew; `nil` for never.
    case budgetUsedUp(of: BudgetOwner, budget: Budget, resetsAt: Timestamp?)
}

public enum BudgetOwner: String, Hashable, Sendable {
    case token
    case project
}

/// What became of a request that asked to be admitted.
public enum AdmissionVerdict: Hashable, Sendable {
    /// Counted and in the database. `remaining` is what the cap still held after this request; `nil` without a cap.
    case admitted(remaining: Int64?, headroom: Headroom = Headroom())
    case refused(AdmissionRefusal)
    /// The database did not answer: nothing is known to be counted, and the client may try again.
    case unavailable
}

/// What a token's limits still hold after a request.
public struct Headroom: Hashable, Sendable {
    /// `nil` without such a limit.
    public var requests: Rate?
    /// `nil` without such a limit.
    public var tokens: Rate?
    /// A limit in shadow that would have refused the request.
    public var shadowRefusal: LimitKind?

    public struct Rate: Hashable, Sendable {
        public let limit: Int64
        public let remaining: Int64
        /// Until all of the limit is there again, if nothing else comes.
        public let resetSeconds: Int64

        public init(limit: Int64, remaining: Int64, resetSeconds: Int64) {
            self.limit = limit
            self.remaining = remaining
            self.resetSeconds = resetSeconds
        }
    }

    public init(requests: Rate? = nil, tokens: Rate? = nil, shadowRefusal: LimitKind? = nil) {
        self.requests = requests
        self.tokens = tokens
        self.shadowRefusal = shadowRefusal
    }
}
