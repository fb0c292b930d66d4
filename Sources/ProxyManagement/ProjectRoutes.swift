import ProxyDomain
import ProxyStorage

/// `/manage/projects`.
struct ProjectRoutes: Sendable {
    private let dependencies: ManagementDependencies
    private let fields: UpstreamFields
    private var storage: any Storage { dependencies.storage }

    init(_ dependencies: ManagementDependencies) {
        self.dependencies = dependencies
        fields = UpstreamFields(dependencies)
    }

    var endpoints: [Endpoint] {
        [
            Endpoint("GET", "/manage/projects", .project, list),
            Endpoint("POST", "/manage/projects", .project, dependencies.once(create)),
            Endpoint("GET", "/manage/projects/{id}", .project, show),
            Endpoint("PATCH", "/manage/projects/{id}", .project, change),
            Endpoint("POST", "/manage/projects/{id}/tokens/revoke", .project, revokeTokens),
        ]
    }

    private static let policies =
        ["provider", "base_url", "limits", "stream_usage", "client_leaves", "cache_scope", "cache_hits"]
        + AccessFields.names

    private func list(_ call: Call) async throws -> Answer {
        let filters = ["search", "active", "sort", "order"]
        let query = try QueryFields(of: call, known: Page<ProjectID>.parameters + filters)
        let page = try Page<ProjectID>(query, isSorted: true)
        var listing = ProjectListing()
        listing.search = try query.search("search")
        listing.isActive = try query.boolean("active")
        listing.order = try query.choice("sort") ?? .createdAt
        listing.isDescending = try query.isDescending
        let now = dependencies.now()
        return try await page.answer(
            at: "/manage/projects", filters: query.given(filters), after: listing.cursor, json: { $0.json(at: now) }
        ) { [listing] in try await storage.projects(listing, after: $0, limit: $1) }
    }

    private func show(_ call: Call) async throws -> Answer {
        _ = try QueryFields(of: call)
        let project = try await storage.project(call.identifier())
        return .json(project.json(at: dependencies.now()), fields: [EntityTag(project).field])
    }

    private func create(_ call: Call) async throws -> Answer {
        let body = try BodyFields(
            of: call, known: ["name", "api_key"] + Self.policies)
        guard let name = try Self.name(in: body) else {
            throw ManagementFailure.input(.missing(name: "name", hint: "Send the project's name, 1 to 200 characters."))
        }
        let key = try fields.neededKey(in: body)
        let provider = try fields.provider(in: body) ?? dependencies.providers().usual
        let now = dependencies.now()
        let id = dependencies.newIdentifier(ProjectID.self, at: now)
        let usual = StreamPolicy()
        let sealed = try dependencies.seal(key, id)
        let project = Project(
            id: id, name: name, sealedKey: sealed.ciphertext, keyHint: sealed.hint, provider: provider,
            baseURL: try fields.newBaseURL(in: body),
            limits: try LimitFields.ofProject(in: body) ?? ProjectLimits(),
            streams: StreamPolicy(
                usage: try body.choice("stream_usage") ?? usual.usage,
                clientLeaves: try body.choice("client_leaves") ?? usual.clientLeaves),
            access: try AccessFields.scope(in: body),
            cache: CachePolicy(
                scope: try body.choice("cache_scope") ?? .project, hits: try body.choice("cache_hits") ?? .count),
            createdAt: now, updatedAt: now)
        let answer = Answer.json(
            project.json(at: now), status: 201,
            fields: [("Location", "/manage/projects/\(id.text)"), EntityTag(project).field])
        try await dependencies.audited(call, AuditSubject("project.create", project: id, ["name": name]), at: now) {
            storage, _ in
            try await dependencies.storage(storage, remembering: answer, to: call, for: id, at: now).create(project)
        }
        return answer
    }

    private func change(_ call: Call) async throws -> Answer {
        let id: ProjectID = try call.identifier()
        let body = try BodyFields(
            of: call, known: ["name", "api_key", "is_active", "revoke_tokens"] + Self.policies)
        try body.requireAny()
        let key = try fields.key(in: body)
        var change = ProjectChange(
            name: try Self.name(in: body), key: try key.map { try dependencies.seal($0, id) },
            isActive: try body.boolean("is_active"), revokesTokens: try body.boolean("revoke_tokens") ?? false,
            limits: try LimitFields.ofProject(in: body), streamUsage: try body.choice("stream_usage"),
            clientLeaves: try body.choice("client_leaves"), provider: try fields.provider(in: body),
            baseURL: try fields.baseURL(in: body), allowedModels: try AccessFields.models(in: body),
            allowedPaths: try AccessFields.paths(in: body), cacheScope: try body.choice("cache_scope"),
            cacheHits: try body.choice("cache_hits"))
        if call.isConditional {
            let known = try await storage.project(id)
            if try call.expects(EntityTag(known)) { change.expected = known }
        }
        let now = dependencies.now()
        let project = try await dependencies.audited(
            call, AuditSubject("project.update", project: id, ["fields": body.givenNames]), at: now
        ) { [change] storage, _ in try await storage.update(id, change, at: now) }
        dependencies.grantsChanged()
        if change.endsCachedAnswers { _ = try await dependencies.purgeCache(CachePurge(project: id), nil) }
        return .json(project.json(at: now), fields: [EntityTag(project).field])
    }

    private func revokeTokens(_ call: Call) async throws -> Answer {
        let (id, now) = (try call.identifier(ProjectID.self), dependencies.now())
        let summary = try await dependencies.audited(call, AuditSubject("project.revoke_tokens", project: id), at: now)
        {
            storage, _ in try await storage.revokeTokens(of: id, at: now)
        }
        dependencies.grantsChanged()
        return .json(summary.json)
    }

    private static func name(in body: BodyFields) throws(ManagementFailure) -> String? {
        try body.label("name", length: 1...200)
    }
}

extension ProjectChange {
    /// Whether what the project's requests were answered is not to be given again: by another account or place, or to others any longer.
    fileprivate var endsCachedAnswers: Bool {
        key != nil || provider != nil || baseURL != nil || cacheScope == .project || isActive == false
    }
}
