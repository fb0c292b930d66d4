import Crypto
public import ProxyDomain

extension Identifier {
    /// The identifier of something that has none of our form where it comes from: the same each time for the same text.
    /// - Parameter instant: when the thing was made, so that identifiers keep that order (version 7); `nil` where
    ///   nobody knows (version 8, RFC 9562 section 5.8).
    public static func derived(from text: String, at instant: Timestamp? = nil) -> Identifier {
        let bytes = ForeignText.sha256(text)
        let (first, second) = (word(bytes[0..<8]), word(bytes[8..<16]))
        let low: UInt64 = 0x8000_0000_0000_0000 | second & 0x3FFF_FFFF_FFFF_FFFF
        guard let instant else { return Identifier(high: first & ~0xF000 | 0x8000, low: low) }
        let milliseconds = UInt64(clamping: instant.milliseconds) & 0xFFFF_FFFF_FFFF
        return Identifier(high: milliseconds << 16 | 0x7000 | first & 0x0FFF, low: low)
    }

    private static func word(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reduce(0) { $0 << 8 | UInt64($1) }
    }
}

extension TokenDigest {
    /// The digest of a token of whatever form.
    public static func of(foreign text: String) -> TokenDigest {
        TokenDigest(text: Hexadecimal.text(ForeignText.sha256(text)))
    }
}

/// Texts of other programs.
private enum ForeignText {
    static func sha256(_ text: String) -> [UInt8] {
        var hash = SHA256()
        Array(text.utf8).withUnsafeBytes { hash.update(bufferPointer: $0) }
        return Array(hash.finalize())
    }
}
