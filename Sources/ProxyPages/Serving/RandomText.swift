import Crypto
import ProxyDomain

/// Secrets as text: 32 random bytes in URL-safe base64 (RFC 4648, section 5), without padding.
enum RandomText {
    /// Characters of such a text.
    static let length = 43
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    static func make(_ random: @Sendable () -> UInt64) -> String {
        var bytes: [UInt8] = []
        for _ in 0..<4 {
            let word = random()
            for place in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(place * 8))) }
        }
        var text: [UInt8] = []
        var bits: UInt64 = 0
        var held: UInt64 = 0
        for byte in bytes {
            bits = bits << 8 | UInt64(byte)
            held += 8
            while held >= 6 {
                held -= 6
                text.append(alphabet[Int(bits >> held & 63)])
            }
        }
        if held > 0 { text.append(alphabet[Int(bits << (6 - held) & 63)]) }
        return String(decoding: text, as: UTF8.self)
    }

    /// Whether a text may be one of ours.
    static func isOne(_ text: String) -> Bool {
        text.utf8.count == length && text.utf8.allSatisfy { alphabet.contains($0) }
    }

    /// SHA-256 of a text as 64 hexadecimal characters.
    static func digest(_ text: String) -> String { Hexadecimal.text(SHA256.hash(data: Array(text.utf8))) }

    /// Whether two texts are the same, in a time that tells only their lengths.
    static func areSame(_ one: String, _ other: String) -> Bool {
        let (left, right) = (Array(one.utf8), Array(other.utf8))
        guard left.count == right.count else { return false }
        var difference: UInt8 = 0
        for index in left.indices { difference |= left[index] ^ right[index] }
        return difference == 0
    }
}
