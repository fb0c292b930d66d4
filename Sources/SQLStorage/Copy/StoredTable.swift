import SQLDatabase

/// A table that goes along when a database is copied, and the statements that walk over it in the order of its key.
final class StoredTable: Sendable {
    let name: String
    /// How many columns there are: those of text first, then those of numbers.
    let width: Int
    /// Their names and SQLite's names of their types.
    let columns: [String]
    private let textCount: Int
    /// The columns of the key.
    let key: [String]
    /// Where in a row the columns of the key stand.
    let keyPositions: [Int]
    let count: SQLStatement
    /// The first rows.
    let firstPage: SQLStatement
    /// The rows after those up to the key that is given.
    let nextPage: SQLStatement
    /// The rows up to a key.
    let pageUpTo: SQLStatement
    /// The rows after one key, up to another.
    let nextPageUpTo: SQLStatement
    /// The rows with given keys, in their order.
    let rows: BatchStatement
    /// The row with the highest key, as ``firstPage`` gives it.
    let last: SQLStatement
    let clear: SQLStatement
    /// Adds one row, or one array a column for many; see ``Dialect/BatchStyle``.
    let insert: BatchStatement
    /// As ``insert``, for rows that may be there already in another form.
    let replace: BatchStatement
    /// Removes the rows with given keys.
    let remove: BatchStatement
    /// Gives all rows but the one with the key `$1` another name than `$2`, where no two may have the same.
    let park: SQLStatement?
    /// The column whose value, if there is any, says that a row's name doesn't count.
    let nameEnd: Int?

    static let pageLength = 4096

    /// Whether a column holds texts, not numbers.
    func isText(_ column: Int) -> Bool { column < textCount }

    /// - Parameters:
    ///   - key: columns of text.
    ///   - texts: all columns of text, instants included.
    ///   - hasUniqueNames: whether no two rows may have the same in `name`, which comes after the key,
    ///   - nameEnd: unless they have something here.
    private init(
        _ name: String, key: [String], texts: [String], numbers: [String], hasUniqueNames: Bool = false,
        nameEnd: String? = nil
    ) {
        self.name = name
        let columns = texts + numbers
        self.columns = texts.map { "\($0) TEXT" } + numbers.map { "\($0) INTEGER" }
        let list = columns.joined(separator: ", ")
        let order = key.joined(separator: ", ")
        let numbered = columns.indices.map { "$\($0 + 1)" }
        let arrays = numbered.indices.map { "\(numbered[$0])::\($0 < texts.count ? "text" : "bigint")[]" }
        let numberedKey = numbered.prefix(key.count).joined(separator: ", ")
        let isAfter = "(\(order)) > (\(numberedKey))"
        let page = "ORDER BY \(order) LIMIT \(Self.pageLength)"
        // Without a limit PostgreSQL sorts all there is.
        let pages = "ORDER BY \(order) LIMIT \(2 * Self.pageLength)"
        let ends = numbered.prefix(key.count * 2).suffix(key.count).joined(separator: ", ")
        let asked = AskedKeys(table: name, key: key)
        self.key = key
        width = columns.count
        textCount = texts.count
        keyPositions = key.compactMap { texts.firstIndex(of: $0) }
        count = SQLStatement("SELECT count(*) FROM \(name)")
        firstPage = SQLStatement("SELECT \(list) FROM \(name) \(page)")
        nextPage = SQLStatement("SELECT \(list) FROM \(name) WHERE \(isAfter) \(page)")
        pageUpTo = SQLStatement("SELECT \(list) FROM \(name) WHERE (\(order)) <= (\(numberedKey)) \(pages)")
        nextPageUpTo = SQLStatement(
            "SELECT \(list) FROM \(name) WHERE \(isAfter) AND (\(order)) <= (\(ends)) \(pages)")
        rows = BatchStatement(
            each: "SELECT \(list) FROM \(name) WHERE \(asked.isOne)",
            all:
                "SELECT \(columns.map { "\(name).\($0)" }.joined(separator: ", ")), asked.position FROM \(asked.list) JOIN \(name) "
                + "ON \(asked.isAsked) WHERE \(LedgerStatements.isOfBatch("asked.position")) ORDER BY asked.position")
        last = SQLStatement(
            "SELECT \(list) FROM \(name) ORDER BY \(key.map { "\($0) DESC" }.joined(separator: ", ")) LIMIT 1")
        clear = SQLStatement("DELETE FROM \(name)")
        let insertEach = "INSERT INTO \(name) (\(list)) VALUES (\(numbered.joined(separator: ", ")))"
        let insertAll = "INSERT INTO \(name) (\(list)) SELECT * FROM unnest(\(arrays.joined(separator: ", ")))"
        insert = BatchStatement(each: insertEach, all: insertAll)
        let taking = columns.map { "\($0) = excluded.\($0)" }.joined(separator: ", ")
        let replacing = "ON CONFLICT (\(order)) DO UPDATE SET \(taking)"
        replace = BatchStatement(each: "\(insertEach) \(replacing)", all: "\(insertAll) \(replacing)")
        self.nameEnd = nameEnd.flatMap { texts.firstIndex(of: $0) }
        let counts = nameEnd.map { " AND \($0) IS NULL" } ?? ""
        park =
            hasUniqueNames
            ? SQLStatement("UPDATE \(name) SET name = '~' || id WHERE name = $2 AND id <> $1\(counts) RETURNING id")
            : nil
        remove = BatchStatement(
            each: "DELETE FROM \(name) WHERE \(asked.isOne)",
            all: "DELETE FROM \(name) USING \(asked.list) WHERE \(asked.isAsked) "
                + "AND \(LedgerStatements.isOfBatch("asked.position")) RETURNING asked.position")
    }
}

/// How statements name the rows that are asked for by their keys.
private struct AskedKeys {
    /// True of the row with the key that is given.
    let isOne: String
    /// Many keys, and their places among them.
    let list: String
    /// True of a row with one of those.
    let isAsked: String

    init(table: String, key: [String]) {
        let numbered = key.indices.map { "$\($0 + 1)" }
        isOne = zip(key, numbered).map { "\($0) = \($1)" }.joined(separator: " AND ")
        list =
            "unnest(\(numbered.map { "\($0)::text[]" }.joined(separator: ", "))) "
            + "WITH ORDINALITY AS asked (\(key.joined(separator: ", ")), position)"
        isAsked = key.map { "\(table).\($0) = asked.\($0)" }.joined(separator: " AND ")
    }
}

extension StoredTable {
    private static let budget = ["budget_period", "budget_mode", "budget_began_at", "shadowed_limits"]
    private static let budgetNumbers = ["budget_nano", "budget_spent_nano", "budget_reserved_nano"]

    /// The tables that stay where they are: what servers make anew, what is kept for a day, what belongs to one database and not to its
    /// content, and what only says that something has changed.
    static let leftBehind = [
        "cached_responses", "cache_uses", "cache_purges", "remembered_answers", "admin_sessions", "usage_sums",
        "usage_stale",
        "usage_horizon", "copies", "moves", "move_changes", "move_servers", "schema_migrations", "grant_changes",
    ]

    /// Every table whose rows are worth keeping, each after those that it refers to.
    static let all = [
        StoredTable(
            "projects", key: ["id"],
            texts: [
                "id", "name", "sealed_key", "key_hint", "provider", "base_url", "deactivated_at", "created_at",
                "updated_at", "stream_usage", "client_leaves", "allowed_models", "allowed_paths", "cache_scope",
                "cache_hits",
            ] + budget, numbers: budgetNumbers, hasUniqueNames: true),
        StoredTable(
            "upstreams", key: ["id"],
            texts: [
                "id", "project_id", "provider", "sealed_key", "key_hint", "base_url", "deactivated_at", "created_at",
                "updated_at",
            ], numbers: ["priority", "weight"]),
        StoredTable(
            "tokens", key: ["id"],
            texts: [
                "id", "project_id", "name", "digest", "hint", "expires_at", "revoked_at", "last_used_at", "created_at",
                "request_window", "token_window", "allowed_models", "allowed_paths",
            ] + budget,
            numbers: [
                "max_requests", "request_count", "prompt_tokens", "completion_tokens", "cost_nano", "cache_hit_count",
                "request_count_at_cap", "requests_per_minute", "tokens_per_minute", "shadow_refusals",
            ] + budgetNumbers),
        StoredTable(
            "ledger_writers", key: ["instance_id"], texts: ["instance_id", "updated_at", "oldest_open", "swept_by"],
            numbers: ["last_sequence", "beats"]),
        StoredTable(
            "usage_daily", key: ["day", "token_id", "model", "status"],
            texts: ["day", "token_id", "project_id", "model", "status"],
            numbers: ["requests", "errors", "prompt_tokens", "completion_tokens", "cost_nano", "cache_hits"]),
        StoredTable(
            "requests", key: ["id"],
            texts: [
                "id", "token_id", "project_id", "admitted_at", "method", "path", "model", "outcome", "settled_at",
                "usage_source", "attempts",
            ],
            numbers: [
                "status", "prompt_tokens", "completion_tokens", "cost_nano", "duration_us", "first_byte_us", "sent_us",
                "request_bytes", "response_bytes",
                "writer", "reserved_prompt_tokens", "reserved_completion_tokens", "reserved_nano",
            ]),
        StoredTable(
            "management_tokens", key: ["id"],
            texts: ["id", "name", "role", "digest", "hint", "created_at", "expires_at", "revoked_at"], numbers: [],
            hasUniqueNames: true,
            nameEnd: "revoked_at"),
        StoredTable(
            "audit_events", key: ["id"],
            texts: [
                "id", "happened_at", "action", "actor", "outcome", "method", "path", "request_id", "correlation_id",
                "client_ip", "project_id", "token_id", "metadata", "words", "link",
            ], numbers: ["number"]),
        StoredTable(
            "audit_chain", key: ["name"], texts: ["name", "last_link", "base_link"],
            numbers: ["last_number", "base_number"]),
    ]
}
