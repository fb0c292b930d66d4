import NIOCore
import NIOTLS
import ProxyDomain
import ProxyHTTP2
import ProxyWire

/// The client side of the relay: frames requests, and carries what their exchanges answer.
///
/// Confined to its event loop. One request at a time: what a client pipelines waits in the socket, or in ``inbound``. Carried by a
/// channel of its own, whose handler it is then, or by the streams of an HTTP/2 connection.
final class DownstreamConnection: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    enum Phase {
        /// Between requests, or within a head. Next: any of the following.
        case awaitingHead
        /// Within the body of a request for an upstream. Next: `answering`, or `discarding` when it is refused.
        case relayingBody
        /// Within the body of a request for the management side. Next: `answering`.
        case collectingBody
        /// The request is complete, its answer is not. Next: `awaitingHead` or `lingering`.
        case answering
        /// Within the body of a request that was refused. Next: `awaitingHead`.
        case discardingBody
        /// Everything is said; input is dropped until the client closes too, so that it can read our last words.
        case lingering
    }

    let relay: RelayLoop
    private(set) var link: DownstreamLink?
    private(set) var slot = 0
    let exchange: Exchange
    var phase = Phase.awaitingHead
    private var parser: RequestHeadParser
    private(set) var head = RequestHead()
    private(set) var body: BodyReader
    /// Received and not yet dealt with.
    var inbound = ByteBuffer()
    var collected = ByteBuffer()
    var deadline = NIODeadline.distantFuture
    /// When a client that takes nothing of what it is sent has taken nothing for too long.
    var takingDeadline = NIODeadline.distantFuture
    private var isReading = true
    private var hasUnflushed = false
    /// Whether its own channel takes more: NIO tells of each change at once, and to ask it costs more.
    private var hasRoom = true
    var isInputClosed = false
    var isOutputClosed = false
    private var isProcessing = false
    /// Whether no request has come yet: until then a client may turn out to speak HTTP/2.
    private var isFresh = true
    /// Whether part of a head has come.
    var isWithinHead = false

    /// Whether it is carried by streams of another connection.
    var isCarried: Bool { if case .stream = link { true } else { false } }

    init(relay: RelayLoop) {
        self.relay = relay
        exchange = Exchange(relay: relay)
        parser = RequestHeadParser(limits: relay.settings.wireLimits)
        body = BodyReader(limits: relay.settings.wireLimits)
    }

    /// The client's address without its port; empty when it isn't known.
    var peerAddress: String {
        guard let channel = link?.channel else { return "" }
        let told =
            relay.settings.readsClientAddress
            ? try? channel.pipeline.syncOperations.handler(type: ClientAddress.self).told : nil
        return told ?? channel.remoteAddress?.ipAddress ?? ""
    }
    var isWritable: Bool {
        switch link {
        case .channel: hasRoom
        case .stream(let stream): stream.isWritable
        case nil: false
        }
    }

    // MARK: From what carries it

    func channelActive(context: ChannelHandlerContext) { begin(.channel(context)) }
    func channelInactive(context: ChannelHandlerContext) { end() }
    /// The connection turned out to speak HTTP/2.
    func handlerRemoved(context: ChannelHandlerContext) { end() }
    func channelRead(context: ChannelHandlerContext, data: NIOAny) { receive(unwrapInboundIn(data)) }
    func channelWritabilityChanged(context: ChannelHandlerContext) { writabilityChanged(context.channel.isWritable) }

    /// Requests may come.
    func begin(_ link: DownstreamLink) {
        self.link = link
        isReading = true
        hasUnflushed = false
        hasRoom = link.isWritable
        takingDeadline = .distantFuture
        slot = relay.join(self)
        exchange.downstream = self
        deadline = .now() + relay.settings.headTimeout
    }

    /// Nothing more comes, and nothing more goes.
    func end() {
        deadline = .distantFuture
        takingDeadline = .distantFuture
        exchange.clientLeft()
        exchange.downstream = nil
        if link != nil { relay.leave(self, slot: slot) }
        link = nil
    }

    /// Whether another stream may carry it as if it were new.
    var canBeginAnew: Bool { phase == .awaitingHead && !isWithinHead && inbound.readableBytes == 0 }

    func receive(_ bytes: ByteBuffer) {
        guard phase != .lingering else { return }
        inbound.append(bytes)
        process()
    }

    func writabilityChanged(_ isWritable: Bool) {
        hasRoom = isWritable
        takingDeadline = isWritable ? .distantFuture : .now() + relay.settings.streamIdleTimeout
        exchange.clientWritabilityChanged(isWritable)
        guard isWritable, phase == .awaitingHead, inbound.readableBytes > 0 else { return }
        setReading(true)
        process()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed = event { inputClosed() }
        if case TLSUserEvent.handshakeCompleted(negotiatedProtocol: "h2") = event { speakHTTP2() }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    /// The client sends nothing more. One that asked for the connection to be closed after this answer is waiting for
    /// it; one that meant to keep the connection has gone.
    private func inputClosed() {
        isInputClosed = true
        switch phase {
        case .answering where exchange.isTunnel: close()
        case .answering where !head.keepsAlive || inbound.readableBytes > 0: break
        case .answering: close()
        case .lingering where isOutputClosed: close()
        case .lingering: break
        case .awaitingHead, .relayingBody, .collectingBody, .discardingBody: closeIfCutShort()
        }
    }

    // MARK: Requests

    /// Deals with what was received, as far as the present phase allows.
    func process() {
        guard !isProcessing else { return }
        isProcessing = true
        defer { isProcessing = false }
        do {
            while try step() {}
        } catch {
            switch isFresh && !isCarried ? HTTP2Preface(inbound, length: HTTP2Preface.headLength) : .none {
            case .whole: return speakHTTP2()
            case .part: return
            case .none: break
            }
            refuseAndClose(.malformed(error))
        }
        if inbound.readableBytes == 0 { inbound = ByteBuffer() }
        exchange.advance()
        closeIfCutShort()
    }

    /// Leaves the connection to HTTP/2, with what has come.
    private func speakHTTP2() {
        guard case .channel(let context) = link else { return }
        phase = .lingering
        let received = inbound
        inbound = ByteBuffer()
        do {
            try HTTP2Connection.take(over: self, context: context, received: received)
        } catch {
            context.close(promise: nil)
        }
    }

    /// The client has said its last word in the middle of a request: the rest will never come.
    private func closeIfCutShort() {
        guard isInputClosed else { return }
        switch phase {
        case .awaitingHead where inbound.readableBytes > 0 && !isWritable: break
        case .awaitingHead, .relayingBody, .collectingBody, .discardingBody:
            exchange.clientLeft()
            closeAfterAnswer()  // An earlier answer may still be on its way.
        case .answering, .lingering: break
        }
    }

    /// - Returns: whether another step may be possible.
    private func step() throws(WireFault) -> Bool {
        switch phase {
        case .awaitingHead: return try readHead()
        case .relayingBody:
            let arrived = try takeBody()
            exchange.requestBody(arrived, total: body.payloadBytes)
            guard phase == .relayingBody, body.isComplete else { return phase != .relayingBody }
            requestEnded()
            exchange.requestEnded()
            return phase != .answering
        case .collectingBody:
            try collectBody()
            return phase == .awaitingHead
        case .discardingBody:
            _ = try takeBody()
            guard body.isComplete else { return false }
            awaitNextHead()
            if case .stream(let stream) = link { stream.requestServed() }
            return true
        case .answering where exchange.isTunnel:
            // Not before the client has its answer, which another upstream may yet give.
            guard !exchange.isHeld else {
                if inbound.readableBytes > Holding.request { setReading(false) }
                return false
            }
            let bytes = inbound
            inbound = ByteBuffer()
            exchange.tunnelled(bytes)
            return false
        case .answering:
            if inbound.readableBytes > Holding.request { setReading(false) }
            return false
        case .lingering:
            inbound = ByteBuffer()
            return false
        }
    }

    private func readHead() throws(WireFault) -> Bool {
        guard inbound.readableBytes > 0 else { return false }
        // Answers that the client doesn't take would have to be kept.
        guard isWritable else {
            if inbound.readableBytes > Holding.request { setReading(false) }
            return false
        }
        guard try parser.parse(inbound, into: &head) else {
            if !isWithinHead { deadline = .now() + relay.settings.headTimeout }
            isWithinHead = true
            return false
        }
        isWithinHead = false
        isFresh = false
        guard let bytes = inbound.readSlice(length: head.length) else { return false }
        body.begin(head.framing, limits: relay.settings.wireLimits)
        let now = NIODeadline.now()
        deadline = body.isComplete ? .distantFuture : now + relay.settings.bodyTimeout
        if isForUpstream(bytes) {
            phase = .relayingBody
            exchange.begin(head, bytes, provider: nil, at: now)
        } else if let provider = takeProvider(bytes) {
            phase = .relayingBody
            exchange.begin(head, bytes, provider: provider, at: now)
        } else {
            phase = .collectingBody
            beginCollecting(bytes)
        }
        return true
    }

    private func isForUpstream(_ bytes: ByteBuffer) -> Bool {
        bytes.withUnsafeReadableBytes { bytes in
            let path = UnsafeRawBufferPointer(rebasing: bytes[head.pathRange])
            guard path.count >= 3, path[0] == UInt8(ascii: "/"), path[1] == UInt8(ascii: "v"),
                path[2] == UInt8(ascii: "1")
            else { return false }
            return path.count == 3 || path[3] == UInt8(ascii: "/")
        }
    }

    /// Takes the name of a provider off the path, if it begins with one.
    private func takeProvider(_ bytes: ByteBuffer) -> String? {
        let provider = bytes.withUnsafeReadableBytes { bytes in
            relay.providers.provider(in: UnsafeRawBufferPointer(rebasing: bytes[head.pathRange]))
        }
        if let provider { head.dropFirstOfPath(provider.utf8.count + 1) }
        return provider
    }

    private func takeBody() throws(WireFault) -> ByteBuffer {
        let hasCome = inbound.readableBytes > 0
        defer { if hasCome { expectMoreBody() } }
        return try body.take(from: &inbound) { _ in }
    }

    func takeBody(payload: (UnsafeRawBufferPointer) -> Void) throws(WireFault) {
        let hasCome = inbound.readableBytes > 0
        defer { if hasCome { expectMoreBody() } }
        _ = try body.take(from: &inbound, payload: payload)
    }

    /// Some of a body has come, or of its framing: the time for the next of it runs from now.
    private func expectMoreBody() {
        if !body.isComplete { deadline = .now() + relay.settings.bodyTimeout }
    }

    func requestEnded() {
        phase = .answering
        deadline = .distantFuture
    }

    /// The answer is complete. Goes on with the next request, once what is left of this one's body was skipped, or closes.
    func answerEnded(keepsAlive: Bool, at now: NIODeadline = .now()) {
        guard let link, phase != .lingering else { return }
        if keepsAlive, !body.isComplete, !isCarried, canSkipBody { return discardBody() }
        guard keepsAlive, !relay.isDraining, body.isComplete, !isInputClosed || inbound.readableBytes > 0 else {
            return closeAfterAnswer()
        }
        awaitNextHead(at: now)
        setReading(true)
        switch link {
        case .channel: process()
        case .stream(let stream): stream.requestServed()
        }
    }

    private func awaitNextHead(at now: NIODeadline = .now()) {
        phase = .awaitingHead
        // What is left of a stream is the client's to take.
        deadline = now + (isCarried ? relay.settings.streamIdleTimeout : relay.settings.keepAliveTimeout)
    }

    // MARK: Answers

    func write(_ buffer: ByteBuffer) {
        hasUnflushed = true
        link?.write(buffer)
    }

    func flush() {
        guard hasUnflushed else { return }
        hasUnflushed = false
        link?.flush()
    }

    /// Stops or resumes reading, as what is behind can take more or not.
    func setReading(_ reading: Bool) {
        guard reading != isReading else { return }
        isReading = reading
        if phase == .relayingBody { deadline = reading ? .now() + relay.settings.bodyTimeout : .distantFuture }
        link?.setReading(reading)
    }

    /// Whether an answer given now may leave the connection open: the rest of the body is small, or there is none.
    var canSkipBody: Bool {
        guard !body.isComplete else { return true }
        guard case .length(let length) = head.framing, !head.expectsContinue else { return false }
        return length <= UInt64(Holding.replay)
    }

    /// An answer has been written while the body was still coming: skips the rest of it.
    func discardBody() {
        guard !body.isComplete else {
            phase = .answering
            return answerEnded(keepsAlive: true)
        }
        phase = .discardingBody
        deadline = .now() + relay.settings.bodyTimeout
        setReading(true)
        process()
    }

    /// Answers what never became a request, or is not for an upstream.
    /// - Parameter isLocal: whether its head told that it is for the management side.
    func tell(_ refusal: RelayRefusal, isLocal: Bool) {
        let now = relay.dependencies.now()
        let requestID = relay.identifiers.next(at: now)
        let (status, code) = refusal.statusAndCode
        write(answer(to: refusal, keepsAlive: false, requestID: requestID.text))
        relay.meter.update { counters in
            if isLocal {
                counters.localRequests += 1
            } else {
                counters.answers[RelayCounters.statusClass(of: status)] += 1
            }
            counters.refusals[code, default: 0] += 1
        }
        relay.dependencies.log?.record(
            RequestSummary(
                requestID: requestID, arrivedAt: now, method: isLocal ? head.method.name : "", status: status,
                code: code))
    }

    /// Refuses what can't be understood, and closes.
    func refuseAndClose(_ refusal: RelayRefusal) {
        if exchange.isActive {
            exchange.requestBroken(refusal)
        } else {
            tell(refusal, isLocal: phase == .collectingBody)
        }
        closeAfterAnswer()
    }
}
