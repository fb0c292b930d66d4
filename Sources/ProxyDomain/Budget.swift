/// How much money may be spent.
public struct Budget: Hashable, Sendable {
    /// Above 0.
    public let amount: NanoDollars
    public let period: BudgetPeriod
    public let mode: BudgetMode

    public init(_ amount: NanoDollars, per period: BudgetPeriod = .none, mode: BudgetMode = .normal) {
        self.amount = amount
        self.period = period
        self.mode = mode
    }
}

/// How often a budget begins anew. Stored by name.
public enum BudgetPeriod: String, Hashable, Sendable, CaseIterable {
    /// Never.
    case none
    /// At midnight, UTC.
    case day
    /// At midnight before the first of the month, UTC.
    case month

    /// When the period that `now` is in began.
    public func start(at now: Timestamp) -> Timestamp {
        let days = Timestamp.floorDivide(now.milliseconds, by: 86_400_000)
        switch self {
        case .none: return .earliest
        case .day: return Timestamp(milliseconds: days * 86_400_000)
        case .month:
            let date = Timestamp.civil(fromDays: days)
            return Timestamp(milliseconds: Timestamp.days(year: date.year, month: date.month, day: 1) * 86_400_000)
        }
    }

    /// When the period that `now` is in ends; `nil` for never.
    public func end(at now: Timestamp) -> Timestamp? {
        switch self {
        case .none: nil
        case .day: start(at: now) + .seconds(86_400)
        // 32 days after its first day, the next month is on its first, second, third or fourth.
        case .month: start(at: start(at: now) + .seconds(32 * 86_400))
        }
    }
}

/// How closely a budget is kept. Stored by name.
public enum BudgetMode: String, Hashable, Sendable, CaseIterable {
    /// A request is admitted while the budget isn't used up: what is in flight then may pass it.
    case normal
    /// A request is admitted only if what it can cost at most fits in: never passed.
    case strict
}

/// A budget and what has gone off it in the present period.
public struct BudgetAccount: Hashable, Sendable {
    public let budget: Budget
    /// Of requests that have ended.
    public private(set) var spent: NanoDollars
    /// For requests under way.
    public private(set) var reserved: NanoDollars
    /// When the period began that ``spent`` is of.
    public private(set) var beganAt: Timestamp

    public init(_ budget: Budget, spent: NanoDollars, reserved: NanoDollars, beganAt: Timestamp) {
        self.budget = budget
        self.spent = spent
        self.reserved = reserved
        self.beganAt = beganAt
    }

    /// Begins a new period if `now` is in a later one. What is under way stays reserved, and will be spent in the new one.
    public mutating func renew(at now: Timestamp) {
        let start = budget.period.start(at: now)
        guard start > beganAt else { return }
        beganAt = start
        spent = .zero
    }

    /// Whether a request that may cost `cost` may begin.
    public func allows(_ cost: NanoDollars) -> Bool {
        switch budget.mode {
        case .normal: spent + reserved < budget.amount
        case .strict: spent + reserved + cost <= budget.amount
        }
    }

    /// What is neither spent nor set aside; nothing when a budget was passed or lowered.
    public var remaining: NanoDollars {
        NanoDollars(max(0, budget.amount.amount - (spent + reserved).amount))
    }

    /// A request begins that may cost `cost`.
    public mutating func reserve(_ cost: NanoDollars) { reserved = reserved + cost }
}
