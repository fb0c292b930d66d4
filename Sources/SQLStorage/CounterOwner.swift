import ProxyStorage
import SQLDatabase

/// Rows with counters that must equal what the rows of `requests` say: what `verify` looks at, and `repair` sets right.
struct CounterOwner: Sendable {
    struct Counter: Sendable {
        let column: String
        /// What the rows say, as an aggregate.
        let rows: String
        /// What `usage_daily` says of rows that were removed, as an aggregate.
        let removed: String
        /// The name of the invariant that both are equal.
        let invariant: String
    }

    /// `token` or `project`.
    let name: String
    let counters: [Counter]
    /// The identifiers of those that differ, each with how much each of its counters says too much.
    let differences: SQLStatement
    private let lock: SQLStatement
    /// Each counter and what the rows say, in turn.
    private let comparison: SQLStatement
    private let correction: SQLStatement

    static let tokens = CounterOwner(
        "token",
        [
            Counter(
                column: "request_count", rows: "count(*)", removed: sum("requests"),
                invariant: "token-count-equals-rows"),
            summed("prompt_tokens", invariant: "token-prompt-tokens-equal-rows"),
            summed("completion_tokens", invariant: "token-completion-tokens-equal-rows"),
            summed("cost_nano", invariant: "token-cost-equals-rows"),
            Counter(
                column: "cache_hit_count", rows: sum("CASE WHEN usage_source = 'cache' THEN 1 END"),
                removed: sum("cache_hits"), invariant: "token-cache-hits-equal-rows"),
            setAside("token"),
        ])
    static let projects = CounterOwner("project", [setAside("project")])

    private static func summed(_ column: String, invariant: String) -> Counter {
        Counter(column: column, rows: sum(column), removed: sum(column), invariant: invariant)
    }

    private static func setAside(_ name: String) -> Counter {
        Counter(
            column: "budget_reserved_nano", rows: sum("CASE WHEN settled_at IS NULL THEN reserved_nano END"),
            removed: "0", invariant: "\(name)-budget-set-aside-equals-open-rows")
    }

    private static func sum(_ value: String) -> String { "CAST(COALESCE(sum(\(value)), 0) AS BIGINT)" }

    private init(_ name: String, _ counters: [Counter]) {
        let (table, reference) = ("\(name)s", "\(name)_id")
        let rows = counters.map { "\($0.rows) AS \($0.column)" }.joined(separator: ", ")
        let removed = counters.map { "\($0.removed) AS \($0.column)" }.joined(separator: ", ")
        let sums = counters.map { "\(Self.sum($0.column)) AS \($0.column)" }.joined(separator: ", ")
        let pairs = counters.map { ("\(table).\($0.column)", "COALESCE(found.\($0.column), 0)") }
        let set = counters.enumerated().map { "\($1.column) = $\($0 + 2)" }
        self.name = name
        self.counters = counters
        differences = SQLStatement(
            """
            SELECT \(table).id, \(pairs.map { "\($0) - \($1)" }.joined(separator: ", "))
            FROM \(table) LEFT JOIN (
                SELECT \(reference), \(sums) FROM (
                    SELECT \(reference), \(rows) FROM requests GROUP BY \(reference)
                    UNION ALL SELECT \(reference), \(removed) FROM usage_daily GROUP BY \(reference)) AS parts
                GROUP BY \(reference)) AS found ON found.\(reference) = \(table).id
            WHERE \(pairs.map { "\($0) <> \($1)" }.joined(separator: " OR ")) ORDER BY \(table).id
            """)
        lock = SQLStatement("SELECT 1 FROM \(table) WHERE id = $1 FOR UPDATE")
        comparison = SQLStatement(
            """
            SELECT \(pairs.map { "\($0), \($1)" }.joined(separator: ", ")) FROM \(table) CROSS JOIN (
                SELECT \(sums) FROM (
                    SELECT \(rows) FROM requests WHERE \(reference) = $1
                    UNION ALL SELECT \(removed) FROM usage_daily WHERE \(reference) = $1) AS parts) AS found
            WHERE \(table).id = $1
            """)
        correction = SQLStatement("UPDATE \(table) SET \(set.joined(separator: ", ")) WHERE id = $1")
    }

    /// Looks at one again under its lock, and sets it right unless this is to tell only.
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
            CounterRepair(owner: name, id: id, counter: counter.column, found: values.0, counted: values.1)
        }
        if !repairs.isEmpty, !isDryRun {
            try connection.run(correction, [.text(id)] + found.map { .integer($0.1) })
        }
        return repairs
    }
}
