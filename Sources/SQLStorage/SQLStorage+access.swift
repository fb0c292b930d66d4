public import ProxyDomain
public import ProxyStorage
import SQLDatabase

extension SQLStorage {
    public func create(_ token: ManagementToken, digest: TokenDigest) async throws(StorageError) {
        _ = try await writing(.writeAccess) { connection in
            try connection.run(
                AccessStatements.add,
                [
                    .id(token.id), .text(token.name), .text(token.role.rawValue), .text(digest.text), .text(token.hint),
                    .instant(token.createdAt), .optional(token.expiresAt),
                ])
        }
    }

    public func managementToken(_ digest: TokenDigest) async throws(StorageError) -> ManagementToken? {
        try await reading(.readAccess) { connection in
            try connection.first(AccessStatements.find, [.text(digest.text)]) { (row) throws(SQLError) in
                try row.managementToken()
            }
        }
    }

    public func managementTokens(
        after cursor: ManagementTokenID?, limit: Int
    ) async throws(StorageError) -> [ManagementToken] {
        try await reading(.readAccess) { connection in
            try connection.all(
                AccessStatements.list, [.text(cursor?.text ?? ""), .integer(Int64(limit.clampedToPage))]
            ) { (row) throws(SQLError) in try row.managementToken() }
        }
    }

    public func revoke(managementToken id: ManagementTokenID, at now: Timestamp) async throws(StorageError) {
        _ = try await writing(.writeAccess) { connection in
            let digest = try connection.first(AccessStatements.revoke, [.id(id), .instant(now)]) {
                (row) throws(SQLError) in row.text(at: 0)
            }
            guard let digest else { throw StorageError(.notFound) }
            try connection.run(AccessStatements.endAll, [.text(digest)])
        }
    }
}

extension SQLStorage {
    public func begin(_ session: AdminSession) async throws(StorageError) {
        _ = try await writing(.writeAccess) { connection in
            try connection.run(
                AccessStatements.begin,
                [
                    .text(session.digest.text), .text(session.credential.text), .instant(session.createdAt),
                    .instant(session.seenAt),
                ])
        }
    }

    public func adminSession(_ digest: TokenDigest) async throws(StorageError) -> AdminSession? {
        try await reading(.readAccess) { connection in
            try connection.first(AccessStatements.session, [.text(digest.text)]) { (row) throws(SQLError) in
                AdminSession(
                    digest: TokenDigest(text: row.text(at: 0)), credential: TokenDigest(text: row.text(at: 1)),
                    createdAt: try row.instant(at: 2), seenAt: try row.instant(at: 3))
            }
        }
    }

    public func touch(_ digest: TokenDigest, at now: Timestamp) async throws(StorageError) {
        try await change(AccessStatements.touch, [.text(digest.text), .instant(now)])
    }

    public func endSession(_ digest: TokenDigest) async throws(StorageError) {
        try await change(AccessStatements.end, [.text(digest.text)])
    }

    public func endSessions(of credential: TokenDigest) async throws(StorageError) {
        try await change(AccessStatements.endAll, [.text(credential.text)])
    }

    public func forgetSessions(seenBefore: Timestamp, begunBefore: Timestamp) async throws(StorageError) {
        try await change(AccessStatements.forget, [.instant(seenBefore), .instant(begunBefore)])
    }

    private func change(_ statement: SQLStatement, _ values: [SQLValue]) async throws(StorageError) {
        _ = try await writing(.writeAccess) { try $0.run(statement, values) }
    }
}

extension SQLRow {
    fileprivate func managementToken() throws(SQLError) -> ManagementToken {
        guard let role = ManagementRole(rawValue: text(at: 2)) else {
            throw SQLError(.corrupt, detail: "management_tokens holds no role")
        }
        return ManagementToken(
            id: try id(at: 0), name: text(at: 1), role: role, hint: text(at: 3), createdAt: try instant(at: 4),
            expiresAt: try optionalInstant(at: 5), revokedAt: try optionalInstant(at: 6))
    }
}

private enum AccessStatements {
    static let columns = "id, name, role, hint, created_at, expires_at, revoked_at"
    static let add = SQLStatement(
        """
        INSERT INTO management_tokens (id, name, role, digest, hint, created_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        """)
    static let find = SQLStatement("SELECT \(columns) FROM management_tokens WHERE digest = $1")
    static let list = SQLStatement("SELECT \(columns) FROM management_tokens WHERE id > $1 ORDER BY id LIMIT $2")
    static let revoke = SQLStatement(
        """
        UPDATE management_tokens SET revoked_at = COALESCE(revoked_at, $2) WHERE id = $1 RETURNING digest
        """)
    static let begin = SQLStatement(
        "INSERT INTO admin_sessions (digest, credential, created_at, seen_at) VALUES ($1, $2, $3, $4)")
    static let session = SQLStatement(
        "SELECT digest, credential, created_at, seen_at FROM admin_sessions WHERE digest = $1")
    static let touch = SQLStatement("UPDATE admin_sessions SET seen_at = $2 WHERE digest = $1 AND seen_at < $2")
    static let end = SQLStatement("DELETE FROM admin_sessions WHERE digest = $1")
    static let endAll = SQLStatement("DELETE FROM admin_sessions WHERE credential = $1")
    static let forget = SQLStatement("DELETE FROM admin_sessions WHERE seen_at < $1 OR created_at < $2")
}
