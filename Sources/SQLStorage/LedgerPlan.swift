import ProxyDomain
import ProxyStorage

/// What a batch does to each token: decisions without I/O, kept from batch to batch for their memory.
struct LedgerPlan {
    /// One token's share of the batch.
    struct Group {
        let token: TokenID
        /// Places in ``LedgerPlan/keys`` of its admissions.
        let admissions: Range<Int>
        var standing: TokenStanding?
        var requests: Int64 = 0
        var lastUsedAt: Timestamp?
        var sums = Sums()
        /// As it will be; `nil` when nothing changes in it.
        var window: RequestWindow?

        var hasChanged: Bool { requests > 0 || sums != Sums() }
    }

    /// What settled requests add to a token.
    struct Sums: Equatable {
        var prompt: Int64 = 0
        var completion: Int64 = 0
        var cost: Int64 = 0

        mutating func add(_ settlement: Settlement) {
            prompt += settlement.usage?.promptTokens.storable ?? 0
            completion += settlement.usage?.completionTokens.storable ?? 0
            cost += settlement.cost.amount.storable
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
    private(set) var keys: [Key] = []
    private(set) var groups: [Group] = []
    /// The group of each settlement of the batch.
    private(set) var settlementGroups: [Int] = []
    private(set) var grants: [Grant] = []
    private(set) var verdicts: [AdmissionVerdict] = []

    /// Sorts the batch by token.
    mutating func lay(out batch: LedgerBatch) {
        keys.removeAll(keepingCapacity: true)
        groups.removeAll(keepingCapacity: true)
        grants.removeAll(keepingCapacity: true)
        settlementGroups.removeAll(keepingCapacity: true)
        let admitted = batch.admissions.count
        for index in 0..<admitted { keys.append(Key(token: batch.admissions[index].tokenID, index: index)) }
        for index in 0..<batch.settlements.count {
            keys.append(Key(token: batch.settlements[index].tokenID, index: admitted + index))
            settlementGroups.append(0)
        }
        keys.sort { $0.token == $1.token ? $0.index < $1.index : $0.token < $1.token }
        var start = 0
        while start < keys.count {
            let token = keys[start].token
            var end = start
            var admissionsEnd = start
            while end < keys.count, keys[end].token == token {
                let index = keys[end].index
                if index < admitted { admissionsEnd += 1 } else { settlementGroups[index - admitted] = groups.count }
                end += 1
            }
            groups.append(Group(token: token, admissions: start..<admissionsEnd))
            start = end
        }
        verdicts = Array(repeating: .refused(.unknownToken), count: admitted)
    }

    mutating func set(_ standing: TokenStanding, of group: Int) { groups[group].standing = standing }

    /// Decides on every admission, from the standings found.
    mutating func decide(at now: Timestamp) {
        for number in groups.indices {
            let group = groups[number]
            guard !group.admissions.isEmpty, let standing = group.standing else { continue }
            let refusal = standing.refusal(at: now)
            let granted = refusal == nil ? Int(standing.granted(of: Int64(group.admissions.count), at: now)) : 0
            let edge = group.admissions.lowerBound + granted
            for place in group.admissions.lowerBound..<edge {
                grants.append(Grant(admission: keys[place].index, group: number))
            }
            admit(
                group.admissions.lowerBound..<edge, after: standing.requestCount, maxRequests: standing.maxRequests)
            if edge < group.admissions.upperBound {
                let reason = refusal ?? standing.refusalOfMore(after: Int64(granted), at: now)
                for place in edge..<group.admissions.upperBound { verdicts[keys[place].index] = .refused(reason) }
            }
            if granted > 0, standing.limits.requestsPerMinute != nil {
                var window = standing.window
                window.add(Int64(granted), at: now)
                groups[number].window = window
            }
        }
    }

    /// Assumes that every admission will be granted, every row be added and every open request be ended.
    mutating func grantAll(of batch: LedgerBatch) {
        for number in groups.indices {
            for place in groups[number].admissions {
                let admission = keys[place].index
                grants.append(Grant(admission: admission, group: number))
                count(batch.admissions[admission], in: number)
            }
        }
        for (index, end) in batch.settlements.enumerated() { count(end.settlement, in: settlementGroups[index]) }
    }

    /// What was assumed for a group is in the database, and makes its token's count this.
    mutating func set(requestCount: Int64, maxRequests: Int64, of group: Int) {
        let group = groups[group]
        admit(group.admissions, after: requestCount - group.requests, maxRequests: maxRequests)
    }

    private mutating func admit(_ places: Range<Int>, after requestCount: Int64, maxRequests: Int64) {
        for (offset, place) in places.enumerated() {
            let count = requestCount + Int64(offset) + 1
            verdicts[keys[place].index] = .admitted(remaining: maxRequests == 0 ? nil : max(0, maxRequests - count))
        }
    }

    /// A row was added for an admission.
    mutating func count(_ admission: Admission, in group: Int) {
        groups[group].requests += 1
        if groups[group].lastUsedAt.map({ $0 < admission.admittedAt }) ?? true {
            groups[group].lastUsedAt = admission.admittedAt
        }
        if let settlement = admission.settlement { groups[group].sums.add(settlement) }
    }

    /// An open request was ended.
    mutating func count(_ settlement: Settlement, in group: Int) { groups[group].sums.add(settlement) }

    /// Turns what was found in the database into the verdicts of a batch that was written before.
    mutating func recall(admission: Int, isPresent: Bool, in group: Int, at now: Timestamp) {
        guard let standing = groups[group].standing else { return }
        if isPresent {
            verdicts[admission] = .admitted(
                remaining: standing.maxRequests == 0 ? nil : max(0, standing.maxRequests - standing.requestCount))
        } else {
            verdicts[admission] = .refused(standing.refusal(at: now) ?? standing.refusalOfMore(after: 0, at: now))
        }
    }
}

extension Int64 {
    /// Held within 0…2⁴⁰, so that no provider's absurd figure can make a token's sums overflow.
    var storable: Int64 { Swift.min(Swift.max(self, 0), 1 << 40) }
}
