import NIOCore
import NIOPosix
import NIOSSL
import Synchronization
import Testing

/// A server that answers whatever comes alike, and keeps what came.
final class AnsweringServer: Sendable {
    let port: Int
    private let said: Said

    private init(port: Int, said: Said) {
        self.port = port
        self.said = said
    }

    /// All bytes that came, as text.
    var asked: String { said.text.withLock { $0 } }

    /// Runs `body` while one listens on a free port of its own.
    /// - Parameters:
    ///   - fields: lines of the answer's head, each with its end.
    ///   - closes: whether the connection's end is the answer's, instead of a length.
    ///   - authority: issued the certificate that it shows; `nil` for plain bytes.
    static func with<Value>(
        status: String = "200 OK", fields: String = "", _ content: String = "ok", closes: Bool = false,
        behind authority: TestAuthority? = nil, _ body: (AnsweringServer) async throws -> Value
    ) async throws -> Value {
        let length = closes ? "" : "Content-Length: \(content.utf8.count)\r\n"
        let answer = "HTTP/1.1 \(status)\r\n\(fields)\(length)\r\n\(content)"
        let said = Said()
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        do {
            let context = try authority?.serverContext()
            let listener = try await ServerBootstrap(group: group)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        if let context {
                            try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
                        }
                        try channel.pipeline.syncOperations.addHandler(Answering(answer, closes: closes, said))
                    }
                }
                .bind(host: "127.0.0.1", port: 0).get()
            let value = try await body(
                AnsweringServer(port: try #require(listener.localAddress?.port), said: said))
            try await group.shutdownGracefully()
            return value
        } catch {
            try await group.shutdownGracefully()
            throw error
        }
    }

    private final class Said: Sendable {
        let text = Mutex("")
    }

    private final class Answering: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let answer: String
        private let closes: Bool
        private let said: Said

        init(_ answer: String, closes: Bool, _ said: Said) {
            self.answer = answer
            self.closes = closes
            self.said = said
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let text = String(buffer: unwrapInboundIn(data))
            said.text.withLock { $0 += text }
            context.writeAndFlush(NIOAny(ByteBuffer(string: answer)), promise: nil)
            if closes { context.close(promise: nil) }
        }
    }
}
