import NIOCore
import NIOHTTP1
import NIOHTTP2
import NIOPosix
import NIOSSL

/// HTTP/2 before a client that speaks HTTP/1.1: each of its connections becomes one of HTTP/2, each of its requests a stream.
final class HTTP2Back: Sendable {
    let port: Int
    private let listener: any Channel

    private init(port: Int, listener: any Channel) {
        self.port = port
        self.listener = listener
    }

    /// - Parameter authority: PEM file of whom to trust; `nil` to speak without TLS. With it HTTP/2 is what TLS agrees on.
    static func start(to port: Int, trusting authority: String? = nil) async throws -> HTTP2Back {
        let tls = try authority.map { authority in
            var configuration = TLSConfiguration.makeClientConfiguration()
            configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(authority))
            configuration.applicationProtocols = ["h2"]
            return try NIOSSLContext(configuration: configuration)
        }
        let listener = try await ServerBootstrap(group: NIOSingletons.posixEventLoopGroup)
            .childChannelOption(.autoRead, value: false)
            .childChannelInitializer { client in
                ClientBootstrap(group: client.eventLoop)
                    .channelInitializer { server in
                        server.eventLoop.makeCompletedFuture {
                            guard let tls else { return }
                            let handler = try NIOSSLClientHandler(context: tls, serverHostname: "localhost")
                            try server.pipeline.syncOperations.addHandler(handler)
                        }
                    }
                    .connect(host: "127.0.0.1", port: port)
                    .flatMap { server in
                        server.configureHTTP2Pipeline(mode: .client) { $0.eventLoop.makeSucceededVoidFuture() }
                            .assumeIsolated().flatMapThrowing { multiplexer in
                                try client.pipeline.syncOperations.addHandlers([
                                    HTTPResponseEncoder(),
                                    ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes)),
                                    Requests(to: server, multiplexer),
                                ])
                                try server.pipeline.syncOperations.addHandler(Closer(of: client))
                            }.nonisolated()
                    }
                    .flatMap { client.setOption(.autoRead, value: true) }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return HTTP2Back(port: listener.localAddress?.port ?? 0, listener: listener)
    }

    func stop() async { try? await listener.close() }
}

/// Closes the client's connection when the server's has ended.
private final class Closer: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame
    private let client: any Channel

    init(of client: any Channel) { self.client = client }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {}
    func channelInactive(context: ChannelHandlerContext) { client.close(promise: nil) }
    func errorCaught(context: ChannelHandlerContext, error: any Error) {}
}

/// The client's side: opens a stream for each request, one after the other.
private final class Requests: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let server: any Channel
    private let multiplexer: HTTP2StreamMultiplexer
    private var context: ChannelHandlerContext?
    private var stream: (any Channel)?
    /// Parts of requests whose stream is not there yet.
    private var waiting: [HTTPServerRequestPart] = []
    private var isOpening = false

    init(to server: any Channel, _ multiplexer: HTTP2StreamMultiplexer) {
        self.server = server
        self.multiplexer = multiplexer
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        waiting.append(unwrapInboundIn(data))
        pass()
    }

    func channelInactive(context: ChannelHandlerContext) { server.close(promise: nil) }
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func pass() {
        while let part = waiting.first {
            guard let stream else { return open(for: part) }
            waiting.removeFirst()
            switch part {
            case .head: break
            case .body(let bytes): stream.writeAndFlush(HTTPClientRequestPart.body(.byteBuffer(bytes)), promise: nil)
            case .end(let trailers):
                stream.writeAndFlush(HTTPClientRequestPart.end(trailers), promise: nil)
                // The next request has its own.
                self.stream = nil
                guard waiting.isEmpty else { return }
            }
        }
    }

    private func open(for part: HTTPServerRequestPart) {
        guard case .head(let head) = part, !isOpening, let context else { return }
        isOpening = true
        let promise = context.eventLoop.makePromise(of: (any Channel).self)
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        multiplexer.createStreamChannel(promise: promise) { stream in
            stream.eventLoop.makeCompletedFuture {
                try stream.pipeline.syncOperations.addHandlers([
                    HTTP2FramePayloadToHTTP1ClientCodec(httpProtocol: .http), Answers(to: bound.value),
                ])
            }
        }
        promise.futureResult.assumeIsolated().whenSuccess { stream in
            self.isOpening = false
            self.stream = stream
            stream.writeAndFlush(HTTPClientRequestPart.head(head), promise: nil)
            self.pass()
        }
    }

    func answer(_ part: HTTPServerResponsePart) { context?.writeAndFlush(wrapOutboundOut(part), promise: nil) }

    /// The answer is whole: what the client has sent meanwhile is its next request.
    func answered() { pass() }

    /// The stream was reset: neither may the client's connection end in good order.
    func breakOff() {
        guard let context else { return }
        _ = (context.channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
        context.close(promise: nil)
    }
}

/// A stream's answer, passed on to the client.
private final class Answers: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    private let requests: Requests
    private var isWhole = false

    init(to requests: Requests) { self.requests = requests }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(var head):
            head.version = .http1_1
            requests.answer(.head(head))
        case .body(let bytes): requests.answer(.body(.byteBuffer(bytes)))
        case .end(let trailers):
            isWhole = true
            requests.answer(.end(trailers))
            requests.answered()
        }
    }

    func channelInactive(context: ChannelHandlerContext) { if !isWhole { requests.breakOff() } }
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
