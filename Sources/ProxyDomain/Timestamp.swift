/// An instant in UTC, in whole milliseconds since 1970-01-01T00:00:00Z, leap seconds ignored as POSIX does.
public struct Timestamp: Hashable, Comparable, Sendable {
    /// Milliseconds since the Unix epoch.
    public let milliseconds: Int64

    public init(milliseconds: Int64) { self.milliseconds = milliseconds }

    /// 9999-12-31T23:59:59.999Z, the last instant whose text form has four digits of year.
    public static let latest = Timestamp(milliseconds: 253_402_300_799_999)
    /// 0000-01-01T00:00:00.000Z, the first instant whose text form has four digits of year.
    public static let earliest = Timestamp(milliseconds: -62_167_219_200_000)

    public static func < (left: Self, right: Self) -> Bool { left.milliseconds < right.milliseconds }

    /// The instant `duration` later, cut to whole milliseconds and held within ``earliest`` and ``latest``.
    public static func + (left: Self, duration: Duration) -> Self {
        let (seconds, attoseconds) = duration.components
        let added = seconds.multipliedReportingOverflow(by: 1000)
        let sum = left.milliseconds.addingReportingOverflow(added.partialValue + attoseconds / 1_000_000_000_000_000)
        guard !added.overflow, !sum.overflow else { return duration < .zero ? earliest : latest }
        return min(max(Timestamp(milliseconds: sum.partialValue), earliest), latest)
    }

    /// The time from `right` to `left`; negative when `left` is earlier.
    public static func - (left: Self, right: Self) -> Duration {
        .milliseconds(left.milliseconds - right.milliseconds)
    }
}

/// ISO 8601 text. The form written is always `2026-11-23T09:30:00.000Z`, 24 characters, so texts sort as instants do.
extension Timestamp: CustomStringConvertible {
    /// The instant as 24 characters of ISO 8601, in UTC.
    public var text: String {
        String(unsafeUninitializedCapacity: 24) { buffer in
            write(into: UnsafeMutableRawBufferPointer(buffer))
            return 24
        }
    }

    public var description: String { text }

    /// Writes the 24 characters of ``text`` into `buffer`, which must hold at least 24 bytes.
    public func write(into buffer: UnsafeMutableRawBufferPointer) {
        let clamped = min(max(self, Self.earliest), Self.latest).milliseconds
        let days = Self.floorDivide(clamped, by: 86_400_000)
        let ofDay = clamped - days * 86_400_000
        let date = Self.civil(fromDays: days)
        // Two digits. Each request writes some instants.
        func put(_ value: Int64, at place: Int) {
            let value = UInt32(truncatingIfNeeded: value)
            buffer[place] = UInt8(truncatingIfNeeded: 48 + value / 10)
            buffer[place + 1] = UInt8(truncatingIfNeeded: 48 + value % 10)
        }
        put(date.year / 100, at: 0)
        put(date.year % 100, at: 2)
        put(date.month, at: 5)
        put(date.day, at: 8)
        let second = ofDay / 1000
        put(second / 3600, at: 11)
        put(second / 60 % 60, at: 14)
        put(second % 60, at: 17)
        let millisecond = ofDay - second * 1000
        put(millisecond / 10, at: 20)
        buffer[22] = UInt8(truncatingIfNeeded: 48 + millisecond % 10)
        (buffer[4], buffer[7], buffer[10]) = (UInt8(ascii: "-"), UInt8(ascii: "-"), UInt8(ascii: "T"))
        (buffer[13], buffer[16]) = (UInt8(ascii: ":"), UInt8(ascii: ":"))
        (buffer[19], buffer[23]) = (UInt8(ascii: "."), UInt8(ascii: "Z"))
    }

    /// Reads RFC 3339 text: a date, `T` or a space, a time, an optional fraction and `Z` or an offset such as `+02:00`.
    ///
    /// Digits beyond milliseconds are dropped. Gives `nil` for any other text and for dates that do not exist.
    public init?(_ text: some StringProtocol) {
        var reader = TimestampReader(text: Array(text.utf8))
        guard let milliseconds = reader.milliseconds() else { return nil }
        let instant = Timestamp(milliseconds: milliseconds)
        guard instant >= Self.earliest, instant <= Self.latest else { return nil }
        self = instant
    }

    /// Whole days from 1970 to the instant's day (UTC).
    public var daysSince1970: Int64 { Self.floorDivide(milliseconds, by: 86_400_000) }

    static func floorDivide(_ value: Int64, by divisor: Int64) -> Int64 {
        let quotient = value / divisor
        return value % divisor < 0 ? quotient - 1 : quotient
    }

    /// Days since the epoch to a date of the proleptic Gregorian calendar, by counting 400-year eras from 1 March 0000.
    static func civil(fromDays days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = floorDivide(shifted, by: 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
    }

    /// The inverse of ``civil(fromDays:)``. The date must exist.
    static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = floorDivide(shiftedYear, by: 400)
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}

/// Walks over the bytes of an RFC 3339 text.
private struct TimestampReader {
    let text: [UInt8]
    var position = 0

    mutating func milliseconds() -> Int64? {
        guard let date = date(), take("T") || take("t") || take(" "), let time = time(), let offset = offset(),
            position == text.count
        else { return nil }
        return date * 86_400_000 + time - offset * 60_000
    }

    private mutating func date() -> Int64? {
        guard let year = number(4), take("-"), let month = number(2), take("-"), let day = number(2),
            (1...12).contains(month), day >= 1
        else { return nil }
        let days = Timestamp.days(year: year, month: month, day: day)
        guard Timestamp.civil(fromDays: days) == (year, month, day) else { return nil }
        return days
    }

    private mutating func time() -> Int64? {
        guard let hour = number(2), take(":"), let minute = number(2), take(":"), let second = number(2),
            hour < 24, minute < 60, second < 60
        else { return nil }
        var fraction: Int64 = 0
        if take(".") {
            var digits = 0
            while let digit = number(1) {
                if digits < 3 { fraction = fraction * 10 + digit }
                digits += 1
            }
            guard digits > 0 else { return nil }
            for _ in digits..<max(3, digits) { fraction *= 10 }
        }
        return ((hour * 60 + minute) * 60 + second) * 1000 + fraction
    }

    /// Minutes east of UTC.
    private mutating func offset() -> Int64? {
        if take("Z") || take("z") { return 0 }
        let sign: Int64
        if take("+") { sign = 1 } else if take("-") { sign = -1 } else { return nil }
        guard let hours = number(2), take(":"), let minutes = number(2), hours < 24, minutes < 60 else { return nil }
        return sign * (hours * 60 + minutes)
    }

    private mutating func number(_ digits: Int) -> Int64? {
        guard position + digits <= text.count else { return nil }
        var value: Int64 = 0
        for byte in text[position..<position + digits] {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            value = value * 10 + Int64(byte - UInt8(ascii: "0"))
        }
        position += digits
        return value
    }

    private mutating func take(_ sign: Unicode.Scalar) -> Bool {
        guard position < text.count, text[position] == UInt8(ascii: sign) else { return false }
        position += 1
        return true
    }
}
