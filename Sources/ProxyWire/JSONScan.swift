/// Finds values in JSON text (RFC 8259) without building anything: a cursor over bytes that skips what isn't asked for.
///
/// Strict in what decides where a value ends (strings, escapes, brackets that match, at most 64 deep) and in literals;
/// it doesn't check UTF-8. Every step gives `nil` or false for text that breaks off or isn't JSON; nothing is thrown.
public struct JSONScan {
    private let bytes: UnsafeRawBufferPointer
    /// The offset of the next byte to read.
    public private(set) var position: Int

    /// `bytes` must outlive the scan.
    public init(_ bytes: UnsafeRawBufferPointer, from position: Int = 0) {
        self.bytes = bytes
        self.position = position
    }

    /// Where the value of `path` is in an object: the key of the outermost object first.
    ///
    /// Keys are compared after unescaping. `nil` too when an object on the way has the key twice, because readers then
    /// differ in which one they take, and when text from the object's start to its end isn't JSON.
    public static func value(of path: String..., in bytes: UnsafeRawBufferPointer) -> Range<Int>? {
        var found = 0..<bytes.count
        for key in path {
            var scan = JSONScan(UnsafeRawBufferPointer(rebasing: bytes[found]))
            guard let range = scan.member(named: key) else { return nil }
            found = found.lowerBound + range.lowerBound..<found.lowerBound + range.upperBound
        }
        return found
    }

    /// The text of the string at `range`, quotes included in the range, unescaped.
    public static func string(at range: Range<Int>, in bytes: UnsafeRawBufferPointer) -> String? {
        guard range.count >= 2, bytes.byte(range.lowerBound) == .quote else { return nil }
        let inner = range.lowerBound + 1..<range.upperBound - 1
        let text = UnsafeRawBufferPointer(rebasing: bytes[inner])
        if text.firstOffset(of: .backslash, in: 0..<text.count) == nil { return String(decoding: text, as: UTF8.self) }
        return JSONEscapes.decoded(text)
    }

    /// The whole number at `range`: 0…2⁶³ − 1, without sign, fraction or exponent.
    public static func count(at range: Range<Int>, in bytes: UnsafeRawBufferPointer) -> Int64? {
        guard let first = range.first, bytes.byte(first) != 0x30 || range.count == 1 else { return nil }
        var total: Int64 = 0
        for position in range {
            guard bytes.byte(position).isDigit else { return nil }
            let (tens, isOver) = total.multipliedReportingOverflow(by: 10)
            let (sum, isOverToo) = tens.addingReportingOverflow(Int64(bytes.byte(position) &- 0x30))
            guard !isOver, !isOverToo else { return nil }
            total = sum
        }
        return total
    }
}

/// Steps.
extension JSONScan {
    private var next: UInt8? { position < bytes.count ? bytes.byte(position) : nil }

    mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    /// Steps over `byte` and white space before it; false, and stays after the white space, if something else is there.
    mutating func take(_ byte: UInt8) -> Bool {
        skipSpace()
        guard next == byte else { return false }
        position += 1
        return true
    }

    /// Steps over a string and gives its range with the quotes.
    mutating func takeString() -> Range<Int>? {
        let start = position
        guard next == .quote else { return nil }
        position += 1
        while let byte = next {
            position += 1
            if byte == .quote { return start..<position }
            if byte < 0x20 { return nil }
            if byte == .backslash {
                guard position < bytes.count else { return nil }
                position += 1
            }
        }
        return nil
    }

    /// Steps over a value of any type and gives its range.
    public mutating func takeValue() -> Range<Int>? {
        skipSpace()
        switch next {
        case .quote: return takeString()
        case 0x7B, 0x5B: return takeContainer()
        default: return takeScalar()
        }
    }

    /// Steps over the members of an object and gives the value's range for the key that is wanted.
    private mutating func member(named key: String) -> Range<Int>? {
        var found: Range<Int>?
        var isDouble = false
        let text = bytes
        let isWhole = eachMember { name, value in
            guard Self.isKey(name, key, text) else { return }
            isDouble = found != nil
            found = found ?? value
        }
        return isWhole && !isDouble ? found : nil
    }

    /// Steps over an object and gives each key's and value's range. False when it breaks off or isn't one; the members
    /// before the break have been given then.
    mutating func eachMember(_ body: (_ key: Range<Int>, _ value: Range<Int>) -> Void) -> Bool {
        guard take(0x7B) else { return false }
        if take(0x7D) { return true }
        while true {
            skipSpace()
            guard let key = takeString(), take(.colon), let value = takeValue() else { return false }
            skipSpace()
            // A number that the text ends in may be cut, so it counts only once something follows.
            guard position < bytes.count else { return false }
            body(key, value)
            if take(.comma) { continue }
            return take(0x7D)
        }
    }

    /// Whether `body` says so of any string from here on, which it is told with whether it is a key.
    mutating func anyString(_ body: (_ text: Range<Int>, _ isKey: Bool) -> Bool) -> Bool {
        while let byte = next {
            guard byte == .quote else {
                position += 1
                continue
            }
            guard let text = takeString() else { return false }
            var after = self
            if body(text, after.take(.colon)) { return true }
        }
        return false
    }

    static func isKey(_ name: Range<Int>, _ key: String, _ bytes: UnsafeRawBufferPointer) -> Bool {
        let inner = UnsafeRawBufferPointer(rebasing: bytes[name.lowerBound + 1..<name.upperBound - 1])
        guard inner.firstOffset(of: .backslash, in: 0..<inner.count) != nil else {
            return inner.elementsEqual(key.utf8)
        }
        return string(at: name, in: bytes) == key
    }

    /// Steps over an object or array. What is open is one bit per level, so nothing recurses.
    private mutating func takeContainer() -> Range<Int>? {
        let start = position
        var objects: UInt64 = 0
        var depth = 0
        while let byte = next {
            switch byte {
            case .quote:
                guard takeString() != nil else { return nil }
                continue
            case 0x7B, 0x5B:
                guard depth < 64 else { return nil }
                objects = objects << 1 | (byte == 0x7B ? 1 : 0)
                depth += 1
            case 0x7D, 0x5D:
                guard objects & 1 == (byte == 0x7D ? 1 : 0) else { return nil }
                objects >>= 1
                depth -= 1
                if depth == 0 {
                    position += 1
                    return start..<position
                }
            default: break
            }
            position += 1
        }
        return nil
    }

    private mutating func takeScalar() -> Range<Int>? {
        let start = position
        while let byte = next, byte.isDigit || byte | 0x20 &- 0x61 < 26 || byte == 0x2B || byte == 0x2D || byte == 0x2E
        {
            position += 1
        }
        let range = start..<position
        guard let first = range.first else { return nil }
        let isLiteral =
            bytes.isExactly("true", at: range) || bytes.isExactly("false", at: range)
            || bytes.isExactly("null", at: range)
        return isLiteral || bytes.byte(first).isDigit || bytes.byte(first) == 0x2D ? range : nil
    }
}
