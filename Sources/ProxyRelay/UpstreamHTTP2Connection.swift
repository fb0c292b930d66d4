import NIOCore
import ProxyHTTP2
import ProxyWire

/// HTTP/2 towards an upstream (RFC 9113): each stream carries one request, as a connection of its own would. Confined to its event
/// loop.
final class UpstreamHTTP2Connection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    /// More would make one connection the bottleneck, whatever the upstream takes.
    private static let mostStreams = 250
    private static let mostSpareStreams = 16
    /// Bytes of content that an upstream may send on a stream before it is told that there is room for more.
    static let streamWindow = 256 << 10
    private static let lastNumber: UInt32 = 0x7FFF_FFFF
    /// After so long a silence an upstream that owes answers is asked whether it is there, and gets no more requests until it says so.
    private static let patience = TimeAmount.seconds(10)

    let shelf: UpstreamShelf
    private let pool: UpstreamPool
    private let settings: RelaySettings
    let eventLoop: any EventLoop
    let outbox: HTTP2Outbox
    private var context: ChannelHandlerContext?
    private var slot: Int?
    private var reader: FrameReader
    private var inbound = ByteBuffer()
    private var hasEnded = false

    /// Those that the upstream knows of.
    private var streams: [UInt32: UpstreamHTTP2Stream] = [:]
    private var spareStreams: [UpstreamHTTP2Stream] = []
    /// Those that something has come for which they were not given yet.
    private var expectant: [UpstreamHTTP2Stream] = []
    /// How many are lent, those among them that have not begun.
    private var lent = 0
    private var streamLimit: Int
    private var nextNumber: UInt32 = 1
    /// Whether no more streams begin.
    private var isLeaving = false
    private var hasLeft = false
    private var conduct = PeerConduct()
    /// How often anything has come.
    private(set) var heard: UInt64 = 0
    private var heardLast = NIODeadline.now()
    /// Whether it was asked whether it is there.
    private var isAsked = false
    /// When it has been unused for too long.
    private var deadline: NIODeadline
    /// Until when the upstream may take nothing of what is sent.
    private var takingDeadline = NIODeadline.distantFuture

    init(of shelf: UpstreamShelf, pool: UpstreamPool, settings: RelaySettings, eventLoop: any EventLoop) {
        self.shelf = shelf
        self.pool = pool
        self.settings = settings
        self.eventLoop = eventLoop
        streamLimit = shelf.streamLimit
        outbox = HTTP2Outbox(eventLoop: eventLoop)
        reader = FrameReader(of: .server, limits: settings.wireLimits)
        deadline = .now() + settings.upstreamIdleTimeout
    }

    // MARK: For the pool

    var isIdle: Bool { lent == 0 }
    var hasRoom: Bool {
        guard let context, !isLeaving, !hasEnded, !isAsked else { return false }
        return lent < streamLimit && context.channel.isActive && context.channel.isWritable
    }

    /// Lends a stream, as a connection of its own.
    func lend() -> UpstreamConnection {
        let stream = spareStreams.popLast() ?? makeStream()
        lent += 1
        deadline = .distantFuture
        stream.begin()
        return stream.upstream
    }

    private func makeStream() -> UpstreamHTTP2Stream {
        let upstream = UpstreamConnection(of: shelf, pool: pool, settings: settings, isEstablished: true)
        let stream = UpstreamHTTP2Stream(of: self, upstream, limits: settings.wireLimits)
        upstream.linked(by: .stream(stream))
        return stream
    }

    func close() { context?.close(promise: nil) }

    func sweep(at now: NIODeadline) {
        if deadline <= now { return leave() }
        if takingDeadline <= now {
            end(.givenUp)
            return close()
        }
        guard !isAsked, !streams.isEmpty, now - heardLast >= Self.patience else { return }
        isAsked = true
        outbox.bytes.writePing(0)
        outbox.flush()
    }

    // MARK: For streams

    /// The number of a stream that begins; `nil` when none may.
    func number(for stream: UpstreamHTTP2Stream) -> UInt32? {
        guard !isLeaving, !hasEnded else { return nil }
        let number = nextNumber
        if streams.isEmpty { heardLast = .now() }
        streams[number] = stream
        nextNumber += 2
        if nextNumber > Self.lastNumber - 2 { stopLending() }
        return number
    }

    /// Something is to be handed over to a stream: once all that has come was looked at, so that it goes together.
    func hasArrived(_ stream: UpstreamHTTP2Stream) {
        if expectant.last !== stream { expectant.append(stream) }
    }

    func streamEnded(_ stream: UpstreamHTTP2Stream, mayServeAgain: Bool) {
        if stream.id > 0 { streams[stream.id] = nil }
        conduct.noteEnded(wasCancelled: !mayServeAgain)
        lent -= 1
        if mayServeAgain, !hasEnded, spareStreams.count < Self.mostSpareStreams {
            spareStreams.append(stream)
        } else {
            let bound = NIOLoopBound(stream, eventLoop: eventLoop)
            // Not at once: whoever ends it may not be done.
            eventLoop.execute { bound.value.upstream.unlinked() }
        }
        guard lent == 0 else { return }
        deadline = .now() + stream.upstream.idleTimeout
        let isOneTooMany = stream.upstream.mostIdle.map { shelf.idleCount > $0 } ?? false
        if isLeaving || isAsked || streamLimit == 0 || isOneTooMany { leave() }
    }

    // MARK: From the channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        outbox.attach(to: context)
        outbox.bytes.writeClientHello(
            streamWindow: Self.streamWindow, connectionWindow: HTTP2Outbox.connectionWindow,
            headBytes: settings.wireLimits.maxHeadBytes)
        outbox.flushSoon()
        slot = pool.joined(self)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        end()
        self.context = nil
        outbox.attach(to: nil)
        if let slot { pool.left(self, slot: slot) }
        slot = nil
    }

    func channelInactive(context: ChannelHandlerContext) { end() }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { receive(unwrapInboundIn(data)) }

    func channelReadComplete(context: ChannelHandlerContext) { outbox.flush() }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        takingDeadline = context.channel.isWritable ? .distantFuture : .now() + settings.streamIdleTimeout
        for stream in streams.values { stream.writabilityMayHaveChanged() }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func receive(_ bytes: ByteBuffer) {
        guard !hasEnded else { return }
        heard += 1
        heardLast = .now()
        isAsked = false
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

    private func passWhatArrived() {
        while !expectant.isEmpty {
            let now = expectant
            expectant.removeAll(keepingCapacity: true)
            for stream in now { stream.pass() }
        }
    }

    private func take(_ frame: PeerFrame) throws(HTTP2Fault) {
        switch frame {
        case .headers(let id, let endsStream):
            guard let stream = try stream(id) else { return try conduct.noteIdleFrame() }
            stream.receiveSection(reader.section, endsStream: endsStream)
        case .data(let id, let content, let length, let endsStream):
            outbox.makeRoom(length)
            if content.readableBytes == 0, !endsStream { try conduct.noteIdleFrame() }
            guard let stream = try stream(id) else { return try conduct.noteIdleFrame() }
            stream.receiveContent(content, length: length, endsStream: endsStream)
        case .reset(let id, let wasRefused):
            guard let stream = try stream(id) else { return try conduct.noteIdleFrame() }
            stream.wasEnded(wasRefused ? .refused : .reset)
        case .settings(let settings):
            try conduct.noteIdleFrame()
            if let most = settings.mostStreams { limitStreams(to: most) }
            try outbox.obey(settings, streams: streams.values.map { $0 as any HTTP2Sender })
        case .ping(let told):
            try conduct.noteIdleFrame()
            outbox.bytes.writePingAnswer(told)
        case .windowUpdate(0, let increment): try outbox.widen(by: increment)
        case .windowUpdate(let id, let increment):
            guard let stream = try stream(id) else { return try conduct.noteIdleFrame() }
            guard stream.widen(by: increment) else { return stream.fail(.malformedLength) }
            stream.send(mostFrames: .max)
            stream.roomWasMade()
        case .goAway(let last): goAway(after: last)
        case .broken(let id, _):
            try conduct.noteIdleFrame()
            try stream(id)?.fail(.malformedStatusLine)
        case .settingsAcknowledged, .pingAnswered: break
        case .ignored: try conduct.noteIdleFrame()
        }
    }

    /// - Returns: `nil` for one that has ended.
    /// - Throws: for one that has not begun (section 5.1).
    private func stream(_ id: UInt32) throws(HTTP2Fault) -> UpstreamHTTP2Stream? {
        guard id < nextNumber, id % 2 == 1 else { throw HTTP2Fault(.protocolError) }
        return streams[id]
    }

    private func limitStreams(to most: Int) {
        streamLimit = min(most, Self.mostStreams)
        // What allows none now may do so later: a new connection finds out.
        if streamLimit > 0 { shelf.streamLimit = streamLimit } else if lent == 0 { leave() }
    }

    // MARK: End

    private func stopLending() {
        isLeaving = true
        shelf.http2.removeAll { $0 === self }
    }

    /// The upstream answers no request behind that one (section 6.8).
    private func goAway(after last: UInt32) {
        stopLending()
        for stream in streams.values where stream.id > last { stream.wasEnded(.refused) }
        if lent == 0 { leave() }
    }

    /// Ends in good order: nothing is wanted of it any more.
    func leave() {
        guard !hasLeft else { return }
        hasLeft = true
        stopLending()
        outbox.bytes.writeGoAway(.noError, lastStream: 0)
        outbox.flush()
        close()
    }

    /// The upstream can't be understood (section 5.4.1).
    private func fail(_ fault: HTTP2Fault) {
        outbox.bytes.writeGoAway(fault.code, lastStream: 0)
        outbox.flush()
        end()
        close()
    }

    private func end(_ ending: UpstreamHTTP2Stream.Ending = .connectionLost(ConnectionLoss())) {
        guard !hasEnded else { return }
        hasEnded = true
        stopLending()
        outbox.forgetWaiting()
        expectant = []
        for stream in streams.values { stream.wasEnded(ending) }
        for stream in spareStreams { stream.upstream.unlinked() }
        spareStreams = []
    }
}
