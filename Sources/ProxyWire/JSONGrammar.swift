/// Whether text is JSON to the letter (RFC 8259): for where a lenient reader must not find what a skipping one has missed.
enum JSONGrammar {
    /// Whether `text` is one value, with white space around it, at most 64 deep.
    static func isValue(_ text: UnsafeRawBufferPointer) -> Bool {
        var scan = JSONScan(text)
        guard value(&scan, in: text, depth: 0) else { return false }
        scan.skipSpace()
        return scan.position == text.count
    }

    private static func value(_ scan: inout JSONScan, in text: UnsafeRawBufferPointer, depth: Int) -> Bool {
        scan.skipSpace()
        guard scan.position < text.count, depth < 64 else { return false }
        switch text.byte(scan.position) {
        case UInt8(ascii: "{"):
            return members(&scan, UInt8(ascii: "{"), UInt8(ascii: "}")) { scan in
                scan.skipSpace()
                return scan.takeString() != nil && scan.take(.colon) && value(&scan, in: text, depth: depth + 1)
            }
        case UInt8(ascii: "["):
            return members(&scan, UInt8(ascii: "["), UInt8(ascii: "]")) { value(&$0, in: text, depth: depth + 1) }
        default:
            guard let scalar = scan.takeValue() else { return false }
            let first = text.byte(scalar.lowerBound)
            return first == .quote || first > 0x60 || isNumber(text[scalar])
        }
    }

    private static func members(
        _ scan: inout JSONScan, _ open: UInt8, _ close: UInt8, _ member: (inout JSONScan) -> Bool
    ) -> Bool {
        guard scan.take(open) else { return false }
        if scan.take(close) { return true }
        while true {
            guard member(&scan) else { return false }
            if scan.take(.comma) { continue }
            return scan.take(close)
        }
    }

    /// `-? (0 | [1-9][0-9]*) (\. [0-9]+)? ([eE] [+-]? [0-9]+)?`
    private static func isNumber(_ text: Slice<UnsafeRawBufferPointer>) -> Bool {
        var rest = text
        func digits(_ rest: inout Slice<UnsafeRawBufferPointer>) -> Int {
            var count = 0
            while let byte = rest.first, byte.isDigit {
                rest.removeFirst()
                count += 1
            }
            return count
        }
        if rest.first == UInt8(ascii: "-") { rest.removeFirst() }
        let beginsWithZero = rest.first == UInt8(ascii: "0")
        let whole = digits(&rest)
        guard whole > 0, !beginsWithZero || whole == 1 else { return false }
        if rest.first == UInt8(ascii: ".") {
            rest.removeFirst()
            guard digits(&rest) > 0 else { return false }
        }
        if let byte = rest.first, byte | 0x20 == UInt8(ascii: "e") {
            rest.removeFirst()
            if rest.first == UInt8(ascii: "+") || rest.first == UInt8(ascii: "-") { rest.removeFirst() }
            guard digits(&rest) > 0 else { return false }
        }
        return rest.isEmpty
    }
}
