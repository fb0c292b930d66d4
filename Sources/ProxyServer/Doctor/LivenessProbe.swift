import NIOCore
import NIOPosix

/// Asks whether a server of this kind answers at an address.
enum LivenessProbe {
    /// Sends `GET /live` in plain HTTP.
    static func isAlive(host: String, port: Int, patience: TimeAmount) async -> Bool {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let promise = loop.makePromise(of: String.self)
        let timer = loop.scheduleTask(in: patience) { promise.fail(ChannelError.connectTimeout(patience)) }
        defer { timer.cancel() }
        do {
            let channel = try await ClientBootstrap(group: loop)
                .connectTimeout(patience)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(LivenessExchange(promise))
                    }
                }
                .connect(host: host, port: port).get()
            promise.futureResult.whenComplete { _ in channel.close(promise: nil) }
            let answer = try await promise.futureResult.get()
            return answer.hasPrefix("HTTP/1.1 200 ") && answer.contains(#"{"status":"ok"}"#)
        } catch {
            promise.fail(error)
            return false
        }
    }
}

/// Sends the question and keeps what comes until the other side closes. Confined to its channel's event loop.
private final class LivenessExchange: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Bytes of an answer that are looked at.
    private static let longestAnswer = 4096

    private let promise: EventLoopPromise<String>
    private var answer = ""

    init(_ promise: EventLoopPromise<String>) { self.promise = promise }

    func channelActive(context: ChannelHandlerContext) {
        let question = ByteBuffer(string: "GET /live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        context.writeAndFlush(wrapOutboundOut(question), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        answer += String(buffer: unwrapInboundIn(data))
        if answer.utf8.count >= Self.longestAnswer { promise.succeed(answer) }
    }

    func channelInactive(context: ChannelHandlerContext) { promise.succeed(answer) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { promise.fail(error) }
}
