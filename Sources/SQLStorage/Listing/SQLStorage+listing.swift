public import ProxyDomain
public import ProxyStorage
import SQLDatabase

extension SQLStorage {
    public func projects(
        _ listing: ProjectListing, after cursor: ListCursor<ProjectID>?, limit: Int
    ) async throws(StorageError) -> [Project] {
        try await reading(.listProjects) { connection in
            let key = SortKey(listing.order.rawValue, listing.isDescending)
            guard let statement = ListingStatements.projects[key] else { return [] }
            return try connection.all(
                statement,
                [
                    .text(cursor?.id.text ?? ""), .integer(Int64(limit.clampedToPage)),
                    .optional(listing.search.map(ListingStatements.pattern)), .integer(listing.isActive.asWish),
                    .text(cursor?.value ?? ""),
                ]
            ) { (row) throws(SQLError) in try row.project() }
        }
    }

    public func tokens(
        _ listing: TokenListing, after cursor: ListCursor<TokenID>?, limit: Int
    ) async throws(StorageError) -> [Token] {
        try await reading(.listTokens) { connection in
            let key = SortKey(listing.order.rawValue, listing.isDescending)
            guard let statement = ListingStatements.tokens[key] else { return [] }
            return try connection.all(
                statement,
                [
                    .text(cursor?.id.text ?? ""), .integer(Int64(limit.clampedToPage)),
                    .optional(listing.search.map(ListingStatements.pattern)), .integer(listing.filter.isActive.asWish),
                    .instant(listing.filter.now), .optional(listing.filter.projectID?.text),
                    listing.order.isNumber ? .integer(Int64(cursor?.value ?? "") ?? 0) : .text(cursor?.value ?? ""),
                ]
            ) { (row) throws(SQLError) in try row.token() }
        }
    }

    public func history() async throws(StorageError) -> DatabaseHistory {
        try await reading(.probe) { connection in
            DatabaseHistory(
                migrations: try connection.all(ListingStatements.migrations) { (row) throws(SQLError) in
                    DatabaseHistory.Migration(
                        version: row.integer(at: 0), name: row.text(at: 1), appliedAt: row.text(at: 2))
                },
                copies: try connection.all(ListingStatements.copies) { (row) throws(SQLError) in
                    DatabaseHistory.Copy(
                        source: row.text(at: 0), beganAt: try row.instant(at: 1),
                        endedAt: try row.optionalInstant(at: 2))
                })
        }
    }
}

extension TokenListing.Order {
    /// Whether what it sorts by is a number to the engine.
    fileprivate var isNumber: Bool { self == .requestCount || self == .cost }
}

/// What a list is sorted by.
struct SortKey: Hashable {
    let name: String
    let isDescending: Bool

    init(_ name: String, _ isDescending: Bool) {
        self.name = name
        self.isDescending = isDescending
    }
}

private enum ListingStatements {
    /// Matches texts that `text` is a part of. Both sides are in lower case, as far as ASCII goes, on every engine.
    static func pattern(_ text: String) -> String {
        var pattern = "%"
        for scalar in text.unicodeScalars {
            if scalar == "%" || scalar == "_" || scalar == "\\" { pattern += "\\" }
            let isUpper = ("A"..."Z").contains(scalar)
            pattern.unicodeScalars.append(isUpper ? (Unicode.Scalar(scalar.value + 32) ?? scalar) : scalar)
        }
        return pattern + "%"
    }

    /// For each column and direction one text, so that an engine prepares it once.
    private static func sorted(
        _ table: String, by expressions: [(name: String, expression: String)], columns: String, wanted: String,
        value: String
    ) -> [SortKey: SQLStatement] {
        var statements: [SortKey: SQLStatement] = [:]
        for (name, expression) in expressions {
            for isDescending in [false, true] {
                let (sign, direction) = isDescending ? ("<", " DESC") : (">", "")
                statements[SortKey(name, isDescending)] = SQLStatement(
                    """
                    SELECT \(columns) FROM \(table) WHERE \(wanted) AND (CAST($1 AS TEXT) = ''
                        OR (\(expression), id) \(sign) (\(value), $1))
                    ORDER BY \(expression)\(direction), id\(direction) LIMIT $2
                    """)
            }
        }
        return statements
    }

    static let projects = sorted(
        "projects", by: [("created_at", "id"), ("name", "name")], columns: Columns.project,
        wanted: """
            (CAST($3 AS TEXT) IS NULL OR lower(name) LIKE $3 ESCAPE '\\')
            AND (CAST($4 AS BIGINT) < 0 OR (deactivated_at IS NULL) = (CAST($4 AS BIGINT) = 1))
            """, value: "$5")
    static let tokens = sorted(
        "tokens",
        by: [
            ("created_at", "id"), ("name", "name"), ("request_count", "request_count"), ("cost", "cost_nano"),
            ("last_used_at", "COALESCE(last_used_at, '')"),
        ], columns: Columns.token,
        wanted: """
            (CAST($3 AS TEXT) IS NULL OR lower(name) LIKE $3 ESCAPE '\\' OR lower(hint) LIKE $3 ESCAPE '\\')
            AND \(TokenStatements.wanted(isActive: "$4", now: "$5")) AND (CAST($6 AS TEXT) IS NULL OR project_id = $6)
            """, value: "$7")
    static let migrations = SQLStatement("SELECT version, name, applied_at FROM schema_migrations ORDER BY version")
    static let copies = SQLStatement("SELECT source, began_at, ended_at FROM copies ORDER BY number")
}
