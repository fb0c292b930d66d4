import NIOCore
import ProxyWire

/// One connection to a side: sends a request, reads its answer, tells its loop. Confined to its event loop.
final class LoadConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// A request under way.
    struct Call {
        let planned: NIODeadline
        /// Whether it is part of the warm-up, and so in no percentile.
        let isWarmUp: Bool
        let request: RequestBuffers.Request
        var sent = NIODeadline.distantPast
        var firstByte: NIODeadline?
        /// Whether the head of a success has come.
        var isAnswered = false
        /// When events of its stream came last.
        var lastEvent: NIODeadline?
    }

    let lane: LoadLane
    /// Outlives us: callbacks may come after a run was given up.
    private let loop: LoadLoop
    private var context: ChannelHandlerContext?
    private var reader = ResponseReader()
    private var events = EventScanner()
    private var content = ContentComparison(nil)
    private(set) var call: Call?
    /// When the call has lasted too long, or a stream has been silent for too long.
    private(set) var deadline = NIODeadline.distantFuture

    init(lane: LoadLane, loop: LoadLoop) {
        self.lane = lane
        self.loop = loop
    }

    /// Sends the request.
    func begin(_ call: Call) {
        var call = call
        call.sent = .now()
        self.call = call
        deadline = call.sent + loop.timeout
        reader.begin(answering: call.request.method)
        events = EventScanner()
        content = ContentComparison(call.request.expected)
        context?.writeAndFlush(NIOAny(call.request.bytes), promise: nil)
    }

    func close() { context?.close(promise: nil) }

    /// Ends the call as failed, and the connection.
    func fail(_ kind: FailureKind) {
        deadline = .distantFuture
        if let call {
            self.call = nil
            loop.failed(call, kind, on: self)
        }
        close()
    }

    // MARK: From the channel

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard call != nil else { return close() }  // Nothing was asked.
        let now = NIODeadline.now()
        var buffer = unwrapInboundIn(data)
        if call?.firstByte == nil {
            call?.firstByte = now
            loop.began(on: lane)
        }
        if loop.holdsStreams { deadline = now + loop.timeout }
        var ended = 0
        do throws(WireFault) {
            try reader.read(&buffer) { bytes in
                ended += events.count(bytes)
                content.take(bytes)
            }
        } catch {
            return fail(.malformed)
        }
        noteAnswer()
        if ended > 0, reader.isEventStream { noteEvents(ended, at: now) }
        if reader.isComplete { complete(at: now, leftover: buffer.readableBytes) }
    }

    private func noteAnswer() {
        guard reader.hasHead, (200..<300).contains(reader.status), call?.isAnswered == false else { return }
        call?.isAnswered = true
        if let call { loop.answered(call, side: lane.side) }
    }

    /// Those of one read: they came together, so that no time is between them.
    private func noteEvents(_ count: Int, at now: NIODeadline) {
        guard let call else { return }
        loop.counted(count, of: call, at: now, side: lane.side)
        if let last = call.lastEvent, !call.isWarmUp { loop.gap(from: last, to: now, side: lane.side) }
        self.call?.lastEvent = now
    }

    private func complete(at now: NIODeadline, leftover: Int) {
        guard let call else { return }
        if (200..<300).contains(reader.status), !content.isSame { return fail(.content) }
        self.call = nil
        deadline = .distantFuture
        let isReusable = reader.keepsAlive && leftover == 0
        loop.ended(call, status: reader.status, at: now, on: self, isReusable: isReusable)
        if !isReusable { close() }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func channelInactive(context: ChannelHandlerContext) {
        // What we close ourselves has not ended by itself.
        if call != nil, !loop.isFinished, reader.connectionEnded() { complete(at: .now(), leftover: 1) }
        if let call {
            self.call = nil
            loop.failed(call, .reset, on: self)
        }
        deadline = .distantFuture
        loop.closed(self)
    }
}
