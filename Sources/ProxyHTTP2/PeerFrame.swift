public import NIOCore

/// A frame of the other side that is sound by itself (RFC 9113 section 6). What it means to its stream is for others to judge.
public enum PeerFrame: Equatable, Sendable {
    /// A whole field section, of however many frames; ``FrameReader/section`` holds its lines until the next one is read.
    case headers(stream: UInt32, endsStream: Bool)
    /// Content without its padding. `length` is what it takes of both windows, padding included, in bytes.
    case data(stream: UInt32, ByteBuffer, length: Int, endsStream: Bool)
    /// `wasRefused`: nothing was done with the stream, so that it may be sent again (section 8.7).
    case reset(stream: UInt32, wasRefused: Bool)
    case settings(PeerSettings)
    case settingsAcknowledged
    /// To be answered with the same eight bytes.
    case ping(UInt64)
    case pingAnswered
    /// Of a stream, or of the connection (0).
    case windowUpdate(stream: UInt32, increment: Int)
    /// Nothing was done with our streams above `lastStream`, nor will be (section 6.8).
    case goAway(lastStream: UInt32)
    /// Changes nothing: a priority, or of a kind that is not known here (sections 4.1 and 5.3).
    case ignored
    /// Ends its stream alone (section 5.4.2).
    case broken(stream: UInt32, HTTP2ErrorCode)
}

/// Which side of a connection is read (RFC 9113 section 3.4).
public enum HTTP2Peer: Sendable {
    /// Begins with the preface.
    case client
    case server
}

/// What SETTINGS of the other side change of what is sent to it (RFC 9113 section 6.5.2).
///
/// The largest frame it takes is never less than what we send.
public struct PeerSettings: Hashable, Sendable {
    /// Bytes of content that a new stream may be sent, and by how much those of open ones change.
    public var initialWindow: Int?
    /// How many streams that we begin it takes at once.
    public var mostStreams: Int?
    /// Whether it resizes the table of our field sections, which use none: the next one says so (RFC 7541 section 4.2).
    public var resizesTable = false

    public init(initialWindow: Int? = nil, mostStreams: Int? = nil, resizesTable: Bool = false) {
        self.initialWindow = initialWindow
        self.mostStreams = mostStreams
        self.resizesTable = resizesTable
    }

    /// - Throws: when a value can't be (section 6.5.2).
    init(_ payload: ByteBufferView, of peer: HTTP2Peer) throws(HTTP2Fault) {
        guard payload.count % 6 == 0 else { throw HTTP2Fault(.frameSizeError) }
        // A client may take pushes; a server can't.
        let mostPush: UInt32 = peer == .client ? 1 : 0
        var rest = payload
        while let first = rest.first {
            let name = UInt16(first) << 8 | UInt16(rest[rest.startIndex + 1])
            let value = rest[(rest.startIndex + 2)..<(rest.startIndex + 6)].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            switch name {
            case 0x1: resizesTable = true
            case 0x2 where value > mostPush: throw HTTP2Fault(.protocolError)
            case 0x3: mostStreams = Int(value)
            case 0x4 where value > 0x7FFF_FFFF: throw HTTP2Fault(.flowControlError)
            case 0x4: initialWindow = Int(value)
            case 0x5 where !(16_384...16_777_215).contains(value): throw HTTP2Fault(.protocolError)
            default: break
            }
            rest = rest.dropFirst(6)
        }
    }
}
