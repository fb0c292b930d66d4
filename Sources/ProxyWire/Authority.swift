/// Checks `host [":" port]` (RFC 9110 section 7.2, RFC 3986 section 3.2). User information is not allowed.
enum Authority {
    static func isValid(_ range: Range<Int>, in bytes: UnsafeRawBufferPointer, needsPort: Bool = false) -> Bool {
        guard let first = range.first else { return false }
        let end = bytes.byte(first) == 0x5B ? literalEnd(range, bytes) : nameEnd(range, bytes)
        guard let end, end > first else { return false }
        if end == range.upperBound { return !needsPort }
        return bytes.byte(end) == .colon && isPort(end + 1..<range.upperBound, bytes)
    }

    /// Where `[…]` ends, of hexadecimal digits, colons and dots: enough to keep it apart, not to prove an address.
    private static func literalEnd(_ range: Range<Int>, _ bytes: UnsafeRawBufferPointer) -> Int? {
        var position = range.lowerBound + 1
        while position < range.upperBound {
            let byte = bytes.byte(position)
            if byte == 0x5D { return position > range.lowerBound + 2 ? position + 1 : nil }
            guard ByteSet.hexadecimal.contains(byte) || byte == .colon || byte == 0x2E else { return nil }
            position += 1
        }
        return nil
    }

    private static func nameEnd(_ range: Range<Int>, _ bytes: UnsafeRawBufferPointer) -> Int? {
        var position = range.lowerBound
        while position < range.upperBound {
            if bytes.byte(position) == 0x25 {
                guard position + 2 < range.upperBound, bytes.byte(position + 1).nibble != nil,
                    bytes.byte(position + 2).nibble != nil
                else { return nil }
                position += 3
            } else if ByteSet.hostName.contains(bytes.byte(position)) {
                position += 1
            } else {
                break
            }
        }
        return position
    }

    private static func isPort(_ range: Range<Int>, _ bytes: UnsafeRawBufferPointer) -> Bool {
        guard !range.isEmpty, range.count <= 5 else { return false }
        var port = 0
        for position in range {
            guard bytes.byte(position).isDigit else { return false }
            port = port * 10 + Int(bytes.byte(position) &- 0x30)
        }
        return port <= 65535
    }
}
