public import NIOCore

/// A frame of a client that is sound by itself (RFC 9113 section 6). What it means to its stream is for others to judge.
public enum ClientFrame: Equatable, Sendable {
    /// A whole field section, of however many frames; ``FrameReader/section`` holds its lines until the next one is read.
    case headers(stream: UInt32, endsStream: Bool)
    /// Content without its padding. `length` is what it takes of both windows, padding included, in bytes.
    case data(stream: UInt32, ByteBuffer, length: Int, endsStream: Bool)
    case reset(stream: UInt32)
    case settings(ClientSettings)
    case settingsAcknowledged
    /// To be answered with the same eight bytes.
    case ping(UInt64)
    case pingAnswered
    /// Of a stream, or of the connection (0).
    case windowUpdate(stream: UInt32, increment: Int)
    case goAway
    /// Changes nothing: a priority, or of a kind that is not known here (sections 4.1 and 5.3).
    case ignored
    /// Ends its stream alone (section 5.4.2).
    case broken(stream: UInt32, HTTP2ErrorCode)
}

/// What a client's SETTINGS change of what is sent to it (RFC 9113 section 6.5.2).
///
/// The largest frame it takes is never less than what we send.
public struct ClientSettings: Hashable, Sendable {
    /// Bytes of content that a new stream may be sent, and by how much those of open ones change.
    public var initialWindow: Int?
    /// Whether it resizes the table of our field sections, which use none: the next one says so (RFC 7541 section 4.2).
    public var resizesTable = false

    public init(initialWindow: Int? = nil, resizesTable: Bool = false) {
        self.initialWindow = initialWindow
        self.resizesTable = resizesTable
    }

    /// - Throws: when a value can't be (section 6.5.2).
    init(_ payload: ByteBufferView) throws(HTTP2Fault) {
        guard payload.count % 6 == 0 else { throw HTTP2Fault(.frameSizeError) }
        var rest = payload
        while let first = rest.first {
            let name = UInt16(first) << 8 | UInt16(rest[rest.startIndex + 1])
            let value = rest[(rest.startIndex + 2)..<(rest.startIndex + 6)].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            switch name {
            case 0x1: resizesTable = true
            case 0x2 where value > 1: throw HTTP2Fault(.protocolError)
            case 0x4 where value > 0x7FFF_FFFF: throw HTTP2Fault(.flowControlError)
            case 0x4: initialWindow = Int(value)
            case 0x5 where !(16_384...16_777_215).contains(value): throw HTTP2Fault(.protocolError)
            default: break
            }
            rest = rest.dropFirst(6)
        }
    }
}
