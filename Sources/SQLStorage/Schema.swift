import SQLDatabase

/// The tables, as migrations.
///
/// Columns of `projects` and `tokens` keep their order on every engine, so that the `INSERT` lines of a SQLite dump
/// load into PostgreSQL as they are. Instants are 24 characters of ISO 8601 in UTC; money is nano-dollars.
enum Schema {
    static let migrations = [
        spine, instances, limits, budgets, retention, access, upstreams, responseCache, copies, audit, answers,
        managers, usage, moves, timeline,
    ]
    static let runner = MigrationRunner(migrations)

    /// `requests` has no foreign keys: an admission reads its token and project in the same transaction, so a check by
    /// the engine would only repeat that for each row; `verify` looks for strays. It has no second index either: open
    /// requests are found from a writer's `oldest_open` on.
    private static let spine = Migration(1, "spine") { terms in
        """
        CREATE TABLE projects (
            id \(terms.text) NOT NULL PRIMARY KEY,
            name \(terms.text) NOT NULL UNIQUE,
            sealed_key \(terms.text) NOT NULL,
            key_hint \(terms.text) NOT NULL,
            provider \(terms.text) NOT NULL,
            base_url \(terms.text),
            deactivated_at \(terms.instant),
            created_at \(terms.instant) NOT NULL,
            updated_at \(terms.instant) NOT NULL
        )\(terms.keyedTable);

        CREATE TABLE tokens (
            id \(terms.text) NOT NULL PRIMARY KEY,
            project_id \(terms.text) NOT NULL REFERENCES projects (id),
            name \(terms.text) NOT NULL,
            digest \(terms.text) NOT NULL UNIQUE,
            hint \(terms.text) NOT NULL,
            expires_at \(terms.instant),
            revoked_at \(terms.instant),
            max_requests \(terms.integer) NOT NULL CHECK (max_requests >= 0),
            request_count \(terms.integer) NOT NULL,
            prompt_tokens \(terms.integer) NOT NULL,
            completion_tokens \(terms.integer) NOT NULL,
            cost_nano \(terms.integer) NOT NULL,
            cache_hit_count \(terms.integer) NOT NULL,
            last_used_at \(terms.instant),
            created_at \(terms.instant) NOT NULL,
            request_count_at_cap \(terms.integer) NOT NULL DEFAULT 0
        )\(terms.keyedTable);

        CREATE INDEX tokens_by_project ON tokens (project_id, id);

        CREATE TABLE requests (
            id \(terms.text) NOT NULL PRIMARY KEY,
            token_id \(terms.text) NOT NULL,
            project_id \(terms.text) NOT NULL,
            admitted_at \(terms.instant) NOT NULL,
            method \(terms.text) NOT NULL,
            path \(terms.text) NOT NULL,
            model \(terms.text),
            outcome \(terms.text),
            status \(terms.integer),
            prompt_tokens \(terms.integer),
            completion_tokens \(terms.integer),
            cost_nano \(terms.integer),
            settled_at \(terms.instant),
            duration_us \(terms.integer),
            first_byte_us \(terms.integer)
        )\(terms.keyedTable);

        CREATE TABLE ledger_writers (
            instance_id \(terms.text) NOT NULL PRIMARY KEY,
            last_sequence \(terms.integer) NOT NULL,
            updated_at \(terms.instant) NOT NULL,
            oldest_open \(terms.text)
        )\(terms.keyedTable);
        """
    }

    /// What several servers on one database need: whose a request is, who is alive, what has changed.
    ///
    /// A program that knows only the spine goes on working: each new column may be left out.
    private static let instances = Migration(2, "instances") { terms in
        """
        ALTER TABLE requests ADD COLUMN writer \(terms.integer);

        ALTER TABLE ledger_writers ADD COLUMN beats \(terms.integer) NOT NULL DEFAULT 0;

        CREATE TABLE grant_changes (
            id \(terms.integer) NOT NULL PRIMARY KEY CHECK (id = 1),
            count \(terms.integer) NOT NULL
        )\(terms.keyedTable);

        INSERT INTO grant_changes (id, count) VALUES (1, 0);
        """
    }

    /// What a token may do in a span of time. The window stands beside the limit, in the row that every decision about the
    /// token locks anyway.
    ///
    /// A program that knows no limits leaves both columns as they are, and grants what they would refuse.
    private static let limits = Migration(3, "limits") { terms in
        """
        ALTER TABLE tokens ADD COLUMN requests_per_minute \(terms.integer);

        ALTER TABLE tokens ADD COLUMN request_window \(terms.text);
        """
    }

    /// What tokens and projects may use in tokens and in money, what is set aside for requests under way, and who says what
    /// a request used.
    ///
    /// A program that knows none of it leaves all of it as it is: nothing is set aside for its requests, and its tokens are
    /// granted what these limits would refuse.
    private static let budgets = Migration(4, "budgets and usage") { terms in
        let account = { (table: String) in
            """
            ALTER TABLE \(table) ADD COLUMN budget_nano \(terms.integer);

            ALTER TABLE \(table) ADD COLUMN budget_period \(terms.text);

            ALTER TABLE \(table) ADD COLUMN budget_mode \(terms.text);

            ALTER TABLE \(table) ADD COLUMN budget_spent_nano \(terms.integer) NOT NULL DEFAULT 0;

            ALTER TABLE \(table) ADD COLUMN budget_reserved_nano \(terms.integer) NOT NULL DEFAULT 0;

            ALTER TABLE \(table) ADD COLUMN budget_began_at \(terms.instant);

            ALTER TABLE \(table) ADD COLUMN shadowed_limits \(terms.text);
            """
        }
        return """
            \(account("projects"))

            \(account("tokens"))

            ALTER TABLE tokens ADD COLUMN tokens_per_minute \(terms.integer);

            ALTER TABLE tokens ADD COLUMN token_window \(terms.text);

            ALTER TABLE tokens ADD COLUMN shadow_refusals \(terms.integer) NOT NULL DEFAULT 0;

            ALTER TABLE requests ADD COLUMN usage_source \(terms.text);

            ALTER TABLE requests ADD COLUMN reserved_prompt_tokens \(terms.integer);

            ALTER TABLE requests ADD COLUMN reserved_completion_tokens \(terms.integer);

            ALTER TABLE requests ADD COLUMN reserved_nano \(terms.integer);

            ALTER TABLE projects ADD COLUMN stream_usage \(terms.text);

            ALTER TABLE projects ADD COLUMN client_leaves \(terms.text);

            ALTER TABLE ledger_writers ADD COLUMN swept_by \(terms.text);
            """
    }

    /// What remains of requests whose rows are removed; and rows in parts of a day, where the engine has such.
    ///
    /// A program that knows none of it goes on working. Once rows are removed its drift metric counts them as missing.
    private static let retention = Migration(5, "retention") { terms in
        """
        CREATE TABLE usage_daily (
            day \(terms.text) NOT NULL,
            token_id \(terms.text) NOT NULL,
            project_id \(terms.text) NOT NULL,
            requests \(terms.integer) NOT NULL,
            prompt_tokens \(terms.integer) NOT NULL,
            completion_tokens \(terms.integer) NOT NULL,
            cost_nano \(terms.integer) NOT NULL,
            PRIMARY KEY (day, token_id)
        )\(terms.keyedTable);

        \(terms.partition("requests"))
        """
    }

    /// What of a provider projects and tokens may use: one name a line, nothing at all for everything.
    ///
    /// A program that knows none of it leaves it as it is, and grants what it would refuse.
    private static let access = Migration(6, "access") { terms in
        ["projects", "tokens"].map { table in
            """
            ALTER TABLE \(table) ADD COLUMN allowed_models \(terms.text);

            ALTER TABLE \(table) ADD COLUMN allowed_paths \(terms.text);
            """
        }.joined(separator: "\n\n")
    }

    /// Further ways of a project's requests, and which of them a request has tried.
    ///
    /// A program that knows none of it sends every request along its project's own way.
    private static let upstreams = Migration(7, "upstreams") { terms in
        """
        CREATE TABLE upstreams (
            id \(terms.text) NOT NULL PRIMARY KEY,
            project_id \(terms.text) NOT NULL REFERENCES projects (id),
            provider \(terms.text) NOT NULL,
            sealed_key \(terms.text) NOT NULL,
            key_hint \(terms.text) NOT NULL,
            base_url \(terms.text),
            priority \(terms.integer) NOT NULL,
            weight \(terms.integer) NOT NULL,
            deactivated_at \(terms.instant),
            created_at \(terms.instant) NOT NULL,
            updated_at \(terms.instant) NOT NULL
        )\(terms.keyedTable);

        CREATE INDEX upstreams_by_project ON upstreams (project_id, priority, id);

        ALTER TABLE requests ADD COLUMN attempts \(terms.text);
        """
    }

    /// Answers that may be given again, and what became of the purges that all servers must hear of; what projects say of that,
    /// and what their tokens have had of it.
    ///
    /// A program that knows none of it counts every request towards its token's cap.
    private static let responseCache = Migration(8, "response cache") { terms in
        """
        CREATE \(terms.scratch) cached_responses (
            cache_key \(terms.text) NOT NULL PRIMARY KEY,
            project_id \(terms.text) NOT NULL,
            method \(terms.text) NOT NULL,
            url \(terms.text) NOT NULL,
            kept_until \(terms.instant) NOT NULL,
            size \(terms.integer) NOT NULL,
            content \(terms.text) NOT NULL
        )\(terms.keyedTable);

        CREATE INDEX cached_responses_by_age ON cached_responses (kept_until);

        CREATE INDEX cached_responses_by_project ON cached_responses (project_id);

        CREATE TABLE cache_purges (
            number \(terms.integer) NOT NULL PRIMARY KEY,
            purged_at \(terms.instant) NOT NULL,
            project_id \(terms.text),
            method \(terms.text),
            url \(terms.text),
            is_prefix \(terms.integer) NOT NULL
        )\(terms.keyedTable);

        ALTER TABLE projects ADD COLUMN cache_scope \(terms.text);

        ALTER TABLE projects ADD COLUMN cache_hits \(terms.text);

        ALTER TABLE usage_daily ADD COLUMN cache_hits \(terms.integer) NOT NULL DEFAULT 0;
        """
    }

    /// Which databases were copied into this one, and whether all of them arrived.
    ///
    /// A program that knows none of it would serve from a half-copied database.
    private static let copies = Migration(9, "copies") { terms in
        """
        CREATE TABLE copies (
            number \(terms.integer) NOT NULL PRIMARY KEY,
            source \(terms.text) NOT NULL,
            began_at \(terms.instant) NOT NULL,
            ended_at \(terms.instant)
        )\(terms.keyedTable);
        """
    }

    /// What was done and by whom. `words` is what searches look into, and `link` the event's place in the chain.
    ///
    /// A program that knows none of it changes things without a word about it.
    private static let audit = Migration(10, "audit") { terms in
        """
        CREATE TABLE audit_events (
            id \(terms.text) NOT NULL PRIMARY KEY,
            number \(terms.integer) NOT NULL UNIQUE,
            happened_at \(terms.instant) NOT NULL,
            action \(terms.text) NOT NULL,
            actor \(terms.text) NOT NULL,
            outcome \(terms.text) NOT NULL,
            method \(terms.text) NOT NULL,
            path \(terms.text) NOT NULL,
            request_id \(terms.text) NOT NULL,
            correlation_id \(terms.text),
            client_ip \(terms.text) NOT NULL,
            project_id \(terms.text),
            token_id \(terms.text),
            metadata \(terms.text) NOT NULL,
            words \(terms.text) NOT NULL,
            link \(terms.text) NOT NULL
        )\(terms.keyedTable);

        \(terms.wordIndex("audit_events"));

        CREATE TABLE audit_chain (
            name \(terms.text) NOT NULL PRIMARY KEY,
            last_number \(terms.integer) NOT NULL,
            last_link \(terms.text) NOT NULL,
            base_number \(terms.integer) NOT NULL,
            base_link \(terms.text) NOT NULL
        )\(terms.keyedTable);
        """
    }

    /// What requests were answered that made something under a key of their client's.
    private static let answers = Migration(11, "remembered answers") { terms in
        """
        CREATE TABLE remembered_answers (
            idempotency_key \(terms.text) NOT NULL PRIMARY KEY,
            fingerprint \(terms.text) NOT NULL,
            project_id \(terms.text) NOT NULL,
            sealed_answer \(terms.text) NOT NULL,
            answered_at \(terms.instant) NOT NULL
        )\(terms.keyedTable);

        CREATE INDEX remembered_answers_by_age ON remembered_answers (answered_at);
        """
    }

    /// Who may call the management API besides the holder of the settings' token, and who has signed in to the admin pages.
    private static let managers = Migration(12, "management tokens") { terms in
        """
        CREATE TABLE management_tokens (
            id \(terms.text) NOT NULL PRIMARY KEY,
            name \(terms.text) NOT NULL,
            role \(terms.text) NOT NULL,
            digest \(terms.text) NOT NULL UNIQUE,
            hint \(terms.text) NOT NULL,
            created_at \(terms.instant) NOT NULL,
            expires_at \(terms.instant),
            revoked_at \(terms.instant)
        )\(terms.keyedTable);

        CREATE UNIQUE INDEX management_tokens_by_name ON management_tokens (name) WHERE revoked_at IS NULL;

        CREATE TABLE admin_sessions (
            digest \(terms.text) NOT NULL PRIMARY KEY,
            credential \(terms.text) NOT NULL,
            created_at \(terms.instant) NOT NULL,
            seen_at \(terms.instant) NOT NULL
        )\(terms.keyedTable);

        CREATE INDEX admin_sessions_by_credential ON admin_sessions (credential);
        """
    }

    /// Sums of what requests used, by minute, hour and day, and which of them are not to be relied on; what is kept of removed
    /// requests by model and end too.
    ///
    /// A program that knows none of it can't remove old requests any more, and says so; what it writes late, and what it removes,
    /// is not told to the sums.
    private static let usage = Migration(13, "sums of usage") { terms in
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
