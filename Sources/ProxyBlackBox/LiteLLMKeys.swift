import ProxyConformance

/// LiteLLM's keys (https://docs.litellm.ai/docs/proxy/virtual_keys).
struct LiteLLMKeys: Sendable {
    let masterKey: String

    /// - Throws: ``NotOffered`` for limits that its keys don't have, or when it keeps no keys; ``BlackBoxError`` when it refuses the master key.
    func issue(_ order: TokenOrder, through proxy: any ProxyAccess) async throws -> String {
        var members = [#""duration":"1h""#]
        for limit in (order.limits ?? "").split(separator: ",") {
            let parts = limit.split(separator: ":", maxSplits: 1)
            guard parts.count == 2, let name = Self.names[String(parts[0])] else {
                throw NotOffered("the limit \(limit)")
            }
            members.append("\"\(name)\":\(parts[1])")
        }
        let answer = try await proxy.post(
            "/key/generate", body: "{\(members.joined(separator: ","))}", bearer: masterKey)
        guard ![401, 403].contains(answer.status) else {
            throw BlackBoxError(
                "/key/generate refuses LITELLM_MASTER_KEY with status \(answer.status): give the proxy's own")
        }
        guard answer.status == 200, let key = answer.json["key"].string else {
            throw NotOffered("keys: /key/generate answered \(answer.status)")
        }
        return key
    }

    private static let names = [
        "\"requests_per_minute\"": "rpm_limit", "\"tokens_per_minute\"": "tpm_limit", "\"budget_usd\"": "max_budget",
    ]
}
