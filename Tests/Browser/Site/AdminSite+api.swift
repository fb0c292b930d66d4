/// How tests prepare what the pages show, and see what the pages have done: by the API, not by the pages.
extension AdminSite {
    /// One call of the management API.
    /// - Throws: `TestFailure` when it is not answered with success.
    @discardableResult
    func api(
        _ method: String, _ target: String, _ body: JSON? = nil, as credential: String = managementToken
    ) async throws -> JSON {
        let answer = try await ask(method, target, body, as: credential)
        guard (200..<300).contains(answer.status) else {
            throw TestFailure("\(method) \(target): \(answer.status) \(answer.text)")
        }
        return answer.json
    }

    /// One call of the management API, whatever it is answered with.
    func ask(
        _ method: String, _ target: String, _ body: JSON? = nil, as credential: String = managementToken
    ) async throws -> Exchange.Answer {
        var fields = [(name: "Authorization", value: "Bearer \(credential)")]
        if body != nil { fields.append(("Content-Type", "application/json")) }
        return try await send(method, target, fields: fields, body: body?.line)
    }

    /// - Returns: its id.
    func newProject(_ name: String, _ more: [String: JSON] = [:]) async throws -> String {
        var members = more
        members["name"] = .string(name)
        members["api_key"] = .string(Self.apiKey)
        return try await api("POST", "/manage/projects", .object(members))["id"].text ?? "none"
    }

    /// - Returns: its id, and the secret that is shown once.
    func newToken(
        of project: String, _ name: String = "", _ more: [String: JSON] = [:]
    ) async throws -> (id: String, secret: String) {
        var members = more
        members["project_id"] = .string(project)
        members["name"] = .string(name)
        if members["duration_minutes"] == nil { members["never_expires"] = true }
        let made = try await api("POST", "/manage/tokens", .object(members))
        return (made["id"].text ?? "none", made["token"].text ?? "none")
    }

    /// A management token of a role.
    func newCredential(_ name: String, role: String) async throws -> (id: String, secret: String) {
        let made = try await api(
            "POST", "/manage/management-tokens", ["name": .string(name), "role": .string(role)])
        return (made["id"].text ?? "none", made["token"].text ?? "none")
    }

    /// A request of a client's own, as a chat.
    /// - Returns: the answer; its request id is in the field `X-Proxy-Request-ID`.
    @discardableResult
    func chat(
        _ secret: String, model: String = "gpt-4o-mini", path: String = "/v1/chat/completions", words: Int = 3
    ) async throws -> Exchange.Answer {
        let body: JSON = [
            "model": .string(model), "messages": [["role": "user", "content": "Say three words please"]],
        ]
        return try await send(
            "POST", path,
            fields: [
                ("Authorization", "Bearer \(secret)"), ("Content-Type", "application/json"),
                ("X-Sim-Chunks", "\(words)"),
            ],
            body: body.line)
    }
}
