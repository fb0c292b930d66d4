import SQLDatabase

extension Schema {
    /// Sums of what requests used, by minute, hour and day, and which of them are not to be relied on; what is kept of removed
    /// requests by model and end too.
    ///
    /// A program that knows none of it can't remove old requests any more, and says so; what it writes late, and what it removes,
    /// is not told to the sums.
    static let usage = Migration(13, "sums of usage") { terms in
        let figures = ["requests", "errors", "prompt_tokens", "completion_tokens", "cost_nano", "cache_hits"]
        let columns = figures.map { "\($0) \(terms.integer) NOT NULL DEFAULT 0" }.joined(separator: ",\n    ")
        return """
            CREATE TABLE usage_sums (
                span \(terms.integer) NOT NULL,
                start \(terms.instant) NOT NULL,
                token_id \(terms.text) NOT NULL,
                project_id \(terms.text) NOT NULL,
                model \(terms.text) NOT NULL,
                status \(terms.text) NOT NULL,
                \(columns),
                latencies \(terms.text) NOT NULL,
                PRIMARY KEY (span, start, token_id, model, status)
            )\(terms.keyedTable);

            CREATE TABLE usage_stale (
                span \(terms.integer) NOT NULL,
                start \(terms.instant) NOT NULL,
                ticket \(terms.integer) NOT NULL,
                has_minutes \(terms.integer) NOT NULL,
                PRIMARY KEY (span, start)
            )\(terms.keyedTable);

            CREATE TABLE usage_horizon (
                id \(terms.integer) NOT NULL PRIMARY KEY CHECK (id = 1),
                until \(terms.instant) NOT NULL
            )\(terms.keyedTable);

            CREATE TABLE usage_by_day (
                day \(terms.text) NOT NULL,
                token_id \(terms.text) NOT NULL,
                project_id \(terms.text) NOT NULL,
                model \(terms.text) NOT NULL DEFAULT '',
                status \(terms.text) NOT NULL DEFAULT '',
                \(columns),
                PRIMARY KEY (day, token_id, model, status)
            )\(terms.keyedTable);

            INSERT INTO usage_by_day
                (day, token_id, project_id, requests, prompt_tokens, completion_tokens, cost_nano, cache_hits)
            SELECT day, token_id, project_id, requests, prompt_tokens, completion_tokens, cost_nano, cache_hits
            FROM usage_daily;

            DROP TABLE usage_daily;

            ALTER TABLE usage_by_day RENAME TO usage_daily;

            ALTER TABLE grant_changes ADD COLUMN usage_until \(terms.integer) NOT NULL DEFAULT 0
            """
    }
}
