import SQLDatabase

extension Schema {
    /// What remains of requests whose rows are removed; and rows in parts of a day, where the engine has such.
    ///
    /// A program that knows none of it goes on working. Once rows are removed its drift metric counts them as missing.
    static let retention = Migration(5, "retention") { terms in
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

    /// Which databases were copied into this one, and whether all of them arrived.
    ///
    /// A program that knows none of it would serve from a half-copied database.
    static let copies = Migration(9, "copies") { terms in
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
    static let audit = Migration(10, "audit") { terms in
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
    static let answers = Migration(11, "remembered answers") { terms in
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
    static let managers = Migration(12, "management tokens") { terms in
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
}
