import NIOCore
import NIOHTTP2
import ProxyWire

/// HTTP/2 towards clients (RFC 9113): each stream is a connection of its own for one request, behind ``HTTP2Stream``.
enum HTTP2Front {
    /// Most requests at once on a connection.
    private static let mostStreams = 100

    /// Takes over a connection whose client speaks HTTP/2, in the place of `connection`, with what has come of it.
    static func take(
        over connection: DownstreamConnection, context: ChannelHandlerContext, received: ByteBuffer
    ) throws {
        let relay = connection.relay
        let carrier = HTTP2Connection(relay: relay)
        let bound = NIOLoopBound(carrier, eventLoop: context.eventLoop)
        let multiplexer = NIOHTTP2Handler(
            mode: .server, eventLoop: context.eventLoop, connectionConfiguration: bounds(of: relay.settings.wireLimits),
            streamConfiguration: streamBounds
        ) { stream in
            stream.eventLoop.makeCompletedFuture {
                let relay = bound.value.relay
                try stream.pipeline.syncOperations.addHandlers([
                    HTTP2Stream(limits: relay.settings.wireLimits, on: bound.value),
                    DownstreamConnection(relay: relay, carriedBy: stream.parent),
                ])
            }
        }
        let pipeline = context.pipeline.syncOperations
        try pipeline.addHandlers([multiplexer, carrier])
        // Gone first: it would keep from the streams that the connection ends.
        pipeline.removeHandler(context: context, promise: nil)
        let place = try pipeline.context(handler: multiplexer)
        multiplexer.channelRead(context: place, data: NIOAny(received))
        multiplexer.channelReadComplete(context: place)
    }

    /// What floods a client may send: heads that don't end, of many frames or of many bytes once unpacked; streams that are reset as
    /// soon as they are made; pings, settings and empty frames. Beyond them the connection is closed (RFC 9113 section 10.5).
    private static func bounds(of limits: WireLimits) -> NIOHTTP2Handler.ConnectionConfiguration {
        var bounds = NIOHTTP2Handler.ConnectionConfiguration()
        bounds.initialSettings = [
            HTTP2Setting(parameter: .maxConcurrentStreams, value: mostStreams),
            HTTP2Setting(parameter: .maxHeaderListSize, value: limits.maxHeadBytes),
        ]
        return bounds
    }

    private static var streamBounds: NIOHTTP2Handler.StreamConfiguration {
        var bounds = NIOHTTP2Handler.StreamConfiguration()
        bounds.outboundBufferSizeHighWatermark = Holding.response
        bounds.outboundBufferSizeLowWatermark = Holding.response / 2
        return bounds
    }

    enum Preface {
        case none
        case part
        case whole
    }

    /// How much has come of what a client begins with that speaks HTTP/2 without being asked (RFC 9113 section 3.4).
    static func preface(_ bytes: ByteBuffer) -> Preface {
        let preface = "PRI * HTTP/2.0\r\n\r\n".utf8
        guard zip(bytes.readableBytesView, preface).allSatisfy({ $0 == $1 }) else { return .none }
        return bytes.readableBytes < preface.count ? .part : .whole
    }
}

/// One client's HTTP/2 connection, beneath its streams. Confined to its event loop.
final class HTTP2Connection: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame
    typealias OutboundOut = HTTP2Frame

    let relay: RelayLoop
    private var context: ChannelHandlerContext?
    private var slot = 0
    /// Streams that have not ended.
    private var streams = 0
    /// When it has been unused for too long.
    private var deadline: NIODeadline
    private var isDraining = false

    init(relay: RelayLoop) {
        self.relay = relay
        deadline = .now() + relay.settings.keepAliveTimeout
    }

    func streamBegan() {
        streams += 1
        deadline = .distantFuture
    }

    func streamEnded() {
        streams -= 1
        guard streams == 0 else { return }
        // While draining: so long as the client may take to read the last answer.
        deadline = .now() + (isDraining ? .seconds(1) : relay.settings.keepAliveTimeout)
        if isDraining { context?.close(mode: .output, promise: nil) }
    }

    func sweep(at now: NIODeadline) {
        guard deadline <= now else { return }
        guard isDraining else { return drain() }
        context?.close(promise: nil)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        slot = relay.join(self)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        relay.leave(self, slot: slot)
    }

    /// Frames of the connection itself, which were dealt with beneath.
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {}

    /// A client that sends nothing more can't acknowledge anything either.
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed = event { context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard !error.isOfOneStream else { return }
        // A client that acknowledges the last answers of a connection that is ending breaks no rule.
        if isDraining, error is NIOHTTP2Errors.IOOnClosedConnection { return }
        context.close(promise: nil)
    }

    /// Tells the client to send no more requests, and ends when those under way have.
    func drain() {
        guard let context, !isDraining else { return }
        isDraining = true
        // What is on its way is answered all the same (RFC 9113 section 6.8).
        let goAway = HTTP2Frame.FramePayload.goAway(lastStreamID: .maxID, errorCode: .noError, opaqueData: nil)
        context.writeAndFlush(wrapOutboundOut(HTTP2Frame(streamID: .rootStream, payload: goAway)), promise: nil)
        if streams == 0 { deadline = .now() }
    }

    func abandon() { context?.close(promise: nil) }
}

extension Error {
    /// Whether it concerns one stream, which has been reset for it; all others end the connection (RFC 9113 section 5.4).
    fileprivate var isOfOneStream: Bool {
        switch self {
        case is NIOHTTP2Errors.StreamError, is NIOHTTP2Errors.ContentLengthViolated,
            is NIOHTTP2Errors.ContentLengthHeadersMismatch, is NIOHTTP2Errors.ContentLengthHeaderNegative,
            is NIOHTTP2Errors.ContentLengthHeaderMalformedValue, is NIOHTTP2Errors.BadStreamStateTransition,
            is NIOHTTP2Errors.TrailersWithoutEndStream, is NIOHTTP2Errors.NoSuchStream, is NIOHTTP2Errors.StreamClosed,
            is NIOHTTP2Errors.DuplicatePseudoHeader, is NIOHTTP2Errors.MissingPseudoHeader,
            is NIOHTTP2Errors.EmptyPathHeader, is NIOHTTP2Errors.ForbiddenHeaderField,
            is NIOHTTP2Errors.InvalidHTTP2HeaderFieldName, is NIOHTTP2Errors.InvalidHTTP2HeaderFieldValue,
            is NIOHTTP2Errors.InvalidPseudoHeaderValue, is NIOHTTP2Errors.InvalidPseudoHeaders,
            is NIOHTTP2Errors.PseudoHeaderAfterRegularHeader, is NIOHTTP2Errors.UnknownPseudoHeader,
            is NIOHTTP2Errors.UnsupportedPseudoHeader, is NIOHTTP2Errors.CreatedStreamAfterGoaway:
            true
        default: false
        }
    }
}
