import NIOCore
import ProxyHTTP2
import ProxyWire

/// One stream of an HTTP/2 connection to an upstream, as the link of an ``UpstreamConnection`` for one request; then the next stream.
///
/// Requests are given to it as HTTP/1.1 has them, and answers come from it so. Confined to its event loop.
final class UpstreamHTTP2Stream: HTTP2Sender {
    let connection: UpstreamHTTP2Connection
    let upstream: UpstreamConnection
    /// 0 until the head of its request is sent: streams are numbered in the order in which they begin.
    private(set) var id: UInt32 = 0
    /// Whether it may be used for a request.
    private(set) var isOpen = false
    /// Whether the other side knows of it and has not ended it.
    private var isLive = false
    /// How often anything had come of the connection when this began.
    private var heardBefore: UInt64 = 0

    // Its request
    private var parser: RequestHeadParser
    private var head = RequestHead()
    private var outflow: HTTP2Outflow
    private var outbox: HTTP2Outbox { connection.outbox }
    private var wasWritable = true
    var isWaiting = false

    // Its answer
    private var inflow = HTTP2Inflow(window: UpstreamHTTP2Connection.streamWindow)
    private var hasAnswerHead = false
    /// Heads that came before the last one, and their bytes.
    private var interims = (count: 0, bytes: 0)
    private var isReading = true
    /// Whether whoever asked has all that it wants.
    private var isServed = false

    init(of connection: UpstreamHTTP2Connection, _ upstream: UpstreamConnection, limits: WireLimits) {
        self.connection = connection
        self.upstream = upstream
        // With room for what we add to what a client may send.
        let limits = limits.widened
        parser = RequestHeadParser(limits: limits)
        outflow = HTTP2Outflow(limits: limits)
    }

    /// Makes ready for a request.
    func begin() {
        id = 0
        isOpen = true
        isLive = false
        parser.reset()
        outflow.begin(window: 0)
        wasWritable = outbox.isWritable
        inflow = HTTP2Inflow(window: UpstreamHTTP2Connection.streamWindow)
        hasAnswerHead = false
        interims = (0, 0)
        isReading = true
        isServed = false
    }

    // MARK: Request

    var isWritable: Bool { outflow.pendingBytes < Holding.request && outbox.isWritable }
    var waitsForRoom: Bool { outflow.pendingBytes > 0 }

    /// Takes what HTTP/1.1 would be asked.
    func write(_ bytes: ByteBuffer) {
        guard isOpen, isLive || id == 0 else { return }
        outflow.append(bytes)
        do {
            while outflow.hasUnread {
                guard try outflow.hasHead ? passBody() : passHead() else { break }
            }
        } catch {
            // What we write ourselves is sound; a client's framing was found to be before it came here.
            return close()
        }
        outflow.tidy()
        writabilityMayHaveChanged()
    }

    /// - Returns: whether a head was there, and could be sent.
    private func passHead() throws(WireFault) -> Bool {
        let bytes = outflow.unread
        guard try parser.parse(bytes, into: &head) else { return false }
        guard let number = connection.number(for: self) else {
            refuseSoon()
            return false
        }
        id = number
        isLive = true
        heardBefore = connection.heard
        _ = outflow.widen(by: outbox.newStreamWindow)
        outflow.beginBody(head.framing)
        bytes.withUnsafeReadableBytes { bytes in
            outbox.writeSection(endsStream: outflow.isWhole, stream: id) { $0.writeRequestSection(head, bytes) }
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
        guard isLive else { return }
        if outflow.send(mostFrames: mostFrames, through: outbox, stream: id) { outbox.waitsForRoom(self) }
    }

    func widen(by increment: Int) -> Bool { outflow.widen(by: increment) }

    func roomWasMade() { writabilityMayHaveChanged() }

    func writabilityMayHaveChanged() {
        guard isOpen, isWritable != wasWritable else { return }
        wasWritable = isWritable
        upstream.writabilityChanged(wasWritable)
    }

    /// The connection has no place for it any more. Not at once: whoever writes may not be done.
    private func refuseSoon() {
        let bound = NIOLoopBound(self, eventLoop: connection.eventLoop)
        connection.eventLoop.execute {
            let stream = bound.value
            if stream.isOpen, stream.id == 0 { stream.wasEnded(.refused) }
        }
    }

    // MARK: Answer

    /// A head or trailers have come. Malformed ones end the stream.
    func receiveSection(_ section: FieldSectionLines, endsStream: Bool) {
        do {
            try take(section, endsStream: endsStream)
        } catch {
            return fail(error)
        }
        connection.hasArrived(self)
    }

    private func take(_ section: FieldSectionLines, endsStream: Bool) throws(WireFault) {
        guard !hasAnswerHead else {
            guard !inflow.isWhole, endsStream, let lines = section.trailerText() else { throw .forbiddenTrailer }
            if inflow.receiveTrailers(lines) != nil { throw .malformedLength }
            return
        }
        let text = try AnswerText(section, answering: head.method, endsStream: endsStream)
        guard !text.isInterim else {
            interims = (interims.count + 1, interims.bytes + text.head.readableBytes)
            guard interims.count <= Holding.interims, interims.bytes <= Holding.interimBytes else {
                throw .headTooLarge
            }
            return inflow.receiveInterim(text.head)
        }
        hasAnswerHead = true
        inflow.receiveHead(text.head, text.framing, endsStream: endsStream)
    }

    /// Content has come.
    /// - Parameter length: what it takes of the window.
    func receiveContent(_ content: ByteBuffer, length: Int, endsStream: Bool) {
        guard hasAnswerHead else { return fail(.malformedStatusLine) }
        guard inflow.count(length) == nil, inflow.receive(content, endsStream: endsStream) == nil else {
            return fail(.malformedLength)
        }
        connection.hasArrived(self)
    }

    /// What comes of it can't be understood (RFC 9113 section 8.1.1).
    func fail(_ fault: WireFault) {
        guard isOpen else { return }
        reset(.protocolError)
        leave()
        upstream.failed(fault)
    }

    /// Hands over what has come, if it is wanted.
    func pass() {
        guard isOpen, isReading else { return }
        let passing = id
        if inflow.hasArrived {
            upstream.received(inflow.takeArrived())
            upstream.readEnded()
        }
        // It may have ended with that, and even serve another request.
        guard isOpen, id == passing else { return }
        if isLive, let room = inflow.takeRoom() {
            outbox.makeRoom(room, stream: id)
        }
        retireIfDone()
    }

    func setReading(_ isReading: Bool) {
        self.isReading = isReading
        // Not at once: what has come would come within what is being dealt with.
        guard isReading, inflow.hasArrived else { return }
        let bound = NIOLoopBound(self, eventLoop: connection.eventLoop)
        let id = id
        connection.eventLoop.execute { if bound.value.id == id { bound.value.pass() } }
    }

    // MARK: End

    /// Whoever asked has its answer.
    func wasServed() {
        isServed = true
        retireIfDone()
    }

    private func retireIfDone() {
        guard isServed, isOpen else { return }
        guard id > 0, isLive else { return leave(mayServeAgain: id == 0) }
        // The other side did not want to know all of the request.
        guard outflow.isSent else { return close() }
        guard inflow.isWhole else { return }
        leave(mayServeAgain: true)
    }

    /// Nobody wants more of it.
    func close() {
        guard isOpen else { return }
        if !outflow.isSent || !inflow.isWhole { reset(.cancel) }
        leave()
    }

    private func reset(_ code: HTTP2ErrorCode) {
        if isLive { outbox.reset(code, stream: id) }
    }

    /// How it ended without us.
    enum Ending {
        /// Nothing was done with it.
        case refused
        case reset
        /// The other side takes nothing any more.
        case givenUp
        case connectionLost(ConnectionLoss)
    }

    /// What has come is handed over all the same (RFC 9113 section 8.1).
    func wasEnded(_ ending: Ending) {
        guard isOpen else { return }
        isLive = false
        pass()
        // All of the answer is here, and waits for its client.
        guard isOpen, !inflow.isWhole || !inflow.hasArrived else { return }
        leave()
        upstream.streamEnded(ending, wasRead: connection.heard > heardBefore)
    }

    private func leave(mayServeAgain: Bool = false) {
        isOpen = false
        isLive = false
        outflow.forget()
        connection.streamEnded(self, mayServeAgain: mayServeAgain)
    }
}
