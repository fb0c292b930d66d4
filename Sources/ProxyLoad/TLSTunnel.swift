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
                    try channel.pipeline.syncOperations.addHandler(Glue())
                }
            }
            .connect(host: target.host, port: target.port)
            .flatMap { channel in LoadTLS.handshake(of: channel, with: target).map { channel } }
    }

    /// The client's connection is read once the other is there.
    private static func splice(_ near: any Channel, to target: LoadTarget, _ tls: LoadTLS) -> EventLoopFuture<Void> {
        connect(to: target, tls, on: near.eventLoop).flatMapThrowing { far in
            let there = try far.pipeline.syncOperations.handler(type: Glue.self)
            try near.pipeline.syncOperations.addHandler(Glue(to: there))
        }
    }
}
