import Foundation
import NIOCore
import NIOPosix
import NIOSSL
import NIOTLS
import ProxyLoad

/// TLS before an upstream double: takes it off, and passes bytes on both ways. Its certificate is for `localhost`.
final class TLSFront: Sendable {
    let port: Int
    /// PEM file of the authority that issued the certificate.
    let authority: String
    private let listener: any Channel

    private init(port: Int, authority: String, listener: any Channel) {
        self.port = port
        self.authority = authority
        self.listener = listener
    }

    /// - Parameter protocols: which of them ALPN may agree on (RFC 7301); none to agree on nothing.
    static func start(before upstreamPort: Int, protocols: [String] = []) async throws -> TLSFront {
        let issued = try TestAuthority.shared.get()
        let context = try issued.serverContext(protocols: protocols)
        let listener = try await ServerBootstrap(group: NIOSingletons.posixEventLoopGroup)
            .childChannelInitializer { channel in
                // Accepted only once there is somewhere to pass its bytes on to.
                ClientBootstrap(group: channel.eventLoop).connect(host: "127.0.0.1", port: upstreamPort)
                    .flatMapThrowing { upstream in
                        let front = Glue()
                        try channel.pipeline.syncOperations.addHandlers([NIOSSLServerHandler(context: context), front])
                        try upstream.pipeline.syncOperations.addHandler(Glue(to: front))
                    }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return TLSFront(port: listener.localAddress?.port ?? 0, authority: issued.authority, listener: listener)
    }

    func stop() async { try? await listener.close() }
}

/// A proxy on the way out: whoever asks it for a tunnel, with the right credential, is led to one port.
final class ConnectFront: Sendable {
    static let credential = "user:pa%20ss"
    let port: Int
    private let listener: any Channel

    private init(port: Int, listener: any Channel) {
        self.port = port
        self.listener = listener
    }

    static func start(before upstreamPort: Int) async throws -> ConnectFront {
        let listener = try await ServerBootstrap(group: NIOSingletons.posixEventLoopGroup)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Porter(to: upstreamPort))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return ConnectFront(port: listener.localAddress?.port ?? 0, listener: listener)
    }

    func stop() async { try? await listener.close() }

    /// Reads the request for a tunnel, and opens it.
    private final class Porter: ChannelInboundHandler, RemovableChannelHandler {
        typealias InboundIn = ByteBuffer
        private let upstreamPort: Int
        private var request = ""

        init(to upstreamPort: Int) { self.upstreamPort = upstreamPort }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            request += String(buffer: unwrapInboundIn(data))
            guard request.hasSuffix("\r\n\r\n") else { return }
            let channel = context.channel
            guard request.hasPrefix("CONNECT localhost:1 HTTP/1.1\r\n"),
                request.contains("\r\nProxy-Authorization: Basic dXNlcjpwYSBzcw==\r\n")
            else {
                let answer = "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
                return channel.writeAndFlush(ByteBuffer(string: answer), promise: nil)
            }
            ClientBootstrap(group: channel.eventLoop).connect(host: "127.0.0.1", port: upstreamPort)
                .flatMapThrowing { upstream in
                    let front = Glue()
                    try channel.pipeline.syncOperations.addHandler(front)
                    try upstream.pipeline.syncOperations.addHandler(Glue(to: front))
                    channel.writeAndFlush(ByteBuffer(string: "HTTP/1.1 200 OK\r\nX: y\r\n\r\n"), promise: nil)
                }
                .whenFailure { _ in channel.close(promise: nil) }
            context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
        }
    }
}

/// TLS before a client: a client's bytes go on over TLS, and what comes back comes plain.
final class TLSBack: Sendable {
    let port: Int
    private let listener: any Channel

    private init(port: Int, listener: any Channel) {
        self.port = port
        self.listener = listener
    }

    /// - Parameters:
    ///   - newest: the newest version that it offers; `nil` for all.
    ///   - preface: what it says before TLS begins.
    ///   - seen: told of each handshake's certificate, in DER.
    static func start(
        to port: Int, trusting authority: String, newest: TLSVersion? = nil, preface: String = "",
        seen: @escaping @Sendable ([UInt8]) -> Void = { _ in }
    ) async throws -> TLSBack {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(authority))
        configuration.maximumTLSVersion = newest
        let context = try NIOSSLContext(configuration: configuration)
        let listener = try await ServerBootstrap(group: NIOSingletons.posixEventLoopGroup)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                let back = NIOLoopBound(Glue(), eventLoop: channel.eventLoop)
                return ClientBootstrap(group: channel.eventLoop)
                    .channelOption(.allowRemoteHalfClosure, value: true)
                    .channelInitializer { server in
                        server.eventLoop.makeCompletedFuture {
                            try server.pipeline.syncOperations.addHandlers([
                                Preface(preface), NIOSSLClientHandler(context: context, serverHostname: "localhost"),
                                Onlooker(seen), Glue(to: back.value),
                            ])
                        }
                    }
                    .connect(host: "127.0.0.1", port: port)
                    .flatMapThrowing { _ in try channel.pipeline.syncOperations.addHandler(back.value) }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return TLSBack(port: listener.localAddress?.port ?? 0, listener: listener)
    }

    func stop() async { try? await listener.close() }
}

/// Says something once the connection stands, before all others.
private final class Preface: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let text: String

    init(_ text: String) { self.text = text }

    func channelActive(context: ChannelHandlerContext) {
        if !text.isEmpty { context.writeAndFlush(NIOAny(ByteBuffer(string: text)), promise: nil) }
        context.fireChannelActive()
    }
}

/// Tells the certificate of a handshake.
private final class Onlooker: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let seen: ([UInt8]) -> Void

    init(_ seen: @escaping ([UInt8]) -> Void) { self.seen = seen }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case TLSUserEvent.handshakeCompleted = event {
            let handler = try? context.pipeline.syncOperations.handler(type: NIOSSLClientHandler.self)
            if let bytes = try? handler?.peerCertificate?.toDERBytes() { seen(bytes) }
        }
        context.fireUserInboundEventTriggered(event)
    }
}
