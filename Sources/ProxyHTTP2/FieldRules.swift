import ProxyWire

/// What names and values may be (RFC 9113 section 8.2).
enum FieldRules {
    /// A name in lower case, and a value without what ends a line or begins or ends with a blank (section 8.2.1).
    static func isSound(_ line: FieldSectionLines.Line, _ bytes: UnsafeRawBufferPointer) -> Bool {
        let (name, value) = (line.name, line.value)
        guard let first = name.first else { return false }
        // A colon is what a pseudo-field begins with, and nowhere else.
        let rest = bytes[first] == UInt8(ascii: ":") ? name.dropFirst() : name
        for offset in rest {
            let byte = bytes[offset]
            guard byte > 0x20, byte < 0x7F, byte != UInt8(ascii: ":"), byte &- 0x41 >= 26 else { return false }
        }
        guard let begin = value.first, let end = value.last else { return true }
        guard !bytes[begin].isBlank, !bytes[end].isBlank else { return false }
        for offset in value {
            let byte = bytes[offset]
            guard byte >= 0x20 && byte != 0x7F || byte == 0x09 else { return false }
        }
        return true
    }

    /// Visible ASCII: nothing that ends a request line or a part of one.
    static func isTarget(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Bool {
        !range.isEmpty && bytes[range].allSatisfy { $0 > 0x20 && $0 < 0x7F }
    }

    /// Digits alone (RFC 9110 section 8.6).
    static func decimal(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> UInt64? {
        guard !range.isEmpty, range.count <= 18 else { return nil }
        var number: UInt64 = 0
        for offset in range {
            let digit = bytes[offset] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            number = number * 10 + UInt64(digit)
        }
        return number
    }
}
