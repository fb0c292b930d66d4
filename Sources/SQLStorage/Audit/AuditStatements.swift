import SQLDatabase
import Synchronization

/// What is asked of the audit, in one engine's words.
final class AuditStatements: Sendable {
    let list: SQLStatement
    let count: SQLStatement
    /// The same with a search for words.
    let found: SQLStatement
    let countFound: SQLStatement
    /// `nil` where the engine keeps its index of words by itself.
    let addWords: SQLStatement?
    let removeWords: SQLStatement?

    private static let columns = [
        "action", "actor", "outcome", "method", "path", "request_id", "correlation_id", "client_ip", "project_id",
        "token_id",
    ]

    private static let made = Mutex<[String: AuditStatements]>([:])

    /// Those of an engine: made once, since connections remember what they have prepared.
    static func of(_ dialect: Dialect) -> AuditStatements {
        made.withLock { made in
            let statements = made[dialect.name] ?? AuditStatements(dialect)
            made[dialect.name] = statements
            return statements
        }
    }

    private init(_ dialect: Dialect) {
        var conditions = Self.columns.enumerated().map { index, column in
            "(CAST($\(index + 1) AS TEXT) IS NULL OR \(column) = $\(index + 1))"
        }
        conditions += [
            "(CAST($11 AS TEXT) IS NULL OR happened_at >= $11)", "(CAST($12 AS TEXT) IS NULL OR happened_at <= $12)",
            "(CAST($13 AS TEXT) IS NULL OR \(dialect.search.memberText("metadata", "$13")) = $14)",
        ]
        let plain = conditions.joined(separator: " AND ")
        let search = "\(plain) AND \(dialect.search.wordsMatch("audit_events", "$15"))"
        list = Self.list(where: plain, after: 14)
        count = SQLStatement("SELECT count(*) FROM audit_events WHERE \(plain)")
        found = Self.list(where: search, after: 15)
        countFound = SQLStatement("SELECT count(*) FROM audit_events WHERE \(search)")
        let upkeep = dialect.search.upkeep?("audit_events")
        addWords = upkeep.map { SQLStatement($0.add) }
        removeWords = upkeep.map { SQLStatement($0.remove) }
    }

    private static func list(where condition: String, after last: Int) -> SQLStatement {
        SQLStatement(
            """
            SELECT \(AuditRow.columns) FROM audit_events WHERE \(condition)
            ORDER BY number DESC LIMIT $\(last + 1) OFFSET $\(last + 2)
            """)
    }

    static let find = SQLStatement("SELECT \(AuditRow.columns) FROM audit_events WHERE id = $1")
    static let lock = SQLStatement("UPDATE audit_chain SET last_number = last_number WHERE name = 'events'")
    static let lastBefore = SQLStatement(
        """
        SELECT number, link FROM (SELECT number, link, happened_at FROM audit_events ORDER BY number LIMIT $2) AS first
        WHERE happened_at < $1 ORDER BY number DESC LIMIT 1
        """)
    static let rebase = SQLStatement(
        "UPDATE audit_chain SET base_number = $1, base_link = $2 WHERE name = 'events'")
    static let remove = SQLStatement("DELETE FROM audit_events WHERE number <= $1")
}
