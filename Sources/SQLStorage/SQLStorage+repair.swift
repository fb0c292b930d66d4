public import ProxyStorage
import SQLDatabase

extension SQLStorage {
    public func drift() async throws(StorageError) -> Int64 {
        try await reading(.drift) { connection in
            try connection.first(RepairStatements.drift) { (row) throws(SQLError) in row.integer(at: 0) } ?? 0
        }
    }

    /// Finds what differs on a reader, then looks at each of those again under its lock: what a batch has under way is no
    /// difference.
    public func repair(isDryRun: Bool) async throws(StorageError) -> [CounterRepair] {
        var repairs: [CounterRepair] = []
        for owner in [RepairStatements.tokens, RepairStatements.projects] {
            let suspects = try await reading(.repair) { connection in
                try connection.all(owner.suspects) { (row) throws(SQLError) in row.text(at: 0) }
            }
            for id in suspects {
                repairs += try await writing(.repair) { connection in
                    try owner.repair(id, on: connection, isDryRun: isDryRun)
                }
            }
        }
        return repairs
    }
}

/// Counters that must equal what rows say.
private struct CounterOwner: Sendable {
    /// `token` or `project`.
    let name: String
    let counters: [String]
    let suspects: SQLStatement
    let lock: SQLStatement
    /// Each counter and what the rows say, in turn.
    let comparison: SQLStatement
    let correction: SQLStatement

    func repair(
        _ id: String, on connection: any SQLConnection, isDryRun: Bool
    ) throws(SQLError) -> [CounterRepair] {
        // A statement of its own: the comparison must see what others committed while this waited.
        if connection.dialect.locksRows { try connection.run(lock, [.text(id)]) }
        let found = try connection.first(comparison, [.text(id)]) { (row) throws(SQLError) in
            counters.indices.map { (row.integer(at: 2 * $0), row.integer(at: 2 * $0 + 1)) }
        }
        guard let found else { return [] }
        let repairs = zip(counters, found).filter { $1.0 != $1.1 }.map { counter, values in
            CounterRepair(owner: name, id: id, counter: counter, found: values.0, counted: values.1)
        }
        if !repairs.isEmpty, !isDryRun {
            try connection.run(correction, [.text(id)] + found.map { .integer($0.1) })
        }
        return repairs
    }
}

private enum RepairStatements {
    static let drift = SQLStatement(
        """
        SELECT CAST(COALESCE(sum(abs(tokens.request_count - COALESCE(found.requests, 0))), 0) AS BIGINT)
        FROM tokens LEFT JOIN (SELECT token_id, count(*) AS requests FROM requests GROUP BY token_id) AS found
            ON found.token_id = tokens.id
        """)

    static let tokens = owner(
        "token",
        counters: [
            ("request_count", "count(*)"), ("prompt_tokens", sum("prompt_tokens")),
            ("completion_tokens", sum("completion_tokens")), ("cost_nano", sum("cost_nano")),
            ("budget_reserved_nano", open("reserved_nano")),
        ])
    static let projects = owner("project", counters: [("budget_reserved_nano", open("reserved_nano"))])

    private static func sum(_ column: String) -> String { "CAST(COALESCE(sum(\(column)), 0) AS BIGINT)" }
    private static func open(_ column: String) -> String {
        "CAST(COALESCE(sum(CASE WHEN settled_at IS NULL THEN \(column) END), 0) AS BIGINT)"
    }

    private static func owner(_ name: String, counters: [(column: String, rows: String)]) -> CounterOwner {
        let (table, reference) = ("\(name)s", "\(name)_id")
        let sums = counters.map { "\($0.rows) AS \($0.column)" }.joined(separator: ", ")
        let differs = counters.map { "\(table).\($0.column) <> COALESCE(found.\($0.column), 0)" }
        let pairs = counters.map { "\(table).\($0.column), COALESCE(found.\($0.column), 0)" }
        let set = counters.enumerated().map { "\($1.column) = $\($0 + 2)" }
        return CounterOwner(
            name: name, counters: counters.map(\.column),
            suspects: SQLStatement(
                """
                SELECT \(table).id FROM \(table) LEFT JOIN (SELECT \(reference), \(sums) FROM requests GROUP BY \(reference)) AS found
                    ON found.\(reference) = \(table).id
                WHERE \(differs.joined(separator: " OR ")) ORDER BY \(table).id
                """),
            lock: SQLStatement("SELECT 1 FROM \(table) WHERE id = $1 FOR UPDATE"),
            comparison: SQLStatement(
                """
                SELECT \(pairs.joined(separator: ", ")) FROM \(table) CROSS JOIN (
                    SELECT \(sums) FROM requests WHERE \(reference) = $1) AS found WHERE \(table).id = $1
                """),
            correction: SQLStatement("UPDATE \(table) SET \(set.joined(separator: ", ")) WHERE id = $1"))
    }
}
