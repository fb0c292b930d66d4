/// Base64 (RFC 4648 sections 4 and 5): bytes as text, in either alphabet.
public enum Base64 {
    /// Which 64 characters stand for six bits, and whether the text is filled up with `=`.
    public enum Alphabet: Sendable {
        /// RFC 4648 section 4: `+`, `/`, padded.
        case standard
        /// RFC 4648 section 5: `-`, `_`, without padding.
        case urlSafe
    }

    /// Writes `bytes` as text: padded in the standard alphabet, unpadded in the URL-safe one.
    public static func encode(_ bytes: some Collection<UInt8>, as alphabet: Alphabet = .standard) -> String {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        var bits: UInt32 = 0
        var held: UInt32 = 0
        for byte in bytes {
            bits = bits << 8 | UInt32(byte)
            held += 8
            while held >= 6 {
                held -= 6
                text.append(character(bits >> held & 0x3F, alphabet))
            }
        }
        if held > 0 { text.append(character(bits << (6 - held) & 0x3F, alphabet)) }
        while alphabet == .standard, text.count % 4 != 0 { text.append(UInt8(ascii: "=")) }
        return String(decoding: text, as: UTF8.self)
    }

    /// Reads text of either alphabet, padded or not. Gives `nil` for a foreign character, wrong padding, spaces, or
    /// left-over bits that are not zero, so that each run of bytes has one text per alphabet.
    public static func decode(_ text: some StringProtocol) -> [UInt8]? {
        var sextets = Array(text.utf8)
        if sextets.last == UInt8(ascii: "=") {
            guard sextets.count % 4 == 0 else { return nil }
            sextets.removeLast()
            if sextets.last == UInt8(ascii: "=") { sextets.removeLast() }
        }
        guard sextets.count % 4 != 1 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(sextets.count * 3 / 4)
        var bits: UInt32 = 0
        var held: UInt32 = 0
        for character in sextets {
            guard let sextet = value(of: character) else { return nil }
            bits = bits << 6 | sextet
            held += 6
            guard held >= 8 else { continue }
            held -= 8
            bytes.append(UInt8(truncatingIfNeeded: bits >> held))
        }
        return bits & (1 << held - 1) == 0 ? bytes : nil
    }

    private static func character(_ sextet: UInt32, _ alphabet: Alphabet) -> UInt8 {
        let value = UInt8(truncatingIfNeeded: sextet)
        return switch value {
        case 0..<26: UInt8(ascii: "A") + value
        case 26..<52: UInt8(ascii: "a") + value - 26
        case 52..<62: UInt8(ascii: "0") + value - 52
        case 62: alphabet == .standard ? UInt8(ascii: "+") : UInt8(ascii: "-")
        default: alphabet == .standard ? UInt8(ascii: "/") : UInt8(ascii: "_")
        }
    }

    private static func value(of character: UInt8) -> UInt32? {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(character - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(character - UInt8(ascii: "a") + 26)
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(character - UInt8(ascii: "0") + 52)
        case UInt8(ascii: "+"), UInt8(ascii: "-"): 62
        case UInt8(ascii: "/"), UInt8(ascii: "_"): 63
        default: nil
        }
    }
}
