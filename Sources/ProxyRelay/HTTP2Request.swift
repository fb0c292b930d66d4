import NIOCore
import ProxyHTTP2
import ProxyWire

/// A stream's request, taken from its frames and given on as HTTP/1.1 has it.
struct HTTP2Request {
    private enum Framing {
        case none
        case sized(left: UInt64)
        case chunked
    }

    private(set) var method = RequestMethod.other
    /// Whether the client has said all that it will.
    private(set) var isWhole = false
    /// The head of a request that most likely has no body, until that is known.
    private var heldHead: RequestText?
    private var framing = Framing.none
    // What was not handed over yet: a head, content, and what a chunked body ends with.
    private var head = ByteBuffer()
    private var content = ByteBuffer()
    private var end = ByteBuffer()
    /// Bytes of content that have come and not been made room for again; at most ``HTTP2Connection/streamWindow``.
    private var unacknowledged = 0
    /// How many of them were handed over.
    private var taken = 0

    /// Whether there is something to be handed over.
    var hasArrived: Bool { head.readableBytes + content.readableBytes + end.readableBytes > 0 }

    /// - Returns: which rule it breaks; the stream is to be ended then.
    mutating func receiveHead(_ section: FieldSectionLines, endsStream: Bool) -> HTTP2ErrorCode? {
        guard let text = RequestText(section), !endsStream || (text.contentLength ?? 0) == 0 else {
            return .protocolError
        }
        method = text.method
        // Some clients end a request without a body with an empty frame.
        if !endsStream, text.mayBeWithoutBody { heldHead = text } else { begin(text, endsStream: endsStream) }
        return nil
    }

    private mutating func begin(_ text: RequestText, endsStream: Bool) {
        heldHead = nil
        isWhole = endsStream
        if endsStream {
            framing = .none
            head = text.head(isChunked: false)
        } else if let length = text.contentLength {
            framing = .sized(left: length)
            head = text.head(isChunked: false)
        } else {
            framing = .chunked
            head = text.head(isChunked: true)
        }
    }

    /// - Parameter length: what it takes of the window.
    /// - Returns: which rule it breaks; the stream is to be ended then.
    mutating func receiveBody(_ more: ByteBuffer, length: Int, endsStream: Bool) -> HTTP2ErrorCode? {
        guard !isWhole else { return .streamClosed }
        unacknowledged += length
        guard unacknowledged <= HTTP2Connection.streamWindow else { return .flowControlError }
        if let heldHead {
            begin(heldHead, endsStream: endsStream && more.readableBytes == 0)
            if isWhole { return nil }
        }
        isWhole = endsStream
        content.append(more)
        switch framing {
        case .none: break
        case .sized(let left):
            let count = UInt64(more.readableBytes)
            guard count <= left, !endsStream || count == left else { return .protocolError }
            framing = .sized(left: left - count)
        case .chunked: if endsStream { end.writeStaticString("0\r\n\r\n") }
        }
        return nil
    }

    /// - Returns: which rule they break; the stream is to be ended then.
    mutating func receiveTrailers(_ section: FieldSectionLines, endsStream: Bool) -> HTTP2ErrorCode? {
        guard !isWhole, endsStream, let lines = RequestText.trailers(section) else { return .protocolError }
        if let heldHead { begin(heldHead, endsStream: false) }
        isWhole = true
        switch framing {
        case .chunked:
            end.writeStaticString("0\r\n")
            end.writeImmutableBuffer(lines)
            end.writeStaticString("\r\n")
        case .sized(left: 0), .none: break
        case .sized: return .protocolError
        }
        return nil
    }

    /// Takes all that has come, in one piece; as one chunk where the body is in chunks.
    mutating func takeArrived() -> ByteBuffer {
        var bytes = head
        if case .chunked = framing, content.readableBytes > 0 {
            bytes.writeString(String(content.readableBytes, radix: 16) + "\r\n")
            bytes.writeImmutableBuffer(content)
            bytes.writeStaticString("\r\n")
        } else {
            bytes.append(content)
        }
        if end.readableBytes > 0 { bytes.writeImmutableBuffer(end) }
        head = ByteBuffer()
        content = ByteBuffer()
        end = ByteBuffer()
        taken = unacknowledged
        return bytes
    }

    /// Room to be made for as much as was handed over, not for each little: bytes.
    mutating func takeRoom() -> Int? {
        guard !isWhole, taken >= HTTP2Connection.streamWindow / 2 else { return nil }
        defer {
            unacknowledged -= taken
            taken = 0
        }
        return taken
    }
}
