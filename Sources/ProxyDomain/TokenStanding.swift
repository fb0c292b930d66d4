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
            if let reached = limitReached(asked, project: project, shadowed: false, at: now) {
                return .refused(reached.refusal)
            }
            headroom.shadowRefusal = limitReached(asked, project: project, shadowed: true, at: now)?.kind
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
        if limits.tokensPerMinute != nil { tokenWindow.add(asked.tokens, at: arrival) }
        budget?.reserve(asked.cost)
    }

    /// The first limit that a request would pass, among those in shadow or among the others.
    private func limitReached(
        _ asked: Reservation, project: BudgetAccount?, shadowed: Bool, at now: Timestamp
    ) -> (kind: LimitKind, refusal: AdmissionRefusal)? {
        func isAsked(_ kind: LimitKinds) -> Bool { limits.shadowed.contains(kind) == shadowed }
        if let limit = limits.requestsPerMinute, isAsked(.requestsPerMinute), requestWindow.used(at: now) >= limit {
            let seconds = requestWindow.secondsUntilFree(limit: limit, at: now) ?? MinuteWindow.seconds
            return (.requestsPerMinute, .requestRateReached(limit: limit, retryAfterSeconds: seconds))
        }
        if let limit = limits.tokensPerMinute, isAsked(.tokensPerMinute),
            tokenWindow.used(at: now) + max(1, asked.tokens) > limit
        {
            let seconds = tokenWindow.secondsUntilFree(max(1, asked.tokens), limit: limit, at: now)
            return (
                .tokensPerMinute,
                .tokenRateReached(limit: limit, asked: asked.tokens, retryAfterSeconds: seconds)
            )
        }
        if let budget, isAsked(.budget), !budget.allows(asked.cost) {
            return (.budget, Self.usedUp(budget, of: .token, at: now))
        }
        if let project, projectLimits.isShadow == shadowed, !project.allows(asked.cost) {
            return (.projectBudget, Self.usedUp(project, of: .project, at: now))
        }
        return nil
    }

    private static func usedUp(
        _ account: BudgetAccount, of owner: BudgetOwner, at now: Timestamp
    ) -> AdmissionRefusal {
        .budgetUsedUp(of: owner, budget: account.budget, resetsAt: account.budget.period.end(at: now))
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
