import ProxyDomain

/// What was granted under a limit per minute, by second: kept for ever, and counted anew for each question.
struct MinuteModel: Sendable {
    private var amounts: [Int64: Int64] = [:]

    private func counting(at now: Timestamp) -> [(second: Int64, amount: Int64)] {
        amounts.filter { abs(now.wholeSeconds - $0.key) <= 60 && $0.value > 0 }
            .map { (second: $0.key, amount: $0.value) }.sorted { $0.second < $1.second }
    }

    func used(at now: Timestamp) -> Int64 { counting(at: now).map(\.amount).reduce(0, +) }

    mutating func add(_ amount: Int64, at instant: Timestamp) { amounts[instant.wholeSeconds, default: 0] += amount }

    mutating func correct(_ granted: Int64, to used: Int64, grantedAt instant: Timestamp, at now: Timestamp) {
        if used > granted { return add(used - granted, at: now) }
        // What counts no longer can't be given back.
        guard counting(at: now).contains(where: { $0.second == instant.wholeSeconds }) else { return }
        amounts[instant.wholeSeconds, default: 0] = max(0, amounts[instant.wholeSeconds, default: 0] - granted + used)
    }

    /// Seconds until so much more fits; `nil` for never.
    func wait(for asked: Int64, limit: Int64, at now: Timestamp) -> Int64? {
        guard asked <= limit else { return nil }
        return (1...61).first { used(at: now + .seconds($0)) + asked <= limit }.map { Int64($0) }
    }

    func rate(_ limit: Int64, at now: Timestamp) -> Headroom.Rate {
        let last = counting(at: now).last
        return Headroom.Rate(
            limit: limit, remaining: max(0, limit - used(at: now)),
            resetSeconds: last.map { max(1, $0.second + 61 - now.wholeSeconds) } ?? 0)
    }
}

/// A budget's account, counted in plain numbers.
struct BudgetModel: Sendable {
    var budget: Budget
    var spent: Int64 = 0
    /// The first instant of the period, as text: `2026-11-23` for a day.
    var period = ""

    init(_ budget: Budget, at now: Timestamp) {
        self.budget = budget
        period = Self.period(of: budget, at: now)
    }

    private static func period(of budget: Budget, at now: Timestamp) -> String {
        switch budget.period {
        case .none: ""
        case .day: String(now.text.prefix(10))
        case .month: "\(now.text.prefix(7))-01"
        }
    }

    mutating func renew(at now: Timestamp) {
        let present = Self.period(of: budget, at: now)
        guard present > period else { return }
        (period, spent) = (present, 0)
    }

    func allows(_ cost: Int64, reserved: Int64) -> Bool {
        budget.mode == .strict
            ? budget.amount.amount - spent - reserved >= cost : budget.amount.amount > spent + reserved
    }

    func account(reserved: Int64) -> BudgetAccount {
        BudgetAccount(
            budget, spent: NanoDollars(spent), reserved: NanoDollars(reserved),
            beganAt: period.isEmpty ? .earliest : Timestamp("\(period)T00:00:00Z") ?? .latest)
    }

    func refusal(of owner: BudgetOwner, at now: Timestamp) -> AdmissionRefusal {
        let calendar = period.split(separator: "-").compactMap { Int($0) }
        var end: Timestamp?
        switch budget.period {
        case .none: break
        case .day: end = Timestamp("\(period)T00:00:00Z").map { $0 + .seconds(24 * 3600) }
        case .month:
            let (year, month) = calendar[1] == 12 ? (calendar[0] + 1, 1) : (calendar[0], calendar[1] + 1)
            end = Timestamp("\(year)-\(month < 10 ? "0" : "")\(month)-01T00:00:00Z")
        }
        return .budgetUsedUp(of: owner, budget: budget, resetsAt: end)
    }
}

extension Timestamp {
    fileprivate var wholeSeconds: Int64 { milliseconds / 1000 }
}
