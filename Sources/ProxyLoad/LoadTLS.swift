import NIOCore
import NIOSSL
import NIOTLS

/// How TLS is spoken with `https` targets: version 1.2 or later, and the other side's certificate must be one that is trusted for its name.
public struct LoadTLS: Sendable {
    private let context: NIOSSLContext

    /// - Parameter roots: a PEM file with the certificates that are trusted instead of the system's; `nil` for the system's.
    /// - Throws: ``LoadError/unusableRoots(_:)`` when the file can't be used.
    public init(roots: String? = nil) throws(LoadError) {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        do {
            if let roots { configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(roots)) }
            context = try NIOSSLContext(configuration: configuration)
        } catch {
            throw .unusableRoots(roots ?? "the system's certificates")
        }
    }

    /// Puts TLS in front of what else a channel to `target` has, if the target wants it. Call on the channel's loop, for each channel: of a
    /// name with several addresses more than one may be tried.
    func secure(_ channel: any Channel, to target: LoadTarget) throws {
        guard target.isTLS else { return }
        let pipeline = channel.pipeline.syncOperations
        let isLiteral = (try? SocketAddress(ipAddress: target.host, port: target.port)) != nil
        // A literal address is none of the names that a client may send (RFC 6066 section 3).
        try pipeline.addHandler(NIOSSLClientHandler(context: context, serverHostname: isLiteral ? nil : target.host))
        try pipeline.addHandler(HandshakeWaiter(channel.eventLoop.makePromise(of: Void.self)))
    }

    /// Succeeds once bytes can pass over a channel that was connected, fails when they never will. Call on the channel's loop.
    static func handshake(of channel: any Channel, with target: LoadTarget) -> EventLoopFuture<Void> {
        guard target.isTLS else { return channel.eventLoop.makeSucceededVoidFuture() }
        guard let waiter = try? channel.pipeline.syncOperations.handler(type: HandshakeWaiter.self) else {
            return channel.eventLoop.makeFailedFuture(ChannelError.eof)  // It has closed already.
        }
        return waiter.ready.futureResult
    }
}

/// Tells of the end of a handshake, and ends one that takes too long.
private final class HandshakeWaiter: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private static let patience = TimeAmount.seconds(10)
    let ready: EventLoopPromise<Void>

    init(_ ready: EventLoopPromise<Void>) { self.ready = ready }

    func channelActive(context: ChannelHandlerContext) {
        let channel = context.channel
        let timer = context.eventLoop.assumeIsolated().scheduleTask(in: Self.patience) {
            channel.close(promise: nil)
        }
        ready.futureResult.assumeIsolated().whenComplete { _ in timer.cancel() }
        context.fireChannelActive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case TLSUserEvent.handshakeCompleted = event { ready.succeed() }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        ready.fail(error)
        context.close(promise: nil)
        context.fireErrorCaught(error)
    }

    func handlerRemoved(context: ChannelHandlerContext) { ready.fail(ChannelError.eof) }
}
