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
}
