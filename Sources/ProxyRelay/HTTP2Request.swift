import NIOCore
import ProxyHTTP2
import ProxyWire

/// A stream's request, taken from its frames and given on as HTTP/1.1 has it.
struct HTTP2Request {
    private(set) var method = RequestMethod.other
    /// The head of a request that most likely has no body, until that is known.
    private var heldHead: RequestText?
    private var inflow = HTTP2Inflow(window: HTTP2Connection.streamWindow)

    /// Whether the client has said all that it will.
    var isWhole: Bool { inflow.isWhole }
    /// Whether there is something to be handed over.
    var hasArrived: Bool { inflow.hasArrived }

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
        let framing: BodyFraming = endsStream ? .none : text.contentLength.map { .length($0) } ?? .chunked
        inflow.receiveHead(text.head(isChunked: framing == .chunked), framing, endsStream: endsStream)
    }

    /// - Parameter length: what it takes of the window.
    /// - Returns: which rule it breaks; the stream is to be ended then.
    mutating func receiveBody(_ more: ByteBuffer, length: Int, endsStream: Bool) -> HTTP2ErrorCode? {
        if let broken = inflow.count(length) { return broken }
        if let heldHead {
            begin(heldHead, endsStream: endsStream && more.readableBytes == 0)
            if isWhole { return nil }
        }
        return inflow.receive(more, endsStream: endsStream)
    }

    /// - Returns: which rule they break; the stream is to be ended then.
    mutating func receiveTrailers(_ section: FieldSectionLines, endsStream: Bool) -> HTTP2ErrorCode? {
        guard !isWhole, endsStream, let lines = section.trailerText() else { return .protocolError }
        if let heldHead { begin(heldHead, endsStream: false) }
        return inflow.receiveTrailers(lines)
    }

    /// Takes all that has come, in one piece.
    mutating func takeArrived() -> ByteBuffer { inflow.takeArrived() }

    /// Room to be made for as much as was handed over: bytes.
    mutating func takeRoom() -> Int? { inflow.takeRoom() }
}
