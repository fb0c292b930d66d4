import ProxyDomain
public import SQLDatabase

/// Reads the database of the Go proxy, of any version of its schema, and changes nothing in it.
public enum GoProxyDatabase {
    /// Reads all of it in one snapshot.
    /// - Throws: ``GoProxyDatabaseError`` for a database of another program, or what the engine said.
    public static func read(_ pool: ConnectionPool) async throws -> GoProxyContents {
        try await pool.read { try snapshot(on: $0) }
    }

    private static func snapshot(on connection: any SQLConnection) throws -> GoProxyContents {
        do throws(TransactionError<any Error>) {
            return try connection.transaction(.read) { () throws(any Error) in try contents(on: connection) }
        } catch {
            switch error {
            case .begin(let cause), .commit(let cause, _): throw cause
            case .body(let cause, _): throw cause
            }
        }
    }

    private static func contents(on connection: any SQLConnection) throws -> GoProxyContents {
        let projects = try GoProxyTable("projects", on: connection)
        let tokens = try GoProxyTable("tokens", on: connection)
        guard !projects.has("sealed_key") else { throw GoProxyDatabaseError.ours }
        guard let key = ["api_key", "openai_api_key"].first(where: projects.has), tokens.has("token") else {
            throw GoProxyDatabaseError.another
        }
        var contents = GoProxyContents()
        contents.projects = try connection.all(projects.projects(key: key)) { (row) throws(SQLError) in
            try row.goProxyProject()
        }
        contents.tokens = try connection.all(tokens.tokens) { (row) throws(SQLError) in try row.goProxyToken() }
        if try GoProxyTable("audit_events", on: connection).has("action") {
            let count = try connection.first(auditCount) { (row) throws(SQLError) in row.integer(at: 0) }
            contents.auditEventCount = count ?? 0
        }
        return contents
    }

    private static let auditCount = SQLStatement("SELECT count(*) FROM audit_events")
}

/// Why a database is not read.
public enum GoProxyDatabaseError: Error, Hashable, Sendable {
    /// It is one of this program's.
    case ours
    /// It has not the tables that the Go proxy makes.
    case another
}

/// One of its tables, with the columns that its version has.
private struct GoProxyTable {
    private let columns: Set<String>
    private let isPostgres: Bool

    init(_ name: String, on connection: any SQLConnection) throws(SQLError) {
        isPostgres = connection.dialect.name == "postgres"
        let statement = SQLStatement(
            isPostgres
                ? """
                SELECT CAST(column_name AS TEXT) FROM information_schema.columns
                WHERE table_schema = ANY (current_schemas(false)) AND table_name = '\(name)'
                """ : "SELECT name FROM pragma_table_info('\(name)')")
        columns = Set(try connection.all(statement) { (row) throws(SQLError) in row.text(at: 0) })
    }

    func has(_ column: String) -> Bool { columns.contains(column) }

    func projects(key: String) -> SQLStatement {
        SQLStatement(
            """
            SELECT CAST(id AS TEXT), name, \(key), \(flag("is_active")), \(instant("deactivated_at")),
                \(instant("created_at")), \(instant("updated_at"))
            FROM projects ORDER BY 1
            """)
    }

    var tokens: SQLStatement {
        SQLStatement(
            """
            SELECT \(has("id") ? "CAST(id AS TEXT)" : "NULL"), CAST(project_id AS TEXT), token, \(flag("is_active")),
                \(instant("deactivated_at")), \(instant("expires_at")), max_requests, request_count,
                \(has("cache_hit_count") ? "cache_hit_count" : "0"), \(instant("created_at")),
                \(instant("last_used_at")), \(has("metadata") ? "metadata" : "NULL")
            FROM tokens ORDER BY token
            """)
    }

    /// 1 or 0; 1 where there is no such column.
    private func flag(_ column: String) -> String {
        has(column) ? "CASE WHEN \(column) THEN 1 ELSE 0 END" : "1"
    }

    /// PostgreSQL's have no time zone, and are UTC.
    private func instant(_ column: String) -> String {
        guard has(column) else { return "NULL" }
        return isPostgres ? #"to_char(\#(column), 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')"# : column
    }
}

extension SQLRow {
    fileprivate func goProxyProject() throws(SQLError) -> GoProxyProject {
        let createdAt = try goInstant(at: 5, of: "a project's created_at")
        return GoProxyProject(
            id: text(at: 0), name: text(at: 1), key: text(at: 2), isActive: integer(at: 3) == 1,
            deactivatedAt: try goInstant(at: 4, of: "a project's deactivated_at"), createdAt: createdAt ?? .earliest,
            updatedAt: try goInstant(at: 6, of: "a project's updated_at") ?? createdAt ?? .earliest)
    }

    fileprivate func goProxyToken() throws(SQLError) -> GoProxyToken {
        let requests = max(0, integer(at: 7))
        return GoProxyToken(
            id: optionalText(at: 0), projectID: text(at: 1), text: text(at: 2), isActive: integer(at: 3) == 1,
            deactivatedAt: try goInstant(at: 4, of: "a token's deactivated_at"),
            expiresAt: try goInstant(at: 5, of: "a token's expires_at"), maxRequests: max(0, integer(at: 6)),
            requestCount: requests, cacheHitCount: min(max(0, integer(at: 8)), requests),
            createdAt: try goInstant(at: 9, of: "a token's created_at") ?? .earliest,
            lastUsedAt: try goInstant(at: 10, of: "a token's last_used_at"),
            hasMetadata: !["", "{}", "null"].contains(text(at: 11)))
    }

    /// SQLite has what Go wrote, with an offset, or `CURRENT_TIMESTAMP`, which is UTC and does not say so.
    private func goInstant(at column: Int, of what: String) throws(SQLError) -> Timestamp? {
        guard let found = optionalText(at: column) else { return nil }
        guard let instant = Timestamp(found) ?? Timestamp(found + "Z") else {
            throw SQLError(.corrupt, detail: "\(what) is no instant: \(found.prefix(40))")
        }
        return instant
    }
}
