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
        var text = text
        let read = text.withUTF8 { Self.slots(in: $0) }
        guard let read else { return nil }
        slots = read
    }

    /// Over bytes: a batch reads and writes a window for each token that has a limit.
    private static func slots(in bytes: UnsafeBufferPointer<UInt8>) -> [Slot]? {
        var slots: [Slot] = []
        slots.reserveCapacity(Int(seconds) + 2)
        var place = 0
        while place < bytes.count {
            if !slots.isEmpty {
                guard bytes[place] == UInt8(ascii: ",") else { return nil }
                place += 1
            }
            guard let step = number(in: bytes, &place), place < bytes.count, bytes[place] == UInt8(ascii: ":") else {
                return nil
            }
            place += 1
            guard let amount = number(in: bytes, &place), amount > 0, slots.isEmpty || step > 0 else { return nil }
            let (second, overflows) = (slots.last?.second ?? 0).addingReportingOverflow(step)
            guard !overflows else { return nil }
            slots.append(Slot(second: second, amount: amount))
        }
        return slots
    }

    /// Reads digits, at least one.
    private static func number(in bytes: UnsafeBufferPointer<UInt8>, _ place: inout Int) -> Int64? {
        let start = place
        var value: Int64 = 0
        while place < bytes.count, case let digit = bytes[place] &- UInt8(ascii: "0"), digit < 10 {
            let (tens, isTooMuch) = value.multipliedReportingOverflow(by: 10)
            let (next, isMore) = tens.addingReportingOverflow(Int64(digit))
            guard !isTooMuch, !isMore else { return nil }
            value = next
            place += 1
        }
        return place > start ? value : nil
    }

    /// `second:amount,…`, every second but the first as its distance from the one before. Empty for none.
    public var text: String {
        // Two numbers of at most 19 digits, and what is between them.
        String(unsafeUninitializedCapacity: slots.count * 40) { buffer in
            var place = 0
            var last: Int64 = 0
            for slot in slots {
                if place > 0 { Self.write(UInt8(ascii: ","), to: buffer, &place) }
                Self.write(slot.second - last, to: buffer, &place)
                Self.write(UInt8(ascii: ":"), to: buffer, &place)
                Self.write(slot.amount, to: buffer, &place)
                last = slot.second
            }
            return place
        }
    }

    private static func write(_ byte: UInt8, to buffer: UnsafeMutableBufferPointer<UInt8>, _ place: inout Int) {
        buffer[place] = byte
        place += 1
    }

    /// Writes a number that is not below 0.
    private static func write(_ number: Int64, to buffer: UnsafeMutableBufferPointer<UInt8>, _ place: inout Int) {
        var digits = 1
        var rest = number
        while rest >= 10 {
            rest /= 10
            digits += 1
        }
        rest = number
        for position in stride(from: place + digits - 1, through: place, by: -1) {
            buffer[position] = UInt8(ascii: "0") + UInt8(rest % 10)
            rest /= 10
        }
        place += digits
    }

    /// How much counts at `now`.
    public func used(at now: Timestamp) -> Int64 {
        slots.reduce(0) { $0 + (Self.counts($1.second, at: now.second) ? $1.amount : 0) }
    }

    /// Notes what was granted at `now`, and forgets what counts no longer then.
    public mutating func add(_ amount: Int64, at now: Timestamp) { add(amount, cameAt: now, at: now) }

    /// The same for what came at `arrival`: it counts from then on, or from now on where that is too long ago to count.
    public mutating func add(_ amount: Int64, cameAt arrival: Timestamp, at now: Timestamp) {
        slots.removeAll { !Self.counts($0.second, at: now.second) }
        guard amount > 0 else { return }
        let second = Self.counts(arrival.second, at: now.second) ? arrival.second : now.second
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
        for slot in slots where Self.counts(slot.second, at: now.second) {
            left -= slot.amount
            if left + asked <= limit { return max(1, slot.second + Self.seconds + 1 - now.second) }
        }
        return 1
    }

    /// When one more fits below `limit` again, if nothing else comes; `nil` while one does.
    public func instantFree(limit: Int64, at now: Timestamp) -> Timestamp? {
        guard used(at: now) >= limit, let seconds = secondsUntilFree(limit: limit, at: now) else { return nil }
        return Timestamp(milliseconds: (now.second + seconds) * 1000)
    }

    /// Whole seconds from `now` until nothing of it counts any more; 0 when nothing does.
    public func secondsUntilEmpty(at now: Timestamp) -> Int64 {
        guard let last = slots.last(where: { Self.counts($0.second, at: now.second) }) else { return 0 }
        return max(1, last.second + Self.seconds + 1 - now.second)
    }

    /// What seems to come from further ahead than a window was granted by a clock that was wrong: it would never end.
    private static func counts(_ granted: Int64, at second: Int64) -> Bool {
        granted >= second - seconds && granted <= second + seconds
    }
}

extension Timestamp {
    /// The whole second it is in, since 1970 in UTC.
    fileprivate var second: Int64 { milliseconds >= 0 ? milliseconds / 1000 : (milliseconds - 999) / 1000 }
}
