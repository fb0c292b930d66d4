import NIOCore
import ProxyDomain
import ProxyWire

/// The upstream side of the relay: frames answers and hands them, byte for byte, to the exchange it serves.
///
/// Confined to its event loop. Idle in the pool until an exchange begins on it; then busy until the answer's end, after
/// which it goes back to the pool or is closed.
final class UpstreamConnection {
    /// Where it waits between two exchanges: with the others of its target.
    let shelf: UpstreamShelf
    private let pool: UpstreamPool
    private let settings: RelaySettings
    private var link: UpstreamLink?
    private var slot: Int?
    private var parser: ResponseHeadParser
    private var head = ResponseHead()
    private var body: BodyReader
    /// Bytes of a head whose end has not come.
    private var pending = ByteBuffer()
    private var hasHead = false
    private var exchange: Exchange?
    private var isReading = true
    private var hasUnflushed = false
    /// Whether its own channel takes more: NIO tells of each change at once, and to ask it costs more.
    private var hasRoom = true
    /// Whether the deadline is for room for more of the request.
    private var awaitsRoom = false
    /// Heads that came before the answer's.
    private var interims = 0
    private var deadline = NIODeadline.distantFuture
    private var drainDeadline = NIODeadline.distantFuture
    /// When an answer that is no stream must be whole.
    private var wholeDeadline = NIODeadline.distantFuture
    /// Those of the way that it serves at present, or served last.
    private var timeouts = RouteTimeouts()
    /// Whether it has served an exchange before: then its peer may have closed it unseen.
    private(set) var hasServed = false
    /// Whether anything of an answer to the present exchange has come.
    private(set) var hasAnswered = false
    /// Whether bytes could pass; with TLS, once the handshake is done.
    private(set) var isEstablished: Bool

    /// - Parameter isEstablished: whether bytes can pass already.
    init(of shelf: UpstreamShelf, pool: UpstreamPool, settings: RelaySettings, isEstablished: Bool) {
        self.shelf = shelf
        self.pool = pool
        self.settings = settings
        parser = ResponseHeadParser(limits: settings.wireLimits)
        body = BodyReader(limits: settings.wireLimits)
        self.isEstablished = isEstablished
    }

    var isOpen: Bool { link?.isOpen ?? false }
    var isIdle: Bool { exchange == nil }
    var isWritable: Bool {
        switch link {
        case .channel: hasRoom
        case .stream(let stream): stream.isWritable
        case nil: false
        }
    }
    /// The stream that carries it, if that is what does.
    var stream: UpstreamHTTP2Stream? { if case .stream(let stream) = link { stream } else { nil } }

    /// How many like it may lie idle on this loop; `nil` for no bound.
    var mostIdle: Int? {
        timeouts.mostIdleConnections.map { ($0 + settings.eventLoops - 1) / settings.eventLoops }
    }

    // MARK: For the exchange

    /// Lends this connection to an exchange.
    func begin(_ exchange: Exchange) {
        self.exchange = exchange
        hasAnswered = false
        hasHead = false
        awaitsRoom = false
        interims = 0
        deadline = .distantFuture
        drainDeadline = .distantFuture
        wholeDeadline = .distantFuture
        if let route = exchange.route { timeouts = route.timeouts }
    }

    /// How long it is kept when nobody uses it.
    var idleTimeout: TimeAmount { timeouts.idleConnection ?? settings.upstreamIdleTimeout }

    /// Back in the pool: kept for a while.
    func rest(at now: NIODeadline = .now()) {
        exchange = nil
        drainDeadline = .distantFuture
        wholeDeadline = .distantFuture
        setReading(true)
        deadline = now + idleTimeout
    }

    func write(_ buffer: ByteBuffer) {
        hasUnflushed = true
        link?.write(buffer)
        if !hasHead, !isWritable { awaitRoom() }
    }

    /// The upstream takes no more of the request for now.
    private func awaitRoom() {
        guard exchange != nil, !hasHead, !awaitsRoom, deadline == .distantFuture else { return }
        awaitsRoom = true
        deadline = .now() + settings.streamIdleTimeout
    }

    private func roomWasMade() {
        guard awaitsRoom else { return }
        awaitsRoom = false
        deadline = .distantFuture
    }

    func flush() {
        guard hasUnflushed else { return }
        hasUnflushed = false
        link?.flush()
    }

    /// The request is sent whole: the time for its answer runs from now.
    func requestEnded(at now: NIODeadline) {
        awaitsRoom = false
        if !hasHead { deadline = now + (timeouts.responseHead ?? settings.responseHeadTimeout) }
        if let whole = timeouts.whole, !hasHead { wholeDeadline = now + whole }
    }

    /// Stops or resumes reading, as the client can take more or not.
    func setReading(_ reading: Bool) {
        // The head of an answer is always read: the time for it runs.
        guard reading != isReading, reading || hasHead else { return }
        isReading = reading
        if hasHead { deadline = reading ? .now() + settings.streamIdleTimeout : .distantFuture }
        link?.setReading(reading)
    }

    /// Nobody waits for the answer: it may go on until then.
    func drain(until deadline: NIODeadline) { drainDeadline = deadline }

    /// The exchange wants nothing more of this answer.
    func cancel() {
        exchange = nil
        close()
    }

    func close() { link?.close() }

    /// Ends now, whatever the other side still has to say.
    func abandon() {
        failExchange(.closed(hadAnswered: true))
        close()
    }

    private func failExchange(_ failure: UpstreamFailure) {
        guard let exchange else { return }
        self.exchange = nil
        exchange.upstreamFailed(failure)
    }

    func sweep(at now: NIODeadline) {
        guard min(deadline, drainDeadline, wholeDeadline) <= now else { return }
        deadline = .distantFuture
        drainDeadline = .distantFuture
        wholeDeadline = .distantFuture
        failExchange(.timedOut)
        close()
    }

    // MARK: From the link

    /// It has one.
    func linked(by link: UpstreamLink) {
        self.link = link
        hasRoom = link.isWritable
        slot = pool.joined(self)
    }

    /// It has none any more.
    func unlinked() {
        link = nil
        if let slot { pool.left(self, slot: slot) }
        slot = nil
        failExchange(.closed(hadAnswered: hasAnswered))
    }

    func established() { isEstablished = true }

    func received(_ bytes: ByteBuffer) {
        var buffer = bytes
        guard let exchange else { return close() }  // Nothing was asked: nothing of this is an answer.
        do {
            try receive(&buffer, for: exchange)
        } catch {
            self.exchange = nil
            close()
            exchange.upstreamFailed(.malformed(error))
        }
    }

    /// All that has come at this moment was received.
    func readEnded() { exchange?.upstreamReadEnded() }

    func writabilityChanged(_ isWritable: Bool) {
        hasRoom = isWritable
        if isWritable { roomWasMade() } else { awaitRoom() }
        exchange?.upstreamWritabilityChanged(isWritable)
    }

    /// What comes can't be understood.
    func failed(_ fault: WireFault) { failExchange(.malformed(fault)) }

    /// Nothing more comes.
    func ended() {
        deadline = .distantFuture
        guard let exchange else { return }
        self.exchange = nil
        if hasHead, body.connectionEnded() {
            exchange.responseEnded()
        } else {
            exchange.upstreamFailed(isEstablished ? .closed(hadAnswered: hasAnswered) : .unreachable())
        }
    }

    /// A stream has ended.
    /// - Parameter wasRead: whether anything has come since it began: else its connection may have been closed before, unseen.
    func streamEnded(_ ending: UpstreamHTTP2Stream.Ending, wasRead: Bool) {
        deadline = .distantFuture
        switch ending {
        case .refused where !hasAnswered: failExchange(.refused)
        case .refused, .reset:
            hasServed = false
            failExchange(.closed(hadAnswered: hasAnswered))
        case .givenUp: failExchange(.timedOut)
        case .connectionLost(let loss):
            hasServed = !wasRead
            failExchange(.closed(hadAnswered: hasAnswered, loss))
        }
    }

    // MARK: Framing

    private func receive(_ buffer: inout ByteBuffer, for exchange: Exchange) throws(WireFault) {
        hasAnswered = true
        while self.exchange != nil, buffer.readableBytes > 0 {
            if hasHead {
                try receiveBody(&buffer, for: exchange)
            } else if try !receiveHead(&buffer, for: exchange) {
                return
            }
        }
        if buffer.readableBytes > 0 { close() }  // More than was asked for: don't trust what follows.
    }

    /// - Returns: whether a head was complete.
    private func receiveHead(_ buffer: inout ByteBuffer, for exchange: Exchange) throws(WireFault) -> Bool {
        if pending.readableBytes > 0 {
            pending.writeBuffer(&buffer)
            swap(&pending, &buffer)
        }
        guard try parser.parse(buffer, answering: exchange.requestMethod, into: &head) else {
            pending = buffer
            buffer = ByteBuffer()
            return false
        }
        pending = ByteBuffer()
        guard let bytes = buffer.readSlice(length: head.length) else { return false }
        if head.isInterim {
            interims += 1
            guard interims <= Holding.interims else { throw .headTooLarge }
            exchange.interimResponse(head, bytes)
            return true
        }
        // Unless we passed an Upgrade on, nobody has asked for that.
        guard head.status != 101 || agreesToTunnel(exchange, bytes) else { throw .malformedStatusLine }
        hasHead = true
        awaitsRoom = false
        let now = NIODeadline.now()
        deadline = now + settings.streamIdleTimeout
        body.begin(head.status == 101 ? .untilClose : head.framing, limits: settings.wireLimits)
        exchange.responseHead(head, bytes, at: now)
        // It may have let go of us, to try elsewhere.
        guard self.exchange === exchange else {
            buffer = ByteBuffer()
            return false
        }
        if exchange.isEventStream || head.status == 101 { wholeDeadline = .distantFuture }
        if head.status == 101 { exchange.tunnelOpened() }
        exchange.responseBody(try takeBody(&buffer, for: exchange))
        endIfComplete(for: exchange, leftover: buffer.readableBytes, at: now)
        return true
    }

    private func agreesToTunnel(_ exchange: Exchange, _ bytes: ByteBuffer) -> Bool {
        guard exchange.asksForTunnel, let range = head.value(of: .upgrade) else { return false }
        return bytes.withUnsafeReadableBytes { String(decoding: $0[range], as: UTF8.self).lowercased() == "websocket" }
    }

    /// Something has passed the other way.
    func extendDeadline() { if isReading, hasHead { deadline = .now() + settings.streamIdleTimeout } }

    private func receiveBody(_ buffer: inout ByteBuffer, for exchange: Exchange) throws(WireFault) {
        let now = NIODeadline.now()
        if isReading { deadline = now + settings.streamIdleTimeout }
        exchange.responseBody(try takeBody(&buffer, for: exchange))
        endIfComplete(for: exchange, leftover: buffer.readableBytes, at: now)
    }

    private func takeBody(_ buffer: inout ByteBuffer, for exchange: Exchange) throws(WireFault) -> ByteBuffer {
        guard !body.isComplete else { return ByteBuffer() }
        return try body.take(from: &buffer) { exchange.observe($0) }
    }

    private func endIfComplete(for exchange: Exchange, leftover: Int, at now: NIODeadline) {
        guard body.isComplete, self.exchange != nil else { return }
        let isReusable = head.keepsAlive && leftover == 0 && exchange.isRequestSent && isOpen
        self.exchange = nil
        hasServed = true
        if isReusable {
            pool.giveBack(self, at: now)
        } else {
            close()
        }
        exchange.responseEnded()
    }
}
