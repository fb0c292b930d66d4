/// A response's status line and fields, as offsets into the bytes they were read from.
///
/// Made once per connection and read into again and again: `fields` keeps its storage, so a response allocates nothing.
public struct ResponseHead: Sendable {
    /// All bytes of the head, with the empty line after it.
    public internal(set) var length = 0
    /// 100…599.
    public internal(set) var status = 0
    /// The whole first line without its CRLF.
    public internal(set) var statusLineRange = 0..<0
    /// The reason phrase, which may be empty.
    public internal(set) var reasonRange = 0..<0
    /// 0 or 1.
    public internal(set) var minorVersion = 1
    /// `none` for whatever can't have a body: 1xx, 204, 304, answers to `HEAD`, 2xx to `CONNECT`.
    public internal(set) var framing = BodyFraming.none
    /// Whether the connection can carry another exchange. False too when the body ends with it, and when the connection
    /// stops being HTTP: 101 and 2xx to `CONNECT`.
    public internal(set) var keepsAlive = false
    /// Whether another response to the same request follows: 1xx, but not 101 (RFC 9110 section 15.2).
    public internal(set) var isInterim = false
    /// The field lines, in order, without gaps between them.
    public internal(set) var fields: [FieldLine] = []
    /// The kinds of all fields.
    public internal(set) var present = FieldKinds()

    public init() { fields.reserveCapacity(24) }

    /// The value of the first field of a kind.
    public func value(of kind: FieldKind) -> Range<Int>? { fields.firstValue(of: kind, present) }

    /// Whether the body is a stream of server-sent events.
    ///
    /// - Parameter bytes: what this head was read from.
    public func isEventStream(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let type = value(of: .contentType) else { return false }
        return bytes.isToken("text/event-stream", at: type.lowerBound..<min(type.lowerBound + 17, type.upperBound))
    }

    /// How many fields of a kind there are.
    public func count(of kind: FieldKind) -> Int { fields.count(of: kind, present) }
}
