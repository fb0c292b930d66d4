import SQLDatabase

extension Schema {
    /// `requests` has no foreign keys: an admission reads its token and project in the same transaction, so a check by
    /// the engine would only repeat that for each row; `verify` looks for strays. It has no second index either: open
    /// requests are found from a writer's `oldest_open` on.
    static let spine = Migration(1, "spine") { terms in
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
    static let instances = Migration(2, "instances") { terms in
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
    static let limits = Migration(3, "limits") { terms in
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
    static let budgets = Migration(4, "budgets and usage") { terms in
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
}
