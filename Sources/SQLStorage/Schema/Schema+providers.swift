import SQLDatabase

extension Schema {
    /// What of a provider projects and tokens may use: one name a line, nothing at all for everything.
    ///
    /// A program that knows none of it leaves it as it is, and grants what it would refuse.
    static let access = Migration(6, "access") { terms in
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
    static let upstreams = Migration(7, "upstreams") { terms in
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
    static let responseCache = Migration(8, "response cache") { terms in
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

    /// When answers were given last. In a table of its own, because a change of a row writes the whole row.
    ///
    /// What a program keeps that knows none of it counts as given never.
    static let cacheUses = Migration(17, "cache uses") { terms in
        """
        CREATE \(terms.scratch) cache_uses (
            cache_key \(terms.text) NOT NULL PRIMARY KEY,
            used_at \(terms.instant) NOT NULL
        )\(terms.keyedTable)
        """
    }
}
