import NIOCore
import ProxyManagement

/// Asks the management API, in this process and in the name of whoever is signed in.
struct ManagementClient: Sendable {
    let management: Management
    let principal: Principal
    /// The page's own request, whose address the audit tells.
    let source: ManagementRequest

    /// Reads something.
    func get(_ path: String, _ query: [(String, String)] = []) async -> APIAnswer {
        await send("GET", Percent.target(path, query))
    }

    /// Changes something.
    /// - Parameters:
    ///   - ifMatch: the state that is to be changed; empty for any.
    ///   - once: a name of this change, so that it is made once.
    func send(
        _ method: String, _ target: String, _ body: JSONValue? = nil, ifMatch: String = "", once: String = ""
    ) async -> APIAnswer {
        var fields = [(name: "Accept", value: "application/json")]
        for name in ["host", "user-agent", "x-correlation-id"] {
            for value in source.values(of: name).prefix(1) { fields.append((name, value)) }
        }
        if body != nil { fields.append(("Content-Type", "application/json")) }
        if !ifMatch.isEmpty { fields.append(("If-Match", ifMatch)) }
        if !once.isEmpty { fields.append(("Idempotency-Key", once)) }
        let request = ManagementRequest(
            method: method, target: target, fields: fields,
            body: body.map { ByteBuffer(string: $0.text) } ?? ByteBuffer(), peerAddress: source.peerAddress,
            isSecure: source.isSecure)
        return APIAnswer(await management.respond(to: request, as: principal))
    }
}
