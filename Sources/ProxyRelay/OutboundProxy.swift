import NIOCore
import ProxyWire

/// An HTTP proxy on the way to upstreams that speak TLS: it is asked for a tunnel and sees nothing but their names.
public struct OutboundProxy: Hashable, Sendable {
    let host: String
    let port: Int
    /// The value of `Proxy-Authorization`; `nil` for none.
    let authorization: String?
    /// Hosts that are reached without it: names, which stand for what ends in them too, addresses, or `*`.
    private let exceptions: [String]

    public init(host: String, port: Int, authorization: String?, exceptions: [String]) {
        self.host = host
        self.port = port
        self.authorization = authorization
        self.exceptions = exceptions.map { $0.lowercased() }
    }

    func isFor(_ target: UpstreamTarget) -> Bool {
        guard target.isTLS else { return false }
        let host = target.host.lowercased()
        return !exceptions.contains { exception in
            let name = exception.hasPrefix(".") ? String(exception.dropFirst()) : exception
            return name == "*" || host == name || host.hasSuffix(".\(name)")
        }
    }
}

/// Asks an ``OutboundProxy`` for a tunnel (RFC 9110 section 9.3.6), then makes room for what speaks through it. Confined to its event
/// loop.
final class OutboundTunnel: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// There is no tunnel: the proxy refuses, is gone, or says nothing in time.
    struct Refused: Error {}

    private let target: UpstreamTarget
    private let proxy: OutboundProxy
    private var parser: ResponseHeadParser
    private var head = ResponseHead()
    private var received = ByteBuffer()
    /// Whether there is a tunnel.
    let opened: EventLoopPromise<Void>
    private var isDecided = false

    /// - Parameter opened: told when the tunnel is there, or that it is not.
    init(to target: UpstreamTarget, through proxy: OutboundProxy, limits: WireLimits, opened: EventLoopPromise<Void>) {
        self.target = target
        self.proxy = proxy
        parser = ResponseHeadParser(limits: limits)
        self.opened = opened
    }

    func channelActive(context: ChannelHandlerContext) {
        let host = target.host.contains(":") ? "[\(target.host)]" : target.host
        let place = "\(host):\(target.port)"
        let credential = proxy.authorization.map { "Proxy-Authorization: \($0)\r\n" } ?? ""
        let request = ByteBuffer(string: "CONNECT \(place) HTTP/1.1\r\nHost: \(place)\r\n\(credential)\r\n")
        context.writeAndFlush(wrapOutboundOut(request), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        received.writeBuffer(&bytes)
        do {
            guard try parser.parse(received, answering: .connect, into: &head) else { return }
        } catch {
            return refuse(context)
        }
        guard (200..<300).contains(head.status) else { return refuse(context) }
        received.moveReaderIndex(forwardBy: head.length)
        isDecided = true
        opened.succeed()
        if received.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(received)) }
        context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        refuse(context)
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { fail() }

    private func refuse(_ context: ChannelHandlerContext) {
        fail()
        context.close(promise: nil)
    }

    private func fail() {
        guard !isDecided else { return }
        isDecided = true
        opened.fail(Refused())
    }
}
