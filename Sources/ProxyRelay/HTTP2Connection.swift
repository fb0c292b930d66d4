import NIOCore
import ProxyHTTP2
import ProxyWire

/// HTTP/2 towards a client (RFC 9113): each stream is a connection of its own for one request. Confined to its event loop.
///
/// What streams send gathers in ``outbound``, and leaves together when all that has come at this moment was dealt with.
final class HTTP2Connection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    /// Most requests at once.
    private static let mostStreams = 100
    /// Streams that are kept to serve others.
    private static let mostSpareStreams = 16
    private static let mostIdleSpareStreams = 2
    /// Bytes of content that a client may send on a stream before it is told that there is room for more.
    static let streamWindow = 128 << 10

    let relay: RelayLoop
    private var context: ChannelHandlerContext?
    private var slot = 0
    private var reader: FrameReader
    private var inbound = ByteBuffer()
    let outbox: HTTP2Outbox
    private var hasEnded = false

    private var streams: [UInt32: HTTP2Stream] = [:]
    private var spareStreams: [HTTP2Stream] = []
    /// Those that something has come for which they were not given yet.
    private var expectant: [HTTP2Stream] = []
    /// The highest that the client has begun.
    private var lastStream: UInt32 = 0
    private var conduct = PeerConduct()
    /// When it has been unused for too long.
    private var deadline: NIODeadline
    /// Until when the client may take nothing of what is sent.
    private var takingDeadline = NIODeadline.distantFuture
    private var isDraining = false
    /// Whether the client was told which request is the last.
    private var isOver = false

    init(relay: RelayLoop) {
        self.relay = relay
        outbox = HTTP2Outbox(eventLoop: relay.eventLoop)
        reader = FrameReader(of: .client, limits: relay.settings.wireLimits)
        deadline = .now() + relay.settings.keepAliveTimeout
    }

    var channel: (any Channel)? { context?.channel }

    /// Takes over a connection whose client speaks HTTP/2, in the place of `connection`, with what has come of it.
    static func take(over connection: DownstreamConnection, context: ChannelHandlerContext, received: ByteBuffer) throws
    {
        let carrier = HTTP2Connection(relay: connection.relay)
        let pipeline = context.pipeline.syncOperations
        try pipeline.addHandler(carrier)
        pipeline.removeHandler(context: context, promise: nil)
        carrier.receive(received)
        carrier.outbox.flush()
    }

    // MARK: From the channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        outbox.attach(to: context)
        outbox.bytes.writeServerHello(
            streams: Self.mostStreams, streamWindow: Self.streamWindow, connectionWindow: HTTP2Outbox.connectionWindow,
            headBytes: relay.settings.wireLimits.maxHeadBytes)
        slot = relay.join(self)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        end()
        self.context = nil
        outbox.attach(to: nil)
        relay.leave(self, slot: slot)
    }

    func channelInactive(context: ChannelHandlerContext) { end() }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { receive(unwrapInboundIn(data)) }

    func channelReadComplete(context: ChannelHandlerContext) { outbox.flush() }

    /// A client that takes nothing asks for nothing more either: what it would be answered would have to be kept.
    func channelWritabilityChanged(context: ChannelHandlerContext) {
        let isWritable = context.channel.isWritable
        try? context.channel.syncOptions?.setOption(.autoRead, value: isWritable)
        takingDeadline = isWritable ? .distantFuture : .now() + relay.settings.streamIdleTimeout
        for stream in streams.values { stream.writabilityMayHaveChanged() }
    }

    /// A client that sends nothing more can't make room for anything either.
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed = event { context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func end() {
        hasEnded = true
        for stream in streams.values { stream.wasReset() }
        spareStreams = []
        expectant = []
        outbox.forgetWaiting()
    }

    // MARK: Frames

    private func receive(_ bytes: ByteBuffer) {
        guard !hasEnded else { return }
        inbound.append(bytes)
        outbox.isReading = true
        defer { outbox.isReading = false }
        do {
            while let frame = try reader.next(from: &inbound) { try take(frame) }
        } catch {
            return fail(error)
        }
        if inbound.readableBytes == 0 { inbound = ByteBuffer() }
        passWhatArrived()
    }

    /// A stream has something to be handed over: once all that has come was looked at, so that it goes together.
    func hasArrived(_ stream: HTTP2Stream) {
        if expectant.last !== stream { expectant.append(stream) }
    }

    private func passWhatArrived() {
        while !expectant.isEmpty {
            let now = expectant
            expectant.removeAll(keepingCapacity: true)
            for stream in now { stream.pass() }
        }
    }

    private func take(_ frame: PeerFrame) throws(HTTP2Fault) {
        switch frame {
        case .headers(let id, let endsStream): try takeHeaders(id, endsStream)
        case .data(let id, let content, let length, let endsStream):
            outbox.makeRoom(length)
            if content.readableBytes == 0, !endsStream { try conduct.noteIdleFrame() }
            guard let stream = try stream(id) else { return try conduct.noteIdleFrame() }
            let broken = stream.receive { $0.receiveBody(content, length: length, endsStream: endsStream) }
            try judge(stream, broken)
        case .reset(let id, _):
            guard let stream = try stream(id) else { return try conduct.noteIdleFrame() }
            if stream.isBeingAnswered { try conduct.noteReset() }
            stream.wasReset()
        case .settings(let settings):
            try conduct.noteIdleFrame()
            try outbox.obey(settings, streams: streams.values.map { $0 as any HTTP2Sender })
        case .ping(let told):
            try conduct.noteIdleFrame()
            outbox.bytes.writePingAnswer(told)
        case .windowUpdate(0, let increment): try outbox.widen(by: increment)
        case .windowUpdate(let id, let increment):
            guard let stream = try stream(id) else { return }
            guard stream.widen(by: increment) else { return try judge(stream, .flowControlError) }
            stream.send(mostFrames: .max)
            stream.roomWasMade()
        case .broken(let id, let code):
            try conduct.noteIdleFrame()
            if let stream = try stream(id) { try judge(stream, code) }
        case .settingsAcknowledged, .pingAnswered, .goAway: break
        case .ignored: try conduct.noteIdleFrame()
        }
    }

    /// - Returns: `nil` for one that has ended.
    /// - Throws: for one that has not begun (RFC 9113 section 5.1).
    private func stream(_ id: UInt32) throws(HTTP2Fault) -> HTTP2Stream? {
        guard id <= lastStream, id % 2 == 1 else { throw HTTP2Fault(.protocolError) }
        return streams[id]
    }

    /// Ends a stream whose client broke a rule of it. Made to do that, a server does the same as for a reset, and it counts the same.
    private func judge(_ stream: HTTP2Stream, _ broken: HTTP2ErrorCode?) throws(HTTP2Fault) {
        guard let broken else { return }
        try conduct.noteReset()
        stream.reset(broken)
    }

    private func takeHeaders(_ id: UInt32, _ endsStream: Bool) throws(HTTP2Fault) {
        if let stream = streams[id] {
            return try judge(stream, stream.receive { $0.receiveTrailers(reader.section, endsStream: endsStream) })
        }
        guard id % 2 == 1 else { throw HTTP2Fault(.protocolError) }
        // Of one that we have ended, and the client doesn't know yet.
        guard id > lastStream else { return try conduct.noteIdleFrame() }
        // Told which request is the last, the client sends this one again elsewhere (section 6.8).
        guard !isOver else { return }
        lastStream = id
        guard streams.count < Self.mostStreams else {
            try conduct.noteReset()
            return outbox.bytes.writeReset(.refusedStream, stream: id)
        }
        let stream = spareStreams.popLast() ?? HTTP2Stream(of: self)
        streams[id] = stream
        deadline = .distantFuture
        stream.begin(id, window: outbox.newStreamWindow)
        try judge(stream, stream.receive { $0.receiveHead(reader.section, endsStream: endsStream) })
    }

    // MARK: End

    func streamEnded(_ stream: HTTP2Stream, mayServeAgain: Bool) {
        streams[stream.id] = nil
        if mayServeAgain, !hasEnded, spareStreams.count < Self.mostSpareStreams { spareStreams.append(stream) }
        guard streams.isEmpty else { return }
        spareStreams.removeLast(max(0, spareStreams.count - Self.mostIdleSpareStreams))
        deadline = .now() + relay.settings.keepAliveTimeout
        if isDraining { closeOutput() }
    }

    func answerWasTaken() { conduct.noteServed() }

    /// Says which request was the last that is answered, and ends our side.
    private func closeOutput() {
        guard let context, !isOver else { return }
        isOver = true
        deadline = .now() + relay.settings.streamIdleTimeout
        outbox.bytes.writeGoAway(.noError, lastStream: lastStream)
        let sent = context.eventLoop.makePromise(of: Void.self)
        outbox.flush(sent)
        sent.futureResult.assumeIsolated().whenComplete { _ in
            // So long as the client may take to read what it was sent.
            self.deadline = .now() + .seconds(1)
            self.context?.close(mode: .output, promise: nil)
        }
    }

    /// The client can't be understood, or asks for too much (RFC 9113 section 5.4.1).
    private func fail(_ fault: HTTP2Fault) {
        outbox.bytes.writeGoAway(fault.code, lastStream: lastStream)
        outbox.flush()
        end()
        context?.close(promise: nil)
        let code = "http2_\(fault.code.name)"
        relay.meter.update { $0.refusals[code, default: 0] += 1 }
        let now = relay.dependencies.now()
        relay.dependencies.log?.record(
            RequestSummary(
                requestID: relay.identifiers.next(at: now), arrivedAt: now, method: "", status: 0, code: code))
    }

    func sweep(at now: NIODeadline) {
        if takingDeadline <= now { context?.close(promise: nil) }
        guard deadline <= now else { return }
        if !isDraining {
            drain()
        } else if !isOver {
            closeOutput()
        } else {
            context?.close(promise: nil)
        }
    }

    /// Tells the client to send no more requests, and ends when those under way have.
    func drain() {
        guard context != nil, !isDraining else { return }
        isDraining = true
        // What is on its way is answered all the same (RFC 9113 section 6.8).
        outbox.bytes.writeGoAway(.noError, lastStream: UInt32(HTTP2Window.most))
        outbox.flushSoon()
        if streams.isEmpty { deadline = .now() }
    }

    func abandon() { context?.close(promise: nil) }
}
