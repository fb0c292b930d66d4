import Glibc
package import NIOCore

/// One of two handlers that write what the other reads. Confined to the event loop that both channels share.
package final class Glue: ChannelInboundHandler {
    package typealias InboundIn = ByteBuffer
    private var partner: Glue?
    private var context: ChannelHandlerContext?
    private var isInactive = false
    private var isEndingPartner = false
    private var hasEndedPartner = false

    /// - Parameter partner: the other one, if it is there already.
    package init(to partner: Glue? = nil) {
        self.partner = partner
        partner?.partner = self
    }

    package func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    package func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        partner = nil
    }
    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        partner?.context?.write(data, promise: nil)
    }
    package func channelReadComplete(context: ChannelHandlerContext) { partner?.context?.flush() }
    /// What is behind takes more or not: so does what is before.
    package func channelWritabilityChanged(context: ChannelHandlerContext) {
        guard let other = partner?.context else { return }
        try? other.channel.syncOptions?.setOption(.autoRead, value: context.channel.isWritable)
    }
    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed = event { endPartner() }
    }

    package func channelInactive(context: ChannelHandlerContext) {
        isInactive = true
        if hasEndedPartner { partner?.context?.close(promise: nil) } else { endPartner() }
    }

    /// Ends the other side's output when all that was read before is written, and all of it when this side is gone.
    private func endPartner() {
        guard !isEndingPartner, let other = partner?.context else { return }
        isEndingPartner = true
        let written = other.eventLoop.makePromise(of: Void.self)
        other.writeAndFlush(NIOAny(ByteBuffer()), promise: written)
        written.futureResult.assumeIsolated().whenComplete { _ in
            let ended = other.eventLoop.makePromise(of: Void.self)
            other.close(mode: .output, promise: ended)
            ended.futureResult.assumeIsolated().whenComplete { _ in
                self.hasEndedPartner = true
                if self.isInactive { other.close(promise: nil) }
            }
        }
    }

    /// What breaks off on one side must not end in good order on the other.
    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let other = partner?.context {
            _ = (other.channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
            other.close(promise: nil)
        }
        context.close(promise: nil)
    }
}
