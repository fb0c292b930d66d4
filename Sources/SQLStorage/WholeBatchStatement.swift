import SQLDatabase

extension LedgerTable {
    /// A whole batch as one statement, for an engine behind a wire: written if every request that asks may be admitted,
    /// and nothing at all otherwise, nor when a token has a limit that must be looked at from here. Its parameters are
    /// those of ``claim``, then one array for each of the first seven columns of ``count``, for each of ``add`` without
    /// reservations, and for each of ``settle``.
    ///
    /// The tokens are locked first, in key order; everything else hangs on the number being claimed, and that on each
    /// token granting what is asked of it. So what other instances do at the same time can't come in between.
    /// Gives a row for each token when the batch was written and none when it was not: what the token has counted with
    /// this batch, its cap, how many changes came before, and the token's position.
    ///
    /// Fails, so that nothing is written, when one of the batch's requests was added or ended before: the counters could
    /// not be told from here.
    ///
    /// PostgreSQL manual, section 7.8.4: such a `WITH` runs all its parts to their end, on one snapshot.
    static func whole(on table: String) -> SQLStatement {
        SQLStatement(
            """
            WITH locked AS MATERIALIZED (
                SELECT used.*, \(Columns.counted) AS request_count, tokens.max_requests,
                    (used.requests = 0 OR (\(allows("used.requests")))) AND \(hasNoBudget) AS is_granted
                FROM unnest($5::text[], $6::text[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[])
                    WITH ORDINALITY AS used (id, last_used_at, requests, prompt_tokens, completion_tokens, cost_nano,
                        cache_hits, position)
                    JOIN tokens ON tokens.id = used.id JOIN projects ON projects.id = tokens.project_id
                WHERE \(LedgerStatements.isOfBatch("used.position"))
                ORDER BY tokens.id FOR UPDATE OF tokens
            ), claimed AS (
                INSERT INTO ledger_writers (instance_id, last_sequence, updated_at, oldest_open)
                SELECT $1, $2, $3, $4
                WHERE (SELECT count(*) FROM locked WHERE is_granted) = cardinality($5::text[])
                \(LedgerStatements.takingNumberTelling)
            ), counted AS (
                UPDATE tokens SET
                    last_used_at = GREATEST(tokens.last_used_at, locked.last_used_at),
                    request_count = tokens.request_count + locked.requests,
                    prompt_tokens = tokens.prompt_tokens + locked.prompt_tokens,
                    completion_tokens = tokens.completion_tokens + locked.completion_tokens,
                    cost_nano = tokens.cost_nano + locked.cost_nano,
                    cache_hit_count = tokens.cache_hit_count + locked.cache_hits
                FROM claimed CROSS JOIN locked
                WHERE tokens.id = locked.id
                    AND (locked.requests > 0 OR locked.prompt_tokens > 0 OR locked.completion_tokens > 0
                        OR locked.cost_nano > 0 OR locked.cache_hits > 0)
            ), added AS (
                INSERT INTO \(table) (\(Columns.requestWithoutReservation), writer)
                SELECT added.*
                FROM claimed CROSS JOIN unnest($12::text[], $13::text[], $14::text[], $15::text[], $16::text[], $17::text[],
                    $18::text[], $19::text[], $20::bigint[], $21::bigint[], $22::bigint[], $23::bigint[], $24::text[],
                    $25::bigint[], $26::bigint[], $27::text[], $28::text[], $29::bigint[], $30::bigint[], $31::bigint[],
                    $32::bigint[]) AS added
            ), settled AS (
                UPDATE \(table) AS requests SET \(takingEnd)
                FROM claimed CROSS JOIN unnest($33::text[], $34::text[], $35::text[], $36::bigint[], $37::bigint[],
                    $38::bigint[], $39::bigint[], $40::text[], $41::bigint[], $42::bigint[], $43::text[], $44::text[],
                    $45::bigint[], $46::bigint[], $47::bigint[])
                    WITH ORDINALITY
                    AS ended (\(endColumns), position)
                WHERE requests.id = ended.id AND requests.settled_at IS NULL AND \(LedgerStatements.isOfBatch("ended.position"))
                RETURNING 1
            )
            SELECT locked.request_count + locked.requests, locked.max_requests, claimed.changes, locked.position,
                CAST(CASE WHEN (SELECT count(*) FROM settled) = cardinality($33::text[]) THEN '0'
                    ELSE 'a request of this batch was ended before' END AS integer), claimed.usage_until
            FROM claimed CROSS JOIN locked
            """)
    }

    /// ``whole`` for a batch of one request and nothing else, which is what a quiet server writes. Without arrays, and with
    /// nothing to lock ahead, it costs the engine half as much. The project is looked up from the token, by a text that no index of tokens
    /// has: the other way round would walk over all tokens of the project. Its parameters are those of ``claim`` and ``add``
    /// without a reservation.
    static func lone(on table: String) -> SQLStatement {
        SQLStatement(
            """
            WITH counted AS (
                UPDATE tokens SET
                    last_used_at = GREATEST(tokens.last_used_at, $8), request_count = tokens.request_count + 1,
                    prompt_tokens = tokens.prompt_tokens + COALESCE($14::bigint, 0),
                    completion_tokens = tokens.completion_tokens + COALESCE($15::bigint, 0),
                    cost_nano = tokens.cost_nano + COALESCE($16::bigint, 0),
                    cache_hit_count = tokens.cache_hit_count + CASE WHEN $20::text = 'cache' THEN 1 ELSE 0 END
                FROM projects
                WHERE tokens.id = $6 AND projects.id = tokens.project_id || '' AND \(allows("1")) AND \(hasNoBudget)
                RETURNING \(Columns.counted) AS request_count, tokens.max_requests
            ), claimed AS (
                INSERT INTO ledger_writers (instance_id, last_sequence, updated_at, oldest_open)
                SELECT $1, $2, $3, $4 FROM counted
                \(LedgerStatements.takingNumberTelling)
            ), added AS (
                INSERT INTO \(table) (\(Columns.requestWithoutReservation), writer)
                SELECT $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23,
                    $24, $25
                FROM claimed
            )
            SELECT counted.request_count, counted.max_requests, claimed.changes, 1,
                CAST(CASE WHEN claimed.changes IS NULL THEN 'the batch was written before' ELSE '0' END AS integer),
                claimed.usage_until
            FROM counted LEFT JOIN claimed ON true
            """)
    }

    /// Whether a token allows so many more requests at `$3`, as far as can be told in SQL.
    private static func allows(_ requests: String) -> String {
        """
        tokens.revoked_at IS NULL AND projects.deactivated_at IS NULL AND tokens.requests_per_minute IS NULL
            AND tokens.tokens_per_minute IS NULL AND (tokens.expires_at IS NULL OR tokens.expires_at > $3)
            AND (tokens.max_requests = 0 OR \(Columns.counted) + \(requests) <= tokens.max_requests)
        """
    }

    /// Whether nothing goes off a budget.
    private static let hasNoBudget = "tokens.budget_nano IS NULL AND projects.budget_nano IS NULL"

    /// Whether ``whole`` failed for what the batch's requests are, rather than for the state of the database.
    static func saysNotWhole(_ error: SQLError) -> Bool {
        if case .constraint(.unique) = error.kind { return true }
        // invalid_text_representation: the CAST at the statement's end.
        return error.code == "22P02"
    }
}
