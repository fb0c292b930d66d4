/// What the database says of a token at the moment of a decision, in the transaction that acts on it; and what one decision
/// after the other makes of that.
public struct TokenStanding: Hashable, Sendable {
    public let revokedAt: Timestamp?
    public let expiresAt: Timestamp?
    public let projectDeactivatedAt: Timestamp?
    public private(set) var requestCount: Int64
    /// 0 for no cap.
    public let maxRequests: Int64
    public let limits: TokenLimits
    /// What the limit of requests per minute is judged by.
    public private(set) var requestWindow: MinuteWindow
    /// What the limit of tokens per minute is judged by.
    public private(set) var tokenWindow: MinuteWindow
    /// What the token's budget is judged by; `nil` without one.
    public private(set) var budget: BudgetAccount?
    public let projectLimits: ProjectLimits
    /// Requests admitted by these decisions that a limit in shadow would have refused.
    public private(set) var shadowRefusals: Int64 = 0

    public init(
        revokedAt: Timestamp?, expiresAt: Timestamp?, projectDeactivatedAt: Timestamp?, requestCount: Int64,
        maxRequests: Int64, limits: TokenLimits = TokenLimits(), requestWindow: MinuteWindow = MinuteWindow(),
        tokenWindow: MinuteWindow = MinuteWindow(), budget: BudgetAccount? = nil,
        projectLimits: ProjectLimits = ProjectLimits()
    ) {
        self.revokedAt = revokedAt
        self.expiresAt = expiresAt
        self.projectDeactivatedAt = projectDeactivatedAt
        self.requestCount = requestCount
        self.maxRequests = maxRequests
        self.limits = limits
        self.requestWindow = requestWindow
        self.tokenWindow = tokenWindow
        self.budget = budget
        self.projectLimits = projectLimits
    }

    /// Whether a request must be admitted before it is forwarded: then no limit is ever passed.
    public var isLimited: Bool { maxRequests > 0 || !limits.isEmpty || projectLimits.budget != nil }

    /// Whether something must be set aside for each request.
    public var reserves: Bool { limits.tokensPerMinute != nil || hasBudget }

    /// Whether money must be set aside for each request.
    public var hasBudget: Bool { limits.budget != nil || projectLimits.budget != nil }

    /// Whether what a request can cost at most must be known before it is admitted.
    public var isStrict: Bool { limits.budget?.mode == .strict || projectLimits.budget?.mode == .strict }

    /// The reason why no request at `now` is admitted whatever the cap holds, if there is one.
    public func refusal(at now: Timestamp) -> AdmissionRefusal? {
        if revokedAt != nil { return .tokenRevoked }
        if let expiresAt, expiresAt <= now { return .tokenExpired }
        if projectDeactivatedAt != nil { return .projectInactive }
        return nil
    }

    /// Decides on a request, and notes what it takes if it is admitted.
    /// - Parameters:
    ///   - arrival: when it came; what it takes of the tokens per minute counts from then.
    ///   - project: the account of the project's budget; `nil` without one.
    public mutating func admit(
        _ asked: Reservation, arrivedAt arrival: Timestamp, project: inout BudgetAccount?, at now: Timestamp
    ) -> AdmissionVerdict {
        if let refusal = refusal(at: now) { return .refused(refusal) }
        guard maxRequests == 0 || requestCount < maxRequests else { return .refused(.capUsedUp) }
        var headroom = Headroom()
        if !limits.isEmpty || project != nil {
            budget?.renew(at: now)
            project?.renew(at: now)
            for kind in LimitKind.allCases {
                guard let refusal = refusal(by: kind, of: asked, project: project, at: now) else { continue }
                guard isShadow(kind) else { return .refused(refusal) }
                headroom.shadowRefusal = headroom.shadowRefusal ?? kind
            }
            if headroom.shadowRefusal != nil { shadowRefusals += 1 }
            take(asked, arrivedAt: arrival, at: now)
            project?.reserve(asked.cost)
            fill(&headroom, at: now)
        }
        requestCount += 1
        return .admitted(remaining: maxRequests == 0 ? nil : maxRequests - requestCount, headroom: headroom)
    }

    /// A request has ended that came at `arrival`: what it used takes the place of what was set aside for it.
    public mutating func settle(
        _ reservation: Reservation, used: Int64, arrivedAt arrival: Timestamp, at now: Timestamp
    ) {
        guard limits.tokensPerMinute != nil else { return }
        tokenWindow.correct(reservation.tokens, to: used, grantedAt: arrival, at: now)
    }

    private mutating func take(_ asked: Reservation, arrivedAt arrival: Timestamp, at now: Timestamp) {
        if limits.requestsPerMinute != nil { requestWindow.add(1, at: now) }
        if limits.tokensPerMinute != nil { tokenWindow.add(asked.tokens, cameAt: arrival, at: now) }
        budget?.reserve(asked.cost)
    }

    private func isShadow(_ kind: LimitKind) -> Bool {
        switch kind {
        case .requestsPerMinute: limits.shadowed.contains(.requestsPerMinute)
        case .tokensPerMinute: limits.shadowed.contains(.tokensPerMinute)
        case .budget: limits.shadowed.contains(.budget)
        case .projectBudget: projectLimits.isShadow
        }
    }

    /// Why a limit does not allow a request; `nil` when it does, or is not set.
    private func refusal(
        by kind: LimitKind, of asked: Reservation, project: BudgetAccount?, at now: Timestamp
    ) -> AdmissionRefusal? {
        switch kind {
        case .requestsPerMinute:
            guard let limit = limits.requestsPerMinute, requestWindow.used(at: now) >= limit else { return nil }
            let seconds = requestWindow.secondsUntilFree(limit: limit, at: now) ?? MinuteWindow.seconds
            return .requestRateReached(limit: limit, retryAfterSeconds: seconds)
        case .tokensPerMinute:
            let least = max(1, asked.tokens)
            guard let limit = limits.tokensPerMinute, tokenWindow.used(at: now) + least > limit else { return nil }
            return .tokenRateReached(
                limit: limit, asked: asked.tokens,
                retryAfterSeconds: tokenWindow.secondsUntilFree(least, limit: limit, at: now))
        case .budget: return Self.refusal(by: budget, of: .token, asked, at: now)
        case .projectBudget: return Self.refusal(by: project, of: .project, asked, at: now)
        }
    }

    private static func refusal(
        by account: BudgetAccount?, of owner: BudgetOwner, _ asked: Reservation, at now: Timestamp
    ) -> AdmissionRefusal? {
        guard let account, !account.allows(asked.cost) else { return nil }
        return .budgetUsedUp(of: owner, budget: account.budget, resetsAt: account.budget.period.end(at: now))
    }

    private func fill(_ headroom: inout Headroom, at now: Timestamp) {
        if let limit = limits.requestsPerMinute { headroom.requests = requestWindow.headroom(below: limit, at: now) }
        if let limit = limits.tokensPerMinute { headroom.tokens = tokenWindow.headroom(below: limit, at: now) }
    }
}

extension MinuteWindow {
    fileprivate func headroom(below limit: Int64, at now: Timestamp) -> Headroom.Rate {
        Headroom.Rate(
            limit: limit, remaining: max(0, limit - used(at: now)), resetSeconds: secondsUntilEmpty(at: now))
    }
}
