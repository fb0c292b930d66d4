import ProxyLoad
import Testing

/// The load generator against targets that speak TLS.
@Suite("Load over TLS", .timeLimit(.minutes(1)))
struct LoadTLSTests {
    private func with(
        _ content: String = "ok", closes: Bool = false, _ body: (_ port: Int, TestAuthority) async throws -> Void
    ) async throws {
        let authority = try TestAuthority.shared.get()
        try await AnsweringServer.with(content, closes: closes, behind: authority) { server in
            try await body(server.port, authority)
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

    /// What speaks plain bytes reaches the other side through a port of its own; whom it doesn't trust is no other side.
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

    @Test func tunnelsTheEndOfAnAnswerToo() async throws {
        let content = String(repeating: "0123456789abcdef", count: 200_000)
        try await with(content, closes: true) { port, authority in
            let target = try LoadTarget(url: "https://localhost:\(port)/")
            let tunnel = try await TLSTunnel.open(to: target, try LoadTLS(roots: authority.authority))
            let plain = try LoadTarget(url: "http://127.0.0.1:\(tunnel.port)/v1/models")
            let answer = try await PlainExchange.send(try LoadRequest(method: "GET"), to: plain)
            #expect(answer.text == content)
            await tunnel.close()
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
