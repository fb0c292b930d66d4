/// Reads one field line (RFC 9112 section 5), and says what is wrong with one that can't be read.
package enum FieldSyntax {
    /// `range` is a line without its CRLF, which follows it.
    @inline(__always)
    package static func line(_ range: Range<Int>, in bytes: UnsafeRawBufferPointer) throws(WireFault) -> FieldLine {
        let end = range.upperBound
        let colon = nameEnd(in: range, bytes)
        guard colon < end, colon > range.lowerBound, bytes.byte(colon) == .colon else {
            throw fault(inNameOf: range, bytes)
        }
        var valueStart = colon + 1
        while valueStart < end, bytes.byte(valueStart).isBlank { valueStart += 1 }
        var valueEnd = end
        while valueEnd > valueStart, bytes.byte(valueEnd - 1).isBlank { valueEnd -= 1 }
        // A short value is checked with bytes before it, which are text: eight at once cost less than each of three.
        let textStart = min(valueStart, max(range.lowerBound, valueEnd - 8))
        guard isText(textStart..<valueEnd, in: bytes) else {
            throw lineFault(range, bytes) ?? .malformedFieldValue
        }
        return FieldLine(
            kind: FieldKind(name: range.lowerBound..<colon, in: bytes),
            start: Int32(truncatingIfNeeded: range.lowerBound), nameEnd: Int32(truncatingIfNeeded: colon),
            valueStart: Int32(truncatingIfNeeded: valueStart), valueEnd: Int32(truncatingIfNeeded: valueEnd),
            end: Int32(truncatingIfNeeded: end + 2))
    }

    /// The first byte that no token has: letters and hyphens are stepped over eight at a time, others one by one.
    @inline(__always)
    private static func nameEnd(in range: Range<Int>, _ bytes: UnsafeRawBufferPointer) -> Int {
        var position = range.lowerBound
        while position + 8 <= range.upperBound {
            let common = countOfCommon(bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
            position += common
            if common < 8 { break }
        }
        while position < range.upperBound, ByteSet.token.contains(bytes.byte(position)) { position += 1 }
        return position
    }

    /// How many of the eight bytes, first to last in memory, are letters and hyphens before one is not.
    @inline(__always)
    private static func countOfCommon(_ word: UInt64) -> Int {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let tops: UInt64 = 0x8080_8080_8080_8080
        // Below 0x80 an addition carries into its own top bit only, so each top bit is one byte's answer.
        let low = word & ~tops
        let lower = low | ones &* 0x20
        let isLetter = (lower &+ ones &* (0x80 - 0x61)) & ~(lower &+ ones &* (0x80 - 0x7B))
        let isHyphen = ~((low ^ ones &* 0x2D) &+ ones &* 0x7F)
        let others = ~((isLetter | isHyphen) & ~word) & tops
        return others == 0 ? 8 : UInt64(littleEndian: others).trailingZeroBitCount / 8
    }

    /// Whether `range` holds no control byte but tabs: field-content of RFC 9110 section 5.5, and reason phrases.
    @inline(__always)
    static func isText(_ range: Range<Int>, in bytes: UnsafeRawBufferPointer) -> Bool {
        guard range.count >= 8 else { return isText(eachOf: range, in: bytes) }
        let last = range.upperBound - 8
        var position = range.lowerBound
        while true {
            let word = bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self)
            if hasControl(word), !isText(eachOf: position..<position + 8, in: bytes) { return false }
            if position == last { return true }
            // The last eight bytes overlap those before them.
            position = min(position + 8, last)
        }
    }

    /// The fault that a whole line shows whatever else is wrong with it.
    static func lineFault(_ range: Range<Int>, _ bytes: UnsafeRawBufferPointer) -> WireFault? {
        if bytes.firstOffset(of: 0, in: range) != nil { return .nulByte }
        if bytes.firstOffset(of: .carriageReturn, in: range) != nil { return .bareCarriageReturn }
        return nil
    }

    private static func isText(eachOf range: Range<Int>, in bytes: UnsafeRawBufferPointer) -> Bool {
        for position in range {
            let byte = bytes.byte(position)
            if byte < 0x20 ? byte != .tab : byte == 0x7F { return false }
        }
        return true
    }

    /// Whether any of the eight bytes is below 0x20 or is DEL. Tabs count too: the caller looks closer.
    @inline(__always)
    private static func hasControl(_ word: UInt64) -> Bool {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let tops: UInt64 = 0x8080_8080_8080_8080
        let low = (word &- ones &* 0x20) & ~word
        let delete = word ^ (ones &* 0x7F)
        return (low | ((delete &- ones) & ~delete)) & tops != 0
    }

    private static func fault(inNameOf range: Range<Int>, _ bytes: UnsafeRawBufferPointer) -> WireFault {
        if let fault = lineFault(range, bytes) { return fault }
        guard let first = range.first, !bytes.byte(first).isBlank else { return .obsoleteFolding }
        var position = first
        while position < range.upperBound, ByteSet.token.contains(bytes.byte(position)) { position += 1 }
        let nameEnd = position
        while position < range.upperBound, bytes.byte(position).isBlank { position += 1 }
        let isSpaced = nameEnd > first && position > nameEnd && position < range.upperBound
        return isSpaced && bytes.byte(position) == .colon ? .whitespaceBeforeColon : .malformedFieldName
    }
}
