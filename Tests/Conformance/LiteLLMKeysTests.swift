import ProxyBlackBox
import ProxyConformance
import Testing

/// Tokens for a product that issues keys as LiteLLM does (https://docs.litellm.ai/docs/proxy/virtual_keys).
@Suite("LiteLLM's keys", .timeLimit(.minutes(1)))
struct LiteLLMKeysTests {
    /// - Returns: what was issued, with what the product was asked.
    private func issue(
        _ order: TokenOrder, answering status: String, _ body: String
    ) async throws -> (secret: String, asked: String) {
        try await AnsweringServer.with(status: status, fields: "Content-Type: application/json\r\n", body) { product in
            let proxy = try BlackBoxProxy(
                host: "127.0.0.1", port: product.port, upstreamPort: 0, issuer: .liteLLM(masterKey: "sk-master"),
                run: "test")
            defer { proxy.stop() }
            return (try await proxy.issue(order).secret, product.asked)
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
