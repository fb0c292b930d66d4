import NIOCore
import ProxyHTTP2
import ProxyWire

/// One stream of an HTTP/2 connection, as the connection for one request that a ``DownstreamConnection`` serves; then the next stream.
///
/// Heads are written as HTTP/1.1 has them, so that everything is judged, forwarded and answered by the same rules. Confined to its
/// event loop.
final class HTTP2Stream: HTTP2Sender {
    let connection: HTTP2Connection
    private(set) var id: UInt32 = 0
    private let downstream: DownstreamConnection
    private var isOpen = false

    private var request = HTTP2Request()
    private var isReading = true
    /// Whether the client has said all that it will.
    var isRequestWhole: Bool { request.isWhole }

    // Its answer
    private var parser: ResponseHeadParser
    private var head = ResponseHead()
    private var outflow: HTTP2Outflow
    private var outbox: HTTP2Outbox { connection.outbox }
    private var wasWritable = true
    var isWaiting = false
    private var isServed = false
    private var answerEnded: (() -> Void)?

    init(of connection: HTTP2Connection) {
        self.connection = connection
        // With room for what we add to what an upstream may send.
        let limits = connection.relay.settings.wireLimits.widened
        downstream = DownstreamConnection(relay: connection.relay)
        parser = ResponseHeadParser(limits: limits)
        outflow = HTTP2Outflow(limits: limits)
    }

    /// Begins to serve a stream.
    func begin(_ id: UInt32, window: Int) {
        self.id = id
        isOpen = true
        request = HTTP2Request()
        isReading = true
        outflow.begin(window: window)
        wasWritable = outbox.isWritable
        isServed = false
        downstream.begin(.stream(self))
    }

    /// The stream has ended: nothing more comes of it, and nothing more goes.
    private func forget() {
        isOpen = false
        request = HTTP2Request()
        outflow.forget()
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
            outbox.makeRoom(room, stream: id)
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

    var isWritable: Bool { outflow.pendingBytes < Holding.response && outbox.isWritable }
    var waitsForRoom: Bool { outflow.pendingBytes > 0 }

    /// Takes what HTTP/1.1 would be answered with.
    func write(_ bytes: ByteBuffer) {
        guard isOpen else { return }
        outflow.append(bytes)
        do {
            while outflow.hasUnread {
                guard try outflow.hasHead ? passBody() : passHead() else { break }
            }
        } catch {
            // What we write ourselves is sound; an upstream's framing was found to be before it came here.
            return close()
        }
        outflow.tidy()
        writabilityMayHaveChanged()
    }

    /// - Returns: whether a head was there.
    private func passHead() throws(WireFault) -> Bool {
        let bytes = outflow.unread
        guard try parser.parse(bytes, answering: request.method, into: &head) else { return false }
        if !head.isInterim { outflow.beginBody(head.framing) }
        bytes.withUnsafeReadableBytes { bytes in
            outbox.writeSection(endsStream: outflow.isWhole, stream: id) { $0.writeAnswerSection(head, bytes) }
        }
        outflow.passedHead(head.length)
        return true
    }

    private func passBody() throws(WireFault) -> Bool {
        guard try outflow.takeBody() else { return false }
        send(mostFrames: .max)
        return true
    }

    func send(mostFrames: Int) {
        guard isOpen else { return }
        if outflow.send(mostFrames: mostFrames, through: outbox, stream: id) { outbox.waitsForRoom(self) }
    }

    func roomWasMade() {
        writabilityMayHaveChanged()
        guard outflow.isSent else { return }
        if let ended = answerEnded {
            answerEnded = nil
            ended()
        }
        retireIfDone()
    }

    func widen(by increment: Int) -> Bool { outflow.widen(by: increment) }

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
        guard isServed, request.isWhole, outflow.isSent, isOpen, !request.hasArrived else { return }
        forget()
        downstream.end()
        connection.answerWasTaken()
        connection.streamEnded(self, mayServeAgain: downstream.canBeginAnew)
    }

    /// No more of an answer comes: one that ends so is whole now, any other is broken off.
    func endAnswer(_ ended: @escaping () -> Void) {
        guard isOpen else { return }
        outflow.connectionEnded()
        guard outflow.isWhole else { return close() }
        send(mostFrames: .max)
        outbox.flushSoon()
        // What is left of the request is let go: the stream is over when that is.
        isServed = true
        if outflow.isSent { ended() } else { answerEnded = ended }
    }

    /// Ends the stream. The client can tell whether it has all of its answer, and then need not go on with its request (RFC 9113
    /// section 8.1).
    func close() {
        guard isOpen else { return }
        if !outflow.isSent || !request.isWhole {
            outbox.reset(outflow.isSent ? .noError : .internalError, stream: id)
        }
        let bound = NIOLoopBound(downstream, eventLoop: connection.relay.eventLoop)
        leave()
        // Not at once: whoever closes it may not be done.
        connection.relay.eventLoop.execute { bound.value.end() }
    }

    /// The client breaks a rule of this stream: it is ended, and no other.
    func reset(_ code: HTTP2ErrorCode) {
        guard isOpen else { return }
        outbox.reset(code, stream: id)
        wasReset()
    }

    /// The client has ended the stream, or its connection.
    func wasReset() {
        guard isOpen else { return }
        leave()
        downstream.end()
    }

    /// Whether the client was not sent all of its answer.
    var isBeingAnswered: Bool { !outflow.isSent }

    private func leave() {
        forget()
        connection.streamEnded(self, mayServeAgain: false)
    }
}

extension WireLimits {
    /// For heads that we have added to.
    var widened: WireLimits {
        WireLimits(
            maxHeadBytes: maxHeadBytes + 32_768, maxFields: maxFields + 64, maxTargetBytes: maxTargetBytes + 32_768,
            maxChunkExtensionBytes: maxChunkExtensionBytes, maxTrailerBytes: maxTrailerBytes)
    }
}
