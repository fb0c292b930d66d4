import NIOCore
import NIOTLS
import ProxyWire

/// The client side of the relay: frames requests, and carries what their exchanges answer.
///
/// Confined to its event loop. One request at a time: what a client pipelines waits in the socket, or in ``inbound``.
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
    private(set) var context: ChannelHandlerContext?
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
    private var isReading = true
    private var hasUnflushed = false
    var isInputClosed = false
    var isOutputClosed = false
    private var isProcessing = false
    /// Whether no request has come yet: until then a client may turn out to speak HTTP/2.
    private var isFresh = true
    /// Whether part of a head has come.
    var isWithinHead = false

    /// The connection that carries it, where it is a stream of one.
    private let carrier: (any Channel)?
    /// Whether it is a stream of another connection.
    var isCarried: Bool { carrier != nil }

    /// - Parameter carrier: the connection that carries it, where it is a stream of one.
    init(relay: RelayLoop, carriedBy carrier: (any Channel)? = nil) {
        self.relay = relay
        self.carrier = carrier
        exchange = Exchange(relay: relay)
        parser = RequestHeadParser(limits: relay.settings.wireLimits)
        body = BodyReader(limits: relay.settings.wireLimits)
    }

    /// The client's address without its port; empty when it isn't known.
    var peerAddress: String {
        guard let channel = carrier ?? context?.channel else { return "" }
        let told =
            relay.settings.readsClientAddress
            ? try? channel.pipeline.syncOperations.handler(type: ClientAddress.self).told : nil
        return told ?? channel.remoteAddress?.ipAddress ?? ""
    }
    var isWritable: Bool { context?.channel.isWritable ?? false }

    // MARK: From the channel

    func channelActive(context: ChannelHandlerContext) {
        self.context = context
        slot = relay.join(self)
        exchange.downstream = self
        deadline = .now() + relay.settings.headTimeout
    }

    func channelInactive(context: ChannelHandlerContext) {
        deadline = .distantFuture
        exchange.clientLeft()
        exchange.downstream = nil
        if self.context != nil { relay.leave(self, slot: slot) }
        self.context = nil
    }

    /// The connection turned out to speak HTTP/2.
    func handlerRemoved(context: ChannelHandlerContext) {
        channelInactive(context: context)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard phase != .lingering else { return }
        var buffer = unwrapInboundIn(data)
        if inbound.readableBytes == 0 { inbound = buffer } else { inbound.writeBuffer(&buffer) }
        process()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        let isWritable = context.channel.isWritable
        if phase == .answering { deadline = isWritable ? .distantFuture : .now() + relay.settings.streamIdleTimeout }
        exchange.clientWritabilityChanged(isWritable)
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
            switch isFresh ? HTTP2Front.preface(inbound) : .none {
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
        guard let context else { return }
        phase = .lingering
        let received = inbound
        inbound = ByteBuffer()
        do {
            try HTTP2Front.take(over: self, context: context, received: received)
        } catch {
            context.close(promise: nil)
        }
    }

    /// The client has said its last word in the middle of a request: the rest will never come.
    private func closeIfCutShort() {
        guard isInputClosed else { return }
        switch phase {
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
            return true
        case .answering where exchange.isTunnel:
            // Not before the client has its answer, which another upstream may yet give.
            guard !exchange.isHeld else { return false }
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
        let parsed: Result<Bool, WireFault> = inbound.withUnsafeReadableBytes { bytes in
            do throws(WireFault) {
                return .success(try parser.parse(bytes, into: &head))
            } catch {
                return .failure(error)
            }
        }
        guard try parsed.get() else {
            if !isWithinHead { deadline = .now() + relay.settings.headTimeout }
            isWithinHead = true
            return false
        }
        isWithinHead = false
        isFresh = false
        guard let bytes = inbound.readSlice(length: head.length) else { return false }
        body.begin(head.framing, limits: relay.settings.wireLimits)
        deadline = body.isComplete ? .distantFuture : .now() + relay.settings.bodyTimeout
        if isForUpstream(bytes) {
            phase = .relayingBody
            exchange.begin(head, bytes, provider: nil)
        } else if let provider = takeProvider(bytes) {
            phase = .relayingBody
            exchange.begin(head, bytes, provider: provider)
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
        if inbound.readableBytes > 0 { deadline = .now() + relay.settings.bodyTimeout }
        return try body.take(from: &inbound) { _ in }
    }

    func takeBody(payload: (UnsafeRawBufferPointer) -> Void) throws(WireFault) {
        if inbound.readableBytes > 0 { deadline = .now() + relay.settings.bodyTimeout }
        _ = try body.take(from: &inbound, payload: payload)
    }

    func requestEnded() {
        phase = .answering
        deadline = isWritable ? .distantFuture : .now() + relay.settings.streamIdleTimeout
    }

    /// The answer is complete. Goes on with the next request, or closes.
    func answerEnded(keepsAlive: Bool) {
        guard context != nil, phase != .lingering else { return }
        guard keepsAlive, !relay.isDraining, body.isComplete, !isInputClosed || inbound.readableBytes > 0 else {
            return closeAfterAnswer()
        }
        awaitNextHead()
        setReading(true)
        process()
    }

    private func awaitNextHead() {
        phase = .awaitingHead
        // What is left of a stream is the client's to take.
        deadline = .now() + (carrier == nil ? relay.settings.keepAliveTimeout : relay.settings.streamIdleTimeout)
    }

    // MARK: Answers

    func write(_ buffer: ByteBuffer) {
        hasUnflushed = true
        context?.write(NIOAny(buffer), promise: nil)
    }

    func flush() {
        guard hasUnflushed else { return }
        hasUnflushed = false
        context?.flush()
    }

    /// Stops or resumes reading, as what is behind can take more or not.
    func setReading(_ reading: Bool) {
        guard reading != isReading else { return }
        isReading = reading
        if phase == .relayingBody { deadline = reading ? .now() + relay.settings.bodyTimeout : .distantFuture }
        try? context?.channel.syncOptions?.setOption(.autoRead, value: reading)
        // A stream does not begin to read by itself. Not at once: what came would come within what is being dealt with.
        guard reading, carrier != nil else { return }
        let bound = NIOLoopBound(self, eventLoop: relay.eventLoop)
        relay.eventLoop.execute { if bound.value.isReading { bound.value.context?.read() } }
    }

    /// Whether a refusal given now may leave the connection open: the rest of the body is small, or there is none.
    var canSkipBody: Bool {
        guard !body.isComplete else { return true }
        guard case .length(let length) = head.framing, !head.expectsContinue else { return false }
        return length <= UInt64(Holding.replay)
    }

    /// A refusal has been written while the body was still coming: skips the rest of it.
    func discardBody() {
        phase = body.isComplete ? .answering : .discardingBody
        if phase == .answering { answerEnded(keepsAlive: true) } else { process() }
    }

    /// Refuses what can't be understood, and closes.
    func refuseAndClose(_ refusal: RelayRefusal) {
        if exchange.isActive {
            exchange.requestBroken(refusal)
        } else {
            write(answer(to: refusal, keepsAlive: false, requestID: nil))
            relay.meter.update { $0.refusals[refusal.statusAndCode.code, default: 0] += 1 }
        }
        closeAfterAnswer()
    }
}
