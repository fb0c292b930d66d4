/// A request's start line and fields, as offsets into the bytes they were read from.
///
/// Made once per connection and read into again and again: `fields` keeps its storage, so a request allocates nothing.
/// All ranges count from the first byte given to the parser, an empty line before the request line included.
public struct RequestHead: Sendable {
    /// All bytes of the head, with the empty line after it and one tolerated before it.
    public internal(set) var length = 0
    public internal(set) var method = RequestMethod.other
    public internal(set) var methodRange = 0..<0
    /// The target as sent, in whichever form.
    public internal(set) var targetRange = 0..<0
    /// The target's path without its query: a lone `/` when absolute-form has none, `*` for `OPTIONS *`, empty for
    /// `CONNECT`. Not normalised: dots and escapes are as sent.
    public internal(set) var pathRange = 0..<0
    /// What follows `?`, which may be empty; `nil` without one.
    public internal(set) var queryRange: Range<Int>?
    /// 0 or 1.
    public internal(set) var minorVersion = 1
    /// Never `untilClose`.
    public internal(set) var framing = BodyFraming.none
    /// Whether the sender means to use the connection again (RFC 9112 section 9.3).
    public internal(set) var keepsAlive = false
    /// Whether the sender waits for a 100 before its body. False for HTTP/1.0 (RFC 9110 section 10.1.1).
    public internal(set) var expectsContinue = false
    /// Whether `Upgrade` is there and `Connection` names it. False for HTTP/1.0 (RFC 9110 section 7.8).
    public internal(set) var wantsUpgrade = false
    /// The field lines, in order, without gaps between them.
    public internal(set) var fields: [FieldLine] = []
    /// The kinds of all fields.
    public internal(set) var present = FieldKinds()

    public init() { fields.reserveCapacity(24) }

    /// The value of the first field of a kind.
    public func value(of kind: FieldKind) -> Range<Int>? { fields.firstValue(of: kind, present) }

    /// Leaves so many bytes at its beginning out of the path.
    public mutating func dropFirstOfPath(_ count: Int) { pathRange = pathRange.dropFirst(count) }

    /// How many fields of a kind there are.
    public func count(of kind: FieldKind) -> Int { fields.count(of: kind, present) }
}

extension [FieldLine] {
    @inline(__always)
    func firstValue(of kind: FieldKind, _ present: FieldKinds) -> Range<Int>? {
        guard present.contains(kind) else { return nil }
        for field in self where field.kind == kind { return field.valueRange }
        return nil
    }

    func count(of kind: FieldKind, _ present: FieldKinds) -> Int {
        guard present.contains(kind) else { return 0 }
        return reduce(0) { $0 + ($1.kind == kind ? 1 : 0) }
    }
}
