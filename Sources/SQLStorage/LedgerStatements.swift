import SQLDatabase

/// What the ledger says: for each row to an engine in this process, for a whole batch to one behind a wire.
enum LedgerStatements {
    /// True of every row of a batch. It makes PostgreSQL expect very few, so that it looks their rows up one by one by key,
    /// in the batch's order. Else a plan made while a table is small walks over all of it, and stays in use while the table
    /// grows: an estimate for an array it hasn't seen is 10 rows, and for a range of an unknown column 0.5 % of them
    /// (`DEFAULT_RANGE_INEQ_SEL` in its selfuncs.h).
    static func isOfBatch(_ position: String) -> String { "\(position) BETWEEN 1 AND 10000000" }

    /// Takes the batch's number. Changes nothing when the number was taken before: then the batch is in the database.
    static let claim = SQLStatement("\(insertWriter) \(takingNumber)")

    /// Takes the batch's number, and tells what ``seen`` does: one round trip instead of two. An engine in this process has no
    /// round trips, and SQLite makes a temporary table for what a changing statement returns, of some 90 kB
    /// (sqlite.org/lang_returning.html, section 2.1).
    static let claimTelling = SQLStatement("\(insertWriter) \(takingNumberTelling)")

    private static let insertWriter =
        "INSERT INTO ledger_writers (instance_id, last_sequence, updated_at, oldest_open) VALUES ($1, $2, $3, $4)"

    /// How many changes to projects and tokens there were, and until when requests may be summed up.
    static let seen = SQLStatement("SELECT count, usage_until FROM grant_changes WHERE id = 1")

    /// How a writer's row takes a number that is higher than the one it has.
    private static let takingNumber = """
        ON CONFLICT (instance_id) DO UPDATE
            SET last_sequence = excluded.last_sequence, updated_at = excluded.updated_at,
                oldest_open = excluded.oldest_open
            WHERE ledger_writers.last_sequence < excluded.last_sequence
        """

    /// As ``takingNumber``, and the figures of ``seen``.
    static let takingNumberTelling = """
        \(takingNumber)
        RETURNING (SELECT count FROM grant_changes WHERE id = 1) AS changes,
            (SELECT usage_until FROM grant_changes WHERE id = 1) AS usage_until
        """

    static let oldestOpen = SQLStatement("SELECT oldest_open FROM ledger_writers WHERE instance_id = $1")

    /// A token's standing. The batch form also locks the tokens, in key order.
    static let standing = BatchStatement(
        each: """
            SELECT \(Columns.standing)
            FROM tokens JOIN projects ON projects.id = tokens.project_id WHERE tokens.id = $1
            """,
        all: """
            SELECT \(Columns.standing), asked.position
            FROM unnest($1::text[]) WITH ORDINALITY AS asked (id, position)
                JOIN tokens ON tokens.id = asked.id JOIN projects ON projects.id = tokens.project_id
            WHERE \(isOfBatch("asked.position"))
            ORDER BY tokens.id FOR UPDATE OF tokens
            """)

    static let countWidth = 13
    static let countWidthWithoutLimits = 7
    /// Adds to a token's counters. `$2` is the last admission's instant, NULL when nothing was admitted; `$8` and `$9` are its
    /// windows of requests and of tokens, NULL to leave them as they are; `$10`, `$11` and `$12` what goes off its budget, what
    /// is set aside of it, and when its period began, NULL to leave that.
    static let count = BatchStatement(
        each: """
            UPDATE tokens SET
                last_used_at = CASE WHEN $2 IS NULL OR last_used_at > $2 THEN last_used_at ELSE $2 END,
                request_count = request_count + $3, prompt_tokens = prompt_tokens + $4,
                completion_tokens = completion_tokens + $5, cost_nano = cost_nano + $6,
                cache_hit_count = cache_hit_count + $7,
                request_window = COALESCE($8, request_window), token_window = COALESCE($9, token_window),
                budget_spent_nano = CASE WHEN budget_nano IS NULL THEN budget_spent_nano ELSE budget_spent_nano + $10 END,
                budget_reserved_nano = budget_reserved_nano + $11, budget_began_at = COALESCE($12, budget_began_at),
                shadow_refusals = shadow_refusals + $13
            WHERE id = $1
            """,
        all: """
            UPDATE tokens SET
                last_used_at = GREATEST(tokens.last_used_at, used.last_used_at),
                request_count = tokens.request_count + used.requests,
                prompt_tokens = tokens.prompt_tokens + used.prompt_tokens,
                completion_tokens = tokens.completion_tokens + used.completion_tokens,
                cost_nano = tokens.cost_nano + used.cost_nano,
                cache_hit_count = tokens.cache_hit_count + used.cache_hits,
                request_window = COALESCE(used.request_window, tokens.request_window),
                token_window = COALESCE(used.token_window, tokens.token_window),
                budget_spent_nano = CASE WHEN tokens.budget_nano IS NULL THEN tokens.budget_spent_nano
                    ELSE tokens.budget_spent_nano + used.spent_nano END,
                budget_reserved_nano = tokens.budget_reserved_nano + used.reserved_nano,
                budget_began_at = COALESCE(used.began_at, tokens.budget_began_at),
                shadow_refusals = tokens.shadow_refusals + used.shadow_refusals
            FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[],
                $8::text[], $9::text[], $10::bigint[], $11::bigint[], $12::text[], $13::bigint[])
                WITH ORDINALITY AS used (id, last_used_at, requests, prompt_tokens, completion_tokens, cost_nano, cache_hits,
                    request_window, token_window, spent_nano, reserved_nano, began_at, shadow_refusals, position)
            WHERE tokens.id = used.id AND \(isOfBatch("used.position")) RETURNING used.position
            """)

    /// The account of a project's budget, locked in the batch form.
    static let account = BatchStatement(
        each: "SELECT \(Columns.account("projects")) FROM projects WHERE id = $1",
        all: """
            SELECT \(Columns.account("projects")), asked.position
            FROM unnest($1::text[]) WITH ORDINALITY AS asked (id, position) JOIN projects ON projects.id = asked.id
            WHERE \(isOfBatch("asked.position"))
            ORDER BY projects.id FOR UPDATE OF projects
            """)

    /// What a token has counted beyond its cap is no overshoot: it was served before anybody knew of the cap.
    static let excuse = SQLStatement(
        """
        UPDATE tokens SET request_count_at_cap = request_count
        WHERE id = $1 AND max_requests > 0 AND request_count > max_requests
        """)

    static let chargeWidth = 4
    /// Adds to what has gone off a project's budget, and to what is set aside of it; `$4` is when its period began, NULL to
    /// leave that. Changes nothing of a project that has none.
    static let charge = BatchStatement(
        each: """
            UPDATE projects SET
                budget_spent_nano = CASE WHEN budget_nano IS NULL THEN budget_spent_nano ELSE budget_spent_nano + $2 END,
                budget_reserved_nano = budget_reserved_nano + $3, budget_began_at = COALESCE($4, budget_began_at)
            WHERE id = $1 AND (budget_nano IS NOT NULL OR $3 <> 0)
            """,
        all: """
            UPDATE projects SET
                budget_spent_nano = CASE WHEN projects.budget_nano IS NULL THEN projects.budget_spent_nano
                    ELSE projects.budget_spent_nano + used.spent_nano END,
                budget_reserved_nano = projects.budget_reserved_nano + used.reserved_nano,
                budget_began_at = COALESCE(used.began_at, projects.budget_began_at)
            FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[])
                WITH ORDINALITY AS used (id, spent_nano, reserved_nano, began_at, position)
            WHERE projects.id = used.id AND \(isOfBatch("used.position"))
                AND (projects.budget_nano IS NOT NULL OR used.reserved_nano <> 0)
            RETURNING used.position
            """)
}
