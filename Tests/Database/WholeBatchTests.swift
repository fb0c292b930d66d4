import PostgresDriver
import ProxyDomain
import ProxyStorage
import SQLDatabase
import Testing

@testable import SQLStorage

@Suite("A batch as one statement", .timeLimit(.minutes(3)))
struct WholeBatchTests {
    private let database: TemporaryDatabase
    private let batches = Batches()

    init() throws { database = try TemporaryDatabase() }

    /// How many batches had to be written step by step after all.
    private func rewritten(_ world: World) async -> Double? {
        await world.storage.figures().first { $0.name == "database_ledger_rewritten_total" }?.value
    }

    private func end(of admission: Admission, _ settlement: Settlement = .sample()) -> RequestSettlement {
        RequestSettlement(of: admission, settlement)
    }

    @Test("counts one request and many, their ends and their usage, each at the first try")
    func granted() async throws {
        let world = try await World.on(try await database.pool())
        let free = try await world.token()
        let capped = try await world.token(max: 5, expiresAt: noon + .seconds(1))
        let lone = world.admission(capped, settled: .sample(prompt: 7, completion: 3, cost: 11))
        #expect(try await world.storage.commit(batches.next([lone])) == [.admitted(remaining: 4)])
        let open = [world.admission(free), world.admission(capped), world.admission(free), world.admission(capped)]
        #expect(
            try await world.storage.commit(batches.next(open)) == [
                .admitted(remaining: nil), .admitted(remaining: 3), .admitted(remaining: nil), .admitted(remaining: 2),
            ])
        // What comes with a settlement, or only as one, is no lone request.
        let last = world.admission(capped)
        #expect(
            try await world.storage.commit(batches.next([last], ends: [end(of: open[0])]))
                == [.admitted(remaining: 1)])
        _ = try await world.storage.commit(batches.next(ends: [end(of: last), end(of: open[1])]))
        #expect(await rewritten(world) == 0)
        let stored = try await world.storage.token(capped.id)
        #expect((stored.requestCount, stored.promptTokens, stored.cost.amount) == (4, 27, 211))
        #expect(try await world.storage.token(free.id).promptTokens == 10)
        #expect(try await world.storage.request(lone.requestID).admission == lone)
        #expect(try await world.broken() == [])
        await world.storage.close()
    }

    @Test("writes nothing of what a token refuses, then all of it step by step")
    func refused() async throws {
        let world = try await World.on(try await database.pool())
        let capped = try await world.token(max: 2)
        let expired = try await world.token(expiresAt: noon)
        let free = try await world.token()
        let asked = [capped, capped, free, capped, expired].map { world.admission($0) }
        #expect(
            try await world.storage.commit(batches.next(asked)) == [
                .admitted(remaining: 1), .admitted(remaining: 0), .admitted(remaining: nil), .refused(.capUsedUp),
                .refused(.tokenExpired),
            ])
        #expect(await rewritten(world) == 1)
        // Doubted once, justified again.
        for _ in 0..<2 {
            #expect(try await world.storage.commit(batches.next([world.admission(capped)])) == [.refused(.capUsedUp)])
        }
        #expect(await rewritten(world) == 2)
        #expect(try await world.broken() == [])
        await world.storage.close()
    }

    @Test("counts only the ends that changed something, and each request once")
    func repeated() async throws {
        let world = try await World.on(try await database.pool())
        let token = try await world.token()
        let admission = world.admission(token)
        _ = try await world.storage.commit(batches.next([admission]))
        _ = try await world.storage.commit(batches.next(ends: [end(of: admission)]))
        _ = try await world.storage.commit(
            batches.next([world.admission(token)], ends: [end(of: admission, .sample(prompt: 99))]))
        #expect(await rewritten(world) == 1)
        #expect(try await world.storage.token(token.id).promptTokens == 10)
        _ = try await world.storage.commit(batches.next([world.admission(token)]))
        _ = try await world.storage.commit(batches.next([admission]))
        #expect(await rewritten(world) == 2)
        #expect(try await world.storage.token(token.id).requestCount == 3)
        #expect(try await world.broken() == [])
        await world.storage.close()
    }

    @Test("a number that was taken before is looked up", arguments: [1, 2])
    func numberTaken(size: Int) async throws {
        let world = try await World.on(try await database.pool())
        let token = try await world.token(max: 3)
        let batch = batches.next((0..<size).map { _ in world.admission(token) })
        let first = try await world.storage.commit(batch)
        let second = try await world.storage.commit(batch)
        #expect(first.last == second.last)
        #expect(try await world.storage.token(token.id).requestCount == Int64(size))
        #expect(try await world.broken() == [])
        await world.storage.close()
    }

    /// A token table that was analyzed with one row, and has grown since.
    private func grown(options: PostgresDatabase.Options = .init()) async throws -> World {
        let world = try await World.on(try await database.pool(options: options))
        let token = try await world.token()
        _ = try await world.storage.commit(batches.next([world.admission(token)]))
        try await world.sql("ANALYZE")
        return world
    }

    private static let part = SQLStatement("SELECT CAST(CAST(tableoid AS regclass) AS text) FROM requests LIMIT 1")
    private static let growing = """
        INSERT INTO tokens (id, project_id, name, digest, hint, max_requests, request_count, prompt_tokens,
            completion_tokens, cost_nano, cache_hit_count, created_at)
        SELECT id || number, project_id, name, digest || number, hint, 0, 0, 0, 0, 0, 0, created_at
        FROM tokens, generate_series(1, 2000) AS number;
        INSERT INTO requests (id, token_id, project_id, admitted_at, method, path)
        SELECT id || number, token_id, project_id, admitted_at, method, path
        FROM requests, generate_series(1, 2000) AS number
        """

    private func expectLookUps(_ plan: [String]) {
        let whole = plan.joined(separator: "\n")
        for (line, next) in zip(plan, plan.dropFirst() + [""]) where !line.contains("projects") {
            let isWalk =
                line.contains("Seq Scan") || line.contains("tokens_by_project")
                || line.contains("Scan using") && !next.contains("Index Cond: (id =")
            #expect(!isWalk || line.contains("grant_changes"), "\(line) walks over everything:\n\(whole)")
        }
    }

    @Test(
        "finds each row by its key, however little the planner knows of the tables",
        arguments: 0..<8)
    func plans(number: Int) async throws {
        let world = try await grown()
        try await world.sql(Self.growing)
        // The part that the ledger names itself; of the others it is known that they are empty.
        let part = try await world.pool.read { try $0.first(Self.part) { $0.text(at: 0) } }
        let table = LedgerTable(try #require(part))
        let statement = [
            table.whole, table.lone, LedgerStatements.standing.all, LedgerStatements.count.all, table.settle.all,
            table.present.all, LedgerStatements.account.all, LedgerStatements.charge.all,
        ][number]
        let nulls = Array(repeating: "NULL", count: statement.parameterCount).joined(separator: ", ")
        let plan = try await world.pool.write { connection in
            try connection.runScript(
                """
                SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET enable_hashjoin = off;
                SET enable_mergejoin = off; PREPARE asked AS \(statement.text)
                """)
            return try connection.all(SQLStatement("EXPLAIN EXECUTE asked (\(nulls))")) { $0.text(at: 0) }
        }
        expectLookUps(plan)
        await world.storage.close()
    }

    @Test("plans made while a table was small are made anew")
    func replanning() async throws {
        let world = try await grown(options: .init(planLifetime: .milliseconds(20)))
        let token = try await world.token()
        _ = try await world.storage.commit(batches.next([world.admission(token)]))
        try await world.sql(Self.growing)
        try await Task.sleep(for: .milliseconds(40))
        _ = try await world.storage.commit(batches.next([world.admission(token)]))
        let plan: [String] = try await withCheckedThrowingContinuation { continuation in
            world.pool.enqueueTurn(after: .zero) { slot in
                continuation.resume(
                    with: Result {
                        let connection = try slot.connected()
                        let name = try connection.first(Self.loneName) { $0.text(at: 0) } ?? "missing"
                        let nulls = Array(repeating: "NULL", count: LedgerTable.all.lone.parameterCount).joined(
                            separator: ", ")
                        return try connection.all(SQLStatement("EXPLAIN EXECUTE \(name) (\(nulls))")) { $0.text(at: 0) }
                    })
            }
        }
        expectLookUps(plan)
        await world.storage.close()
    }

    private static let loneName = SQLStatement(
        "SELECT name FROM pg_prepared_statements WHERE statement LIKE 'WITH counted AS%'")

    /// Of a statement outside a transaction the server reports success first, and commits then.
    @Test("a commit that fails after its statement went well is a failure")
    func lateFailure() async throws {
        let pool = try await database.pool()
        try await pool.write {
            try $0.runScript(
                "CREATE TABLE late (id BIGINT UNIQUE DEFERRABLE INITIALLY DEFERRED); INSERT INTO late VALUES (1)")
        }
        let failure = await pool.failure { try $0.run(SQLStatement("INSERT INTO late VALUES (1)")) }
        #expect(failure?.kind == .constraint(.unique(columns: ["id"])))
        #expect(try await pool.value("SELECT count(*) FROM late") == "1")
        await pool.close()
    }
}
