/// The secret a client presents: `sk-` and 43 characters of URL-safe base64 that carry 32 random bytes.
///
/// The Go proxy's, which came over from there, are as good: `sk-` and 22 characters that carry 16 bytes.
///
/// Kept as its bytes, so that a lookup hashes four words instead of a text. Its description is dull on purpose.
public struct TokenSecret: Hashable, Sendable {
    /// `sk-` and 43 characters.
    public static let textLength = 46

    /// Of those that the Go proxy issued: `sk-` and 22 characters.
    public static let importedTextLength = 25

    private let words: (UInt64, UInt64, UInt64, UInt64)
    /// Whether it carries 16 bytes, which the first two words hold.
    private let isImported: Bool

    /// Makes a new secret. `random` must be a cryptographic source, such as the system's.
    public init(using random: inout some RandomNumberGenerator) {
        words = (random.next(), random.next(), random.next(), random.next())
        isImported = false
    }

    /// Reads the 46 bytes of text a client sent, or the 25 of one that came over. Gives `nil` for anything else.
    public init?(_ text: UnsafeRawBufferPointer) {
        guard text.count == Self.textLength || text.count == Self.importedTextLength, text[0] == UInt8(ascii: "s"),
            text[1] == UInt8(ascii: "k"),
            text[2] == UInt8(ascii: "-")
        else { return nil }
        var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        // 42 characters hold 252 bits; the last holds 4 bits of secret and 2 that must be zero. Of 22 it holds 2, and 4.
        var bits: UInt64 = 0
        var held = 0
        var filled = 0
        for index in 3..<text.count {
            guard let sextet = Self.sextet(text[index]) else { return nil }
            bits = bits << 6 | sextet
            held += 6
            guard held >= 8 else { continue }
            held -= 8
            let byte = bits >> UInt64(held) & 0xFF
            switch filled / 8 {
            case 0: words.0 = words.0 << 8 | byte
            case 1: words.1 = words.1 << 8 | byte
            case 2: words.2 = words.2 << 8 | byte
            default: words.3 = words.3 << 8 | byte
            }
            filled += 1
        }
        guard bits & (1 << UInt64(held) - 1) == 0 else { return nil }
        self.words = words
        isImported = text.count == Self.importedTextLength
    }

    public init?(_ text: String) {
        var copy = text
        let parsed: TokenSecret?? = copy.withUTF8 { TokenSecret(UnsafeRawBufferPointer($0)) }
        guard let secret = parsed.flatMap({ $0 }) else { return nil }
        self = secret
    }

    private static func sextet(_ byte: UInt8) -> UInt64? {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt64(byte - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt64(byte - UInt8(ascii: "a") + 26)
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(byte - UInt8(ascii: "0") + 52)
        case UInt8(ascii: "-"): 62
        case UInt8(ascii: "_"): 63
        default: nil
        }
    }

    /// The text itself, for the one answer that shows it and for the one hash that is stored.
    public func revealed() -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
        var text = Array("sk-".utf8)
        var bits: UInt64 = 0
        var held = 0
        for word in isImported ? [words.0, words.1] : [words.0, words.1, words.2, words.3] {
            for byte in (0..<8).reversed() {
                bits = bits << 8 | word >> UInt64(byte * 8) & 0xFF
                held += 8
                while held >= 6 {
                    held -= 6
                    text.append(alphabet[Int(bits >> UInt64(held) & 0x3F)])
                }
            }
        }
        text.append(alphabet[Int(bits << UInt64(6 - held) & 0x3F)])
        return String(decoding: text, as: UTF8.self)
    }

    /// What may be shown for ever: the first four characters after `sk-` and the last four.
    public var hint: String {
        let text = revealed()
        return "\(text.prefix(7))…\(text.suffix(4))"
    }

    public static func == (left: Self, right: Self) -> Bool {
        // No early exit: the time taken does not tell how much of a guess was right.
        (left.words.0 ^ right.words.0) | (left.words.1 ^ right.words.1) | (left.words.2 ^ right.words.2)
            | (left.words.3 ^ right.words.3) | (left.isImported == right.isImported ? 0 : 1) == 0
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(words.0)
        hasher.combine(words.1)
        hasher.combine(words.2)
        hasher.combine(words.3)
        hasher.combine(isImported)
    }
}

extension TokenSecret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "(secret)" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// The SHA-256 of a token's text, as 64 lower-case hexadecimal characters: what is stored instead of the secret.
public struct TokenDigest: Hashable, Sendable {
    public let text: String
    public init(text: String) { self.text = text }
}
