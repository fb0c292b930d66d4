/// When a request is sent again, and where, after an attempt of which the client has seen nothing.
public struct RetryRules: Hashable, Sendable {
    /// Most times a request is sent, 1…10. 1 for once.
    public var attempts: Int
    /// What is tried again.
    public var on: Set<AttemptResult>
    /// The first pause; each further one is twice as long, and each is shortened by up to a half at random.
    public var backoff: Duration
    /// The longest pause. A provider that wants a longer one in `Retry-After` is not asked again.
    public var longestBackoff: Duration
    /// Most requests that may be sent again, as a share of all, 0…100 percent, and ten more.
    public var budgetPercent: Int
    /// What makes a request take another of its project's ways, at once.
    public var fallbackOn: Set<AttemptResult>
    public var breaker: BreakerRules

    /// What is worth another try a little later.
    public static let usual = Set([.connect, .reset, .status(429)] + (500...599).map { AttemptResult.status($0) })
    /// What another key or another place may do better.
    public static let usualFallback = usual.union([.timeout, .status(401), .status(403), .status(408)])

    public init(
        attempts: Int = 1, on: Set<AttemptResult> = usual, backoff: Duration = .milliseconds(250),
        longestBackoff: Duration = .seconds(8), budgetPercent: Int = 20,
        fallbackOn: Set<AttemptResult> = usualFallback, breaker: BreakerRules = BreakerRules()
    ) {
        self.attempts = attempts
        self.on = on
        self.backoff = backoff
        self.longestBackoff = longestBackoff
        self.budgetPercent = budgetPercent
        self.fallbackOn = fallbackOn
        self.breaker = breaker
    }

    /// The pause before the attempt that follows `made` others, as a share of it that `random` decides.
    public func pause(afterAttempts made: Int, random: UInt64) -> Duration {
        let doubled = backoff * Double(UInt64(1) << UInt64(min(max(made, 1), 40) - 1))
        let whole = min(doubled, longestBackoff)
        return whole * (0.5 + Double(random % 1024) / 2048)
    }
}

/// When an upstream is left alone for a while.
public struct BreakerRules: Hashable, Sendable {
    /// How many attempts in a row must fail without any answer, in time or at all; 0 for never.
    public var failures: Int
    /// How long it is then left alone, until one request is let through to try.
    public var openFor: Duration

    public init(failures: Int = 10, openFor: Duration = .seconds(5)) {
        self.failures = failures
        self.openFor = openFor
    }
}
