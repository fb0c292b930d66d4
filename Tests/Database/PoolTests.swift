import Foundation
import SQLDatabase
import SQLiteDriver
import Synchronization
import Testing

@Suite("A pool of connections")
struct PoolTests {
    private static let one = SQLStatement("SELECT 1")

    private func kind(_ body: () async throws -> Void) async -> SQLError.Kind? {
        do {
            try await body()
            return nil
        } catch {
            return (error as? SQLError)?.kind
        }
    }

    @Test("opens readers when they are needed, up to its limit, and keeps few")
    func readers() async throws {
        let folder = TemporaryFolder()
        // With more patience than all other tests together take from it.
        let pool = try await SQLiteDatabase.open(
            .file(folder.database), limits: .init(readers: 3, maxIdle: 1, wait: .seconds(60)))
        #expect(pool.counters.opened == 1)
        let gate = Gate()
        let running = Log()
        try await withThrowingTaskGroup { group in
            for _ in 0..<5 {
                group.addTask {
                    try await pool.read { _ in
                        running.add("x")
                        gate.pass()
                    }
                }
            }
            try await eventually { running.all.count == 3 && pool.counters.waiting == 2 }
            #expect(pool.counters.inUse == 3)
            for _ in 0..<5 { gate.open() }
            try await group.waitForAll()
        }
        #expect(running.all.count == 5)
        let counters = pool.counters
        #expect((counters.opened, counters.closed, counters.idle, counters.inUse) == (4, 2, 2, 0))
        await pool.close()
        #expect(pool.counters.opened == pool.counters.closed)
    }

    @Test("in memory it is exactly one connection, which reads and writes")
    func memory() async throws {
        let pool = try await SQLiteDatabase.open(.memory)
        try await pool.write { try $0.runScript("CREATE TABLE seen (n INTEGER) STRICT; INSERT INTO seen VALUES (7)") }
        let statement = SQLStatement("SELECT n FROM seen")
        let found = try await pool.read { try $0.first(statement) { (row) throws(SQLError) in row.integer(at: 0) } }
        #expect(found == 7)
        #expect(pool.counters.opened == 1)
        await pool.close()
    }

    @Test("a call that waits too long is refused, and what it waited for goes on", arguments: [true, false])
    func deadline(isWrite: Bool) async throws {
        let folder = TemporaryFolder()
        let pool = try await SQLiteDatabase.open(
            .file(folder.database), limits: .init(readers: 1, wait: .milliseconds(500)))
        let gate = Gate()
        let hold: @Sendable () async throws -> Void = {
            guard isWrite else { return try await pool.read { _ in gate.pass() } }
            let hasBegun = Mutex(false)
            while true {
                do {
                    return try await pool.write { _ in
                        hasBegun.withLock { $0 = true }
                        gate.pass()
                    }
                } catch let error as SQLError where error.kind == .noConnection && !hasBegun.withLock({ $0 }) {
                    // On a machine that stalled before it began.
                }
            }
        }
        async let held: Void = hold()
        try await eventually { pool.counters.inUse == 1 }
        let late = await kind {
            if isWrite { try await pool.write { _ in } } else { try await pool.read { _ in } }
        }
        #expect(late == .noConnection)
        gate.open()
        try await held
        try await pool.read { _ in }
        await pool.close()
    }

    @Test("cancelling a read stops its statement, and the connection serves on")
    func cancelled() async throws {
        let folder = TemporaryFolder()
        let pool = try await SQLiteDatabase.open(.file(folder.database), limits: .init(readers: 1))
        let endless = SQLStatement(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n")
        let log = Log()
        let task = Task {
            try await pool.read { connection in
                log.add("begun")
                try connection.run(endless)
            }
        }
        try await eventually { log.all == ["begun"] }
        task.cancel()
        #expect(await kind { _ = try await task.value } == .interrupted)
        try await pool.read { try $0.run(Self.one) }
        #expect(pool.counters.opened == 2)
        await pool.close()
    }

    @Test("a caller cancelled while it waits leaves without having run")
    func cancelledWaiting() async throws {
        let folder = TemporaryFolder()
        let pool = try await SQLiteDatabase.open(.file(folder.database), limits: .init(readers: 1, wait: .seconds(60)))
        let gate = Gate()
        let log = Log()
        async let held: Void = pool.write { _ in
            log.add("begun")
            gate.pass()
        }
        try await eventually { log.all == ["begun"] }
        let ran = Log()
        let task = Task { try await pool.write { _ in ran.add("ran") } }
        try await eventually { pool.counters.waiting == 1 }
        task.cancel()
        #expect(await kind { try await task.value } == .interrupted)
        #expect(pool.counters.waiting == 0)
        gate.open()
        try await held
        try await pool.write { _ in }
        #expect(ran.all.isEmpty)
        await pool.close()
    }

    @Test("an open transaction never outlives its closure")
    func leftOpen() async throws {
        let pool = try await SQLiteDatabase.open(.memory)
        try await pool.write { try $0.runScript("CREATE TABLE seen (n INTEGER) STRICT") }
        try await pool.write { connection in
            try connection.begin(.write)
            try connection.runScript("INSERT INTO seen VALUES (1)")
        }
        let count = SQLStatement("SELECT count(*) FROM seen")
        let rows = try await pool.read { try $0.first(count) { (row) throws(SQLError) in row.integer(at: 0) } }
        #expect(rows == 0)
        await pool.close()
    }

    @Test("once it is closed, all of a file is in the file: no reader has it open any more, and no log is left")
    func closedFile() async throws {
        let folder = TemporaryFolder()
        for round in 0..<40 {
            let path = folder.path + "/\(round).db"
            let pool = try await SQLiteDatabase.open(.file(path), limits: .init(readers: 3))
            try await withThrowingTaskGroup { group in
                for _ in 0..<3 { group.addTask { try await pool.read { _ in } } }
                try await group.waitForAll()
            }
            try await pool.write { try $0.runScript("CREATE TABLE seen (n INTEGER) STRICT") }
            await pool.close()
            #expect(!FileManager.default.fileExists(atPath: path + "-wal"), "round \(round)")
        }
    }

    @Test("after closing, calls are refused and turns still run, without a connection")
    func closed() async throws {
        let folder = TemporaryFolder()
        let pool = try await SQLiteDatabase.open(.file(folder.database))
        try await pool.read { _ in }
        await pool.close()
        #expect(await kind { try await pool.read { _ in } } == .noConnection)
        #expect(await kind { try await pool.write { _ in } } == .noConnection)
        let refused = await withCheckedContinuation { continuation in
            pool.enqueueTurn(after: .milliseconds(1)) { slot in
                do throws(SQLError) {
                    _ = try slot.connected()
                    continuation.resume(returning: false)
                } catch {
                    continuation.resume(returning: error.kind == .noConnection)
                }
            }
        }
        #expect(refused)
    }

    @Test("a reader is replaced when its life is over")
    func lifetime() async throws {
        let folder = TemporaryFolder()
        let pool = try await SQLiteDatabase.open(
            .file(folder.database), limits: .init(readers: 2, lifetime: .milliseconds(30)))
        try await pool.read { _ in }
        try await eventually { pool.counters.closed == 1 }
        try await pool.read { _ in }
        #expect(pool.counters.opened == 3)
        await pool.close()
    }

    @Test("many callers at once are all served, each on a connection of its own")
    func crowd() async throws {
        let folder = TemporaryFolder()
        let pool = try await SQLiteDatabase.open(
            .file(folder.database), limits: .init(readers: 4, maxIdle: 2, wait: .seconds(60)))
        try await pool.write { try $0.runScript("CREATE TABLE seen (n INTEGER) STRICT") }
        let add = SQLStatement("INSERT INTO seen VALUES ($1)")
        let count = SQLStatement("SELECT count(*) FROM seen")
        try await withThrowingTaskGroup { group in
            for number in 0..<200 {
                group.addTask { try await pool.write { try $0.run(add, [.integer(Int64(number))]) } }
                group.addTask { try await pool.read { try $0.run(count) } }
            }
            try await group.waitForAll()
        }
        let rows = try await pool.read { try $0.first(count) { (row) throws(SQLError) in row.integer(at: 0) } }
        #expect(rows == 200)
        #expect(pool.counters.inUse == 0)
        #expect(pool.counters.opened - pool.counters.closed <= 3)
        await pool.close()
    }
}
