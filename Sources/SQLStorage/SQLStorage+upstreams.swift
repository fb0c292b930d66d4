public import ProxyDomain
public import ProxyStorage
import SQLDatabase

extension SQLStorage {
    public func create(_ upstream: Upstream) async throws(StorageError) {
        _ = try await writing(.createUpstream, changesGrants: true) { connection in
            try connection.refuse(upstream.id, where: UpstreamStatements.exists)
            try connection.run(
                UpstreamStatements.add,
                [
                    .id(upstream.id), .id(upstream.projectID), .text(upstream.provider), .text(upstream.sealedKey),
                    .text(upstream.keyHint), .optional(upstream.baseURL), .integer(upstream.priority),
                    .integer(upstream.weight), .optional(upstream.deactivatedAt), .instant(upstream.createdAt),
                    .instant(upstream.updatedAt),
                ])
        }
    }

    public func upstream(_ id: UpstreamID) async throws(StorageError) -> Upstream {
        let found = try await reading(.readUpstream) { connection in
            try connection.first(UpstreamStatements.find.plain, [.id(id)]) { (row) throws(SQLError) in
                try row.upstream()
            }
        }
        guard let found else { throw StorageError(.notFound) }
        return found
    }

    public func upstreams(
        of project: ProjectID?, after cursor: UpstreamID?, limit: Int
    ) async throws(StorageError) -> [Upstream] {
        try await reading(.listUpstreams) { connection in
            try connection.all(
                UpstreamStatements.list,
                [.text(cursor?.text ?? ""), .integer(Int64(limit.clampedToPage)), .optional(project?.text)]
            ) { (row) throws(SQLError) in try row.upstream() }
        }
    }

    public func update(
        _ id: UpstreamID, _ change: UpstreamChange, at now: Timestamp
    ) async throws(StorageError) -> Upstream {
        try await writing(.updateUpstream, changesGrants: true) { connection in
            if let expected = change.expected {
                try connection.expect(expected, id, UpstreamStatements.find) { (row) throws(SQLError) in
                    try row.upstream()
                }
            }
            let changed = try connection.first(
                UpstreamStatements.change,
                [
                    .id(id), .optional(change.provider), .optional(change.key?.ciphertext), .optional(change.key?.hint),
                    .optional(change.baseURL), .optional(change.priority), .optional(change.weight),
                    .integer(change.isActive.asWish), .instant(now),
                ]
            ) { (row) throws(SQLError) in try row.upstream() }
            guard let changed else { throw StorageError(.notFound) }
            return changed
        }
    }

    public func remove(_ id: UpstreamID) async throws(StorageError) {
        _ = try await writing(.removeUpstream, changesGrants: true) { connection in
            guard try connection.run(UpstreamStatements.remove, [.id(id)]) > 0 else { throw StorageError(.notFound) }
        }
    }
}

extension SQLConnection {
    /// The ways of a project that are active, in the order in which they are taken.
    func activeUpstreams(of project: ProjectID) throws(SQLError) -> [Upstream] {
        try all(UpstreamStatements.active, [.id(project)]) { (row) throws(SQLError) in try row.upstream() }
    }
}

private enum UpstreamStatements {
    static let columns = """
        id, project_id, provider, sealed_key, key_hint, base_url, priority, weight, deactivated_at, created_at, updated_at
        """
    static let add = SQLStatement(
        """
        INSERT INTO upstreams (\(columns)) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        """)
    static let find = LockableStatement("SELECT \(columns) FROM upstreams WHERE id = $1")
    static let exists = SQLStatement("SELECT 1 FROM upstreams WHERE id = $1")
    static let list = SQLStatement(
        """
        SELECT \(columns) FROM upstreams
        WHERE id > $1 AND (CAST($3 AS TEXT) IS NULL OR project_id = $3) ORDER BY id LIMIT $2
        """)
    static let active = SQLStatement(
        """
        SELECT \(columns) FROM upstreams WHERE project_id = $1 AND deactivated_at IS NULL ORDER BY priority, id
        """)
    static let change = SQLStatement(
        """
        UPDATE upstreams SET provider = COALESCE($2, provider), sealed_key = COALESCE($3, sealed_key),
            key_hint = COALESCE($4, key_hint), base_url = NULLIF(COALESCE($5, base_url), ''),
            priority = COALESCE($6, priority), weight = COALESCE($7, weight),
            deactivated_at = CASE CAST($8 AS BIGINT) WHEN 1 THEN NULL WHEN 0 THEN COALESCE(deactivated_at, $9)
                ELSE deactivated_at END,
            updated_at = $9
        WHERE id = $1 RETURNING \(columns)
        """)
    static let remove = SQLStatement("DELETE FROM upstreams WHERE id = $1")
}
