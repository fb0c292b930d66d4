import NIOCore
import ProxyWire

/// Reads whose a connection is, where a load balancer tells (``ProxyProtocolHeader``), and passes on what follows. A connection that
/// does not begin so is closed. Confined to its event loop.
final class ClientAddress: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    /// As the balancer says; `nil` when it doesn't.
    private(set) var told: String?
    private var received: ByteBuffer? = ByteBuffer()

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard var received else { return context.fireChannelRead(data) }
        var bytes = unwrapInboundIn(data)
        received.writeBuffer(&bytes)
        do {
            guard let header = try received.withUnsafeReadableBytes(ProxyProtocolHeader.read) else {
                self.received = received
                return
            }
            self.received = nil
            told = header.address
            received.moveReaderIndex(forwardBy: header.length)
            if received.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(received)) }
        } catch {
            self.received = ByteBuffer()
            context.close(promise: nil)
        }
    }
}
