public import SQLDatabase

/// Opens SQLite databases.
public enum SQLiteDatabase {
    /// Where the data lives.
    public enum Place: Hashable, Sendable {
        /// In this process, until the pool is closed. Exactly one connection, whatever the limits say.
        case memory
        /// In a file, and the two that SQLite keeps beside it. Folders that are missing are made, for the owner alone.
        case file(String)
    }

    /// What a commit waits for (sqlite.org/pragma.html#pragma_synchronous). A crash of the process loses nothing
    /// either way.
    public enum Synchronous: String, Sendable, CaseIterable {
        /// The disk has it: a commit survives power loss.
        case full
        /// The system has it: power loss may take the last commits, never the file's soundness.
        case normal
    }

    /// Makes the pool and connects its writer; every setting that must hold has been read back from the engine.
    /// - Parameters:
    ///   - limits: `limits.readers` bounds the readers of a file; at least 1 is used.
    ///   - busyTimeout: how long a connection waits for another process that holds the file.
    ///   - mayCreate: whether a file that is missing is made. Off for tools that only look.
    /// - Throws: `.setting` when a setting does not take, `.notADatabase`, `.corrupt`, `.readOnly`, `.io`, …
    public static func open(
        _ place: Place, limits: ConnectionPool.Limits = .init(readers: 10), synchronous: Synchronous = .full,
        busyTimeout: Duration = .seconds(5), mayCreate: Bool = true
    ) async throws(SQLError) -> ConnectionPool {
        let connector = SQLiteConnector(
            place, synchronous: synchronous, busyTimeout: busyTimeout, mayCreate: mayCreate)
        var limits = limits
        limits.readers = place == .memory ? 0 : max(1, limits.readers)
        let pool = try ConnectionPool(connector, limits: limits)
        do {
            try await pool.connect()
        } catch {
            await pool.close()
            throw error as? SQLError ?? SQLError(.other, detail: "\(error)")
        }
        return pool
    }

    /// Makes the folder that the file at `path` goes into, and those above it, for the owner alone; if they are missing.
    public static func prepareFolder(of path: String) throws(SQLError) { try SQLiteFile.prepareFolder(of: path) }

    /// The whole path of the file at `path`, links followed, whether there is one or not.
    public static func canonicalPath(of path: String) -> String { SQLiteFile.canonical(path) }

    /// A full-text index that has its words from the table (sqlite.org/fts5.html, section 4.4.3). Triggers would keep it, but those of
    /// a file we did not make may touch no virtual table (`trusted_schema`).
    private static func wordIndex(table: String) -> String {
        """
        CREATE VIRTUAL TABLE \(table)_words USING fts5(
            words, content='\(table)', content_rowid='number', tokenize='unicode61 remove_diacritics 0')
        """
    }

    private static func wordUpkeep(table: String) -> Dialect.WordUpkeep {
        let index = "\(table)_words"
        return .init(
            add: "INSERT INTO \(index) (rowid, words) VALUES ($1, $2)",
            remove: """
                INSERT INTO \(index) (\(index), rowid, words)
                SELECT 'delete', number, words FROM \(table) WHERE number <= $1
                """,
            rebuild: "INSERT INTO \(index) (\(index)) VALUES ('rebuild')")
    }

    /// What SQLite and PostgreSQL disagree on, SQLite's side.
    public static let dialect = Dialect(
        name: "sqlite", batchStyle: .eachRow, locksRows: false,
        terms: .init(
            integer: "INTEGER", ownNumber: "INTEGER NOT NULL PRIMARY KEY", text: "TEXT", instant: "TEXT",
            keyedTable: " STRICT, WITHOUT ROWID",
            wordIndex: { wordIndex(table: $0) }),
        search: .init(
            wordsMatch: { table, words in
                "number IN (SELECT rowid FROM \(table)_words WHERE \(table)_words MATCH \(words))"
            },
            memberText: { column, name in #"json_extract(\#(column), '$."' || \#(name) || '"')"# },
            upkeep: { wordUpkeep(table: $0) }),
        capture: .sqlite,
        integrityCheck: SQLStatement("PRAGMA quick_check(5)"), reclaim: "PRAGMA incremental_vacuum(64)")
}
