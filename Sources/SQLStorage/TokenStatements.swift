import ProxyDomain
import SQLDatabase

/// What is said of tokens outside the ledger. Nothing here writes a counter.
enum TokenStatements {
    static let add = SQLStatement(
        """
        INSERT INTO tokens (id, project_id, name, digest, hint, expires_at, revoked_at, max_requests, request_count,
            prompt_tokens, completion_tokens, cost_nano, cache_hit_count, last_used_at, created_at,
            requests_per_minute, tokens_per_minute, budget_nano, budget_period, budget_mode, budget_began_at,
            shadowed_limits, allowed_models, allowed_paths)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23,
            $24)
        """)
    static let find = LockableStatement("SELECT \(Columns.token) FROM tokens WHERE id = $1")

    /// - Parameter isActive: a parameter that is 1 for active ones, 0 for the others, -1 for all.
    static func wanted(isActive: String, now: String) -> String {
        "(\(isActive) = -1 OR (\(isActive) = 1) = (revoked_at IS NULL AND (expires_at IS NULL OR expires_at > \(now))))"
    }
    private static let wanted = wanted(isActive: "$3", now: "$4")
    static let list = SQLStatement(
        "SELECT \(Columns.token) FROM tokens WHERE id > $1 AND \(wanted) ORDER BY id LIMIT $2")
    static let listOfProject = SQLStatement(
        "SELECT \(Columns.token) FROM tokens WHERE project_id = $5 AND id > $1 AND \(wanted) ORDER BY id LIMIT $2")

    /// A new cap notes how many requests there were, so that `verify` can tell a lowered cap from a broken one.
    static let change = SQLStatement(
        """
        UPDATE tokens SET name = COALESCE($2, name),
            revoked_at = CASE CAST($3 AS BIGINT) WHEN 1 THEN NULL WHEN 0 THEN COALESCE(revoked_at, $4) ELSE revoked_at END,
            max_requests = COALESCE($5, max_requests),
            request_count_at_cap = CASE WHEN CAST($5 AS BIGINT) IS NULL THEN request_count_at_cap
                ELSE request_count END,
            expires_at = CASE CAST($6 AS BIGINT) WHEN 1 THEN $7 ELSE expires_at END,
            \(LimitStatements.replaced("requests_per_minute", by: 9, "BIGINT", when: "$8")),
            \(LimitStatements.replaced("tokens_per_minute", by: 10, "BIGINT", when: "$8")),
            \(LimitStatements.changeOfBudget(isAsked: "$8", from: 11)),
            allowed_models = COALESCE($16, allowed_models), allowed_paths = COALESCE($17, allowed_paths)
        WHERE id = $1 RETURNING \(Columns.token)
        """)
    static let revoke = SQLStatement("UPDATE tokens SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL")
    static let exists = SQLStatement("SELECT 1 FROM tokens WHERE id = $1")

    /// For engines that lock rows. Also those that are revoked: one that another caller has just made active again would
    /// otherwise be locked by the update, after those that come later.
    static let lockAll = SQLStatement("SELECT id FROM tokens WHERE project_id = $1 ORDER BY id FOR UPDATE")
    static let revokeAll = SQLStatement(
        "UPDATE tokens SET revoked_at = $2 WHERE project_id = $1 AND revoked_at IS NULL")
    static let countOfProject = SQLStatement(
        "SELECT (SELECT count(*) FROM tokens WHERE project_id = projects.id) FROM projects WHERE id = $1")

    static let grant = SQLStatement(
        """
        SELECT \(Columns.token), \(Columns.project) FROM tokens JOIN projects ON projects.id = tokens.project_id
        WHERE tokens.digest = $1
        """)
}

/// What is said of limits, of tokens and of projects alike.
enum LimitStatements {
    /// A column takes the parameter `number` when the parameter `isAsked` is 1.
    static func replaced(_ column: String, by number: Int, _ type: String, when isAsked: String) -> String {
        "\(column) = CASE CAST(\(isAsked) AS BIGINT) WHEN 1 THEN CAST($\(number) AS \(type)) ELSE \(column) END"
    }

    /// Replaces a budget when the parameter `isAsked` is 1: amount, period, mode, when its period began, and what is in
    /// shadow are the parameters from `first` on.
    ///
    /// A budget where there was none, or with another period, begins with nothing spent. What is set aside stays: it is given
    /// back when its requests end.
    static func changeOfBudget(isAsked: String, from first: Int) -> String {
        let begins = """
            CAST(\(isAsked) AS BIGINT) = 1 AND (budget_nano IS NULL
                OR COALESCE(budget_period, '') <> COALESCE(CAST($\(first + 1) AS TEXT), ''))
            """
        func replaced(_ column: String, _ number: Int, _ type: String) -> String {
            Self.replaced(column, by: number, type, when: isAsked)
        }
        return """
            budget_spent_nano = CASE WHEN \(begins) THEN 0 ELSE budget_spent_nano END,
            budget_began_at = CASE WHEN \(begins) THEN CAST($\(first + 3) AS TEXT) ELSE budget_began_at END,
            \(replaced("budget_nano", first, "BIGINT")), \(replaced("budget_period", first + 1, "TEXT")),
            \(replaced("budget_mode", first + 2, "TEXT")), \(replaced("shadowed_limits", first + 4, "TEXT"))
            """
    }
}

extension Budget? {
    /// Amount, period, mode, and when the period began that `now` is in.
    func values(at now: Timestamp) -> [SQLValue] {
        [
            .optional(self?.amount.amount), .optional(self?.period.rawValue), .optional(self?.mode.rawValue),
            .optional(self?.period.start(at: now)),
        ]
    }
}
