import NIOCore
import NIOPosix
import NIOSSL
import ProxyLoad
import Testing

/// The load generator against targets that speak TLS.
@Suite("Load over TLS", .timeLimit(.minutes(1)))
struct LoadTLSTests {
    /// Answers whatever comes.
    private final class Server: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            context.writeAndFlush(
                NIOAny(ByteBuffer(string: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")), promise: nil)
        }
    }

    private func with(_ body: (_ port: Int, TestAuthority) async throws -> Void) async throws {
        let authority = try TestAuthority.shared.get()
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        do {
            let context = try authority.serverContext()
            let listener = try await ServerBootstrap(group: group)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
                        try channel.pipeline.syncOperations.addHandler(Server())
                    }
                }
                .bind(host: "127.0.0.1", port: 0).get()
            try await body(try #require(listener.localAddress?.port), authority)
            try await group.shutdownGracefully()
        } catch {
            try await group.shutdownGracefully()
            throw error
        }
    }

    private func plan(_ port: Int, host: String = "localhost", _ tls: LoadTLS?) throws -> LoadPlan {
        let target = try LoadTarget(url: "https://\(host):\(port)/v1/models")
        return LoadPlan(
            mode: .rate(Schedule(ratePerSide: 50)),
            sides: [try LoadPlan.Side(target: target, request: try LoadRequest(method: "GET"))], warmUp: .zero,
            duration: .seconds(1), contentReference: tls == nil ? nil : target, tls: tls)
    }

    @Test func speaksItWithWhomItTrusts() async throws {
        try await with { port, authority in
            let report = try await LoadRun.run(try plan(port, try LoadTLS(roots: authority.authority)))
            #expect(report.sides[0].succeeded == 50 && report.sides[0].errors == 0)
            #expect(report.sides[0].url == "https://localhost:\(port)/v1/models")
        }
    }

    @Test func sendsNothingToWhomItDoesNotTrust() async throws {
        try await with { port, authority in
            // Another name than the certificate's, and an authority that nobody knows.
            for (host, roots) in [("127.0.0.1", authority.authority), ("localhost", nil)] as [(String, String?)] {
                var plan = try plan(port, host: host, try LoadTLS(roots: roots))
                await #expect(throws: LoadError.self) { try await LoadRun.run(plan) }
                plan = LoadPlan(mode: plan.mode, sides: plan.sides, warmUp: .zero, duration: .seconds(1), tls: plan.tls)
                let report = try await LoadRun.run(plan)
                #expect(report.sides[0].sent == 0 && report.sides[0].failures == [.connect: 50])
            }
        }
    }

    /// What speaks plain bytes reaches the other side through a port of its own, and is told when that has gone.
    @Test func tunnelsPlainBytes() async throws {
        try await with { port, authority in
            let target = try LoadTarget(url: "https://localhost:\(port)/")
            let tunnel = try await TLSTunnel.open(to: target, try LoadTLS(roots: authority.authority))
            let plain = try LoadTarget(url: "http://127.0.0.1:\(tunnel.port)/v1/models")
            for _ in 0..<3 {
                let answer = try await PlainExchange.send(try LoadRequest(method: "GET"), to: plain)
                #expect(answer.status == 200 && answer.text == "ok")
            }
            await tunnel.close()
            await #expect(throws: LoadError.self) {
                try await TLSTunnel.open(to: target, try LoadTLS())
            }
        }
    }

    @Test func namesWhatIsMissing() async throws {
        try await with { port, _ in
            let plan = try plan(port, nil)
            await #expect(throws: LoadError.self) { try await LoadRun.run(plan) }
        }
        #expect(throws: LoadError.unusableRoots("/nowhere.pem")) { try LoadTLS(roots: "/nowhere.pem") }
    }
}
