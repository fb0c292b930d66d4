import ProxyDomain

/// `limits` of a token or a project, read whole: what it does not name is not limited.
enum LimitFields {
    private static let rates: ClosedRange<Int64> = 1...1_000_000_000
    private static let budgetNames = ["budget_usd", "budget_period", "budget_mode", "shadow"]

    /// A token's; `nil` when it isn't there.
    static func ofToken(in body: BodyFields) throws(ManagementFailure) -> TokenLimits? {
        guard
            let fields = try body.fields(
                of: "limits", known: ["requests_per_minute", "tokens_per_minute"] + budgetNames)
        else { return nil }
        var limits = TokenLimits(
            requestsPerMinute: try fields.integer("requests_per_minute", in: rates),
            tokensPerMinute: try fields.integer("tokens_per_minute", in: rates), budget: try budget(in: fields))
        var set: LimitKinds = []
        for (name, kind) in LimitKinds.named where fields.has(name) { set.insert(kind) }
        limits.shadowed = try shadowed(in: fields, of: set)
        return limits
    }

    /// A project's; `nil` when it isn't there.
    static func ofProject(in body: BodyFields) throws(ManagementFailure) -> ProjectLimits? {
        guard let fields = try body.fields(of: "limits", known: budgetNames) else { return nil }
        let budget = try budget(in: fields)
        let shadowed = try shadowed(in: fields, of: budget == nil ? [] : .budget)
        return ProjectLimits(budget: budget, isShadow: !shadowed.isEmpty)
    }

    private static func budget(in fields: BodyFields) throws(ManagementFailure) -> Budget? {
        let period: BudgetPeriod? = try fields.choice("budget_period")
        let mode: BudgetMode? = try fields.choice("budget_mode")
        guard let amount = try fields.dollars("budget_usd") else {
            if let name = period != nil ? "budget_period" : mode != nil ? "budget_mode" : nil {
                throw .input(.invalid(name: "limits.\(name)", rule: "says nothing without 'limits.budget_usd'"))
            }
            return nil
        }
        return Budget(amount, per: period ?? .none, mode: mode ?? .normal)
    }

    /// Those of the limits that are set which only count: all of them for `true`, or those that a list names.
    private static func shadowed(in fields: BodyFields, of set: LimitKinds) throws(ManagementFailure) -> LimitKinds {
        guard let names = try fields.flagOrNames("shadow") else { return [] }
        guard let names else { return set }
        var shadowed: LimitKinds = []
        for name in names {
            guard let known = LimitKinds.named.first(where: { $0.name == name }), set.contains(known.kind) else {
                let rule = "must be true, false or a list of limits that are set"
                throw .input(
                    .invalid(
                        name: "limits.shadow",
                        rule: set.isEmpty ? rule : "\(rule): \(set.names.joined(separator: ", "))"))
            }
            shadowed.insert(known.kind)
        }
        return shadowed
    }
}

extension TokenLimits {
    /// `null` for what is not limited.
    var json: JSONValue {
        .object(
            [
                ("requests_per_minute", requestsPerMinute.map { .integer($0) } ?? .null),
                ("tokens_per_minute", tokensPerMinute.map { .integer($0) } ?? .null),
            ] + budget.members(shadowed: shadowed))
    }
}

extension ProjectLimits {
    /// `null` for what is not limited.
    var json: JSONValue { .object(budget.members(shadowed: isShadow ? .budget : [])) }
}

extension Budget? {
    fileprivate func members(shadowed: LimitKinds) -> [(String, JSONValue)] {
        [
            ("budget_usd", self?.amount.json ?? .null), ("budget_period", .text(self?.period.rawValue)),
            ("budget_mode", .text(self?.mode.rawValue)), ("shadow", .array(shadowed.names.map { .string($0) })),
        ]
    }
}

extension BudgetAccount? {
    /// What has gone off the budget in the period that `now` is in; `null` without one.
    func json(at now: Timestamp) -> JSONValue {
        guard var account = self else { return .null }
        account.renew(at: now)
        return .object([
            ("spent_usd", account.spent.json), ("reserved_usd", account.reserved.json),
            ("remaining_usd", account.remaining.json),
            ("resets_at", .text(account.budget.period.end(at: now)?.text)),
        ])
    }
}

extension Token {
    /// What is taken up of its limits at `now`: a member for each that it has, but for its budget.
    func consumption(at now: Timestamp) -> JSONValue {
        let uses: [(String, LimitUse?)] = [
            ("max_requests", capUse), (LimitKind.requestsPerMinute.rawValue, requestUse(at: now)),
            (LimitKind.tokensPerMinute.rawValue, tokenUse(at: now)),
        ]
        return .object(uses.compactMap { name, use in use.map { (name, $0.json) } })
    }
}

extension LimitUse {
    fileprivate var json: JSONValue {
        .object([("used", .integer(used)), ("remaining", .integer(remaining)), ("free_at", .text(freeAt?.text))])
    }
}
