/// Undoes the escapes of a JSON string (RFC 8259 section 7).
enum JSONEscapes {
    /// The text between the quotes, or `nil` if an escape is none. A lone surrogate becomes U+FFFD.
    static func decoded(_ bytes: UnsafeRawBufferPointer) -> String? {
        var units: [UInt8] = []
        units.reserveCapacity(bytes.count)
        var position = 0
        while position < bytes.count {
            let byte = bytes.byte(position)
            position += 1
            guard byte == .backslash else {
                units.append(byte)
                continue
            }
            guard let scalar = scalar(at: &position, in: bytes) else { return nil }
            units.append(contentsOf: Unicode.UTF8.encode(scalar) ?? Unicode.UTF8.encodedReplacementCharacter)
        }
        return String(decoding: units, as: UTF8.self)
    }

    /// The scalar of the escape whose backslash was just passed.
    private static func scalar(at position: inout Int, in bytes: UnsafeRawBufferPointer) -> Unicode.Scalar? {
        guard position < bytes.count else { return nil }
        let kind = bytes.byte(position)
        position += 1
        switch kind {
        case .quote, .backslash, .slash: return Unicode.Scalar(kind)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return unicode(at: &position, in: bytes)
        default: return nil
        }
    }

    private static func unicode(at position: inout Int, in bytes: UnsafeRawBufferPointer) -> Unicode.Scalar? {
        guard let first = unit(at: position, in: bytes) else { return nil }
        position += 4
        if let scalar = Unicode.Scalar(first) { return scalar }
        let isPair =
            first < 0xDC00 && position + 6 <= bytes.count && bytes.isExactly("\\u", at: position..<position + 2)
        guard isPair, let second = unit(at: position + 2, in: bytes), 0xDC00...0xDFFF ~= second else {
            return "\u{FFFD}"
        }
        position += 6
        return Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
    }

    private static func unit(at start: Int, in bytes: UnsafeRawBufferPointer) -> UInt32? {
        guard start + 4 <= bytes.count else { return nil }
        var value: UInt32 = 0
        for position in start..<start + 4 {
            guard let nibble = bytes.byte(position).nibble else { return nil }
            value = value << 4 | UInt32(nibble)
        }
        return value
    }
}
