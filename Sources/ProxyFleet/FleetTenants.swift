import FoundationEssentials
import ProxyLoad

/// What a fleet's servers say of their tokens, by their management API.
struct FleetTenants: Sendable {
    /// Most tokens that one page of the list holds.
    private static let tokensPerProject = 1000

    let server: LoadTarget
    let managementToken: String
    private(set) var tokens: [String] = []
    private var projects: [String] = []

    init(server: LoadTarget, managementToken: String) {
        self.server = server
        self.managementToken = managementToken
    }

    private struct Project: Decodable {
        let id: String
    }

    private struct NewToken: Decodable {
        let token: String
    }

    private struct Token: Decodable {
        let request_count: Int
        let prompt_tokens: Int
        let completion_tokens: Int
    }

    /// Makes tokens, under as many projects as it takes.
    mutating func make(_ count: Int, cap: Int) async throws {
        while tokens.count < count {
            let body = #"{"name":"load-\#(projects.count)","api_key":"sk-load-upstream-key-0123456789abcdef"}"#
            let project = try await ask("POST", "/manage/projects", body, for: Project.self).id
            projects.append(project)
            for _ in 0..<min(Self.tokensPerProject, count - tokens.count) {
                let body = #"{"project_id":"\#(project)","duration_minutes":1440,"max_requests":\#(cap)}"#
                tokens.append(try await ask("POST", "/manage/tokens", body, for: NewToken.self).token)
            }
        }
    }

    /// What all tokens together have been counted for.
    func counted(cap: Int) async throws -> Counted {
        var counted = Counted()
        for project in projects {
            let path = "/manage/tokens?project_id=\(project)&limit=\(Self.tokensPerProject)"
            for token in try await ask("GET", path, nil, for: [Token].self) {
                counted.requests += token.request_count
                counted.promptTokens += token.prompt_tokens
                counted.completionTokens += token.completion_tokens
                if cap > 0 { counted.overAdmitted += max(0, token.request_count - cap) }
            }
        }
        return counted
    }

    /// Sums over all tokens.
    struct Counted: Hashable, Sendable {
        var requests = 0
        var promptTokens = 0
        var completionTokens = 0
        /// Requests beyond a token's cap.
        var overAdmitted = 0
    }

    private func ask<Value: Decodable>(
        _ method: String, _ path: String, _ body: String?, for type: Value.Type
    ) async throws -> Value {
        let request = try LoadRequest(method: method, path: path, body: body.map { Array($0.utf8) } ?? [])
        let answer = try await PlainExchange.send(request, to: server, token: managementToken)
        guard (200..<300).contains(answer.status) else {
            throw FleetError("\(method) \(path) was answered with \(answer.status): \(answer.text.prefix(300))")
        }
        return try JSONDecoder().decode(type, from: Data(answer.body))
    }
}
