import NIOCore

/// The nine bytes that each frame begins with (RFC 9113 section 4.1).
struct FrameHeader {
    static let length = 9
    /// Bytes of payload that we take and send at most: what no setting of ours or of a client's lowers (section 4.2).
    static let mostPayload = 16_384

    enum Kind: UInt8 {
        case data = 0x0
        case headers = 0x1
        case priority = 0x2
        case reset = 0x3
        case settings = 0x4
        case pushPromise = 0x5
        case ping = 0x6
        case goAway = 0x7
        case windowUpdate = 0x8
        case continuation = 0x9
    }

    enum Flag {
        static let endStream: UInt8 = 0x1
        static let acknowledged: UInt8 = 0x1
        static let endHeaders: UInt8 = 0x4
        static let padded: UInt8 = 0x8
        static let priority: UInt8 = 0x20
    }

    let payloadLength: Int
    let kind: UInt8
    let flags: UInt8
    let stream: UInt32

    /// `nil` while it isn't all there.
    init?(_ buffer: ByteBuffer) {
        guard let first = buffer.getInteger(at: buffer.readerIndex, as: UInt64.self),
            let last = buffer.getInteger(at: buffer.readerIndex + 8, as: UInt8.self)
        else { return nil }
        payloadLength = Int(first >> 40)
        kind = UInt8(truncatingIfNeeded: first >> 32)
        flags = UInt8(truncatingIfNeeded: first >> 24)
        // The highest bit means nothing.
        stream = UInt32(truncatingIfNeeded: first << 8 | UInt64(last)) & 0x7FFF_FFFF
    }

    /// All but the last byte, which is the lowest of the stream's number.
    static func firstBytes(_ kind: Kind, flags: UInt8, stream: UInt32, payloadLength: Int) -> UInt64 {
        UInt64(payloadLength) << 40 | UInt64(kind.rawValue) << 32 | UInt64(flags) << 24 | UInt64(stream) >> 8
    }

    func has(_ flag: UInt8) -> Bool { flags & flag != 0 }
}
