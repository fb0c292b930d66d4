/// What a path must be before its prefix says anything: one that no server on the way reads in two manners.
public enum RequestPath {
    /// Whether `path` begins with `/` and holds no empty segment (a single slash at its end aside), no segment that
    /// is `.` or `..`, no backslash, no encoded dot, slash, backslash or percent sign that could become one, no `#`,
    /// and only visible ASCII. What follows a `?` is a query and is not looked at.
    public static func isPlain(_ path: some Collection<UInt8>) -> Bool {
        var segment = Segment()
        var index = path.startIndex
        guard index != path.endIndex, path[index] == UInt8(ascii: "/") else { return false }
        path.formIndex(after: &index)
        while index != path.endIndex {
            let byte = path[index]
            path.formIndex(after: &index)
            switch byte {
            case UInt8(ascii: "?"): return !segment.isDots
            case UInt8(ascii: "/"):
                guard segment.length > 0, !segment.isDots else { return false }
                segment = Segment()
                continue
            case UInt8(ascii: "%"):
                guard let encoded = hexadecimal(path[index...].prefix(2)), !isHarmful(encoded) else { return false }
            case UInt8(ascii: "\\"), UInt8(ascii: "#"), 0...0x20, 0x7F...0xFF: return false
            default: break
            }
            segment.take(byte)
        }
        return !segment.isDots
    }

    /// Whether `path` is `prefix` or goes on below it: `/v1/chat` covers `/v1/chat/completions`, not `/v1/chatter`.
    ///
    /// Compares bytes. Both must be plain; a query after `path` is not looked at.
    public static func covers(_ prefix: some Collection<UInt8>, _ path: some Collection<UInt8>) -> Bool {
        guard prefix.count > 1 else { return true }
        var index = path.startIndex
        for byte in prefix {
            guard index != path.endIndex, path[index] == byte else { return false }
            path.formIndex(after: &index)
        }
        return index == path.endIndex || path[index] == UInt8(ascii: "/") || path[index] == UInt8(ascii: "?")
    }

    /// A segment as it is walked over: is it `.` or `..`, or one of them with parameters, as in `..;x`?
    private struct Segment {
        var length = 0
        private var dots = 0
        private var hasEnded = false

        mutating func take(_ byte: UInt8) {
            length += 1
            if byte == UInt8(ascii: ";") { hasEnded = true }
            if !hasEnded { dots = byte == UInt8(ascii: ".") && dots >= 0 ? dots + 1 : .min }
        }

        var isDots: Bool { dots == 1 || dots == 2 }
    }

    /// Encoded, these are read as text by one server and as structure by the next.
    private static func isHarmful(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "."), UInt8(ascii: "/"), UInt8(ascii: "\\"), UInt8(ascii: "%"), 0...0x1F, 0x7F: true
        default: false
        }
    }

    private static func hexadecimal(_ digits: some Collection<UInt8>) -> UInt8? {
        guard digits.count == 2 else { return nil }
        var value: UInt8 = 0
        for digit in digits {
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | (digit - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | (digit - UInt8(ascii: "a") + 10)
            case UInt8(ascii: "A")...UInt8(ascii: "F"): value = value << 4 | (digit - UInt8(ascii: "A") + 10)
            default: return nil
            }
        }
        return value
    }
}
