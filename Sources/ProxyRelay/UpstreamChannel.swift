import NIOCore
import NIOTLS

/// A connection of HTTP/1.1, as the link of an ``UpstreamConnection``.
final class UpstreamChannel: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    let connection: UpstreamConnection

    init(for connection: UpstreamConnection) { self.connection = connection }

    func handlerAdded(context: ChannelHandlerContext) { connection.linked(by: .channel(context)) }

    func handlerRemoved(context: ChannelHandlerContext) { connection.unlinked() }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case TLSUserEvent.handshakeCompleted = event { connection.established() }
        context.fireUserInboundEventTriggered(event)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { connection.received(unwrapInboundIn(data)) }

    func channelReadComplete(context: ChannelHandlerContext) { connection.readEnded() }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        connection.writabilityChanged(context.channel.isWritable)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func channelInactive(context: ChannelHandlerContext) { connection.ended() }
}
