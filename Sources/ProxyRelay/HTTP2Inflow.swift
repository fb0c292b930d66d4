import NIOCore
import ProxyHTTP2
import ProxyWire

/// The receiving half of a stream: what has come, to be handed over as HTTP/1.1 has it.
struct HTTP2Inflow {
    private enum Framing {
        case none
        case sized(left: UInt64)
        case chunked
    }

    /// Bytes of content that the other side may send before it is told that there is room for more.
    private let window: Int
    /// Whether the other side has said all that it will.
    private(set) var isWhole = false
    private var framing = Framing.none
    // What was not handed over yet: heads, content, and what a body in chunks ends with.
    private var head = ByteBuffer()
    private var content = ByteBuffer()
    private var end = ByteBuffer()
    /// Bytes of content that have come and not been made room for again; at most `window`.
    private var unacknowledged = 0
    /// How many of them were handed over.
    private var taken = 0

    init(window: Int) { self.window = window }

    /// Whether there is something to be handed over.
    var hasArrived: Bool { head.readableBytes + content.readableBytes + end.readableBytes > 0 }

    /// A head has come that another one follows.
    mutating func receiveInterim(_ text: ByteBuffer) { head.append(text) }

    /// A head has come.
    /// - Parameter framing: what `text` says of the body; `untilClose` never.
    mutating func receiveHead(_ text: ByteBuffer, _ framing: BodyFraming, endsStream: Bool) {
        head.append(text)
        isWhole = endsStream
        switch framing {
        case .length(let length): self.framing = .sized(left: length)
        case .chunked:
            self.framing = .chunked
            if endsStream { end.writeStaticString("0\r\n\r\n") }
        case .none, .untilClose: self.framing = .none
        }
    }

    /// - Parameter length: what content takes of the window.
    /// - Returns: which rule it breaks; the stream is to be ended then.
    mutating func count(_ length: Int) -> HTTP2ErrorCode? {
        guard !isWhole else { return .streamClosed }
        unacknowledged += length
        return unacknowledged <= window ? nil : .flowControlError
    }

    /// - Returns: which rule it breaks; the stream is to be ended then.
    mutating func receive(_ more: ByteBuffer, endsStream: Bool) -> HTTP2ErrorCode? {
        isWhole = endsStream
        switch framing {
        case .none: guard more.readableBytes == 0 else { return .protocolError }
        case .sized(let left):
            let count = UInt64(more.readableBytes)
            guard count <= left, !endsStream || count == left else { return .protocolError }
            framing = .sized(left: left - count)
        case .chunked: if endsStream { end.writeStaticString("0\r\n\r\n") }
        }
        content.append(more)
        return nil
    }

    /// - Parameter lines: as a body in chunks ends with them.
    /// - Returns: which rule they break; the stream is to be ended then.
    mutating func receiveTrailers(_ lines: ByteBuffer) -> HTTP2ErrorCode? {
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
        // Padding is handed over to nobody.
        if content.readableBytes == 0 { taken = unacknowledged }
        guard !isWhole, taken >= window / 2 else { return nil }
        defer {
            unacknowledged -= taken
            taken = 0
        }
        return taken
    }
}
