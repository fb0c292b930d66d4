import NIOCore
import ProxyHTTP2
import ProxyWire

/// One stream of an HTTP/2 connection, as the connection for one request that a ``DownstreamConnection`` serves; then the next stream.
///
/// Heads are written as HTTP/1.1 has them, so that everything is judged, forwarded and answered by the same rules. Confined to its
/// event loop.
final class HTTP2Stream {
    let connection: HTTP2Connection
    private(set) var id: UInt32 = 0
    private let downstream: DownstreamConnection
    private var isOpen = false

    private var request = HTTP2Request()
    private var isReading = true
    /// Whether the client has said all that it will.
    var isRequestWhole: Bool { request.isWhole }

    // Its answer
    /// With room for what we add to what an upstream may send.
    private let limits: WireLimits
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
        downstream = DownstreamConnection(relay: connection.relay)
        parser = ResponseHeadParser(limits: limits)
        reader = BodyReader(limits: limits)
    }

    /// Begins to serve a stream.
    func begin(_ id: UInt32, window: Int) {
        self.id = id
        self.window = window
        isOpen = true
        request = HTTP2Request()
        isReading = true
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
        request = HTTP2Request()
        unread = ByteBuffer()
        pending = ByteBuffer()
        trailers = ByteBuffer()
        answerEnded = nil
    }

    // MARK: Request

    /// - Returns: which rule it breaks; the stream is to be ended then.
    func receive(_ take: (inout HTTP2Request) -> HTTP2ErrorCode?) -> HTTP2ErrorCode? {
        let broken = take(&request)
        if broken == nil { connection.hasArrived(self) }
        return broken
    }

    /// Hands over what has come, if it is wanted.
    func pass() {
        guard isOpen, isReading else { return }
        if request.hasArrived { downstream.receive(request.takeArrived()) }
        if let room = request.takeRoom() {
            connection.outbound.writeWindowUpdate(room, stream: id)
            connection.flushSoon()
        }
        retireIfDone()
    }

    func setReading(_ isReading: Bool) {
        self.isReading = isReading
        // Not at once: what has come would come within what is being dealt with.
        guard isReading, request.hasArrived else { return }
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
        guard try parser.parse(unread, answering: request.method, into: &head) else { return false }
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
    func send(mostFrames: Int) {
        guard isOpen, !isAnswerSent else { return }
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
            return
        }
        pending = ByteBuffer()
        guard isAnswerWhole else { return }
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
        guard isServed, request.isWhole, isAnswerSent, isOpen, !request.hasArrived else { return }
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
        if !isAnswerSent || !request.isWhole {
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

    /// Whether the client was not sent all of its answer.
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
