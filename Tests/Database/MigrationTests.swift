import ProxyDomain
import ProxyStorage
import SQLDatabase
import SQLStorage
import SQLiteDriver
import Testing

@Suite("Migrations")
struct MigrationTests {
    private static let first = Migration(1, "first") {
        "CREATE TABLE a (id \($0.integer)); CREATE TABLE b (id \($0.text))"
    }
    private static let second = Migration(2, "second") { _ in "ALTER TABLE a ADD COLUMN n TEXT" }

    private func schema(_ pool: ConnectionPool) async throws -> [String] {
        let statement = SQLStatement("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name")
        let applied = SQLStatement("SELECT version || name || checksum || applied_at FROM schema_migrations")
        return try await pool.read { connection in
            try connection.all(statement) { (row) throws(SQLError) in row.text(at: 0) }
                + connection.all(applied) { (row) throws(SQLError) in row.text(at: 0) }
        }
    }

    private func run(_ migrations: [Migration], on pool: ConnectionPool) async throws -> Int {
        try await pool.write { try MigrationRunner(migrations).run(on: $0, appliedAt: noon.text) }
    }

    @Test("an empty database gets all of them, and a second run finds nothing to do")
    func again() async throws {
        let pool = try await SQLiteDatabase.open(.memory)
        #expect(try await run([Self.first, Self.second], on: pool) == 2)
        let schema = try await schema(pool)
        #expect(try await run([Self.first, Self.second], on: pool) == 0)
        #expect(try await self.schema(pool) == schema)
        await pool.close()
    }

    @Test("an older database gets what is missing")
    func older() async throws {
        let pool = try await SQLiteDatabase.open(.memory)
        #expect(try await run([Self.first], on: pool) == 1)
        await #expect(throws: MigrationError.olderSchema(found: 1, known: 2)) {
            try await pool.read { try MigrationRunner([Self.first, Self.second]).check($0) }
        }
        #expect(try await run([Self.first, Self.second], on: pool) == 1)
        try await pool.read { try MigrationRunner([Self.first, Self.second]).check($0) }
        await pool.close()
    }

    @Test("a newer database is refused, and nothing is changed")
    func newer() async throws {
        let pool = try await SQLiteDatabase.open(.memory)
        _ = try await run([Self.first, Self.second], on: pool)
        let before = try await schema(pool)
        await #expect(throws: MigrationError.newerSchema(found: 2, known: 1)) { try await run([Self.first], on: pool) }
        #expect(try await schema(pool) == before)
        await pool.close()
    }

    @Test("another text, another name or a gap is refused, and nothing is changed")
    func different() async throws {
        let pool = try await SQLiteDatabase.open(.memory)
        _ = try await run([Self.first], on: pool)
        let before = try await schema(pool)
        let edited = Migration(1, "first") { _ in "CREATE TABLE a (id INTEGER)" }
        await #expect(throws: MigrationError.differs(version: 1, foundName: "first", knownName: "first")) {
            try await run([edited, Self.second], on: pool)
        }
        let renamed = Migration(1, "other") {
            Self.first.script(for: SQLiteDatabase.dialect) + ($0.text == "" ? "" : "")
        }
        await #expect(throws: MigrationError.differs(version: 1, foundName: "first", knownName: "other")) {
            try await run([renamed], on: pool)
        }
        #expect(try await schema(pool) == before)
        try await pool.write { try $0.runScript("UPDATE schema_migrations SET version = 2") }
        await #expect(throws: MigrationError.gap(version: 1)) { try await run([Self.first, Self.second], on: pool) }
        await pool.close()
    }

    @Test("one that fails leaves nothing of any of them")
    func failing() async throws {
        let pool = try await SQLiteDatabase.open(.memory)
        let broken = Migration(2, "broken") { _ in "CREATE TABLE c (id TEXT); CREATE TABLE c (id TEXT)" }
        await #expect(throws: MigrationError.self) { try await run([Self.first, broken], on: pool) }
        let tables = SQLStatement("SELECT count(*) FROM sqlite_schema")
        let count = try await pool.read { try $0.first(tables) { (row) throws(SQLError) in row.integer(at: 0) } }
        #expect(count == 0)
        #expect(try await run([Self.first], on: pool) == 1)
        await pool.close()
    }

    @Test("of several at once on one new file one migrates and the others find it done")
    func atOnce() async throws {
        let folder = TemporaryFolder()
        let applied = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<6 {
                group.addTask {
                    let pool = try await SQLiteDatabase.open(.file(folder.database), busyTimeout: .seconds(60))
                    defer { Task { await pool.close() } }
                    return try await run([Self.first, Self.second], on: pool)
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(applied.sorted() == [0, 0, 0, 0, 0, 2])
    }

    @Test("a tool that only looks refuses a database that is not ready, and makes nothing")
    func inspection() async throws {
        let pool = try await SQLiteDatabase.open(.memory)
        await #expect(throws: MigrationError.olderSchema(found: 0, known: 17)) { try await SQLStorage.inspect(pool) }
        _ = try await SQLStorage.open(pool, now: noon)
        let storage = try await SQLStorage.inspect(pool)
        #expect(try await storage.verify().allSatisfy(\.holds))
        await storage.close()
    }

    /// Migrations are never edited once released: a changed checksum here is a mistake, or a release that never was.
    @Test("the checksum of each released migration is the one it was released with")
    func pinned() async throws {
        let world = try await World.memory()
        let list = SQLStatement(
            "SELECT version || ' ' || name || ' ' || checksum FROM schema_migrations ORDER BY version")
        let found = try await world.pool.read { try $0.all(list) { (row) throws(SQLError) in row.text(at: 0) } }
        #expect(
            found == [
                "1 spine 84dec8b318ee195c", "2 instances d080fb721dbb8bda", "3 limits 86119171e0c5bd19",
                "4 budgets and usage e762fc4953e2f17f", "5 retention 5f99c1e4ab1cd30a", "6 access b36c319dc9590d25",
                "7 upstreams 3d4acd4678dd359f", "8 response cache 07f42d58ff4eac66",
                "9 copies 21a7aaef8471c8b7", "10 audit 8c0e159f675d2f62", "11 remembered answers 7ebc8372d43cbe55",
                "12 management tokens df5b860361062481", "13 sums of usage ef31d9f2ef448b72",
                "14 moves 5d9c3ca5b69dbfe5", "15 timeline 25c58b13eed778f3", "16 traffic e58bdb7c86cb6b0e",
                "17 cache uses 3f23a539a1690e2b",
            ])
        await world.storage.close()
    }
}
