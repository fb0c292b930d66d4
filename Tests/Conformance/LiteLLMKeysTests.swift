import NIOCore
import NIOPosix
import ProxyBlackBox
import ProxyConformance
import Synchronization
import Testing

/// Tokens for a product that issues keys as LiteLLM does (https://docs.litellm.ai/docs/proxy/virtual_keys).
@Suite("LiteLLM's keys", .timeLimit(.minutes(1)))
struct LiteLLMKeysTests {
    /// Answers each request alike, and keeps what it said.
    private final class Product: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let answer: String
        private let said: Said

        init(_ answer: String, _ said: Said) {
            self.answer = answer
            self.said = said
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let text = String(buffer: unwrapInboundIn(data))
            said.text.withLock { $0 += text }
            context.writeAndFlush(NIOAny(ByteBuffer(string: answer)), promise: nil)
        }
    }

    private final class Said: Sendable {
        let text = Mutex("")
    }

    /// - Returns: what was issued, with what the product was asked.
    private func issue(
        _ order: TokenOrder, answering status: String, _ body: String
    ) async throws -> (secret: String, asked: String) {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let said = Said()
        let answer =
            "HTTP/1.1 \(status)\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
        do {
            let listener = try await ServerBootstrap(group: group)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(Product(answer, said))
                    }
                }
                .bind(host: "127.0.0.1", port: 0).get()
            let proxy = try BlackBoxProxy(
                host: "127.0.0.1", port: try #require(listener.localAddress?.port), upstreamPort: 0,
                issuer: .liteLLM(masterKey: "sk-master"), run: "test")
            defer { proxy.stop() }
            let secret = try await proxy.issue(order).secret
            try await group.shutdownGracefully()
            return (secret, said.text.withLock { $0 })
        } catch {
            try await group.shutdownGracefully()
            throw error
        }
    }

    @Test func areAskedForWithTheMasterKey() async throws {
        let limits = #""requests_per_minute":3,"budget_usd":0.5"#
        let (secret, asked) = try await issue(
            TokenOrder(cap: 0, limits: limits, project: nil, name: "acme"), answering: "200 OK", #"{"key":"sk-new"}"#)
        #expect(secret == "sk-new")
        #expect(asked.hasPrefix("POST /key/generate HTTP/1.1\r\n"))
        #expect(asked.lowercased().contains("authorization: bearer sk-master\r\n"))
        #expect(asked.hasSuffix(#"{"duration":"1h","rpm_limit":3,"max_budget":0.5}"#))
    }

    @Test(
        arguments: [
            (0, nil, "500 Internal Server Error", #"{"error":{"message":"No connected db."}}"#),
            (0, nil, "200 OK", "{}"), (7, nil, "200 OK", #"{"key":"sk-new"}"#),
            (0, #""surprise":1"#, "200 OK", #"{"key":"sk-new"}"#),
        ] as [(Int, String?, String, String)])
    func areNotOffered(cap: Int, limits: String?, status: String, body: String) async throws {
        await #expect(throws: NotOffered.self) {
            try await issue(TokenOrder(cap: cap, limits: limits, project: nil, name: "acme"), answering: status, body)
        }
    }
}
