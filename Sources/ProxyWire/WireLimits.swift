/// How large the parts of a message may be. Every buffer in this library is bounded by one of these.
public struct WireLimits: Sendable, Hashable {
    /// Bytes of the start line, all field lines and the empty line together. 1…2³⁰.
    public let maxHeadBytes: Int
    /// Field lines in a head; also connection options in it.
    public let maxFields: Int
    /// Bytes of a request target.
    public let maxTargetBytes: Int
    /// Bytes of all extensions of one chunk together, semicolons included.
    public let maxChunkExtensionBytes: Int
    /// Bytes of all trailer lines together, with the empty line.
    public let maxTrailerBytes: Int

    /// A head limit beyond 2³⁰ is taken as 2³⁰, because offsets in a head are 32 bits wide.
    public init(
        maxHeadBytes: Int = 65536, maxFields: Int = 128, maxTargetBytes: Int = 16384,
        maxChunkExtensionBytes: Int = 256, maxTrailerBytes: Int = 8192
    ) {
        self.maxHeadBytes = min(max(maxHeadBytes, 1), 1 << 30)
        self.maxFields = maxFields
        self.maxTargetBytes = maxTargetBytes
        self.maxChunkExtensionBytes = maxChunkExtensionBytes
        self.maxTrailerBytes = maxTrailerBytes
    }
}
