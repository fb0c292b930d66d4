import NIOCore
import ProxyHTTP2
import ProxyWire

/// One stream of an HTTP/2 connection, as the connection for one request that a ``DownstreamConnection`` serves; then the next stream.
///
/// Heads are written as HTTP/1.1 has them, so that everything is judged, forwarded and answered by the same rules. Confined to its
/// event loop.
final class HTTP2Stream {
    private enum RequestBody {
        case none
        case sized(left: UInt64)
        case chunked
    }

    let connection: HTTP2Connection
    private(set) var id: UInt32 = 0
    private let downstream: DownstreamConnection
    private var isOpen = false

    // The request
    /// The head of a request that most likely has no body, until that is known.
    private var heldHead: RequestText?
    private var requestBody = RequestBody.none
    /// Whether the client has said all that it will.
    private(set) var isRequestWhole = false
    /// What was not handed over yet: a head as HTTP/1.1 has it, content, and what a chunked body ends with.
    private var arrivedHead = ByteBuffer()
    private var arrivedContent = ByteBuffer()
    private var arrivedEnd = ByteBuffer()
    private var hasArrived: Bool {
        arrivedHead.readableBytes + arrivedContent.readableBytes + arrivedEnd.readableBytes > 0
    }
    private var isReading = true
    /// Bytes of content that have come and not been made room for again; at most ``HTTP2Connection/streamWindow``.
    private var unacknowledged = 0
    /// How many of them were handed over.
    private var taken = 0

    // Its answer
    /// With room for what we add to what an upstream may send.
    private let limits: WireLimits
    private var method = RequestMethod.other
    private var parser: ResponseHeadParser
    private var head = ResponseHead()
    private var reader: BodyReader
    private var unread = ByteBuffer()
    private var hasHead = false
    /// Whether all of it is here.
    private var isAnswerWhole = false
    /// Whether the last of it was sent.
    private var isAnswerSent = false
    /// Content that the client has no room for.
    private var pending = ByteBuffer()
    /// What a chunked answer ends with: its trailers as HTTP/1.1 has them, and an empty line.
    private var trailers = ByteBuffer()
    private var hasTrailers: Bool { trailers.readableBytes > 2 }
    /// Bytes of content that the client takes.
    private var window = 0
    private var wasWritable = true
    /// Whether it is among those that wait for room on the connection.
    var isWaiting = false
    private var isServed = false
    private var answerEnded: (() -> Void)?

    init(of connection: HTTP2Connection) {
        self.connection = connection
        limits = connection.relay.settings.wireLimits.widened
        downstream = DownstreamConnection(relay: connection.relay, isCarried: true)
        parser = ResponseHeadParser(limits: limits)
        reader = BodyReader(limits: limits)
    }

    /// Begins to serve a stream.
    func begin(_ id: UInt32, window: Int) {
        self.id = id
        self.window = window
        isOpen = true
        requestBody = .none
        isRequestWhole = false
        isReading = true
        unacknowledged = 0
        taken = 0
        hasHead = false
        isAnswerWhole = false
        isAnswerSent = false
        wasWritable = connection.isWritable
        isServed = false
        downstream.begin(.stream(self))
    }

    /// The stream has ended: nothing more comes of it, and nothing more goes.
    private func forget() {
        isOpen = false
        heldHead = nil
        arrivedHead = ByteBuffer()
        arrivedContent = ByteBuffer()
        arrivedEnd = ByteBuffer()
        unread = ByteBuffer()
        pending = ByteBuffer()
        trailers = ByteBuffer()
        answerEnded = nil
    }

    // MARK: Request

    /// - Returns: which rule it breaks; the stream is to be ended then.
    func receiveHead(_ section: FieldSectionLines, endsStream: Bool) -> HTTP2ErrorCode? {
        guard let request = RequestText(section), !endsStream || (request.contentLength ?? 0) == 0 else {
            return .protocolError
        }
        method = request.method
        // Some clients end a request without a body with an empty frame.
        if !endsStream, request.mayBeWithoutBody {
            heldHead = request
        } else {
            take(request, endsStream: endsStream)
        }
        return nil
    }

    private func take(_ request: RequestText, endsStream: Bool) {
        heldHead = nil
        isRequestWhole = endsStream
        if endsStream {
            requestBody = .none
        } else if let length = request.contentLength {
            requestBody = .sized(left: length)
        } else {
            requestBody = .chunked
        }
        let isChunked = if case .chunked = requestBody { true } else { false }
        arrivedHead = request.head(isChunked: isChunked)
        connection.hasArrived(self)
    }

    /// - Parameter length: what it takes of the window.
    /// - Returns: which rule it breaks; the stream is to be ended then.
    func receiveBody(_ content: ByteBuffer, length: Int, endsStream: Bool) -> HTTP2ErrorCode? {
        guard !isRequestWhole else { return .streamClosed }
        unacknowledged += length
        guard unacknowledged <= HTTP2Connection.streamWindow else { return .flowControlError }
        if let heldHead {
            take(heldHead, endsStream: endsStream && content.readableBytes == 0)
            if isRequestWhole { return nil }
        }
        if endsStream { isRequestWhole = true }
        guard keep(content, isLast: endsStream) else { return .protocolError }
        connection.hasArrived(self)
        return nil
    }

    /// - Returns: whether so much may come.
    private func keep(_ content: ByteBuffer, isLast: Bool) -> Bool {
        arrivedContent.append(content)
        switch requestBody {
        case .none: return content.readableBytes == 0
        case .sized(let left):
            guard content.readableBytes <= left else { return false }
            requestBody = .sized(left: left - UInt64(content.readableBytes))
            return !isLast || content.readableBytes == left
        case .chunked:
            if isLast { arrivedEnd.writeStaticString("0\r\n\r\n") }
            return true
        }
    }

    /// - Returns: which rule they break; the stream is to be ended then.
    func receiveTrailers(_ section: FieldSectionLines, endsStream: Bool) -> HTTP2ErrorCode? {
        guard !isRequestWhole, endsStream, let lines = RequestText.trailers(section) else { return .protocolError }
        if let heldHead { take(heldHead, endsStream: false) }
        isRequestWhole = true
        switch requestBody {
        case .chunked:
            arrivedEnd.writeStaticString("0\r\n")
            arrivedEnd.writeImmutableBuffer(lines)
            arrivedEnd.writeStaticString("\r\n")
        case .sized(left: 0), .none: break
        case .sized: return .protocolError
        }
        connection.hasArrived(self)
        return nil
    }

    /// Hands over what has come, if it is wanted.
    func pass() {
        guard isOpen, isReading else { return }
        taken = unacknowledged
        acknowledge()
        if hasArrived { downstream.receive(takeArrived()) }
        retireIfDone()
    }

    /// All that has come, in one piece; as one chunk where the body is in chunks.
    private func takeArrived() -> ByteBuffer {
        var bytes = arrivedHead
        let length = arrivedContent.readableBytes
        if case .chunked = requestBody, length > 0 {
            bytes.writeString(String(length, radix: 16) + "\r\n")
            bytes.writeImmutableBuffer(arrivedContent)
            bytes.writeStaticString("\r\n")
        } else {
            bytes.append(arrivedContent)
        }
        if arrivedEnd.readableBytes > 0 { bytes.writeImmutableBuffer(arrivedEnd) }
        arrivedHead = ByteBuffer()
        arrivedContent = ByteBuffer()
        arrivedEnd = ByteBuffer()
        return bytes
    }

    /// Makes room for as much as was handed over, not for each little.
    private func acknowledge() {
        guard !isRequestWhole, taken >= HTTP2Connection.streamWindow / 2 else { return }
        connection.outbound.writeWindowUpdate(taken, stream: id)
        unacknowledged -= taken
        taken = 0
        connection.flushSoon()
    }

    func setReading(_ isReading: Bool) {
        self.isReading = isReading
        // Not at once: what has come would come within what is being dealt with.
        guard isReading, hasArrived else { return }
        let bound = NIOLoopBound(self, eventLoop: connection.relay.eventLoop)
        let id = id
        connection.relay.eventLoop.execute { if bound.value.id == id { bound.value.pass() } }
    }

    // MARK: Answer

    var isWritable: Bool { pending.readableBytes < Holding.response && connection.isWritable }
    var waitsForRoom: Bool { pending.readableBytes > 0 }

    /// Takes what HTTP/1.1 would be answered with.
    func write(_ bytes: ByteBuffer) {
        guard isOpen else { return }
        unread.append(bytes)
        do {
            while unread.readableBytes > 0, !isAnswerWhole {
                guard try hasHead ? passBody() : passHead() else { break }
            }
        } catch {
            // What we write ourselves is sound; an upstream's framing was found to be before it came here.
            return close()
        }
        if unread.readableBytes == 0 || isAnswerWhole { unread = ByteBuffer() }
        writabilityMayHaveChanged()
    }

    /// - Returns: whether a head was there.
    private func passHead() throws(WireFault) -> Bool {
        guard try parser.parse(unread, answering: method, into: &head) else { return false }
        if !head.isInterim {
            hasHead = true
            reader.begin(head.framing, limits: limits)
            isAnswerWhole = reader.isComplete
            isAnswerSent = isAnswerWhole
        }
        connection.writeHead(head, unread, endsStream: isAnswerWhole, stream: id)
        unread.moveReaderIndex(forwardBy: head.length)
        return true
    }

    private func passBody() throws(WireFault) -> Bool {
        var content = ByteBuffer()
        if head.framing == .chunked {
            _ = try reader.take(from: &unread) {
                content.writeBytes($0)
            } trailers: {
                trailers.writeBytes($0)
            }
        } else {
            content = try reader.take(from: &unread) { _ in }
        }
        isAnswerWhole = reader.isComplete
        guard content.readableBytes > 0 || isAnswerWhole else { return false }
        pending.append(content)
        send(mostFrames: .max)
        return true
    }

    /// Sends of what is pending what the client has room for.
    /// - Returns: whether anything was sent.
    @discardableResult
    func send(mostFrames: Int) -> Bool {
        guard isOpen, !isAnswerSent else { return false }
        var frames = 0
        while frames < mostFrames, pending.readableBytes > 0 || isAnswerWhole && !hasTrailers {
            let room = min(window, connection.window)
            guard room > 0 || pending.readableBytes == 0 else { break }
            let sent = connection.outbound.writeData(
                &pending, atMost: max(0, room), endsStream: isAnswerWhole && !hasTrailers, stream: id)
            window -= sent
            connection.window -= sent
            frames += 1
            if pending.readableBytes == 0 { break }
        }
        guard pending.readableBytes == 0 else {
            if window > 0 { connection.waitsForRoom(self) }
            return frames > 0
        }
        pending = ByteBuffer()
        if isAnswerWhole { answerLeft() }
        return frames > 0
    }

    /// All content of the answer was sent.
    private func answerLeft() {
        isAnswerSent = true
        if hasTrailers { connection.writeTrailers(trailers, stream: id) }
    }

    /// The client has more room, or the connection has.
    func roomWasMade() {
        writabilityMayHaveChanged()
        guard isAnswerSent else { return }
        if let ended = answerEnded {
            answerEnded = nil
            ended()
        }
        retireIfDone()
    }

    /// - Returns: whether a window can be as large (RFC 9113 section 6.9.1).
    func widen(by increment: Int) -> Bool {
        window += increment
        return window <= HTTP2Window.most
    }

    func writabilityMayHaveChanged() {
        guard isWritable != wasWritable else { return }
        wasWritable = isWritable
        downstream.writabilityChanged(wasWritable)
    }

    // MARK: End

    /// The answer is given, and the next request would be welcome: that comes on another stream.
    func requestServed() {
        isServed = true
        retireIfDone()
    }

    private func retireIfDone() {
        guard isServed, isRequestWhole, isAnswerSent, isOpen, !hasArrived else { return }
        forget()
        downstream.end()
        connection.answerWasTaken()
        connection.streamEnded(self, mayServeAgain: downstream.canBeginAnew)
    }

    /// No more of an answer comes: one that ends so is whole now, any other is broken off.
    func endAnswer(_ ended: @escaping () -> Void) {
        guard isOpen else { return }
        if hasHead, !isAnswerWhole, reader.connectionEnded() {
            isAnswerWhole = true
            send(mostFrames: .max)
            connection.flushSoon()
        }
        guard isAnswerWhole else { return close() }
        // What is left of the request is let go: the stream is over when that is.
        isServed = true
        if isAnswerSent { ended() } else { answerEnded = ended }
    }

    /// Ends the stream. The client can tell whether it has all of its answer, and then need not go on with its request (RFC 9113
    /// section 8.1).
    func close() {
        guard isOpen else { return }
        if !isAnswerSent || !isRequestWhole {
            connection.outbound.writeReset(isAnswerSent ? .noError : .internalError, stream: id)
            connection.flushSoon()
        }
        let bound = NIOLoopBound(downstream, eventLoop: connection.relay.eventLoop)
        leave()
        // Not at once: whoever closes it may not be done.
        connection.relay.eventLoop.execute { bound.value.end() }
    }

    /// The client breaks a rule of this stream: it is ended, and no other.
    func reset(_ code: HTTP2ErrorCode) {
        guard isOpen else { return }
        connection.outbound.writeReset(code, stream: id)
        connection.flushSoon()
        wasReset()
    }

    /// The client has ended the stream, or its connection.
    func wasReset() {
        guard isOpen else { return }
        leave()
        downstream.end()
    }

    /// Whether the client ends an answer that it doesn't have all of.
    var isBeingAnswered: Bool { !isAnswerSent }

    private func leave() {
        forget()
        connection.streamEnded(self, mayServeAgain: false)
    }
}

extension WireLimits {
    /// For heads that we have added fields to.
    fileprivate var widened: WireLimits {
        WireLimits(
            maxHeadBytes: maxHeadBytes + 32_768, maxFields: maxFields + 64, maxTargetBytes: maxTargetBytes,
            maxChunkExtensionBytes: maxChunkExtensionBytes, maxTrailerBytes: maxTrailerBytes)
    }
}
