/// Reads one field line (RFC 9112 section 5), and says what is wrong with one that can't be read.
enum FieldSyntax {
    /// `range` is a line without its CRLF, which follows it.
    @inline(__always)
    static func line(_ range: Range<Int>, in bytes: UnsafeRawBufferPointer) throws(WireFault) -> FieldLine {
        let end = range.upperBound
        var colon = range.lowerBound
        while colon < end, ByteSet.token.contains(bytes[colon]) { colon += 1 }
        guard colon < end, colon > range.lowerBound, bytes[colon] == .colon else {
            throw fault(inNameOf: range, bytes)
        }
        var valueStart = colon + 1
        while valueStart < end, bytes[valueStart].isBlank { valueStart += 1 }
        var valueEnd = end
        while valueEnd > valueStart, bytes[valueEnd - 1].isBlank { valueEnd -= 1 }
        guard isText(valueStart..<valueEnd, in: bytes) else {
            throw lineFault(range, bytes) ?? .malformedFieldValue
        }
        return FieldLine(
            kind: FieldKind(name: range.lowerBound..<colon, in: bytes),
            start: Int32(truncatingIfNeeded: range.lowerBound), nameEnd: Int32(truncatingIfNeeded: colon),
            valueStart: Int32(truncatingIfNeeded: valueStart), valueEnd: Int32(truncatingIfNeeded: valueEnd),
            end: Int32(truncatingIfNeeded: end + 2))
    }

    /// Whether `range` holds no control byte but tabs: field-content of RFC 9110 section 5.5, and reason phrases.
    @inline(__always)
    static func isText(_ range: Range<Int>, in bytes: UnsafeRawBufferPointer) -> Bool {
        var position = range.lowerBound
        while position + 8 <= range.upperBound {
            if hasControl(bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self)),
                !isText(eachOf: position..<position + 8, in: bytes)
            {
                return false
            }
            position += 8
        }
        return isText(eachOf: position..<range.upperBound, in: bytes)
    }

    /// The fault that a whole line shows whatever else is wrong with it.
    static func lineFault(_ range: Range<Int>, _ bytes: UnsafeRawBufferPointer) -> WireFault? {
        if bytes.firstOffset(of: 0, in: range) != nil { return .nulByte }
        if bytes.firstOffset(of: .carriageReturn, in: range) != nil { return .bareCarriageReturn }
        return nil
    }

    private static func isText(eachOf range: Range<Int>, in bytes: UnsafeRawBufferPointer) -> Bool {
        for position in range {
            let byte = bytes[position]
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
        guard let first = range.first, !bytes[first].isBlank else { return .obsoleteFolding }
        var position = first
        while position < range.upperBound, ByteSet.token.contains(bytes[position]) { position += 1 }
        let nameEnd = position
        while position < range.upperBound, bytes[position].isBlank { position += 1 }
        let isSpaced = nameEnd > first && position > nameEnd && position < range.upperBound
        return isSpaced && bytes[position] == .colon ? .whitespaceBeforeColon : .malformedFieldName
    }
}
