public import NIOCore
import NIOPosix
import ProxyWire

/// One request with its answer, on a connection of its own.
public enum PlainExchange {
    /// An answer that came whole.
    public struct Answer: Sendable {
        /// 200…599.
        public let status: Int
        public let body: [UInt8]

        public var text: String { String(decoding: body, as: UTF8.self) }
    }

    /// Sends a request and waits for its whole answer.
    /// - Parameters:
    ///   - token: sent as `Authorization: Bearer`; shown nowhere.
    ///   - timeout: for the connection and for the answer.
    ///   - tls: how TLS is spoken with an `https` target, which can't be asked without.
    ///   - group: whose event loops are used; `nil` for those of the process.
    /// - Throws: ``LoadError/unreachable(address:reason:)`` also when the answer does not come whole in time.
    public static func send(
        _ request: LoadRequest, to target: LoadTarget, token: String? = nil, timeout: Duration = .seconds(10),
        tls: LoadTLS? = nil, on group: (any EventLoopGroup)? = nil
    ) async throws(LoadError) -> Answer {
        guard tls != nil || !target.isTLS else {
            throw .unreachable(address: target.authority, reason: "TLS is not set up")
        }
        let loop = (group ?? MultiThreadedEventLoopGroup.singleton).next()
        let promise = loop.makePromise(of: Answer.self)
        do {
            let channel = try await ClientBootstrap(group: loop)
                .connectTimeout(TimeAmount(timeout))
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let collector = AnswerCollector(
                            request: ByteBuffer(bytes: request.bytes(to: target, token: token)),
                            method: request.wireMethod, promise: promise)
                        try tls?.secure(channel, to: target)
                        try channel.pipeline.syncOperations.addHandler(collector)
                    }
                }
                .connect(host: target.host, port: target.port).get()
            let timer = loop.scheduleTask(in: TimeAmount(timeout)) { channel.close(promise: nil) }
            defer { timer.cancel() }
            return try await promise.futureResult.get()
        } catch {
            promise.fail(error)
            throw .unreachable(address: target.authority, reason: "\(error)")
        }
    }
}

/// Sends one request, keeps the content of its answer, and closes.
private final class AnswerCollector: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let request: ByteBuffer
    private let promise: EventLoopPromise<PlainExchange.Answer>
    private var reader = ResponseReader()
    private var body: [UInt8] = []

    init(request: ByteBuffer, method: RequestMethod, promise: EventLoopPromise<PlainExchange.Answer>) {
        self.request = request
        self.promise = promise
        reader.begin(answering: method)
    }

    func channelActive(context: ChannelHandlerContext) { context.writeAndFlush(NIOAny(request), promise: nil) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = unwrapInboundIn(data)
        do throws(WireFault) {
            try reader.read(&buffer) { body.append(contentsOf: $0) }
        } catch {
            promise.fail(error)
            return context.close(promise: nil)
        }
        if reader.isComplete { complete(context) }
    }

    private func complete(_ context: ChannelHandlerContext) {
        promise.succeed(PlainExchange.Answer(status: reader.status, body: body))
        context.close(promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        promise.fail(error)
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        if reader.connectionEnded() { complete(context) } else { promise.fail(ChannelError.eof) }
    }
}
