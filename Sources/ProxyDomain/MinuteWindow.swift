/// What a token was granted lately, second by second, in requests or in tokens: what a limit per minute is judged by.
///
/// An amount counts until 60 seconds have passed since the end of the second it was granted in. So in no 60 seconds is more
/// granted than the limit, and what is refused is granted at most a second later than an exact clock would.
public struct MinuteWindow: Hashable, Sendable {
    /// Seconds for which an amount counts after its own.
    public static let seconds: Int64 = 60

    private struct Slot: Hashable, Sendable {
        /// Since 1970 in UTC.
        let second: Int64
        var amount: Int64
    }

    /// In order, none of them empty.
    private var slots: [Slot] = []

    public init() {}

    /// Reads ``text``.
    /// - Returns: `nil` for what is none.
    public init?(text: String) {
        var second: Int64 = 0
        for part in text.split(separator: ",") {
            let numbers = part.split(separator: ":", omittingEmptySubsequences: false).map { Int64($0) }
            guard numbers.count == 2, let step = numbers[0], let amount = numbers[1], step >= 0, amount > 0,
                slots.isEmpty || step > 0
            else { return nil }
            let (next, overflows) = second.addingReportingOverflow(step)
            guard !overflows else { return nil }
            second = next
            slots.append(Slot(second: second, amount: amount))
        }
    }

    /// `second:amount,…`, every second but the first as its distance from the one before. Empty for none.
    public var text: String {
        var last: Int64 = 0
        return slots.map { slot in
            defer { last = slot.second }
            return "\(slot.second - last):\(slot.amount)"
        }.joined(separator: ",")
    }

    /// How much counts at `now`.
    public func used(at now: Timestamp) -> Int64 {
        slots.reduce(0) { $0 + (Self.counts($1, at: now.second) ? $1.amount : 0) }
    }

    /// Notes what was granted at `instant`, and forgets what counts no longer then.
    public mutating func add(_ amount: Int64, at instant: Timestamp) {
        let second = instant.second
        slots.removeAll { !Self.counts($0, at: second) }
        guard amount > 0 else { return }
        if let place = slots.firstIndex(where: { $0.second >= second }) {
            if slots[place].second == second {
                slots[place].amount += amount
            } else {
                slots.insert(Slot(second: second, amount: amount), at: place)
            }
        } else {
            slots.append(Slot(second: second, amount: amount))
        }
    }

    /// Puts what was used in the place of what was granted for it at `instant`.
    ///
    /// What was used beyond the grant counts as of now: nothing that is past can be refused any more.
    public mutating func correct(_ granted: Int64, to used: Int64, grantedAt instant: Timestamp, at now: Timestamp) {
        if used > granted { return add(used - granted, at: now) }
        guard let place = slots.firstIndex(where: { $0.second == instant.second }) else { return }
        slots[place].amount -= min(granted - used, slots[place].amount)
        if slots[place].amount == 0 { slots.remove(at: place) }
    }

    /// Whole seconds from `now` until `asked` more fits below `limit`, at least 1; `nil` when it never does.
    public func secondsUntilFree(_ asked: Int64 = 1, limit: Int64, at now: Timestamp) -> Int64? {
        guard asked <= limit else { return nil }
        var left = used(at: now)
        for slot in slots where Self.counts(slot, at: now.second) {
            left -= slot.amount
            if left + asked <= limit { return max(1, slot.second + Self.seconds + 1 - now.second) }
        }
        return 1
    }

    /// Whole seconds from `now` until nothing of it counts any more; 0 when nothing does.
    public func secondsUntilEmpty(at now: Timestamp) -> Int64 {
        guard let last = slots.last(where: { Self.counts($0, at: now.second) }) else { return 0 }
        return max(1, last.second + Self.seconds + 1 - now.second)
    }

    /// What seems to come from further ahead than a window was granted by a clock that was wrong: it would never end.
    private static func counts(_ slot: Slot, at second: Int64) -> Bool {
        slot.second >= second - seconds && slot.second <= second + seconds
    }
}

extension Timestamp {
    /// The whole second it is in, since 1970 in UTC.
    fileprivate var second: Int64 { milliseconds >= 0 ? milliseconds / 1000 : (milliseconds - 999) / 1000 }
}
