import ProxyDomain
import ProxyStorage

/// What a storage should hold, kept in dictionaries: the rules of the ledger once more, without a database.
///
/// Written apart from the product's own decisions on purpose: it shares no code with them, so they can't be wrong alike.
struct LedgerModel: Sendable {
    private(set) var projects: [ProjectID: Project] = [:]
    private(set) var tokens: [TokenID: Token] = [:]
    private(set) var requests: [RequestID: Admission] = [:]
    private var requestRates: [TokenID: MinuteModel] = [:]
    private var tokenRates: [TokenID: MinuteModel] = [:]
    private var tokenBudgets: [TokenID: BudgetModel] = [:]
    private var projectBudgets: [ProjectID: BudgetModel] = [:]
    private var lastBatches: [InstanceID: (sequence: Int64, admitted: [Bool])] = [:]

    mutating func create(_ project: Project) { projects[project.id] = project }
    mutating func create(_ token: Token) {
        tokens[token.id] = token
        tokenBudgets[token.id] = token.limits.budget.map { BudgetModel($0, at: token.createdAt) }
        refresh(token.id)
    }

    mutating func update(_ id: ProjectID, _ change: ProjectChange, at now: Timestamp) -> Project? {
        guard var project = projects[id] else { return nil }
        if let isActive = change.isActive { project.deactivatedAt = isActive ? nil : project.deactivatedAt ?? now }
        if let limits = change.limits {
            project.limits = limits
            projectBudgets[id] = Self.replaced(projectBudgets[id], by: limits.budget, at: now)
        }
        project.updatedAt = now
        projects[id] = project
        refresh(id)
        return projects[id]
    }

    /// One with the same period goes on; any other begins anew.
    private static func replaced(_ old: BudgetModel?, by new: Budget?, at now: Timestamp) -> BudgetModel? {
        guard let new else { return nil }
        guard var old, old.budget.period == new.period else { return BudgetModel(new, at: now) }
        old.budget = new
        return old
    }

    /// What is set aside for requests under way.
    private func reserved(_ isMeant: (Admission) -> Bool) -> Int64 {
        requests.values.filter { $0.settlement == nil && isMeant($0) }.map(\.reservation.cost.amount).reduce(0, +)
    }

    private func reserved(of id: TokenID) -> Int64 { reserved { $0.tokenID == id } }
    private func reserved(of id: ProjectID) -> Int64 { reserved { $0.projectID == id } }

    /// What counts at `now` under a token's limits per minute: requests, and tokens.
    func used(of id: TokenID, at now: Timestamp) -> [Int64] {
        [requestRates[id]?.used(at: now) ?? 0, tokenRates[id]?.used(at: now) ?? 0]
    }

    /// Brings up to date what is shown of a budget.
    private mutating func refresh(_ id: TokenID) {
        let account = tokenBudgets[id].map { $0.account(reserved: reserved(of: id)) }
        tokens[id]?.budget = account
        if let project = tokens[id]?.projectID { refresh(project) }
    }

    private mutating func refresh(_ id: ProjectID) {
        let account = projectBudgets[id].map { $0.account(reserved: reserved(of: id)) }
        projects[id]?.budget = account
    }

    mutating func update(_ id: TokenID, _ change: TokenChange, at now: Timestamp) -> Token? {
        guard var token = tokens[id] else { return nil }
        if let name = change.name { token.name = name }
        if let cap = change.maxRequests { token.maxRequests = cap }
        if let limits = change.limits {
            token.limits = limits
            tokenBudgets[id] = Self.replaced(tokenBudgets[id], by: limits.budget, at: now)
        }
        if let isActive = change.isActive { token.revokedAt = isActive ? nil : token.revokedAt ?? now }
        switch change.expiry {
        case .at(let instant): token.expiresAt = instant
        case .never: token.expiresAt = nil
        case nil: break
        }
        tokens[id] = token
        refresh(id)
        return tokens[id]
    }

    /// Whether this revoked it.
    mutating func revoke(_ id: TokenID, at now: Timestamp) -> Bool? {
        guard let token = tokens[id] else { return nil }
        guard token.revokedAt == nil else { return false }
        tokens[id]?.revokedAt = now
        return true
    }

    mutating func revokeTokens(of project: ProjectID, at now: Timestamp) -> RevocationSummary {
        let mine = tokens.values.filter { $0.projectID == project }
        let revoked = mine.count { revoke($0.id, at: now) == true }
        return RevocationSummary(revoked: revoked, alreadyRevoked: mine.count - revoked)
    }

    /// Writes a batch. Verdicts of a batch that was written before are told by ``admittedBefore(_:)`` instead.
    mutating func commit(_ batch: LedgerBatch) -> [AdmissionVerdict] {
        // All is decided before anything ends: what a batch's own requests used counts from the next batch on.
        let verdicts = batch.admissions.map { admit($0, at: batch.now) }
        for (admission, verdict) in zip(batch.admissions, verdicts) where verdict.isAdmitted {
            if let settlement = admission.settlement { settle(admission.requestID, settlement, at: batch.now) }
        }
        for end in batch.settlements { settle(end.requestID, end.settlement, at: batch.now) }
        lastBatches[batch.instance] = (batch.sequence, verdicts.map(\.isAdmitted))
        return verdicts
    }

    /// Which requests of the batch were admitted when it was written; `nil` if it was not.
    func admittedBefore(_ batch: LedgerBatch) -> [Bool]? {
        guard let last = lastBatches[batch.instance], last.sequence == batch.sequence else { return nil }
        return last.admitted
    }

    private mutating func admit(_ admission: Admission, at now: Timestamp) -> AdmissionVerdict {
        guard var token = tokens[admission.tokenID] else { return .refused(.unknownToken) }
        if token.revokedAt != nil { return .refused(.tokenRevoked) }
        if let expiry = token.expiresAt, now >= expiry { return .refused(.tokenExpired) }
        if projects[token.projectID]?.deactivatedAt != nil { return .refused(.projectInactive) }
        if token.maxRequests > 0, token.requestCount >= token.maxRequests { return .refused(.capUsedUp) }
        renewBudgets(of: token, at: now)
        let reached = limitsReached(admission, token, at: now)
        if let first = reached.first(where: { !$0.isShadow }) { return .refused(first.refusal) }
        var headroom = Headroom(shadowRefusal: reached.first?.kind)
        if let limit = token.limits.requestsPerMinute {
            requestRates[token.id, default: MinuteModel()].add(1, at: now)
            headroom.requests = requestRates[token.id]?.rate(limit, at: now)
        }
        if let limit = token.limits.tokensPerMinute {
            tokenRates[token.id, default: MinuteModel()].add(admission.reservation.tokens, at: admission.admittedAt)
            headroom.tokens = tokenRates[token.id]?.rate(limit, at: now)
        }
        if headroom.shadowRefusal != nil { token.shadowRefusalCount += 1 }
        token.requestCount += 1
        token.lastUsedAt = admission.admittedAt
        tokens[token.id] = token
        var row = admission
        row.settlement = nil
        requests[admission.requestID] = row
        refresh(token.id)
        return .admitted(
            remaining: token.maxRequests == 0 ? nil : token.maxRequests - token.requestCount, headroom: headroom)
    }

    private mutating func renewBudgets(of token: Token, at now: Timestamp) {
        guard !token.limits.isEmpty || projectBudgets[token.projectID] != nil else { return }
        tokenBudgets[token.id]?.renew(at: now)
        projectBudgets[token.projectID]?.renew(at: now)
        refresh(token.id)
    }

    /// In the order in which they are looked at.
    private func limitsReached(
        _ admission: Admission, _ token: Token, at now: Timestamp
    ) -> [(kind: LimitKind, isShadow: Bool, refusal: AdmissionRefusal)] {
        var reached: [(kind: LimitKind, isShadow: Bool, refusal: AdmissionRefusal)] = []
        let shadowed = token.limits.shadowed
        let rate = requestRates[token.id] ?? MinuteModel()
        if let limit = token.limits.requestsPerMinute, rate.used(at: now) >= limit {
            reached.append(
                (
                    .requestsPerMinute, shadowed.contains(.requestsPerMinute),
                    .requestRateReached(limit: limit, retryAfterSeconds: rate.wait(for: 1, limit: limit, at: now) ?? 0)
                ))
        }
        let (tokenRate, asked) = (tokenRates[token.id] ?? MinuteModel(), admission.reservation.tokens)
        if let limit = token.limits.tokensPerMinute, tokenRate.used(at: now) + max(1, asked) > limit {
            let wait = tokenRate.wait(for: max(1, asked), limit: limit, at: now)
            reached.append(
                (
                    .tokensPerMinute, shadowed.contains(.tokensPerMinute),
                    .tokenRateReached(limit: limit, asked: asked, retryAfterSeconds: wait)
                ))
        }
        let cost = admission.reservation.cost.amount
        if let budget = tokenBudgets[token.id], !budget.allows(cost, reserved: reserved(of: token.id)) {
            reached.append((.budget, shadowed.contains(.budget), budget.refusal(of: .token, at: now)))
        }
        if let budget = projectBudgets[token.projectID], !budget.allows(cost, reserved: reserved(of: token.projectID)) {
            let isShadow = projects[token.projectID]?.limits.isShadow ?? false
            reached.append((.projectBudget, isShadow, budget.refusal(of: .project, at: now)))
        }
        return reached
    }

    private mutating func settle(_ id: RequestID, _ settlement: Settlement, at now: Timestamp) {
        guard let row = requests[id], row.settlement == nil, var token = tokens[row.tokenID] else { return }
        requests[id]?.settlement = settlement
        token.promptTokens += settlement.usage?.promptTokens ?? 0
        token.completionTokens += settlement.usage?.completionTokens ?? 0
        token.cost = NanoDollars(token.cost.amount + settlement.cost.amount)
        tokens[token.id] = token
        if row.reservation != .none, token.limits.tokensPerMinute != nil {
            let used = (settlement.usage?.promptTokens ?? 0) + (settlement.usage?.completionTokens ?? 0)
            tokenRates[token.id, default: MinuteModel()].correct(
                row.reservation.tokens, to: used, grantedAt: row.admittedAt, at: now)
        }
        tokenBudgets[token.id]?.spent += settlement.cost.amount
        projectBudgets[token.projectID]?.spent += settlement.cost.amount
        refresh(token.id)
    }

    /// What a request in doubt is taken to have used: what was set aside for it, or the average of its token's requests.
    func estimate(of row: Admission) -> (TokenUsage, NanoDollars)? {
        guard let token = tokens[row.tokenID] else { return nil }
        var (prompt, completion, cost) = (
            row.reservation.promptTokens, row.reservation.completionTokens, row.reservation.cost.amount
        )
        if row.reservation == .none {
            (prompt, completion, cost) = (
                token.promptTokens / token.requestCount, token.completionTokens / token.requestCount,
                token.cost.amount / token.requestCount
            )
        }
        return (TokenUsage(promptTokens: prompt, completionTokens: completion, source: .estimate), NanoDollars(cost))
    }

    /// Takes over how the storage put open requests in doubt.
    /// - Returns: how many were open.
    mutating func settleAbandoned(at now: Timestamp, as given: (RequestID) -> Settlement?) -> Int {
        let open = requests.values.filter { $0.settlement == nil }.map(\.requestID)
        for id in open { if let settlement = given(id) { settle(id, settlement, at: now) } }
        return open.count
    }
}
