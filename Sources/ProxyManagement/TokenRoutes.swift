import ProxyDomain
import ProxyStorage

/// `/manage/tokens`.
struct TokenRoutes: Sendable {
    private let dependencies: ManagementDependencies
    private var storage: any Storage { dependencies.storage }

    init(_ dependencies: ManagementDependencies) { self.dependencies = dependencies }

    var endpoints: [Endpoint] {
        [
            Endpoint("GET", "/manage/tokens", .token, list),
            Endpoint("POST", "/manage/tokens", .token, dependencies.once(create)),
            Endpoint("GET", "/manage/tokens/{id}", .token, show),
            Endpoint("PATCH", "/manage/tokens/{id}", .token, change),
            Endpoint("DELETE", "/manage/tokens/{id}", .token, revoke),
        ]
    }

    /// Up to here every program reads a JSON number exactly (RFC 8259 section 6).
    private static let caps: ClosedRange<Int64> = 0...9_007_199_254_740_991
    /// A year in minutes.
    private static let longestMinutes: Int64 = 525_600

    private func list(_ call: Call) async throws -> Answer {
        let names = Page<TokenID>.parameters + ["project_id", "projectId", "active", "search", "sort", "order"]
        let query = try QueryFields(of: call, known: names)
        let page = try Page<TokenID>(query, isSorted: true)
        if query["project_id"] != nil, query["projectId"] != nil {
            throw ManagementFailure.input(.invalid(name: "projectId", rule: "must not be sent beside 'project_id'"))
        }
        let project: ProjectID? = try query.identifier("project_id") ?? query.identifier("projectId")
        let now = dependencies.now()
        let filter = TokenFilter(projectID: project, isActive: try query.boolean("active"), now: now)
        var filters: [(name: String, value: String)] = []
        if let project { filters.append(("project_id", project.text)) }
        if let isActive = filter.isActive { filters.append(("active", "\(isActive)")) }
        filters += query.given(["search", "sort", "order"])
        var listing = TokenListing(filter)
        listing.search = try query.search("search")
        listing.order = try query.choice("sort") ?? .createdAt
        listing.isDescending = try query.isDescending
        return try await page.answer(
            at: "/manage/tokens", filters: filters, after: listing.cursor, json: { $0.json(at: now) }
        ) {
            [listing] in try await storage.tokens(listing, after: $0, limit: $1)
        }
    }

    private func show(_ call: Call) async throws -> Answer {
        _ = try QueryFields(of: call)
        let token = try await storage.token(call.identifier())
        return .json(token.json(at: dependencies.now()), fields: [EntityTag(token).field])
    }

    private func create(_ call: Call) async throws -> Answer {
        let names = ["project_id", "duration_minutes", "expires_at", "never_expires", "max_requests", "name", "limits"]
        let body = try BodyFields(of: call, known: names + AccessFields.names)
        guard let projectID: ProjectID = try body.identifier("project_id") else {
            throw ManagementFailure.input(
                .missing(name: "project_id", hint: "Send the id of the project that the token is for."))
        }
        let now = dependencies.now()
        guard let expiry = try Self.expiry(in: body, takesMinutes: true, at: now) else {
            throw ManagementFailure.input(
                .missing(
                    name: "duration_minutes",
                    hint: "Say when the token ends: exactly one of duration_minutes (1 to \(Self.longestMinutes)), "
                        + "expires_at, or never_expires: true."))
        }
        let secret = dependencies.newSecret()
        let token = Token(
            id: dependencies.newIdentifier(at: now), projectID: projectID,
            name: try body.label("name", length: 0...200) ?? "", hint: secret.hint, expiresAt: expiry.instant,
            maxRequests: try body.integer("max_requests", in: Self.caps) ?? 0,
            limits: try LimitFields.ofToken(in: body) ?? TokenLimits(), access: try AccessFields.scope(in: body),
            createdAt: now)
        let answer = Answer.json(
            token.json(at: now, secret: secret), status: 201,
            fields: [("Location", "/manage/tokens/\(token.id.text)"), EntityTag(token).field])
        try await dependencies.audited(
            call, AuditSubject("token.create", project: projectID, token: token.id, ["name": token.name]), at: now
        ) { storage, _ in
            try await dependencies.storage(storage, remembering: answer, to: call, for: projectID, at: now)
                .create(token, digest: dependencies.digest(secret))
        }
        return answer
    }

    private func change(_ call: Call) async throws -> Answer {
        let id: TokenID = try call.identifier()
        let body = try BodyFields(
            of: call,
            known: ["name", "is_active", "max_requests", "expires_at", "never_expires", "limits"] + AccessFields.names)
        if body.isNull("expires_at") {
            throw ManagementFailure.input(
                .invalid(name: "expires_at", rule: "must be an instant; for none, send never_expires: true instead"))
        }
        try body.requireAny()
        let now = dependencies.now()
        var change = TokenChange(
            name: try body.label("name", length: 0...200), isActive: try body.boolean("is_active"),
            maxRequests: try body.integer("max_requests", in: Self.caps),
            expiry: try Self.expiry(in: body, takesMinutes: false, at: now), limits: try LimitFields.ofToken(in: body),
            allowedModels: try AccessFields.models(in: body), allowedPaths: try AccessFields.paths(in: body))
        if call.isConditional {
            let known = try await storage.token(id)
            if try call.expects(EntityTag(known)) { change.expected = known }
        }
        let token = try await dependencies.audited(
            call, AuditSubject("token.update", token: id, ["fields": body.givenNames]), at: now
        ) { [change] storage, _ in try await storage.update(id, change, at: now) }
        dependencies.grantsChanged()
        return .json(token.json(at: now), fields: [EntityTag(token).field])
    }

    private func revoke(_ call: Call) async throws -> Answer {
        let (id, now) = (try call.identifier(TokenID.self), dependencies.now())
        _ = try await dependencies.audited(call, AuditSubject("token.revoke", token: id), at: now) { storage, _ in
            try await storage.revoke(id, at: now)
        }
        dependencies.grantsChanged()
        return .noContent
    }

    /// When the token is to end, said in at most one way; `nil` when not said.
    private static func expiry(
        in body: BodyFields, takesMinutes: Bool, at now: Timestamp
    ) throws(ManagementFailure) -> TokenChange.Expiry? {
        let minutes = takesMinutes ? try body.integer("duration_minutes", in: 1...longestMinutes) : nil
        let instant = try body.instant("expires_at")
        // `false` says nothing of when a token ends, so it counts as left out.
        let isEndless = try body.boolean("never_expires") ?? false
        let ways = [(minutes != nil, "duration_minutes"), (instant != nil, "expires_at"), (isEndless, "never_expires")]
            .filter(\.0).map(\.1)
        if ways.count > 1 {
            throw .input(.invalid(name: ways[1], rule: "must not be sent beside '\(ways[0])': one of them is enough"))
        }
        if let instant, instant <= now {
            throw .input(
                .invalid(name: "expires_at", rule: "must be later than now, \(now.text); to end a token, revoke it"))
        }
        if isEndless { return .never }
        return (instant ?? minutes.map { now + .seconds($0 * 60) }).map { .at($0) }
    }
}

extension TokenChange.Expiry {
    /// The instant, `nil` for never.
    fileprivate var instant: Timestamp? {
        switch self {
        case .at(let instant): instant
        case .never: nil
        }
    }
}
