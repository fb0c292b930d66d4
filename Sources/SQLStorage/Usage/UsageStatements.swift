import ProxyDomain
import SQLDatabase

/// The statements about sums of what requests used.
enum UsageStatements {
    /// The model, cut: an engine's keys have bounds, and rows of earlier versions may hold what doesn't fit.
    static let model = "COALESCE(substr(model, 1, \(Settlement.longestModel)), '')"
    /// How a request ended: its status' class, or the outcome where it was not answered.
    static let status = """
        CASE WHEN settled_at IS NULL THEN 'open' WHEN status = 0 THEN outcome
        ELSE CAST(status / 100 AS TEXT) || 'xx' END
        """
    /// 1 for a request that failed, and not because its client left.
    static let failed = """
        CASE WHEN settled_at IS NULL THEN 0
        WHEN status >= 400 OR (status = 0 AND outcome <> 'client_left')
            OR outcome NOT IN ('completed', 'client_left') THEN 1 ELSE 0 END
        """
    static let fromCache = "CASE WHEN usage_source = 'cache' THEN 1 ELSE 0 END"

    private static let cell = "project_id, token_id, model, status"
    private static let figures = "requests, errors, prompt_tokens, completion_tokens, cost_nano, cache_hits"
    /// Of the parameters from the third on.
    private static let filter = """
        (CAST($3 AS TEXT) IS NULL OR project_id = $3) AND (CAST($4 AS TEXT) IS NULL OR token_id = $4)
        """

    /// The requests of a range of identifiers.
    static let rows = SQLStatement(
        """
        SELECT project_id, token_id, \(model), \(status), CASE WHEN settled_at IS NULL THEN 1 END,
            \(failed), prompt_tokens, completion_tokens, cost_nano, \(fromCache), duration_us
        FROM requests WHERE id >= $1 AND id < $2 AND \(filter) AND (CAST($5 AS TEXT) IS NULL OR \(model) = $5)
        """)
    /// Sums of spans of a kind that begin in a range.
    static let sums = SQLStatement(
        """
        SELECT start, \(cell), \(figures), latencies FROM usage_sums
        WHERE span = $6 AND start >= $1 AND start < $2 AND \(filter) AND (CAST($5 AS TEXT) IS NULL OR model = $5)
        """)
    /// What is kept of requests whose rows are removed.
    static let kept = SQLStatement(
        """
        SELECT day, \(cell), \(figures) FROM usage_daily
        WHERE day >= $1 AND day < $2 AND \(filter) AND (CAST($5 AS TEXT) IS NULL OR model = $5)
        """)
    /// One walk into the key for each span, instead of one over all of it.
    static let firstStart = SQLStatement(
        """
        SELECT start FROM (
            SELECT * FROM (SELECT start FROM usage_sums WHERE span = 60 ORDER BY start LIMIT 1) AS minutes
            UNION ALL SELECT * FROM (SELECT start FROM usage_sums WHERE span = 3600 ORDER BY start LIMIT 1) AS hours
            UNION ALL SELECT * FROM (SELECT start FROM usage_sums WHERE span = 86400 ORDER BY start LIMIT 1) AS days
        ) AS firsts ORDER BY start LIMIT 1
        """)
    static let firstKept = SQLStatement("SELECT min(day) FROM usage_daily")
    static let firstRequest = SQLStatement("SELECT id FROM requests ORDER BY id LIMIT 1")
    static let hasOpen = SQLStatement(
        "SELECT 1 FROM requests WHERE id >= $1 AND id < $2 AND settled_at IS NULL LIMIT 1")
    static let oldestOpen = SQLStatement("SELECT min(oldest_open) FROM ledger_writers")
    static let hasRequest = SQLStatement("SELECT 1 FROM requests WHERE id >= $1 AND id < $2 LIMIT 1")

    static let horizon = LockableStatement("SELECT until FROM usage_horizon WHERE id = 1")
    static let shareHorizon = SQLStatement("SELECT until FROM usage_horizon WHERE id = 1 FOR SHARE")
    /// Where each batch of the ledger looks anyway.
    static let tellHorizon = SQLStatement("UPDATE grant_changes SET usage_until = $1 WHERE id = 1")
    static let forget = ["usage_sums", "usage_stale", "usage_horizon"].map { SQLStatement("DELETE FROM \($0)") }
    static let beginHorizon = SQLStatement(
        "INSERT INTO usage_horizon (id, until) VALUES (1, $1) ON CONFLICT DO NOTHING")
    static let moveHorizon = SQLStatement("UPDATE usage_horizon SET until = $1 WHERE id = 1 AND until < $1")
    /// What the servers that write say the time is; one that has not said anything for long is none any more.
    static let slowestClock = SQLStatement("SELECT min(updated_at) FROM ledger_writers WHERE updated_at >= $1")

    static let stale = SQLStatement(
        "SELECT span, start, ticket, has_minutes FROM usage_stale WHERE start < $1 ORDER BY start, span")
    /// Says that a span's sums are not those of its rows; whoever is summing it up at the moment begins again.
    static let mark = SQLStatement(
        """
        INSERT INTO usage_stale (span, start, ticket, has_minutes) VALUES ($1, $2, $3, $4)
        ON CONFLICT (span, start) DO UPDATE SET ticket = excluded.ticket,
            has_minutes = CASE WHEN excluded.has_minutes < usage_stale.has_minutes AND CAST($5 AS BIGINT) = 1
                THEN excluded.has_minutes ELSE usage_stale.has_minutes END
        """)
    static let unmark = SQLStatement("DELETE FROM usage_stale WHERE span = $1 AND start = $2 AND ticket = $3")
    static let unmarkMinutes = SQLStatement(
        "DELETE FROM usage_stale WHERE span = 60 AND start >= $1 AND start < $2")
    static let unmarkBefore = SQLStatement("DELETE FROM usage_stale WHERE start < $1")

    static let remove = SQLStatement("DELETE FROM usage_sums WHERE span = $1 AND start >= $2 AND start < $3")
    static let removeBefore = SQLStatement("DELETE FROM usage_sums WHERE span IN (60, 3600, 86400) AND start < $1")
    static let add = SQLStatement(
        """
        INSERT INTO usage_sums (span, start, \(cell), \(figures), latencies)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
        """)
}
