/// A content coding that can be read (RFC 9110 section 8.4.1; Brotli: RFC 7932).
public enum ContentCoding: Sendable, CaseIterable {
    /// Also for `x-gzip`, which means the same.
    case gzip
    /// The zlib format, not bare DEFLATE.
    case deflate
    case brotli

    /// Whether a `Content-Encoding` says that nothing is packed.
    public static func isIdentity(_ name: UnsafeRawBufferPointer) -> Bool {
        name.isEmpty || name.count == 8 && String(decoding: name, as: UTF8.self).lowercased() == "identity"
    }

    /// The coding that a `Content-Encoding` names; `nil` for `identity`, for several, and for those that aren't known.
    public init?(_ name: UnsafeRawBufferPointer) {
        guard name.count <= 8 else { return nil }
        switch String(decoding: name, as: UTF8.self).lowercased() {
        case "gzip", "x-gzip": self = .gzip
        case "deflate": self = .deflate
        case "br": self = .brotli
        default: return nil
        }
    }
}
