import SQLDatabase

/// What is said of tokens outside the ledger. Nothing here writes a counter.
enum TokenStatements {
    static let add = SQLStatement(
        """
        INSERT INTO tokens (id, project_id, name, digest, hint, expires_at, revoked_at, max_requests, request_count,
            prompt_tokens, completion_tokens, cost_nano, cache_hit_count, last_used_at, created_at,
            requests_per_minute)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
        """)
    static let find = SQLStatement("SELECT \(Columns.token) FROM tokens WHERE id = $1")

    /// `$3`: 1 for active ones, 0 for the others, -1 for all.
    private static let wanted = """
        ($3 = -1 OR ($3 = 1) = (revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $4)))
        """
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
            requests_per_minute = CASE CAST($8 AS BIGINT) WHEN 1 THEN CAST($9 AS BIGINT) ELSE requests_per_minute END
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
