public import NIOCore

/// Frames as they are sent (RFC 9113 section 6).
extension ByteBuffer {
    private mutating func writeFrameHeader(
        _ kind: FrameHeader.Kind, flags: UInt8 = 0, stream: UInt32 = 0, length: Int
    ) {
        writeInteger(FrameHeader.firstBytes(kind, flags: flags, stream: stream, payloadLength: length))
        writeInteger(UInt8(truncatingIfNeeded: stream))
    }

    /// What a server begins with: its settings, and as large a window for all streams together as it means to keep.
    /// - Parameters:
    ///   - streams: how many requests it takes at once.
    ///   - streamWindow: bytes of content that each may send before more are asked for.
    ///   - connectionWindow: the same of all of them; at least 65,535.
    ///   - headBytes: of a head, unpacked, that it takes.
    public mutating func writeServerHello(streams: Int, streamWindow: Int, connectionWindow: Int, headBytes: Int) {
        writeSettings([(0x3, streams), (0x4, streamWindow), (0x6, headBytes)], connectionWindow)
    }

    /// What a client begins with: the preface, its settings, no pushes among them, and the window as above.
    public mutating func writeClientHello(streamWindow: Int, connectionWindow: Int, headBytes: Int) {
        writeStaticString(HTTP2Preface.text)
        writeSettings([(0x2, 0), (0x4, streamWindow), (0x6, headBytes)], connectionWindow)
    }

    private mutating func writeSettings(_ settings: [(name: UInt16, value: Int)], _ connectionWindow: Int) {
        writeFrameHeader(.settings, length: 6 * settings.count)
        for (name, value) in settings {
            writeInteger(name)
            writeInteger(UInt32(clamping: value))
        }
        if connectionWindow > HTTP2Window.usual {
            writeWindowUpdate(connectionWindow - HTTP2Window.usual, stream: 0)
        }
    }

    public mutating func writeSettingsAcknowledgement() {
        writeFrameHeader(.settings, flags: FrameHeader.Flag.acknowledged, length: 0)
    }

    /// Asks whether the other side is there; it answers with the same number.
    public mutating func writePing(_ number: UInt64) {
        writeFrameHeader(.ping, length: 8)
        writeInteger(number)
    }

    public mutating func writePingAnswer(_ told: UInt64) {
        writeFrameHeader(.ping, flags: FrameHeader.Flag.acknowledged, length: 8)
        writeInteger(told)
    }

    /// - Parameter increment: 1…2³¹-1 bytes.
    public mutating func writeWindowUpdate(_ increment: Int, stream: UInt32) {
        writeFrameHeader(.windowUpdate, stream: stream, length: 4)
        writeInteger(UInt32(clamping: increment))
    }

    public mutating func writeReset(_ code: HTTP2ErrorCode, stream: UInt32) {
        writeFrameHeader(.reset, stream: stream, length: 4)
        writeInteger(code.rawValue)
    }

    /// - Parameter lastStream: the last one that may have been served.
    public mutating func writeGoAway(_ code: HTTP2ErrorCode, lastStream: UInt32) {
        writeFrameHeader(.goAway, length: 8)
        writeInteger(lastStream)
        writeInteger(code.rawValue)
    }

    /// Takes at most so many bytes of `content` into one frame.
    /// - Returns: how many.
    @discardableResult
    public mutating func writeData(
        _ content: inout ByteBuffer, atMost most: Int, endsStream: Bool, stream: UInt32
    ) -> Int {
        let count = Swift.min(content.readableBytes, most, FrameHeader.mostPayload)
        let isLast = endsStream && count == content.readableBytes
        writeFrameHeader(.data, flags: isLast ? FrameHeader.Flag.endStream : 0, stream: stream, length: count)
        if count > 0, var part = content.readSlice(length: count) { writeBuffer(&part) }
        return count
    }

    /// Writes a field section in as many frames as it takes.
    /// - Parameter write: writes its lines, packed.
    public mutating func writeHeaders(endsStream: Bool, stream: UInt32, _ write: (inout ByteBuffer) -> Void) {
        let start = writerIndex
        writeFrameHeader(.headers, stream: stream, length: 0)
        write(&self)
        let length = writerIndex - start - FrameHeader.length
        let first = Swift.min(length, FrameHeader.mostPayload)
        let flags = (endsStream ? FrameHeader.Flag.endStream : 0) | (first == length ? FrameHeader.Flag.endHeaders : 0)
        setInteger(FrameHeader.firstBytes(.headers, flags: flags, stream: stream, payloadLength: first), at: start)
        guard first < length, var rest = getSlice(at: start + FrameHeader.length + first, length: length - first) else {
            return
        }
        moveWriterIndex(to: start + FrameHeader.length + first)
        while let part = rest.readSlice(length: Swift.min(rest.readableBytes, FrameHeader.mostPayload)),
            part.readableBytes > 0
        {
            writeFrameHeader(
                .continuation, flags: rest.readableBytes == 0 ? FrameHeader.Flag.endHeaders : 0, stream: stream,
                length: part.readableBytes)
            writeImmutableBuffer(part)
        }
    }
}

/// Bounds of flow control (RFC 9113 section 6.9).
public enum HTTP2Window {
    /// Without settings, in bytes.
    public static let usual = 65_535
    /// The largest that there is, in bytes: one beyond it ends what it is the window of.
    public static let most = 0x7FFF_FFFF
}
