import NIOCore
import NIOHTTP1
import NIOHTTP2
import NIOPosix
import NIOSSL
import NIOTLS
import ProxyLoad

/// HTTP/2 over TLS before an upstream double that speaks HTTP/1.1: each stream becomes a connection of its own.
///
/// A client that agrees on HTTP/1.1 has its bytes passed on as they are. The certificate is for `localhost`.
final class HTTP2Front: Sendable {
    let port: Int
    /// PEM file of the authority that issued the certificate.
    let authority: String
    private let listener: any Channel

    private init(port: Int, authority: String, listener: any Channel) {
        self.port = port
        self.authority = authority
        self.listener = listener
    }

    static func start(before upstreamPort: Int) async throws -> HTTP2Front {
        let issued = try TestAuthority.shared.get()
        let context = try issued.serverContext(protocols: ["h2", "http/1.1"])
        let listener = try await ServerBootstrap(group: NIOSingletons.posixEventLoopGroup)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let negotiation = ApplicationProtocolNegotiationHandler { result, channel in
                        let isReady =
                            result == .negotiated("h2")
                            ? speak(on: channel, to: upstreamPort) : glue(channel, to: upstreamPort)
                        isReady.whenFailure { _ in channel.close(promise: nil) }
                        return isReady
                    }
                    try channel.pipeline.syncOperations.addHandlers([
                        NIOSSLServerHandler(context: context), negotiation,
                    ])
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return HTTP2Front(port: listener.localAddress?.port ?? 0, authority: issued.authority, listener: listener)
    }

    func stop() async { try? await listener.close() }

    private static func glue(_ channel: any Channel, to port: Int) -> EventLoopFuture<Void> {
        ClientBootstrap(group: channel.eventLoop).connect(host: "127.0.0.1", port: port)
            .flatMapThrowing { upstream in
                let front = Glue()
                try channel.pipeline.syncOperations.addHandler(front)
                try upstream.pipeline.syncOperations.addHandler(Glue(to: front))
            }
    }

    private static func speak(on channel: any Channel, to port: Int) -> EventLoopFuture<Void> {
        channel.configureHTTP2Pipeline(mode: .server, connectionConfiguration: connection, streamConfiguration: streams)
        { pass($0, to: port) }
        .flatMapThrowing { _ in try channel.pipeline.syncOperations.addHandler(Ender()) }
    }

    private static var connection: NIOHTTP2Handler.ConnectionConfiguration {
        var connection = NIOHTTP2Handler.ConnectionConfiguration()
        connection.initialSettings = [
            HTTP2Setting(parameter: .maxConcurrentStreams, value: 100),
            HTTP2Setting(parameter: .maxHeaderListSize, value: 1 << 18),
        ]
        connection.controlFrameRateLimit.maximumCount = 1_000_000
        return connection
    }

    /// Clients that leave one after another are no attack here.
    private static var streams: NIOHTTP2Handler.StreamConfiguration {
        var streams = NIOHTTP2Handler.StreamConfiguration()
        streams.streamResetFrameRateLimit.maximumCount = 1_000_000
        streams.streamErrorRateLimit.maximumCount = 1_000_000
        return streams
    }

    /// Connects a stream to the double. Its frames wait until that is done.
    private static func pass(_ stream: any Channel, to port: Int) -> EventLoopFuture<Void> {
        ClientBootstrap(group: stream.eventLoop).connect(host: "127.0.0.1", port: port)
            .flatMapThrowing { upstream in
                // Whichever way the stream ends, the double sees it.
                stream.closeFuture.whenComplete { _ in upstream.close(promise: nil) }
                try stream.pipeline.syncOperations.addHandlers([
                    HTTP2FramePayloadToHTTP1ServerCodec(), StreamRequest(to: upstream),
                ])
                let decoder = HTTPResponseDecoder(
                    leftOverBytesStrategy: .dropBytes, informationalResponseStrategy: .forward)
                try upstream.pipeline.syncOperations.addHandlers([
                    HTTPRequestEncoder(), ByteToMessageHandler(decoder), StreamAnswer(to: stream),
                ])
            }
    }
}

/// Ends a connection whose rules were broken; what breaks those of a stream alone ends the stream.
private final class Ender: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {}
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if !(error is NIOHTTP2Errors.StreamError) { context.close(promise: nil) }
    }
}

/// A stream's request, passed on as HTTP/1.1 has it.
private final class StreamRequest: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart

    private let upstream: any Channel
    /// A head of which it is not known yet whether a body follows.
    private var head: HTTPRequestHead?

    init(to upstream: any Channel) { self.upstream = upstream }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(var head):
            head.version = .http1_1
            self.head = head
        case .body(let bytes):
            sendHead(hasBody: true)
            upstream.write(HTTPClientRequestPart.body(.byteBuffer(bytes)), promise: nil)
        case .end(let trailers):
            sendHead(hasBody: false)
            upstream.write(HTTPClientRequestPart.end(trailers), promise: nil)
        }
    }

    /// A head that ends its stream is followed by the end at once.
    func channelReadComplete(context: ChannelHandlerContext) {
        sendHead(hasBody: true)
        upstream.flush()
    }

    private func sendHead(hasBody: Bool) {
        guard var head else { return }
        self.head = nil
        let isSized = head.headers.contains(name: "content-length")
        if hasBody, !isSized { head.headers.replaceOrAdd(name: "transfer-encoding", value: "chunked") }
        upstream.write(HTTPClientRequestPart.head(head), promise: nil)
    }

    /// The double is read from as the client takes what it sends.
    func channelWritabilityChanged(context: ChannelHandlerContext) {
        _ = upstream.setOption(.autoRead, value: context.channel.isWritable)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

/// The double's answer, passed on to the stream.
private final class StreamAnswer: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart

    private let stream: any Channel
    /// Whether it is 101, which HTTP/2 has no use for (RFC 9113 section 8.6): the head passes, to be refused.
    private var isSwitch = false
    private var isWhole = false

    init(to stream: any Channel) { self.stream = stream }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isWhole, !isSwitch else { return }
        switch unwrapInboundIn(data) {
        case .head(var head):
            isSwitch = head.status == .switchingProtocols
            head.headers = Self.ofStream(head.headers)
            stream.write(HTTPServerResponsePart.head(head), promise: nil)
        case .body(let bytes): stream.write(HTTPServerResponsePart.body(.byteBuffer(bytes)), promise: nil)
        case .end(let trailers):
            isWhole = true
            stream.writeAndFlush(HTTPServerResponsePart.end(trailers.map(Self.ofStream)), promise: nil)
            context.close(promise: nil)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) { stream.flush() }

    /// What breaks off here is reset there. Of a request that was answered before its end the rest is dropped.
    func channelInactive(context: ChannelHandlerContext) {
        guard isWhole else { return stream.close(promise: nil) }
        _ = stream.setOption(.autoRead, value: true)
        stream.read()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        stream.flush()
        context.close(promise: nil)
    }

    /// The client's stream is read from as the double takes what it sends.
    func channelWritabilityChanged(context: ChannelHandlerContext) {
        let isWritable = context.channel.isWritable
        _ = stream.setOption(.autoRead, value: isWritable)
        if isWritable { stream.read() }
    }

    /// Without the fields of the hop (RFC 9113 section 8.2.2), and without blanks around values.
    private static func ofStream(_ headers: HTTPHeaders) -> HTTPHeaders {
        let named = headers[canonicalForm: "connection"].map { $0.lowercased() }
        let ofHop = ["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"] + named
        let kept = headers.filter { !ofHop.contains($0.name.lowercased()) }
        return HTTPHeaders(
            kept.map { field in
                let start = field.value.drop { $0 == " " || $0 == "\t" }
                let end = start.lastIndex { $0 != " " && $0 != "\t" }
                return (field.name, end.map { String(start[...$0]) } ?? "")
            })
    }
}
