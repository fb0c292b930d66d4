import PostgresDriver
import ProxyFixtures
import SQLDatabase
import Testing

@Suite("The PostgreSQL driver", .timeLimit(.minutes(3)))
struct PostgresDriverTests {
    private let database: TemporaryDatabase

    init() throws { database = try TemporaryDatabase() }

    @Test("opens with the settings asked for, and tells who it is")
    func settings() async throws {
        let pool = try await database.pool(
            options: .init(
                applicationName: "llm-proxy some-instance", statementTimeout: .seconds(7),
                lockTimeout: .milliseconds(1500)))
        #expect(try await pool.value("SHOW application_name") == "llm-proxy some-instance")
        #expect(try await pool.value("SHOW statement_timeout") == "7s")
        #expect(try await pool.value("SHOW lock_timeout") == "1500ms")
        #expect(try await pool.value("SHOW idle_in_transaction_session_timeout") == "7s")
        #expect(try await pool.value("SHOW client_encoding") == "UTF8")
        await pool.close()
    }

    @Test("a commit waits for the disk even where the server would not, unless that is wished")
    func synchronous() async throws {
        try database.server.run("ALTER DATABASE \(database.name) SET synchronous_commit = off", in: nil)
        let safe = try await database.pool()
        #expect(try await safe.value("SHOW synchronous_commit") == "on")
        let fast = try await database.pool(options: .init(isSynchronous: false))
        #expect(try await fast.value("SHOW synchronous_commit") == "off")
        await safe.close()
        await fast.close()
    }

    @Test("gives back what it was given, also the odd")
    func values() async throws {
        let pool = try await database.pool()
        let echo = SQLStatement("SELECT $1::text, $2::bigint, $3::text, $4::bigint, $5::text")
        let values: [SQLValue] = [
            .text("né \"quoted\" \\ {1,2}"), .integer(.min), .null, .integer(.max), .text(""),
        ]
        let found = try await pool.read { connection in
            try connection.first(echo, values) { (row) throws(SQLError) in
                #expect(row.columnCount == 5)
                #expect(row.isNull(at: 2) && !row.isNull(at: 4))
                return [
                    SQLValue.text(row.text(at: 0)), .integer(row.integer(at: 1)), .optional(row.optionalText(at: 2)),
                    .integer(row.integer(at: 3)), .text(row.text(at: 4)),
                ]
            }
        }
        #expect(found == values)
        let zero = await pool.failure { try $0.run(SQLStatement("SELECT $1::text"), [.text("a\0b")]) }
        #expect(zero?.code == "22021")
        let missing = await pool.failure { try $0.run(echo, [.null]) }
        #expect(missing?.detail == "5 parameters wanted, 1 given")
        await pool.close()
    }

    @Test("turns the server's codes into the errors all engines share")
    func errors() async throws {
        let pool = try await database.pool(options: .init(lockTimeout: .milliseconds(50)))
        try await pool.write { connection in
            try connection.runScript(
                """
                CREATE TABLE parents (id BIGINT PRIMARY KEY);
                CREATE TABLE rows (id BIGINT PRIMARY KEY, name TEXT NOT NULL UNIQUE,
                    parent BIGINT REFERENCES parents (id), size BIGINT CONSTRAINT small CHECK (size < 10));
                INSERT INTO rows VALUES (1, 'a', NULL, 1)
                """)
        }
        let kinds: [(String, SQLError.Kind)] = [
            ("INSERT INTO rows VALUES (2, 'a', NULL, 1)", .constraint(.unique(columns: ["name"]))),
            ("INSERT INTO rows VALUES (1, 'b', NULL, 1)", .constraint(.unique(columns: ["id"]))),
            ("INSERT INTO rows VALUES (2, 'b', 7, 1)", .constraint(.foreignKey)),
            ("INSERT INTO rows VALUES (2, NULL, NULL, 1)", .constraint(.notNull(column: "name"))),
            ("INSERT INTO rows VALUES (2, 'b', NULL, 10)", .constraint(.check(name: "small"))),
            ("SELEC 1", .other),
        ]
        for (text, kind) in kinds {
            #expect(await pool.failure { try $0.run(SQLStatement(text)) }?.kind == kind, "\(text)")
        }
        let readOnly = await pool.failure { try $0.runScript("BEGIN READ ONLY; DELETE FROM rows") }
        #expect(readOnly?.kind == .readOnly)
        let busy = await pool.failure { holder in
            try holder.begin(.write)
            try holder.run(SQLStatement("UPDATE rows SET size = 2"))
            let other = try pool.connector.connect(.reader)
            defer { other.close() }
            try other.run(SQLStatement("UPDATE rows SET size = 3"))
        }
        #expect(busy?.kind == .busy && busy?.code == "55P03")
        let slow = await pool.failure { try $0.runScript("SET statement_timeout = 50; SELECT pg_sleep(20)") }
        #expect(slow?.kind == .busy && slow?.code == "57014")
        await pool.close()
    }

    @Test("statements given together run in order, and all fall with the one that fails")
    func together() async throws {
        let pool = try await database.pool()
        try await pool.write { try $0.runScript("CREATE TABLE rows (id BIGINT PRIMARY KEY)") }
        let add = SQLStatement("INSERT INTO rows VALUES ($1) RETURNING id")
        let failure = await pool.failure { connection in
            try connection.begin(.write)
            for number: Int64 in [1, 2, 2, 3] {
                try connection.enqueue(add, SQLParameters([.integer(number)]), first: 0, count: 1) { _ in }
            }
            try connection.commit()
        }
        #expect(failure?.kind == .constraint(.unique(columns: ["id"])))
        #expect(try await pool.value("SELECT count(*) FROM rows") == "0")
        try await pool.write { connection in
            var seen: [Int64] = []
            try connection.transaction(.write) { () throws(SQLError) in
                for number: Int64 in 1...3 {
                    try connection.enqueue(add, SQLParameters([.integer(number)]), first: 0, count: 1) {
                        (row) throws(SQLError) in seen.append(row.integer(at: 0))
                    }
                }
                try connection.complete()
            }
            #expect(seen == [1, 2, 3])
        }
        #expect(try await pool.value("SELECT count(*) FROM rows") == "3")
        await pool.close()
    }

    @Test("cancelling a read stops its statement, and the connection serves on")
    func cancelled() async throws {
        let pool = try await database.pool(readers: 1)
        let task = Task {
            try await pool.read { connection in try connection.run(SQLStatement("SELECT pg_sleep(60)")) }
        }
        try await eventually { try await self.isSleeping() }
        task.cancel()
        await #expect(throws: SQLError(.interrupted, code: "57014")) { try await task.value }
        #expect(try await !isSleeping())
        #expect(try await pool.value("SELECT 1") == "1")
        #expect(pool.counters.opened == 2 && pool.counters.closed == 0)
        await pool.close()
    }

    @Test("a connection that the server ended is replaced before it is used")
    func ended() async throws {
        let pool = try await database.pool(readers: 2)
        let insert = SQLStatement("INSERT INTO rows VALUES ($1)")
        try await pool.write { try $0.runScript("CREATE TABLE rows (id BIGINT)") }
        for round: Int64 in 1...10 {
            try database.server.run(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '\(database.name)'", in: nil)
            try await eventually { try await self.backends().isEmpty }
            try await pool.write { try $0.run(insert, [.integer(round)]) }
        }
        #expect(try await pool.value("SELECT count(*) FROM rows") == "10")
        await pool.close()
    }

    @Test("hears of what others tell, without asking the server")
    func news() async throws {
        let pool = try await database.pool()
        let tell = try #require(pool.connector.dialect.tellChange)
        let quiet = try await pool.onWriter { try $0.connected().takeNews() }
        #expect(!quiet)
        try await pool.write { try $0.run(tell) }
        try await eventually { try await pool.onWriter { try $0.connected().takeNews() } }
        await pool.close()
    }

    private func isSleeping() async throws -> Bool {
        try database.server.run(
            "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = '\(database.name)'", in: nil
        ).count == 1
    }

    private func backends() async throws -> [String] {
        try database.server.run(
            "SELECT pid FROM pg_stat_activity WHERE datname = '\(database.name)'", in: nil
        ).compactMap { $0.first ?? nil }
    }
}

extension ConnectionPool {
    /// What `turn` gives on the writer's thread.
    func onWriter<Value: Sendable>(_ turn: @escaping @Sendable (ConnectionSlot) throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            enqueueTurn(after: .zero) { slot in continuation.resume(with: Result { try turn(slot) }) }
        }
    }
}
