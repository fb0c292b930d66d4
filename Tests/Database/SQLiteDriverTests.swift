import Foundation
import SQLDatabase
import SQLiteDriver
import Testing

@Suite("The SQLite driver")
struct SQLiteDriverTests {
    private func open(
        _ folder: TemporaryFolder, synchronous: SQLiteDatabase.Synchronous = .full
    ) async throws -> ConnectionPool {
        try await SQLiteDatabase.open(
            .file(folder.database), limits: .init(readers: 2), synchronous: synchronous,
            busyTimeout: .milliseconds(80))
    }

    /// The error that `body` throws on the writer.
    private func failure(
        _ pool: ConnectionPool, onReader: Bool = false, _ body: @escaping @Sendable (any SQLConnection) throws -> Void
    ) async -> SQLError? {
        do {
            if onReader { try await pool.read(body) } else { try await pool.write(body) }
            return nil
        } catch {
            return error as? SQLError
        }
    }

    private func pragma(_ name: String, _ pool: ConnectionPool, onReader: Bool = false) async throws -> String? {
        let statement = SQLStatement("PRAGMA \(name)")
        let ask: @Sendable (any SQLConnection) throws -> String? = {
            try $0.first(statement) { (row) throws(SQLError) in row.text(at: 0) }
        }
        return onReader ? try await pool.read(ask) : try await pool.write(ask)
    }

    @Test("opens with the settings asked for, and makes the file for its owner alone")
    func settings() async throws {
        let folder = TemporaryFolder()
        let pool = try await open(folder)
        #expect(try await pragma("journal_mode", pool) == "wal")
        #expect(try await pragma("synchronous", pool) == "2")
        #expect(try await pragma("foreign_keys", pool) == "1")
        #expect(try await pragma("busy_timeout", pool) == "80")
        #expect(try await pragma("query_only", pool) == "0")
        #expect(try await pragma("query_only", pool, onReader: true) == "1")
        #expect(try await pragma("synchronous", pool, onReader: true) == "2")
        let attributes = try FileManager.default.attributesOfItem(atPath: folder.database)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        let parent = try FileManager.default.attributesOfItem(atPath: folder.path + "/store")
        #expect(parent[.posixPermissions] as? Int == 0o700)
        await pool.close()
        let normal = try await open(folder, synchronous: .normal)
        #expect(try await pragma("synchronous", normal) == "1")
        await normal.close()
    }

    /// Adds texts from the same place of memory, and reads them.
    private static func textsInTurn(_ connection: any SQLConnection) throws -> [String] {
        let add = SQLStatement("INSERT INTO texts (text) VALUES ($1)")
        var parameters = SQLParameters()
        for text in ["this", "that", "that", "is"] {
            parameters.removeAll()
            parameters.append(text)
            _ = try connection.run(add, parameters, first: 0, count: 1) { _ in }
        }
        var texts: [String] = []
        for number in 1...4 {
            let read = SQLStatement("SELECT text FROM texts WHERE rowid = \(number)")
            if let text = try connection.first(read, [], { (row) throws(SQLError) in row.text(at: 0) }) {
                texts.append(text)
            }
        }
        return texts
    }

    @Test("a text at the place of the one before is written as it is now", arguments: ["UTF-8", "UTF-16le"])
    func textsInPlace(_ encoding: String) async throws {
        let folder = TemporaryFolder()
        try FileManager.default.createDirectory(atPath: folder.path + "/store", withIntermediateDirectories: true)
        let path = folder.database
        let maker = try await SQLiteDatabase.open(.memory)
        try await maker.write { connection in
            try connection.runScript(
                "PRAGMA encoding = '\(encoding)'; CREATE TABLE texts (text); VACUUM INTO '\(path)'")
        }
        await maker.close()
        let pool = try await open(folder)
        #expect(try await pragma("encoding", pool) == encoding)
        let found = try await pool.write { try Self.textsInTurn($0) }
        #expect(found == ["this", "that", "that", "is"])
        await pool.close()
    }

    @Test("a setting that does not take is an error that names it")
    func settingRefused() async throws {
        let folder = TemporaryFolder()
        // In rollback mode and held by a reader, the file can't be switched to WAL.
        try FileManager.default.createDirectory(atPath: folder.path + "/store", withIntermediateDirectories: true)
        let error = SQLError(.setting(name: "journal_mode", wanted: "wal", found: "delete"))
        #expect(error.description == "database setting journal_mode is 'delete' where 'wal' is needed")
        let missing = await #expect(throws: SQLError.self) {
            _ = try await SQLiteDatabase.open(.file(folder.database), mayCreate: false)
        }
        #expect(missing?.kind == .io)
        #expect(!FileManager.default.fileExists(atPath: folder.database))
    }

    @Test("passes values through as they are, in whatever order a text names its parameters")
    func values() async throws {
        let pool = try await SQLiteDatabase.open(.memory)
        let statement = SQLStatement("SELECT $3, $1, $2, $1, typeof($4)")
        let text = "naïve \u{1F9ED} 'quoted' \"x\" \\"
        let found = try await pool.read {
            try $0.first(statement, [.text(text), .integer(.min), .text(""), .null]) { (row) throws(SQLError) in
                (
                    row.text(at: 0), row.text(at: 1), row.integer(at: 2), row.text(at: 3), row.text(at: 4),
                    row.columnCount
                )
            }
        }
        let row = try #require(found)
        #expect(row == ("", text, .min, text, "null", 5))
        let wrong = await failure(pool) { try $0.run(statement, [.null]) }
        #expect(wrong?.kind == .other)
        await pool.close()
    }

    @Test("tells constraints apart, with their columns")
    func constraints() async throws {
        let pool = try await SQLiteDatabase.open(.memory)
        try await pool.write {
            try $0.runScript(
                """
                CREATE TABLE a (id TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL, x INTEGER, y INTEGER,
                    UNIQUE (x, y), CONSTRAINT small CHECK (x < 10)) STRICT, WITHOUT ROWID;
                CREATE TABLE b (a TEXT REFERENCES a (id)) STRICT;
                INSERT INTO a VALUES ('1', 'n', 1, 1);
                """)
        }
        func kind(_ sql: String) async -> SQLError.Kind? {
            await failure(pool) { try $0.runScript(sql) }?.kind
        }
        #expect(await kind("INSERT INTO a VALUES ('1', 'n', 2, 2)") == .constraint(.unique(columns: ["id"])))
        #expect(await kind("INSERT INTO a VALUES ('2', 'n', 1, 1)") == .constraint(.unique(columns: ["x", "y"])))
        #expect(await kind("INSERT INTO a VALUES ('2', NULL, 1, 2)") == .constraint(.notNull(column: "name")))
        #expect(await kind("INSERT INTO a VALUES ('2', 'n', 10, 2)") == .constraint(.check(name: "small")))
        #expect(await kind("INSERT INTO b VALUES ('9')") == .constraint(.foreignKey))
        #expect(await kind("INSERT INTO a VALUES ('2', 'n', 'text', 2)") == .constraint(.other))
        #expect(await kind("SELECT nothing FROM nowhere") == .other)
        await pool.close()
    }

    @Test("a file held by another process for too long is busy, and counted")
    func busy() async throws {
        let folder = TemporaryFolder()
        let (mine, other) = (try await open(folder), try await open(folder))
        let gate = Gate()
        let log = Log()
        async let held: Void = other.write { connection in
            try connection.begin(.write)
            log.add("begun")
            gate.pass()
            try connection.rollback()
        }
        try await eventually { log.all == ["begun"] }
        let error = await failure(mine) { try $0.begin(.write) }
        #expect(error?.kind == .busy)
        gate.open()
        try await held
        #expect(await failure(mine) { try $0.begin(.write) } == nil)
        #expect(mine.connector.statistics().first { $0.name == "database_busy_total" }?.value == 1)
        await mine.close()
        await other.close()
    }

    @Test("a snapshot that can't become a writer is busy at once")
    func busySnapshot() async throws {
        let folder = TemporaryFolder()
        let (mine, other) = (try await open(folder), try await open(folder))
        try await other.write { try $0.runScript("CREATE TABLE seen (n INTEGER) STRICT") }
        let count = SQLStatement("SELECT count(*) FROM seen")
        let gate = Gate()
        let written = Gate()
        let task = Task {
            try await mine.write { connection in
                try connection.begin(.read)
                try connection.run(count)
                gate.open()
                written.pass()
                try connection.runScript("INSERT INTO seen VALUES (1)")
            }
        }
        try await other.write { connection in
            gate.pass()
            try connection.runScript("INSERT INTO seen VALUES (2)")
        }
        written.open()
        let error = await #expect(throws: SQLError.self) { try await task.value }
        #expect(error?.kind == .busy)
        #expect(error?.code == "517")
        await mine.close()
        await other.close()
    }

    @Test("a full database is full, keeps what it had and recovers")
    func full() async throws {
        let folder = TemporaryFolder()
        let pool = try await open(folder)
        try await pool.write { try $0.runScript("CREATE TABLE seen (t TEXT) STRICT; PRAGMA max_page_count = 10") }
        let add = SQLStatement("INSERT INTO seen VALUES ($1)")
        let large = String(repeating: "x", count: 100_000)
        let error = await failure(pool) { connection in
            try connection.begin(.write)
            try connection.run(add, [.text("small")])
            try connection.run(add, [.text(large)])
        }
        #expect(error?.kind == .full)
        try await pool.write { try $0.runScript("PRAGMA max_page_count = 1000") }
        try await pool.write { try $0.run(add, [.text(large)]) }
        let count = SQLStatement("SELECT count(*) FROM seen")
        let rows = try await pool.read { try $0.first(count) { (row) throws(SQLError) in row.integer(at: 0) } }
        #expect(rows == 1)
        await pool.close()
    }

    @Test("a file that is something else is not a database; a damaged one is corrupt")
    func damage() async throws {
        let folder = TemporaryFolder()
        try FileManager.default.createDirectory(atPath: folder.path + "/store", withIntermediateDirectories: true)
        try Data(repeating: 0x41, count: 8192).write(to: URL(fileURLWithPath: folder.database))
        let other = await #expect(throws: SQLError.self) { _ = try await open(folder) }
        #expect(other?.kind == .notADatabase)

        try FileManager.default.removeItem(atPath: folder.database)
        let pool = try await open(folder)
        try await pool.write {
            try $0.runScript(
                "CREATE TABLE seen (t TEXT) STRICT; INSERT INTO seen VALUES ('\(String(repeating: "y", count: 9000))')")
        }
        await pool.close()
        var bytes = try Data(contentsOf: URL(fileURLWithPath: folder.database))
        // The second page tells whose the others are; the third begins the table.
        bytes.replaceSubrange(8192..<12288, with: Data(repeating: 0xFF, count: 4096))
        try bytes.write(to: URL(fileURLWithPath: folder.database))
        let damaged = try await open(folder)
        let select = SQLStatement("SELECT t FROM seen")
        #expect(await failure(damaged, onReader: true) { try $0.run(select) }?.kind == .corrupt)
        await damaged.close()
    }

    @Test("a reader can't write")
    func readOnly() async throws {
        let folder = TemporaryFolder()
        let pool = try await open(folder)
        let error = await failure(pool, onReader: true) { try $0.runScript("CREATE TABLE seen (n INTEGER) STRICT") }
        #expect(error?.kind == .readOnly)
        await pool.close()
    }

    @Test("a transaction keeps the errors of its body, its commit and its rollback apart")
    func transactions() async throws {
        let pool = try await SQLiteDatabase.open(.memory)
        try await pool.write { connection in
            try connection.runScript(
                """
                CREATE TABLE a (id INTEGER PRIMARY KEY) STRICT;
                CREATE TABLE b (a INTEGER REFERENCES a (id) DEFERRABLE INITIALLY DEFERRED) STRICT;
                """)
            var seen: [String] = []
            func attempt(_ body: () throws(SQLError) -> Void) {
                do {
                    try connection.transaction(.write, body)
                    seen.append("done")
                } catch {
                    switch error {
                    case .begin: seen.append("begin")
                    case .body(_, let rollback): seen.append("body \(rollback == nil)")
                    case .commit(let cause, let rollback): seen.append("commit \(cause.kind) \(rollback == nil)")
                    }
                }
            }
            attempt { () throws(SQLError) in try connection.runScript("INSERT INTO a VALUES (1)") }
            attempt { () throws(SQLError) in throw SQLError(.other) }
            attempt { () throws(SQLError) in try connection.runScript("INSERT INTO b VALUES (9)") }
            try connection.begin(.write)
            attempt { () throws(SQLError) in }
            try connection.rollback()
            #expect(
                seen == [
                    "done", "body true", "commit constraint(SQLDatabase.SQLError.Constraint.foreignKey) true", "begin",
                ])
            #expect(!connection.isInTransaction)
        }
        await pool.close()
    }

    @Test("two that create one file at the same moment both succeed")
    func together() async throws {
        for _ in 0..<10 {
            let folder = TemporaryFolder()
            try await withThrowingTaskGroup { group in
                for _ in 0..<4 {
                    group.addTask {
                        let pool = try await SQLiteDatabase.open(.file(folder.database), busyTimeout: .seconds(60))
                        await pool.close()
                    }
                }
                try await group.waitForAll()
            }
        }
    }
}
