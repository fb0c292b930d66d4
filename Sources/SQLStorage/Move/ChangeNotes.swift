import SQLDatabase

/// Which rows of a database have changed since somebody began to follow it.
enum ChangeNotes {
    /// Most notes that are read at once.
    static let pageLength = 4096

    /// A change of a row.
    struct Note: Sendable {
        let number: Int64
        let table: StoredTable
        let key: [String]
    }

    /// Notes every change from the end of this transaction on. Others may be in its way: try it again then.
    static func begin(on connection: any SQLConnection) throws(SQLError) {
        let capture = connection.dialect.capture
        try end(on: connection)
        let scripts = [capture.prepare] + StoredTable.all.map { capture.begin($0.name, $0.key) }
        for script in scripts where !script.isEmpty { try connection.runScript(script) }
    }

    /// Notes none any more, forgets those there are, and lets the database be changed again.
    static func end(on connection: any SQLConnection) throws(SQLError) {
        let capture = connection.dialect.capture
        let scripts = [capture.patience] + StoredTable.all.map { capture.end($0.name) } + [capture.cleanUp]
        for script in scripts where !script.isEmpty { try connection.runScript(script) }
        for statement in NoteStatements.forgetAll { try connection.run(statement) }
    }

    /// The first notes about rows of some tables, in the order in which they were made.
    static func read(of tables: [StoredTable], on connection: any SQLConnection) throws(SQLError) -> [Note] {
        let byName = Dictionary(uniqueKeysWithValues: tables.map { ($0.name, $0) })
        var notes: [Note] = []
        try connection.run(NoteStatements.read, [.text(byName.keys.joined(separator: " "))]) {
            (row) throws(SQLError) in
            guard let table = byName[row.text(at: 1)] else { return }
            let key = table.key.indices.map { row.text(at: 2 + $0) }
            notes.append(Note(number: row.integer(at: 0), table: table, key: key))
        }
        return notes
    }

    /// How many notes there are; 100,000 for more.
    static func count(on connection: any SQLConnection) throws(SQLError) -> Int64 {
        try connection.first(NoteStatements.count) { (row) throws(SQLError) in row.integer(at: 0) } ?? 0
    }

    /// Forgets notes whose rows have been brought over, unless another run has the move in hand. One by one: numbers may become
    /// visible in another order.
    /// - Returns: whether they are forgotten.
    static func forget(_ notes: [Note], by owner: String, on connection: any SQLConnection) throws(SQLError) -> Bool {
        guard try MoveRecord.read(on: connection)?.owner == owner else { return false }
        try connection.change(NoteStatements.forget, SQLParameters(notes.map { .integer($0.number) }), width: 1)
        return true
    }
}

private enum NoteStatements {
    /// Names of tables hold no spaces.
    static let read = SQLStatement(
        """
        SELECT number, name, key_1, key_2, key_3, key_4 FROM move_changes
        WHERE ' ' || $1 || ' ' LIKE '% ' || name || ' %' ORDER BY number LIMIT \(ChangeNotes.pageLength)
        """)
    static let count = SQLStatement(
        "SELECT count(*) FROM (SELECT 1 AS one FROM move_changes LIMIT 100000) AS noted")
    static let forget = BatchStatement(
        each: "DELETE FROM move_changes WHERE number = $1",
        all: """
            DELETE FROM move_changes USING unnest($1::bigint[]) WITH ORDINALITY AS asked (number, position)
            WHERE move_changes.number = asked.number AND \(LedgerStatements.isOfBatch("asked.position")) RETURNING asked.position
            """)
    static let forgetAll = ["move_changes", "move_servers", "moves"].map { SQLStatement("DELETE FROM \($0)") }
}
