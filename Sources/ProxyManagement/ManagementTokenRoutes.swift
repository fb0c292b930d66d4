import ProxyDomain
import ProxyStorage

/// `/manage/management-tokens`, and who asks.
struct ManagementTokenRoutes: Sendable {
    private let dependencies: ManagementDependencies
    private var storage: any Storage { dependencies.storage }

    init(_ dependencies: ManagementDependencies) { self.dependencies = dependencies }

    var endpoints: [Endpoint] {
        [
            Endpoint("GET", "/manage/management-tokens", .managementToken, list),
            Endpoint("POST", "/manage/management-tokens", .managementToken, dependencies.once(create)),
            Endpoint("DELETE", "/manage/management-tokens/{id}", .managementToken, revoke),
            Endpoint("GET", "/manage/whoami", .server, whoami),
        ]
    }

    private func list(_ call: Call) async throws -> Answer {
        let page = try Page<ManagementTokenID>(QueryFields(of: call, known: Page<ManagementTokenID>.parameters))
        let now = dependencies.now()
        return try await page.answer(at: "/manage/management-tokens", id: \.id, json: { $0.json(at: now) }) {
            try await storage.managementTokens(after: $0, limit: $1)
        }
    }

    private func create(_ call: Call) async throws -> Answer {
        let body = try BodyFields(of: call, known: ["name", "role", "expires_at"])
        guard let name = try body.label("name", length: 1...100) else {
            throw ManagementFailure.input(.missing(name: "name", hint: "Send whose token it is, 1 to 100 characters."))
        }
        guard !Principal.reservedNames.contains(name) else {
            throw ManagementFailure.input(
                .invalid(name: "name", rule: "must be another: the audit uses this one itself"))
        }
        guard let role: ManagementRole = try body.choice("role") else {
            throw ManagementFailure.input(
                .missing(name: "role", hint: "Send what it may do: viewer, operator or admin."))
        }
        let now = dependencies.now()
        let expiresAt = try body.instant("expires_at")
        if let expiresAt, expiresAt <= now {
            throw ManagementFailure.input(.invalid(name: "expires_at", rule: "must be later than now, \(now.text)"))
        }
        let secret = dependencies.newManagementSecret()
        let token = ManagementToken(
            id: dependencies.newIdentifier(at: now), name: name, role: role, hint: secret.hint, createdAt: now,
            expiresAt: expiresAt)
        let answer = Answer.json(token.json(at: now, secret: secret), status: 201)
        let subject = AuditSubject(
            "management_token.create", ["name": name, "role": role.rawValue, "management_token_id": token.id.text])
        try await dependencies.audited(call, subject, at: now) { storage, _ in
            try await dependencies.storage(
                storage, remembering: answer, to: call, for: ProjectID(token.id.identifier), at: now
            ).create(token, digest: .ofCredential(secret.revealed()))
        }
        return answer
    }

    private func revoke(_ call: Call) async throws -> Answer {
        let (id, now) = (try call.identifier(ManagementTokenID.self), dependencies.now())
        let subject = AuditSubject("management_token.revoke", ["management_token_id": id.text])
        try await dependencies.audited(call, subject, at: now) { storage, _ in
            try await storage.revoke(managementToken: id, at: now)
        }
        return .noContent
    }

    private func whoami(_ call: Call) async throws -> Answer {
        _ = try QueryFields(of: call)
        guard let principal = call.principal else { throw ManagementFailure.credential(.missing) }
        return .json(
            .object([("name", .string(principal.name)), ("role", .string(principal.role.rawValue))]))
    }
}

extension ManagementToken {
    /// The credential as it is shown: its secret only where `secret` is given, which is once.
    fileprivate func json(at now: Timestamp, secret: ManagementSecret? = nil) -> JSONValue {
        .object([
            ("id", .string(id.text)), ("token", .string(secret?.revealed() ?? hint)), ("name", .string(name)),
            ("role", .string(role.rawValue)), ("is_active", .bool(isActive(at: now))),
            ("created_at", .string(createdAt.text)), ("expires_at", .text(expiresAt?.text)),
            ("revoked_at", .text(revokedAt?.text)),
        ])
    }
}
