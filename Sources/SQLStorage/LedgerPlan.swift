import ProxyDomain
import ProxyStorage

/// What a batch does to each token and project: decisions without I/O, kept from batch to batch for their memory.
struct LedgerPlan {
    /// One token's share of the batch.
    struct Group {
        let token: TokenID
        /// Its project's place in ``LedgerPlan/projects``.
        let project: Int
        /// Places in ``LedgerPlan/keys`` of its admissions.
        let admissions: Range<Int>
        /// Whether something is set aside for one of its requests, or was for one that ends.
        let reserves: Bool
        /// As it was found.
        fileprivate(set) var found: TokenStanding?
        /// As it becomes.
        fileprivate(set) var standing: TokenStanding?
        var requests: Int64 = 0
        var lastUsedAt: Timestamp?
        var sums = Sums()
        /// Whether something is counted that its standing would refuse.
        fileprivate(set) var isExcused = false

        /// Whether its row must be written. One of which nothing is added may have begun a new period, or get back tokens that were
        /// set aside for a request which used none.
        var hasChanged: Bool {
            requests > 0 || sums != Sums() || standing?.budget != found?.budget || tokenWindow != nil
        }
        /// `nil` when nothing changes in it.
        var requestWindow: MinuteWindow? {
            standing?.requestWindow == found?.requestWindow ? nil : standing?.requestWindow
        }
        /// `nil` when nothing changes in it.
        var tokenWindow: MinuteWindow? { standing?.tokenWindow == found?.tokenWindow ? nil : standing?.tokenWindow }
        var renewal: BudgetRenewal { BudgetRenewal(from: found?.budget, to: standing?.budget) }
    }

    /// One project's share of the batch.
    struct ProjectShare {
        let id: ProjectID
        fileprivate(set) var found: BudgetAccount?
        fileprivate var account: BudgetAccount?
        var cost: Int64 = 0
        var reserved: Int64 = 0

        var renewal: BudgetRenewal { BudgetRenewal(from: found, to: account) }
    }

    /// What requests add to a token.
    struct Sums: Equatable {
        var prompt: Int64 = 0
        var completion: Int64 = 0
        var cost: Int64 = 0
        /// Requests that were answered from the cache.
        var cacheHits: Int64 = 0
        /// Set aside for requests that begin, less what was set aside for those that end.
        var reserved: Int64 = 0

        mutating func add(_ settlement: Settlement, insteadOf reservation: Reservation) {
            prompt += settlement.usage?.promptTokens.storable ?? 0
            completion += settlement.usage?.completionTokens.storable ?? 0
            cost += settlement.cost.amount.storable
            if settlement.usage?.source == .cache { cacheHits += 1 }
            reserved -= reservation.cost.amount.storable
        }
    }

    /// An admission or a settlement of the batch: settlements come after all admissions.
    struct Key {
        let token: TokenID
        let index: Int
    }

    struct Grant {
        let admission: Int
        let group: Int
    }

    /// By token, then in the batch's order.
    private var keys: [Key] = []
    private(set) var groups: [Group] = []
    /// By identifier.
    private(set) var projects: [ProjectShare] = []
    /// The group of each admission of the batch.
    private var admissionGroups: [Int] = []
    /// The group of each settlement of the batch.
    private var settlementGroups: [Int] = []
    private(set) var grants: [Grant] = []
    private(set) var verdicts: [AdmissionVerdict] = []
    /// How many open requests were ended.
    private(set) var settled = 0

    /// Sorts the batch by token, and its tokens by project.
    mutating func lay(out batch: LedgerBatch) {
        keys.removeAll(keepingCapacity: true)
        groups.removeAll(keepingCapacity: true)
        grants.removeAll(keepingCapacity: true)
        settled = 0
        admissionGroups.removeAll(keepingCapacity: true)
        settlementGroups.removeAll(keepingCapacity: true)
        let admitted = batch.admissions.count
        for index in 0..<admitted {
            keys.append(Key(token: batch.admissions[index].tokenID, index: index))
            admissionGroups.append(0)
        }
        for index in 0..<batch.settlements.count {
            keys.append(Key(token: batch.settlements[index].tokenID, index: admitted + index))
            settlementGroups.append(0)
        }
        keys.sort { $0.token == $1.token ? $0.index < $1.index : $0.token < $1.token }
        layOutProjects(of: batch)
        var start = 0
        while start < keys.count { start = layOutGroup(from: start, of: batch) }
        verdicts = Array(repeating: .refused(.unknownToken), count: admitted)
    }

    private mutating func layOutProjects(of batch: LedgerBatch) {
        projects.removeAll(keepingCapacity: true)
        func take(_ id: ProjectID) {
            guard !projects.contains(where: { $0.id == id }) else { return }
            projects.append(ProjectShare(id: id))
        }
        for admission in batch.admissions { take(admission.projectID) }
        for end in batch.settlements { take(end.projectID) }
        projects.sort { $0.id < $1.id }
    }

    /// - Returns: where the next token's keys begin.
    private mutating func layOutGroup(from start: Int, of batch: LedgerBatch) -> Int {
        let (token, admitted) = (keys[start].token, batch.admissions.count)
        var end = start
        var admissionsEnd = start
        var reserves = false
        while end < keys.count, keys[end].token == token {
            let index = keys[end].index
            if index < admitted {
                admissionsEnd += 1
                admissionGroups[index] = groups.count
                if batch.admissions[index].reservation != .none { reserves = true }
            } else {
                settlementGroups[index - admitted] = groups.count
                if batch.settlements[index - admitted].reservation != .none { reserves = true }
            }
            end += 1
        }
        let first = keys[start].index
        let project =
            first < admitted ? batch.admissions[first].projectID : batch.settlements[first - admitted].projectID
        groups.append(
            Group(
                token: token, project: projects.firstIndex { $0.id == project } ?? 0, admissions: start..<admissionsEnd,
                reserves: reserves))
        return end
    }

    mutating func set(_ standing: TokenStanding, of group: Int) {
        groups[group].found = standing
        groups[group].standing = standing
    }

    mutating func set(_ account: BudgetAccount?, of project: Int) {
        projects[project].found = account
        projects[project].account = account
    }

    /// Projects whose accounts the batch may change, as far as that is known from the standings.
    var chargedProjects: [Int] {
        projects.indices.filter { place in
            groups.contains { $0.project == place && ($0.reserves || $0.standing?.projectLimits.budget != nil) }
        }
    }

    /// Decides on every admission, in the batch's order, from the standings and accounts found.
    mutating func decide(on batch: LedgerBatch) {
        for index in verdicts.indices {
            let group = admissionGroups[index]
            let project = groups[group].project
            let verdict = groups[group].standing?.admit(
                batch.admissions[index].reservation.storable, arrivedAt: batch.admissions[index].admittedAt,
                project: &projects[project].account, at: batch.now)
            guard var verdict else { continue }
            if batch.admissions[index].basis == .served, case .refused = verdict {
                verdict = .admitted(remaining: nil)
                groups[group].isExcused = true
            }
            verdicts[index] = verdict
            if case .admitted = verdict { grants.append(Grant(admission: index, group: group)) }
        }
    }

    /// Assumes that every admission will be granted, every row be added and every open request be ended.
    mutating func grantAll(of batch: LedgerBatch) {
        for number in groups.indices {
            for place in groups[number].admissions {
                let admission = keys[place].index
                grants.append(Grant(admission: admission, group: number))
                count(admission: admission, of: batch, in: number)
            }
        }
        for index in batch.settlements.indices { count(settlement: index, of: batch) }
    }

    /// What was assumed for a group is in the database, and makes its token's count this.
    mutating func set(requestCount: Int64, maxRequests: Int64, of group: Int) {
        let group = groups[group]
        for (offset, place) in group.admissions.enumerated() {
            let count = requestCount - group.requests + Int64(offset) + 1
            verdicts[keys[place].index] = .admitted(remaining: maxRequests == 0 ? nil : max(0, maxRequests - count))
        }
    }

    /// A row was added for an admission of the batch.
    mutating func count(admission index: Int, of batch: LedgerBatch, in group: Int) {
        let arrival = batch.admissions[index].admittedAt
        groups[group].requests += 1
        if groups[group].lastUsedAt.map({ $0 < arrival }) ?? true { groups[group].lastUsedAt = arrival }
        let reservation = batch.admissions[index].reservation
        let aside = reservation.cost.amount.storable
        groups[group].sums.reserved += aside
        projects[groups[group].project].reserved += aside
        if let settlement = batch.admissions[index].settlement {
            count(settlement, of: reservation, arrivedAt: arrival, in: group, at: batch.now)
        }
    }

    /// An open request was ended, by a settlement of the batch.
    mutating func count(settlement index: Int, of batch: LedgerBatch) {
        count(
            batch.settlements[index].settlement, of: batch.settlements[index].reservation,
            arrivedAt: batch.settlements[index].admittedAt, in: settlementGroups[index], at: batch.now)
    }

    private mutating func count(
        _ settlement: Settlement, of asked: Reservation, arrivedAt arrival: Timestamp, in group: Int, at now: Timestamp
    ) {
        settled += 1
        let reservation = asked.storable
        groups[group].sums.add(settlement, insteadOf: reservation)
        if asked != .none {
            let usage = settlement.usage
            groups[group].standing?.settle(
                reservation, used: (usage?.promptTokens.storable ?? 0) + (usage?.completionTokens.storable ?? 0),
                arrivedAt: arrival, at: now)
        }
        let project = groups[group].project
        projects[project].cost += settlement.cost.amount.storable
        projects[project].reserved -= reservation.cost.amount
    }

    /// Turns what was found in the database into the verdicts of a batch that was written before.
    mutating func recall(admission: Int, isPresent: Bool, of batch: LedgerBatch) {
        let group = admissionGroups[admission]
        guard let standing = groups[group].standing else { return }
        if isPresent {
            verdicts[admission] = .admitted(
                remaining: standing.maxRequests == 0 ? nil : max(0, standing.maxRequests - standing.requestCount))
        } else {
            verdicts[admission] = .refused(
                standing.likelyRefusal(
                    of: batch.admissions[admission].reservation.storable,
                    arrivedAt: batch.admissions[admission].admittedAt,
                    project: projects[groups[group].project].account, at: batch.now))
        }
    }
}

/// What a new period does to an account.
struct BudgetRenewal: Equatable {
    /// Added to what was spent: nothing, or all of it taken away.
    let spent: Int64
    /// `nil` when no period begins.
    let beganAt: Timestamp?

    init(from found: BudgetAccount?, to account: BudgetAccount?) {
        guard let found, let account, found.beganAt != account.beganAt else {
            (spent, beganAt) = (0, nil)
            return
        }
        (spent, beganAt) = (-found.spent.amount, account.beganAt)
    }
}

extension TokenStanding {
    /// Why a request is likely to have been refused, of which only this is known, and that it was.
    fileprivate func likelyRefusal(
        of asked: Reservation, arrivedAt arrival: Timestamp, project: BudgetAccount?, at now: Timestamp
    ) -> AdmissionRefusal {
        var (standing, account) = (self, project)
        if case .refused(let refusal) = standing.admit(asked, arrivedAt: arrival, project: &account, at: now) {
            return refusal
        }
        // What refused it allows it by now: time has passed.
        if let limit = limits.requestsPerMinute { return .requestRateReached(limit: limit, retryAfterSeconds: 1) }
        if let limit = limits.tokensPerMinute {
            return .tokenRateReached(limit: limit, asked: asked.tokens, retryAfterSeconds: 1)
        }
        if let budget = limits.budget { return .budgetUsedUp(of: .token, budget: budget, resetsAt: now) }
        if let budget = projectLimits.budget { return .budgetUsedUp(of: .project, budget: budget, resetsAt: now) }
        return .capUsedUp
    }
}

extension Int64 {
    /// Held within 0…2⁴⁰, so that no provider's absurd figure can make a token's sums overflow.
    var storable: Int64 { Swift.min(Swift.max(self, 0), 1 << 40) }
}

extension Reservation {
    /// Each figure held within what is ``Int64/storable``.
    var storable: Reservation {
        Reservation(
            promptTokens: promptTokens.storable, completionTokens: completionTokens.storable,
            cost: NanoDollars(cost.amount.storable))
    }
}
