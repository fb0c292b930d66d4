/// The value of `traceparent` (W3C Trace Context, section 3.2.2): which trace a request belongs to, and below which of its spans.
public enum TraceParent {
    /// Where in a value of version 00 the trace's identifier is.
    private static let trace = 3..<35
    private static let parent = 36..<52
    private static let leastLength = 55

    /// The 32 hexadecimal digits of the trace; `nil` for a value that means nothing. Of a later version the part that is known counts
    /// (section 3.2.4).
    public static func trace(of value: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        guard value.count >= leastLength, let version = lowerCaseHex(value, 0..<2), version != 0xFF,
            value.count == leastLength || version > 0 && value[leastLength] == UInt8(ascii: "-"),
            [2, 35, 52].allSatisfy({ value[$0] == UInt8(ascii: "-") }), lowerCaseHex(value, 53..<55) != nil,
            lowerCaseHex(value, trace) != nil, lowerCaseHex(value, parent) != nil,
            !value[trace].allSatisfy({ $0 == UInt8(ascii: "0") }),
            !value[parent].allSatisfy({ $0 == UInt8(ascii: "0") })
        else { return nil }
        return UnsafeRawBufferPointer(rebasing: value[trace])
    }

    /// The lowest bits of hexadecimal digits; `nil` where something else stands, capital letters included.
    private static func lowerCaseHex(_ value: UnsafeRawBufferPointer, _ range: Range<Int>) -> UInt64? {
        var number: UInt64 = 0
        for byte in value[range] {
            guard let nibble = byte.nibble, byte.lowercased == byte else { return nil }
            number = number << 4 | UInt64(nibble)
        }
        return number
    }
}
