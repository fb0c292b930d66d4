/// Where one field line of a head is. Offsets count from the head's first byte; nothing is copied.
public struct FieldLine: Sendable, Hashable {
    public internal(set) var kind: FieldKind
    /// The first byte of the name.
    public let start: Int32
    /// The colon.
    public let nameEnd: Int32
    /// The value's first byte, after white space.
    public let valueStart: Int32
    /// One past the value's last byte, before white space.
    public let valueEnd: Int32
    /// One past the line's LF.
    public let end: Int32

    public var nameRange: Range<Int> { Int(start)..<Int(nameEnd) }
    /// The value without white space around it; may be empty.
    public var valueRange: Range<Int> { Int(valueStart)..<Int(valueEnd) }

    /// Whether the field's name begins so, in lower case; case doesn't matter.
    public func isNamed(beginningWith start: [UInt8], in head: UnsafeRawBufferPointer) -> Bool {
        guard nameRange.count > start.count else { return false }
        return zip(head[nameRange], start).allSatisfy { byte, wanted in
            byte == wanted || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) && byte | 0x20 == wanted
        }
    }

    /// Whether its name in `head` is the one of which `name` is the lower case (RFC 9110 section 5.1: in any case). An underscore is
    /// as good as a hyphen: servers that put fields into variables know no difference (RFC 3875 section 4.1.18).
    public func isNamed(_ name: [UInt8], in head: UnsafeRawBufferPointer) -> Bool {
        guard nameRange.count == name.count else { return false }
        return zip(head[nameRange], name).allSatisfy { byte, wanted in
            byte == wanted || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) && byte | 0x20 == wanted
                || byte == UInt8(ascii: "_") && wanted == UInt8(ascii: "-")
        }
    }
}
