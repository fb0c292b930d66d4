import SQLDatabase

extension ChangeCapture {
    /// A trigger for each kind of change (sqlite.org/lang_createtrigger.html). They touch plain tables only, which `trusted_schema`
    /// leaves them.
    static let sqlite = ChangeCapture(
        begin: { table, key in
            changes.map { change, row in
                let columns = keyColumns.prefix(key.count).joined(separator: ", ")
                let values = key.map { "\(row).\($0)" }.joined(separator: ", ")
                return """
                    CREATE TRIGGER \(table)_\(change.lowercased())_noted AFTER \(change) ON \(table) BEGIN
                        SELECT RAISE(ABORT, '\(refusal)') FROM moves WHERE state <> 'following';
                        INSERT INTO move_changes (name, \(columns)) VALUES ('\(table)', \(values));
                    END;
                    """
            }.joined(separator: "\n")
        },
        end: { table in
            changes.map { change, _ in "DROP TRIGGER IF EXISTS \(table)_\(change.lowercased())_noted;" }
                .joined(separator: "\n")
        })

    private static let changes = [("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD")]
}
