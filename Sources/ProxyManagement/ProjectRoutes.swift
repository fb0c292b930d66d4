import ProxyDomain
import ProxyStorage

/// `/manage/projects`.
struct ProjectRoutes: Sendable {
    private let dependencies: ManagementDependencies
    private var storage: any Storage { dependencies.storage }

    init(_ dependencies: ManagementDependencies) { self.dependencies = dependencies }

    var endpoints: [Endpoint] {
        [
            Endpoint("GET", "/manage/projects", .project, list),
            Endpoint("POST", "/manage/projects", .project, create),
            Endpoint("GET", "/manage/projects/{id}", .project, show),
            Endpoint("PATCH", "/manage/projects/{id}", .project, change),
            Endpoint("POST", "/manage/projects/{id}/tokens/revoke", .project, revokeTokens),
        ]
    }

    private static let policies =
        ["provider", "base_url", "limits", "stream_usage", "client_leaves"] + AccessFields.names

    private func list(_ call: Call) async throws -> Answer {
        let page = try Page<ProjectID>(QueryFields(of: call, known: Page<ProjectID>.parameters))
        let now = dependencies.now()
        return try await page.answer(at: "/manage/projects", id: \.id, json: { $0.json(at: now) }) {
            try await storage.projects(after: $0, limit: $1)
        }
    }

    private func show(_ call: Call) async throws -> Answer {
        _ = try QueryFields(of: call)
        return .json(try await storage.project(call.identifier()).json(at: dependencies.now()))
    }

    private func create(_ call: Call) async throws -> Answer {
        let body = try BodyFields(
            of: call, known: ["name", "api_key"] + Self.policies)
        guard let name = try Self.name(in: body) else {
            throw ManagementFailure.input(.missing(name: "name", hint: "Send the project's name, 1 to 200 characters."))
        }
        guard let key = try Self.key(in: body) else {
            throw ManagementFailure.input(
                .missing(name: "api_key", hint: "Send the key that the provider issued; it is stored sealed."))
        }
        let provider = try provider(in: body) ?? dependencies.providers().usual
        let baseURL = try baseURL(in: body)
        let now = dependencies.now()
        let id = dependencies.newIdentifier(ProjectID.self, at: now)
        let usual = StreamPolicy()
        let sealed = try dependencies.seal(key, id)
        let project = Project(
            id: id, name: name, sealedKey: sealed.ciphertext, keyHint: sealed.hint, provider: provider,
            baseURL: baseURL.flatMap { $0.isEmpty ? nil : $0 },
            limits: try LimitFields.ofProject(in: body) ?? ProjectLimits(),
            streams: StreamPolicy(
                usage: try body.choice("stream_usage") ?? usual.usage,
                clientLeaves: try body.choice("client_leaves") ?? usual.clientLeaves),
            access: try AccessFields.scope(in: body), createdAt: now, updatedAt: now)
        try await storage.create(project)
        return .json(project.json(at: now), status: 201, fields: [("Location", "/manage/projects/\(id.text)")])
    }

    private func change(_ call: Call) async throws -> Answer {
        let id: ProjectID = try call.identifier()
        let body = try BodyFields(
            of: call, known: ["name", "api_key", "is_active", "revoke_tokens"] + Self.policies)
        try body.requireAny()
        let key = try Self.key(in: body)
        let change = ProjectChange(
            name: try Self.name(in: body), key: try key.map { try dependencies.seal($0, id) },
            isActive: try body.boolean("is_active"), revokesTokens: try body.boolean("revoke_tokens") ?? false,
            limits: try LimitFields.ofProject(in: body), streamUsage: try body.choice("stream_usage"),
            clientLeaves: try body.choice("client_leaves"), provider: try provider(in: body),
            baseURL: try baseURL(in: body), allowedModels: try AccessFields.models(in: body),
            allowedPaths: try AccessFields.paths(in: body))
        let now = dependencies.now()
        let project = try await storage.update(id, change, at: now)
        dependencies.grantsChanged()
        return .json(project.json(at: now))
    }

    private func revokeTokens(_ call: Call) async throws -> Answer {
        let summary = try await storage.revokeTokens(of: call.identifier(), at: dependencies.now())
        dependencies.grantsChanged()
        return .json(summary.json)
    }

    private func provider(in body: BodyFields) throws(ManagementFailure) -> String? {
        let providers = dependencies.providers().all
        guard let name = try body.string("provider"), !providers.contains(name) else {
            return try body.string("provider")
        }
        throw .input(.invalid(name: "provider", rule: "must be one of: \(providers.sorted().joined(separator: ", "))"))
    }

    /// Empty for the provider's own.
    private func baseURL(in body: BodyFields) throws(ManagementFailure) -> String? {
        guard let text = try body.string("base_url"), !text.isEmpty, !dependencies.isBaseURL(text) else {
            return try body.string("base_url")
        }
        throw .input(
            .invalid(
                name: "base_url",
                rule:
                    "must be an http or https address without user name, query or fragment, or empty for the provider's own"
            ))
    }

    private static func name(in body: BodyFields) throws(ManagementFailure) -> String? {
        try body.label("name", length: 1...200)
    }

    /// A provider's key goes into a header: visible ASCII only, which also catches a pasted line break.
    private static func key(in body: BodyFields) throws(ManagementFailure) -> String? {
        guard let key = try body.string("api_key") else { return nil }
        guard (1...4096).contains(key.utf8.count), key.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw .input(
                .invalid(
                    name: "api_key", rule: "must be 1 to 4096 visible ASCII characters, without blanks or line breaks"))
        }
        return key
    }
}
