/// How a message's body ends (RFC 9112 section 6.3).
public enum BodyFraming: Sendable, Hashable {
    /// There is no body: the next message begins after the head.
    case none
    /// So many bytes follow, at most 2⁶³ − 1. May be 0.
    case length(UInt64)
    /// Chunks follow, read with a `ChunkScanner`.
    case chunked
    /// All bytes until the connection closes. Responses only.
    case untilClose
}
