import Glibc
import NIOCore
import NIOPosix

/// A port of 127.0.0.1 whose connections go on, over TLS, to an `https` target: for what speaks plain bytes alone. Each end of one side, in
/// either direction, is passed on to the other.
public final class TLSTunnel: Sendable {
    /// Where to connect to.
    public let port: Int
    private let group: MultiThreadedEventLoopGroup

    private init(port: Int, group: MultiThreadedEventLoopGroup) {
        self.port = port
        self.group = group
    }

    /// - Throws: ``LoadError/unreachable(address:reason:)`` when no port can be had, or nobody speaks TLS at the target whom `tls` trusts.
    public static func open(to target: LoadTarget, _ tls: LoadTLS) async throws(LoadError) -> TLSTunnel {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        do {
            let knock = try await connect(to: target, tls, on: group.next()).get()
            try? await knock.close()
            let listener = try await ServerBootstrap(group: group)
                .childChannelOption(.allowRemoteHalfClosure, value: true)
                .childChannelInitializer { near in splice(near, to: target, tls) }
                .bind(host: "127.0.0.1", port: 0).get()
            guard let port = listener.localAddress?.port else { throw ChannelError.unknownLocalAddress }
            return TLSTunnel(port: port, group: group)
        } catch {
            try? await group.shutdownGracefully()
            throw .unreachable(address: target.authority, reason: "\(error)")
        }
    }

    /// Ends all connections.
    public func close() async { try? await group.shutdownGracefully() }

    /// Connects and speaks TLS; the handshake is over when the future succeeds.
    private static func connect(
        to target: LoadTarget, _ tls: LoadTLS, on loop: any EventLoop
    ) -> EventLoopFuture<any Channel> {
        ClientBootstrap(group: loop)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try tls.secure(channel, to: target)
                    try channel.pipeline.syncOperations.addHandler(TunnelEnd())
                }
            }
            .connect(host: target.host, port: target.port)
            .flatMap { channel in LoadTLS.handshake(of: channel, with: target).map { channel } }
    }

    /// The client's connection is read once the other is there.
    private static func splice(_ near: any Channel, to target: LoadTarget, _ tls: LoadTLS) -> EventLoopFuture<Void> {
        connect(to: target, tls, on: near.eventLoop).flatMapThrowing { far in
            let here = TunnelEnd()
            let there = try far.pipeline.syncOperations.handler(type: TunnelEnd.self)
            try near.pipeline.syncOperations.addHandler(here)
            TunnelEnd.pair(here, there)
        }
    }
}

/// One of two channels that pass on to each other what comes. Confined to their event loop.
private final class TunnelEnd: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    /// Until either channel has ended, which breaks the cycle.
    private var other: TunnelEnd?
    private var context: ChannelHandlerContext?

    static func pair(_ one: TunnelEnd, _ other: TunnelEnd) { (one.other, other.other) = (other, one) }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { other?.context?.write(data, promise: nil) }

    func channelReadComplete(context: ChannelHandlerContext) { other?.context?.flush() }

    /// What is behind takes more or not: so do we.
    func channelWritabilityChanged(context: ChannelHandlerContext) {
        guard let far = other?.context else { return }
        try? far.channel.syncOptions?.setOption(.autoRead, value: context.channel.isWritable)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed = event { other?.context?.close(mode: .output, promise: nil) }
    }

    /// An end that is none, such as one without TLS's own last word, is none on the other side either: a reset.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let far = other?.context?.channel as? any SocketOptionProvider {
            _ = far.setSoLinger(linger(l_onoff: 1, l_linger: 0))
        }
        context.close(promise: nil)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        let far = other
        other = nil
        far?.other = nil
        far?.context?.close(promise: nil)
    }
}
