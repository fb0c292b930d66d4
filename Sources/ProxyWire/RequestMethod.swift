/// A request's method. Methods are case-sensitive (RFC 9110 section 9.1): `get` is `other`.
public enum RequestMethod: UInt8, Sendable, CaseIterable {
    case get, head, post, put, patch, delete, options, connect, trace
    /// Any other token.
    case other

    package init(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) {
        self =
            switch range.count {
            case 3: Self.first(of: bytes, range, ("GET", .get), ("PUT", .put))
            case 4: Self.first(of: bytes, range, ("POST", .post), ("HEAD", .head))
            case 5: Self.first(of: bytes, range, ("PATCH", .patch), ("TRACE", .trace))
            case 6: Self.first(of: bytes, range, ("DELETE", .delete), ("DELETE", .delete))
            case 7: Self.first(of: bytes, range, ("OPTIONS", .options), ("CONNECT", .connect))
            default: .other
            }
    }

    @inline(__always)
    private static func first(
        of bytes: UnsafeRawBufferPointer, _ range: Range<Int>, _ one: (StaticString, Self), _ two: (StaticString, Self)
    ) -> Self {
        if bytes.isExactly(one.0, at: range) { return one.1 }
        if bytes.isExactly(two.0, at: range) { return two.1 }
        return .other
    }
}
