/// Finds the payload and the end of a chunked body (RFC 9112 section 7.1) without taking it apart: the bytes can be
/// passed on as they are. Works alike however they are cut, and holds none of them but an unfinished trailer line.
public struct ChunkScanner: Sendable {
    /// Where in the body the next byte is.
    private enum State: UInt8 {
        /// Before the first digit. Becomes `size`.
        case sizeStart
        /// After a digit. Becomes `extensionName` or `sizeEnd`.
        case size
        /// After `;`, before the name. Becomes `extensionName`.
        case extensionStart
        /// Becomes `valueStart`, `extensionStart` or `sizeEnd`.
        case extensionName
        /// After `=`. Becomes `value` or `quoted`.
        case valueStart
        /// Becomes `extensionStart` or `sizeEnd`.
        case value
        /// Becomes `quotedPair` or `quotedEnd`.
        case quoted
        /// After a backslash. Becomes `quoted`.
        case quotedPair
        /// Becomes `extensionStart` or `sizeEnd`.
        case quotedEnd
        /// After the size line's CR. Becomes `data`, or `trailer` after the last chunk.
        case sizeEnd
        /// Becomes `dataReturn`.
        case data
        /// Becomes `dataEnd`.
        case dataReturn
        /// Becomes `sizeStart`.
        case dataEnd
        /// Becomes `complete` with the empty line.
        case trailer
        case complete
    }

    private let limits: WireLimits
    private var state = State.sizeStart
    private var remaining: UInt64 = 0
    private var extensionBytes = 0
    private var trailer = TrailerReader()
    /// Bytes of chunk data seen so far, framing not counted.
    public private(set) var payloadBytes: UInt64 = 0

    public init(limits: WireLimits = WireLimits()) { self.limits = limits }

    /// Whether the end of the message has been seen, its trailers and the empty line included.
    public var isComplete: Bool { state == .complete }

    /// Makes ready for another body.
    public mutating func reset() {
        state = .sizeStart
        extensionBytes = 0
        payloadBytes = 0
        trailer.reset()
    }

    /// Reads on in `bytes`, which follow those of the call before, and gives the ranges of chunk data in them.
    ///
    /// - Parameter trailers: given the ranges of the trailer section, the empty line after it included.
    /// - Returns: how many bytes belong to this message: all, or fewer when it ends within them.
    /// - Throws: the first fault; discard or `reset()` the scanner then. Payload may have been given before.
    public mutating func scan(
        _ bytes: UnsafeRawBufferPointer, payload: (Range<Int>) -> Void, trailers: (Range<Int>) -> Void = { _ in }
    ) throws(WireFault) -> Int {
        var position = 0
        while position < bytes.count {
            switch state {
            case .complete: return position
            case .data:
                let taken = Int(min(remaining, UInt64(bytes.count - position)))
                payload(position..<position + taken)
                remaining -= UInt64(taken)
                payloadBytes &+= UInt64(taken)
                position += taken
                if remaining == 0 { state = .dataReturn }
            case .trailer:
                let start = position
                let isLast = try trailer.read(bytes, from: &position, limit: limits.maxTrailerBytes)
                trailers(start..<position)
                if isLast { state = .complete }
            default:
                state = try next(after: bytes.byte(position))
                position += 1
            }
        }
        return position
    }
}

extension ChunkScanner {
    /// The state after one byte of framing.
    @inline(__always)
    private mutating func next(after byte: UInt8) throws(WireFault) -> State {
        switch state {
        case .sizeStart: return try digit(byte, isFirst: true)
        case .size: return try digit(byte, isFirst: false)
        case .sizeEnd:
            guard byte == .lineFeed else { throw .bareCarriageReturn }
            return remaining == 0 ? .trailer : .data
        case .dataReturn:
            guard byte == .carriageReturn else { throw .malformedChunk }
            return .dataEnd
        case .dataEnd:
            guard byte == .lineFeed else { throw .malformedChunk }
            return .sizeStart
        default: return try nextInExtension(after: byte)
        }
    }

    @inline(__always)
    private mutating func digit(_ byte: UInt8, isFirst: Bool) throws(WireFault) -> State {
        if isFirst {
            remaining = 0
            extensionBytes = 0
        }
        if let nibble = byte.nibble {
            guard remaining < 1 << 59 else { throw .malformedChunkSize }
            remaining = remaining << 4 | UInt64(nibble)
            return .size
        }
        if byte == .lineFeed { throw .bareLineFeed }
        guard !isFirst else { throw .malformedChunkSize }
        return try afterSize(byte, else: .malformedChunkSize)
    }

    private mutating func afterSize(_ byte: UInt8, else fault: WireFault) throws(WireFault) -> State {
        switch byte {
        case .carriageReturn: return .sizeEnd
        case .lineFeed: throw .bareLineFeed
        case .semicolon:
            try countExtensionByte()
            return .extensionStart
        default: throw fault
        }
    }

    private mutating func countExtensionByte() throws(WireFault) {
        extensionBytes += 1
        guard extensionBytes <= limits.maxChunkExtensionBytes else { throw .chunkExtensionTooLong }
    }

    /// `*( ";" name [ "=" ( token / quoted-string ) ] )`, without the white space that only bad senders put there.
    private mutating func nextInExtension(after byte: UInt8) throws(WireFault) -> State {
        let isToken = ByteSet.token.contains(byte)
        let canEnd = state == .extensionName || state == .value || state == .quotedEnd
        if canEnd, byte == .carriageReturn || byte == .lineFeed || byte == .semicolon {
            return try afterSize(byte, else: .malformedChunk)
        }
        try countExtensionByte()
        switch state {
        case .extensionStart where isToken: return .extensionName
        case .extensionName where isToken: return .extensionName
        case .extensionName where byte == 0x3D: return .valueStart
        case .valueStart where byte == .quote: return .quoted
        case .valueStart where isToken, .value where isToken: return .value
        case .quoted where byte == .backslash: return .quotedPair
        case .quoted where byte == .quote: return .quotedEnd
        case .quoted where ByteSet.quotedText.contains(byte) || byte >= 0x80: return .quoted
        case .quotedPair where byte >= 0x20 && byte != 0x7F || byte == .tab: return .quoted
        default: throw byte == .lineFeed ? .bareLineFeed : .malformedChunk
        }
    }
}
