import SQLDatabase

extension Schema {
    /// Where a database is moving to while it is served from, which of its rows have changed since that began, and which servers can
    /// follow it.
    ///
    /// A program that knows none of it goes on working. It does not follow, and a move doesn't end while it runs.
    static let moves = Migration(14, "moves") { terms in
        """
        CREATE TABLE moves (
            id \(terms.integer) NOT NULL PRIMARY KEY CHECK (id = 1),
            state \(terms.text) NOT NULL,
            target \(terms.text) NOT NULL,
            sealed_target \(terms.text) NOT NULL,
            owner \(terms.text) NOT NULL,
            began_at \(terms.instant) NOT NULL
        )\(terms.keyedTable);

        CREATE TABLE move_changes (
            number \(terms.ownNumber),
            name \(terms.text) NOT NULL,
            key_1 \(terms.text) NOT NULL,
            key_2 \(terms.text),
            key_3 \(terms.text),
            key_4 \(terms.text)
        );

        CREATE TABLE move_servers (
            instance_id \(terms.text) NOT NULL PRIMARY KEY,
            problem \(terms.text),
            has_moved \(terms.integer) NOT NULL DEFAULT 0
        )\(terms.keyedTable);
        """
    }
}
