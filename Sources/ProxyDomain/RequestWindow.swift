/// Requests a token was granted lately, second by second: what a limit per minute is judged by.
///
/// A request counts until 60 seconds have passed since the end of the second it was granted in. So in no 60 seconds are there
/// more than the limit, and one that is refused is granted at most a second later than an exact clock would.
public struct RequestWindow: Hashable, Sendable {
    /// Seconds for which a request counts after its own.
    public static let seconds: Int64 = 60

    private struct Slot: Hashable, Sendable {
        /// Since 1970 in UTC.
        let second: Int64
        var count: Int64
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
            guard numbers.count == 2, let step = numbers[0], let count = numbers[1], step >= 0, count > 0,
                slots.isEmpty || step > 0
            else { return nil }
            let (next, overflows) = second.addingReportingOverflow(step)
            guard !overflows else { return nil }
            second = next
            slots.append(Slot(second: second, count: count))
        }
    }

    /// `second:count,…`, every second but the first as its distance from the one before. Empty for none.
    public var text: String {
        var last: Int64 = 0
        return slots.map { slot in
            defer { last = slot.second }
            return "\(slot.second - last):\(slot.count)"
        }.joined(separator: ",")
    }

    /// How many count at `now`.
    public func used(at now: Timestamp) -> Int64 {
        slots.reduce(0) { $0 + (Self.counts($1, at: now.second) ? $1.count : 0) }
    }

    /// How many of `asked` requests a limit still grants at `now`.
    public func granted(of asked: Int64, limit: Int64, at now: Timestamp) -> Int64 {
        min(asked, max(0, limit - used(at: now)))
    }

    /// Notes requests granted at `now`, and forgets those that count no longer.
    public mutating func add(_ count: Int64, at now: Timestamp) {
        let second = now.second
        slots.removeAll { !Self.counts($0, at: second) }
        guard count > 0 else { return }
        if let place = slots.firstIndex(where: { $0.second >= second }) {
            if slots[place].second == second {
                slots[place].count += count
            } else {
                slots.insert(Slot(second: second, count: count), at: place)
            }
        } else {
            slots.append(Slot(second: second, count: count))
        }
    }

    /// Whole seconds from `now` until another request is granted, at least 1; for a limit of 0 a whole window.
    public func secondsUntilFree(limit: Int64, at now: Timestamp) -> Int64 {
        var left = used(at: now)
        guard limit > 0 else { return Self.seconds }
        for slot in slots where Self.counts(slot, at: now.second) {
            left -= slot.count
            if left < limit { return max(1, slot.second + Self.seconds + 1 - now.second) }
        }
        return 1
    }

    /// One that seems to come from further ahead than a window was granted by a clock that was wrong: it would never end.
    private static func counts(_ slot: Slot, at second: Int64) -> Bool {
        slot.second >= second - seconds && slot.second <= second + seconds
    }
}

extension Timestamp {
    /// The whole second it is in, since 1970 in UTC.
    fileprivate var second: Int64 { milliseconds >= 0 ? milliseconds / 1000 : (milliseconds - 999) / 1000 }
}
