import ProxyDomain
import ProxyStorage

/// `/manage/upstreams`: the further ways of projects to their providers.
struct UpstreamRoutes: Sendable {
    private let dependencies: ManagementDependencies
    private let fields: UpstreamFields
    private var storage: any Storage { dependencies.storage }

    init(_ dependencies: ManagementDependencies) {
        self.dependencies = dependencies
        fields = UpstreamFields(dependencies)
    }

    var endpoints: [Endpoint] {
        [
            Endpoint("GET", "/manage/upstreams", .upstream, list),
            Endpoint("POST", "/manage/upstreams", .upstream, dependencies.once(create)),
            Endpoint("GET", "/manage/upstreams/{id}", .upstream, show),
            Endpoint("PATCH", "/manage/upstreams/{id}", .upstream, change),
            Endpoint("DELETE", "/manage/upstreams/{id}", .upstream, remove),
        ]
    }

    private static let priorities: ClosedRange<Int64> = 0...1000
    private static let weights: ClosedRange<Int64> = 1...1000
    private static let parts = ["provider", "api_key", "base_url", "priority", "weight"]

    private func list(_ call: Call) async throws -> Answer {
        let query = try QueryFields(of: call, known: Page<UpstreamID>.parameters + ["project_id"])
        let page = try Page<UpstreamID>(query)
        let project: ProjectID? = try query.identifier("project_id")
        let filters = project.map { [(name: "project_id", value: $0.text)] } ?? []
        return try await page.answer(at: "/manage/upstreams", filters: filters, id: \.id, json: \.json) {
            try await storage.upstreams(of: project, after: $0, limit: $1)
        }
    }

    private func show(_ call: Call) async throws -> Answer {
        _ = try QueryFields(of: call)
        let upstream = try await storage.upstream(call.identifier())
        return .json(upstream.json, fields: [EntityTag(upstream).field])
    }

    private func create(_ call: Call) async throws -> Answer {
        let body = try BodyFields(of: call, known: ["project_id"] + Self.parts)
        guard let projectID: ProjectID = try body.identifier("project_id") else {
            throw ManagementFailure.input(
                .missing(name: "project_id", hint: "Send the id of the project whose requests may go this way."))
        }
        let project = try await project(projectID)
        let sealed = try dependencies.seal(fields.neededKey(in: body), projectID)
        let now = dependencies.now()
        let upstream = Upstream(
            id: dependencies.newIdentifier(at: now), projectID: projectID,
            provider: try fields.provider(in: body) ?? project.provider, sealedKey: sealed.ciphertext,
            keyHint: sealed.hint, baseURL: try fields.newBaseURL(in: body),
            priority: try body.integer("priority", in: Self.priorities) ?? Upstream.usualPriority,
            weight: try body.integer("weight", in: Self.weights) ?? Upstream.ownWeight, createdAt: now, updatedAt: now)
        let answer = Answer.json(
            upstream.json, status: 201,
            fields: [("Location", "/manage/upstreams/\(upstream.id.text)"), EntityTag(upstream).field])
        try await dependencies.audited(
            call, AuditSubject("upstream.create", project: projectID, ["upstream_id": upstream.id.text]), at: now
        ) { storage, _ in
            try await dependencies.storage(storage, remembering: answer, to: call, for: projectID, at: now)
                .create(upstream)
        }
        dependencies.grantsChanged()
        return answer
    }

    /// - Throws: as creating something for it would.
    private func project(_ id: ProjectID) async throws(StorageError) -> Project {
        do {
            return try await storage.project(id)
        } catch {
            throw error.kind == .notFound ? StorageError(.missingReference) : error
        }
    }

    private func change(_ call: Call) async throws -> Answer {
        let id: UpstreamID = try call.identifier()
        let body = try BodyFields(of: call, known: Self.parts + ["is_active"])
        try body.requireAny()
        let known = try await storage.upstream(id)
        let project = known.projectID
        let change = UpstreamChange(
            provider: try fields.provider(in: body),
            key: try fields.key(in: body).map { try dependencies.seal($0, project) },
            baseURL: try fields.baseURL(in: body), priority: try body.integer("priority", in: Self.priorities),
            weight: try body.integer("weight", in: Self.weights), isActive: try body.boolean("is_active"),
            expected: try call.expects(EntityTag(known)) ? known : nil)
        let now = dependencies.now()
        let subject = AuditSubject(
            "upstream.update", project: project, ["upstream_id": id.text, "fields": body.givenNames])
        let upstream = try await dependencies.audited(call, subject, at: now) { storage, _ in
            try await storage.update(id, change, at: now)
        }
        dependencies.grantsChanged()
        if change.endsCachedAnswers { _ = try await dependencies.purgeCache(CachePurge(project: project), nil) }
        return .json(upstream.json, fields: [EntityTag(upstream).field])
    }

    private func remove(_ call: Call) async throws -> Answer {
        let id: UpstreamID = try call.identifier()
        let project = try await storage.upstream(id).projectID
        let subject = AuditSubject("upstream.remove", ["upstream_id": id.text])
        try await dependencies.audited(call, subject, at: dependencies.now()) { storage, _ in
            try await storage.remove(id)
        }
        dependencies.grantsChanged()
        _ = try await dependencies.purgeCache(CachePurge(project: project), nil)
        return .noContent
    }
}

extension UpstreamChange {
    /// Whether what came this way is not to be given again: another account or place would answer, or none.
    fileprivate var endsCachedAnswers: Bool { key != nil || provider != nil || baseURL != nil || isActive == false }
}
