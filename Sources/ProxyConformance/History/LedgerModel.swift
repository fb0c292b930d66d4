import ProxyDomain
import ProxyStorage

/// What a storage should hold, kept in dictionaries: the rules of the ledger once more, without a database.
///
/// Written apart from the product's own decisions on purpose: it shares no code with them, so they can't be wrong alike.
struct LedgerModel: Sendable {
    private(set) var projects: [ProjectID: Project] = [:]
    private(set) var tokens: [TokenID: Token] = [:]
    private(set) var requests: [RequestID: Admission] = [:]
    /// The seconds in which requests were granted under a limit.
    private var granted: [TokenID: [Int64]] = [:]
    private var lastBatches: [InstanceID: (sequence: Int64, admitted: [Bool])] = [:]

    mutating func create(_ project: Project) { projects[project.id] = project }
    mutating func create(_ token: Token) { tokens[token.id] = token }

    mutating func setActive(_ id: ProjectID, _ isActive: Bool, at now: Timestamp) -> Project? {
        guard var project = projects[id] else { return nil }
        project.deactivatedAt = isActive ? nil : project.deactivatedAt ?? now
        project.updatedAt = now
        projects[id] = project
        return project
    }

    mutating func update(_ id: TokenID, _ change: TokenChange, at now: Timestamp) -> Token? {
        guard var token = tokens[id] else { return nil }
        if let name = change.name { token.name = name }
        if let cap = change.maxRequests { token.maxRequests = cap }
        if let limits = change.limits { token.limits = limits }
        if let isActive = change.isActive { token.revokedAt = isActive ? nil : token.revokedAt ?? now }
        switch change.expiry {
        case .at(let instant): token.expiresAt = instant
        case .never: token.expiresAt = nil
        case nil: break
        }
        tokens[id] = token
        return token
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
        let verdicts = batch.admissions.map { admit($0, at: batch.now) }
        for end in batch.settlements { settle(end.requestID, end.settlement) }
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
        if let limit = token.limits.requestsPerMinute {
            let second = now.milliseconds / 1000
            let counting = (granted[token.id] ?? []).filter { abs(second - $0) <= 60 }.sorted()
            if counting.count >= limit {
                let freed = counting[counting.count - Int(limit)] + 61 - second
                return .refused(.requestRateReached(limit: limit, retryAfterSeconds: max(1, freed)))
            }
            granted[token.id] = counting + [second]
        }
        token.requestCount += 1
        token.lastUsedAt = admission.admittedAt
        tokens[token.id] = token
        var row = admission
        row.settlement = nil
        requests[admission.requestID] = row
        if let settlement = admission.settlement { settle(admission.requestID, settlement) }
        return .admitted(remaining: token.maxRequests == 0 ? nil : token.maxRequests - token.requestCount)
    }

    private mutating func settle(_ id: RequestID, _ settlement: Settlement) {
        guard let row = requests[id], row.settlement == nil, var token = tokens[row.tokenID] else { return }
        requests[id]?.settlement = settlement
        token.promptTokens += settlement.usage?.promptTokens ?? 0
        token.completionTokens += settlement.usage?.completionTokens ?? 0
        token.cost = NanoDollars(token.cost.amount + settlement.cost.amount)
        tokens[token.id] = token
    }

    /// Takes over how the storage put open requests in doubt.
    /// - Returns: how many were open.
    mutating func settleAbandoned(as given: (RequestID) -> Settlement?) -> Int {
        let open = requests.values.filter { $0.settlement == nil }.map(\.requestID)
        for id in open { if let settlement = given(id) { settle(id, settlement) } }
        return open.count
    }
}
