/// A hash of content that comes in pieces, for telling whether two bodies are the same: FNV-1a
/// (http://www.isthe.com/chongo/tech/comp/fnv/) over little-endian words of 64 bits, the last one filled with zeros,
/// and over the length. Not cryptographic; the way the content was cut does not matter.
public struct ContentHash: Hashable, Sendable {
    private var state: UInt64 = 0xCBF2_9CE4_8422_2325
    private var pending: UInt64 = 0
    private var pendingCount: UInt64 = 0
    /// Bytes taken so far.
    public private(set) var count = 0

    public init() {}

    /// The hash of `bytes`.
    public static func of(_ bytes: some Sequence<UInt8>) -> UInt64 {
        var hash = ContentHash()
        Array(bytes).withUnsafeBytes { hash.update($0) }
        return hash.value
    }

    /// Takes the next bytes.
    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        var index = 0
        while pendingCount > 0, index < bytes.count {
            take(bytes[index])
            index += 1
        }
        // Whole words at once: bodies may be a gigabyte.
        while index + 8 <= bytes.count {
            mix(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)))
            index += 8
        }
        while index < bytes.count {
            take(bytes[index])
            index += 1
        }
        count += bytes.count
    }

    /// The hash of what was taken so far.
    public var value: UInt64 {
        var last = self
        if last.pendingCount > 0 { last.mix(last.pending) }
        last.mix(UInt64(count))
        return last.state
    }

    private mutating func take(_ byte: UInt8) {
        pending |= UInt64(byte) << (8 * pendingCount)
        pendingCount += 1
        guard pendingCount == 8 else { return }
        mix(pending)
        pending = 0
        pendingCount = 0
    }

    private mutating func mix(_ word: UInt64) {
        state = (state ^ word) &* 0x0000_0100_0000_01B3
    }
}
