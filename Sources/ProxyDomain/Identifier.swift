/// A 128-bit identifier in the layout of RFC 9562: equality and order are those of its bytes, hence of its text.
///
/// Version 7 identifiers begin with their creation time, so rows keyed by them are appended, not scattered.
public struct Identifier: Hashable, Comparable, Sendable {
    public let high: UInt64
    public let low: UInt64

    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Makes a version 7 identifier (RFC 9562 section 5.7): 48 bits of Unix milliseconds, then 74 bits of `random`.
    public init(at instant: Timestamp, using random: inout some RandomNumberGenerator) {
        self.init(at: instant, counter: random.next() & Self.mostCounted, using: &random)
    }

    /// Makes a version 7 identifier in which a counter follows the milliseconds, so that those of one maker are in order within a
    /// millisecond too (RFC 9562 section 6.2, method 1).
    /// - Parameter counter: what is beyond 4,095 counts as that.
    public init(at instant: Timestamp, counter: UInt64, using random: inout some RandomNumberGenerator) {
        let milliseconds = UInt64(clamping: instant.milliseconds) & 0xFFFF_FFFF_FFFF
        let version: UInt64 = 0x7000
        let variant: UInt64 = 0x8000_0000_0000_0000
        high = milliseconds << 16 | version | min(counter, Self.mostCounted)
        low = variant | random.next() & 0x3FFF_FFFF_FFFF_FFFF
    }

    private static let mostCounted: UInt64 = 0x0FFF

    /// Reads the 36-character text form, in lower or upper case. Gives `nil` for any other text.
    public init?(_ text: some StringProtocol) {
        var digits = 0
        var value: (UInt64, UInt64) = (0, 0)
        var position = 0
        for byte in text.utf8 {
            if position == 8 || position == 13 || position == 18 || position == 23 {
                guard byte == UInt8(ascii: "-") else { return nil }
            } else {
                guard let nibble = Self.nibble(byte) else { return nil }
                if digits < 16 { value.0 = value.0 << 4 | nibble } else { value.1 = value.1 << 4 | nibble }
                digits += 1
            }
            position += 1
            if position > 36 { return nil }
        }
        guard position == 36 else { return nil }
        (high, low) = value
    }

    private static func nibble(_ byte: UInt8) -> UInt64? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt64(byte - UInt8(ascii: "a") + 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt64(byte - UInt8(ascii: "A") + 10)
        default: nil
        }
    }

    public static func < (left: Self, right: Self) -> Bool {
        left.high == right.high ? left.low < right.low : left.high < right.high
    }

    /// Writes the 36 lower-case characters of the text form into `buffer`, which must hold at least 36 bytes.
    public func write(into buffer: UnsafeMutableRawBufferPointer) {
        let digits = (
            Self.digits(high >> 32), Self.digits(high & 0xFFFF_FFFF), Self.digits(low >> 32),
            Self.digits(low & 0xFFFF_FFFF)
        )
        let dash = UInt8(ascii: "-")
        buffer.storeBytes(of: digits.0, toByteOffset: 0, as: UInt64.self)
        buffer[8] = dash
        buffer.storeBytes(of: UInt32(truncatingIfNeeded: digits.1), toByteOffset: 9, as: UInt32.self)
        buffer[13] = dash
        buffer.storeBytes(of: UInt32(truncatingIfNeeded: digits.1 >> 32), toByteOffset: 14, as: UInt32.self)
        buffer[18] = dash
        buffer.storeBytes(of: UInt32(truncatingIfNeeded: digits.2), toByteOffset: 19, as: UInt32.self)
        buffer[23] = dash
        buffer.storeBytes(of: UInt32(truncatingIfNeeded: digits.2 >> 32), toByteOffset: 24, as: UInt32.self)
        buffer.storeBytes(of: digits.3, toByteOffset: 28, as: UInt64.self)
    }

    /// Writes the 32 lower-case digits without dashes into `buffer`, which must hold at least 32 bytes.
    public func writeDigits(into buffer: UnsafeMutableRawBufferPointer) {
        let words = (high >> 32, high & 0xFFFF_FFFF, low >> 32, low & 0xFFFF_FFFF)
        buffer.storeBytes(of: Self.digits(words.0), toByteOffset: 0, as: UInt64.self)
        buffer.storeBytes(of: Self.digits(words.1), toByteOffset: 8, as: UInt64.self)
        buffer.storeBytes(of: Self.digits(words.2), toByteOffset: 16, as: UInt64.self)
        buffer.storeBytes(of: Self.digits(words.3), toByteOffset: 24, as: UInt64.self)
    }

    /// The 32 lower-case digits without dashes.
    public var digits: String {
        String(unsafeUninitializedCapacity: 32) { buffer in
            writeDigits(into: UnsafeMutableRawBufferPointer(buffer))
            return 32
        }
    }

    /// The eight digits of 32 bits, in the order of memory: each request writes some identifiers, so all digits of a word are made
    /// at once.
    private static func digits(_ word: UInt64) -> UInt64 {
        // One nibble in each byte, the lowest first.
        var nibbles = word & 0xFFFF | (word & 0xFFFF_0000) << 16
        nibbles = (nibbles | nibbles << 8) & 0x00FF_00FF_00FF_00FF
        nibbles = (nibbles | nibbles << 4) & 0x0F0F_0F0F_0F0F_0F0F
        // Adding 6 carries into the upper half of a byte where the digit is a letter.
        let letters = (nibbles + 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101
        let ascii = nibbles + 0x3030_3030_3030_3030 + letters * UInt64(UInt8(ascii: "a") - UInt8(ascii: "0") - 10)
        return ascii.bigEndian
    }

    /// The 36-character lower-case text form.
    public var text: String {
        String(unsafeUninitializedCapacity: 36) { buffer in
            write(into: UnsafeMutableRawBufferPointer(buffer))
            return 36
        }
    }
}

/// An identifier of one kind of thing: a project's can't be handed where a token's is wanted.
public protocol TypedIdentifier: Hashable, Comparable, Sendable, CustomStringConvertible {
    var identifier: Identifier { get }
    init(_ identifier: Identifier)
}

extension TypedIdentifier {
    /// Makes a new identifier whose order follows creation time (UUID version 7).
    public init(at instant: Timestamp, using random: inout some RandomNumberGenerator) {
        self.init(Identifier(at: instant, using: &random))
    }

    /// Reads the 36-character text form. Gives `nil` for any other text.
    public init?(_ text: some StringProtocol) {
        guard let identifier = Identifier(text) else { return nil }
        self.init(identifier)
    }

    public static func < (left: Self, right: Self) -> Bool { left.identifier < right.identifier }
    /// The 36-character lower-case text form.
    public var text: String { identifier.text }
    public var description: String { text }
}

/// Names a project.
public struct ProjectID: TypedIdentifier {
    public let identifier: Identifier
    public init(_ identifier: Identifier) { self.identifier = identifier }
}

/// Names another way that a project's requests may take.
public struct UpstreamID: TypedIdentifier {
    public let identifier: Identifier
    public init(_ identifier: Identifier) { self.identifier = identifier }
}

/// Names a token. Not the secret: an identifier may be shown and logged.
public struct TokenID: TypedIdentifier {
    public let identifier: Identifier
    public init(_ identifier: Identifier) { self.identifier = identifier }
}

/// Names one request from a client, across retries.
public struct RequestID: TypedIdentifier {
    public let identifier: Identifier
    public init(_ identifier: Identifier) { self.identifier = identifier }
}

/// Names one running server process, from start to stop.
public struct InstanceID: TypedIdentifier {
    public let identifier: Identifier
    public init(_ identifier: Identifier) { self.identifier = identifier }

    /// A short form for rows: 62 random bits of the identifier, so that two instances have different ones.
    public var number: Int64 { Int64(identifier.low & 0x3FFF_FFFF_FFFF_FFFF) }
}
