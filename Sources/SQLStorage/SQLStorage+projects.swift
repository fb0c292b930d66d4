public import ProxyDomain
public import ProxyStorage
import SQLDatabase

extension SQLStorage {
    public func create(_ project: Project) async throws(StorageError) {
        _ = try await writing(.createProject) { connection in
            try connection.refuse(project.id, where: ProjectStatements.exists)
            try connection.add(project)
        }
    }

    public func project(_ id: ProjectID) async throws(StorageError) -> Project {
        let found = try await reading(.readProject) { connection in
            try connection.first(ProjectStatements.find.plain, [.id(id)]) { (row) throws(SQLError) in try row.project()
            }
        }
        guard let found else { throw StorageError(.notFound) }
        return found
    }

    public func projects(after cursor: ProjectID?, limit: Int) async throws(StorageError) -> [Project] {
        try await reading(.listProjects) { connection in
            try connection.all(
                ProjectStatements.list, [.text(cursor?.text ?? ""), .integer(Int64(limit.clampedToPage))]
            ) { (row) throws(SQLError) in try row.project() }
        }
    }

    public func update(
        _ id: ProjectID, _ change: ProjectChange, at now: Timestamp
    ) async throws(StorageError) -> Project {
        try await writing(.updateProject, changesGrants: true) { connection in
            // Tokens before their project, as the ledger locks them.
            if change.cacheHits == .count { try connection.excuseTokens(of: id) }
            if change.revokesTokens { _ = try connection.revokeTokens(of: id, at: now) }
            if let expected = change.expected {
                try connection.expect(expected.administered, id, ProjectStatements.find) { (row) throws(SQLError) in
                    try row.project().administered
                }
            }
            let changed = try connection.first(
                ProjectStatements.change,
                [
                    .id(id), .optional(change.name), .optional(change.key?.ciphertext), .optional(change.key?.hint),
                    .integer(change.isActive.asWish), .instant(now), .integer(change.limits == nil ? 0 : 1),
                ] + (change.limits ?? ProjectLimits()).values(at: now) + [
                    .optional(change.streamUsage?.rawValue), .optional(change.clientLeaves?.rawValue),
                    .lines(change.allowedModels), .lines(change.allowedPaths), .optional(change.provider),
                    .optional(change.baseURL), .optional(change.cacheScope?.rawValue),
                    .optional(change.cacheHits?.rawValue),
                ]
            ) { (row) throws(SQLError) in try row.project() }
            guard let changed else { throw StorageError(.notFound) }
            return changed
        }
    }
}

extension SQLConnection {
    /// Throws when there is such a row. Engines disagree on which of two constraints they name when both are broken;
    /// asked first, the identifier is named on all of them.
    func refuse(_ id: some TypedIdentifier, where exists: SQLStatement) throws {
        let isThere = try first(exists, [.id(id)]) { (_) throws(SQLError) in true }
        if isThere == true { throw StorageError(.alreadyExists(field: "id")) }
    }
}

extension SQLConnection {
    func add(_ project: Project) throws(SQLError) {
        try run(
            ProjectStatements.add,
            [
                .id(project.id), .text(project.name), .text(project.sealedKey), .text(project.keyHint),
                .text(project.provider), .optional(project.baseURL), .optional(project.deactivatedAt),
                .instant(project.createdAt), .instant(project.updatedAt),
            ] + project.limits.values(at: project.createdAt) + [
                .text(project.streams.usage.rawValue), .text(project.streams.clientLeaves.rawValue),
                .lines(project.access.models), .lines(project.access.paths),
                .text(project.cache.scope.rawValue), .text(project.cache.hits.rawValue),
            ])
    }

    /// Throws when something is not as expected. Its row is locked from here on.
    /// - Parameter find: with the rows' identifier as its only parameter.
    func expect<Value: Equatable>(
        _ expected: Value, _ id: some TypedIdentifier, _ find: LockableStatement,
        _ decode: (any SQLRow) throws(SQLError) -> Value
    ) throws {
        let found = try first(dialect.locksRows ? find.locking : find.plain, [.id(id)], decode)
        guard let found else { throw StorageError(.notFound) }
        guard found == expected else { throw StorageError(.changedMeanwhile) }
    }
}

/// A statement that finds rows, and the same that locks them where rows are locked.
struct LockableStatement: Sendable {
    let plain: SQLStatement
    let locking: SQLStatement

    init(_ text: String) {
        plain = SQLStatement(text)
        locking = SQLStatement(text + " FOR UPDATE")
    }
}

extension SQLConnection {
    /// Revokes a project's tokens; where rows are locked one by one, in key order, as the ledger locks them.
    func revokeTokens(of project: ProjectID, at now: Timestamp) throws(SQLError) -> Int {
        if dialect.locksRows { try run(TokenStatements.lockAll, [.id(project)]) }
        return try run(TokenStatements.revokeAll, [.id(project), .instant(now)])
    }
}

extension SQLConnection {
    /// What a project's tokens had from the cache counts again: no overshoot, since it was free when they had it.
    fileprivate func excuseTokens(of project: ProjectID) throws(SQLError) {
        if dialect.locksRows { try run(TokenStatements.lockAll, [.id(project)]) }
        try run(ProjectStatements.excuseTokens, [.id(project)])
    }
}

extension Bool? {
    /// 1 for yes, 0 for no, -1 for leaving it as it is.
    var asWish: Int64 { map { $0 ? 1 : 0 } ?? -1 }
}

extension ProjectLimits {
    /// The budget's values, and what is in shadow.
    fileprivate func values(at now: Timestamp) -> [SQLValue] {
        budget.values(at: now) + [isShadow ? .text(LimitKind.budget.rawValue) : .null]
    }
}

extension Int {
    /// Held within 1…1000.
    var clampedToPage: Int { Swift.min(Swift.max(self, 1), 1000) }
}

private enum ProjectStatements {
    static let add = SQLStatement(
        """
        INSERT INTO projects (id, name, sealed_key, key_hint, provider, base_url, deactivated_at, created_at, updated_at,
            budget_nano, budget_period, budget_mode, budget_began_at, shadowed_limits, stream_usage,
            client_leaves, allowed_models, allowed_paths, cache_scope, cache_hits)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
        """)
    static let find = LockableStatement("SELECT \(Columns.project) FROM projects WHERE id = $1")
    static let exists = SQLStatement("SELECT 1 FROM projects WHERE id = $1")
    static let list = SQLStatement("SELECT \(Columns.project) FROM projects WHERE id > $1 ORDER BY id LIMIT $2")
    static let excuseTokens = SQLStatement(
        """
        UPDATE tokens SET request_count_at_cap = request_count
        WHERE project_id = $1 AND max_requests > 0 AND request_count > max_requests
        """)
    static let change = SQLStatement(
        """
        UPDATE projects SET name = COALESCE($2, name), sealed_key = COALESCE($3, sealed_key),
            key_hint = COALESCE($4, key_hint),
            deactivated_at = CASE CAST($5 AS BIGINT) WHEN 1 THEN NULL WHEN 0 THEN COALESCE(deactivated_at, $6)
                ELSE deactivated_at END,
            updated_at = $6, stream_usage = COALESCE($13, stream_usage), client_leaves = COALESCE($14, client_leaves),
            allowed_models = COALESCE($15, allowed_models), allowed_paths = COALESCE($16, allowed_paths),
            provider = COALESCE($17, provider), base_url = NULLIF(COALESCE($18, base_url), ''),
            cache_scope = COALESCE($19, cache_scope), cache_hits = COALESCE($20, cache_hits),
            \(LimitStatements.changeOfBudget(isAsked: "$7", from: 8))
        WHERE id = $1 RETURNING \(Columns.project)
        """)
}
