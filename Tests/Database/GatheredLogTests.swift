import CSQLite
import Foundation
import SQLDatabase
import Synchronization
import Testing

@testable import SQLiteDriver

@Suite("What a commit writes to SQLite's log is gathered", .serialized)
struct GatheredLogTests {
    /// A database in a file, synced with each commit.
    private struct Database {
        let handle: OpaquePointer
        let counters = SQLiteCounters()

        init(_ path: String, gathers: Bool = true) throws {
            var opened: OpaquePointer?
            try #require(sqlite3_open(path, &opened) == SQLITE_OK)
            handle = try #require(opened)
            try run(
                "PRAGMA journal_mode=wal; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0; SELECT 1 FROM sqlite_schema"
            )
            if gathers { try #require(gather()) }
        }

        func gather() -> Bool { GatheredLog.gather(for: handle, counters) }

        func run(_ text: String) throws {
            let code = sqlite3_exec(handle, text, nil, nil, nil)
            try #require(code == SQLITE_OK, "\(String(cString: sqlite3_errmsg(handle)))")
        }

        func number(_ query: String) throws -> Int {
            var statement: OpaquePointer?
            try #require(sqlite3_prepare_v2(handle, query, -1, &statement, nil) == SQLITE_OK)
            defer { sqlite3_finalize(statement) }
            try #require(sqlite3_step(statement) == SQLITE_ROW)
            return Int(sqlite3_column_int64(statement, 0))
        }

        var isSound: Bool {
            get throws { try number("SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'") == 1 }
        }

        func close() { #expect(sqlite3_close(handle) == SQLITE_OK) }
    }

    private static let table = "CREATE TABLE notes (id INTEGER PRIMARY KEY, words TEXT)"

    private func rows(_ count: Int, of bytes: Int, into table: String = "notes") -> String {
        """
        WITH RECURSIVE each (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM each WHERE n < \(count))
        INSERT INTO \(table) (words) SELECT hex(randomblob(\(bytes / 2))) FROM each
        """
    }

    /// How many system calls that write this thread has made.
    private func writes() throws -> Int {
        let lines = try String(contentsOfFile: "/proc/thread-self/io", encoding: .utf8).split(separator: "\n")
        let line = try #require(lines.first { $0.hasPrefix("syscw: ") })
        return try #require(Int(line.dropFirst(7)))
    }

    @Test("a commit of many pages is one write; without it, two for each page")
    func oneWrite() throws {
        let folder = TemporaryFolder()
        var made: [Int] = []
        for gathers in [true, false] {
            let database = try Database("\(folder.path)/\(gathers).db", gathers: gathers)
            try database.run(Self.table)
            let before = try writes()
            try database.run(rows(20, of: 3_000))
            made.append(try writes() - before)
            database.close()
        }
        #expect(made[0] == 1)
        #expect(made[1] >= 40)
    }

    @Test("another connection reads what was committed, and nothing of what was not")
    func others() throws {
        let folder = TemporaryFolder()
        let path = folder.path + "/shared.db"
        let writer = try Database(path)
        try writer.run(Self.table)
        let reader = try Database(path, gathers: false)
        for round in 1...20 {
            try writer.run("BEGIN; \(rows(round, of: 700))")
            let seen = try reader.number("SELECT count(*) FROM notes")
            #expect(seen == round * (round - 1) / 2)
            try writer.run("COMMIT")
            #expect(try reader.number("SELECT count(*) FROM notes") == round * (round + 1) / 2)
        }
        #expect(try reader.isSound)
        reader.close()
        writer.close()
    }

    @Test("a transaction larger than the memory for its pages reads back what it wrote, and may be taken back")
    func spills() throws {
        let folder = TemporaryFolder()
        let database = try Database(folder.path + "/spills.db")
        try database.run(Self.table)
        try database.run("PRAGMA cache_size = 10; PRAGMA cache_spill = 5")
        try database.run("BEGIN; \(rows(500, of: 3_000))")
        #expect(try database.number("SELECT count(*) FROM notes WHERE length(words) = 3000") == 500)
        try database.run("ROLLBACK; BEGIN; \(rows(300, of: 3_000)); UPDATE notes SET words = words || id; COMMIT")
        #expect(try database.number("SELECT count(*) FROM notes WHERE words LIKE '%' || id") == 300)
        #expect(try database.isSound)
        database.close()
    }

    @Test("each commit is counted with the time that the disk took to keep it")
    func synced() throws {
        let folder = TemporaryFolder()
        let database = try Database(folder.path + "/synced.db")
        try database.run(Self.table)
        let (syncs, spent) = (
            database.counters.syncs.load(ordering: .relaxed), database.counters.syncNanoseconds.load(ordering: .relaxed)
        )
        let start = Monotonic.now()
        for _ in 0..<5 { try database.run(rows(1, of: 100)) }
        let all = (Monotonic.now() - start) / .nanoseconds(1)
        #expect(database.counters.syncs.load(ordering: .relaxed) == syncs + 5)
        #expect(1...Int(all) ~= database.counters.syncNanoseconds.load(ordering: .relaxed) - spent)
        let told = Dictionary(uniqueKeysWithValues: database.counters.statistics().map { ($0.name, $0.value) })
        #expect(told["database_sync_total"] == Double(syncs + 5))
        #expect(
            told["database_sync_seconds_total"] == Double(database.counters.syncNanoseconds.load(ordering: .relaxed))
                / 1e9)
        database.close()
    }

    /// With another connection's commit in the place of what was taken back: whether the first one then reads, or ends.
    @Test("what was taken back is never written over what another connection committed", arguments: [true, false])
    func takenBack(isRead: Bool) throws {
        let folder = TemporaryFolder()
        let path = folder.path + "/back.db"
        let (first, second) = (try Database(path, gathers: false), try Database(path, gathers: false))
        try first.run("\(Self.table); \(rows(50, of: 3_000)); CREATE TABLE others (id INTEGER PRIMARY KEY, words TEXT)")
        try second.run("PRAGMA wal_checkpoint(TRUNCATE); INSERT INTO others (words) VALUES (1)")
        try #require(first.gather())
        try first.run("PRAGMA cache_size = 10; PRAGMA cache_spill = 5; BEGIN; \(rows(30, of: 3_000)); ROLLBACK")
        for _ in 0..<3 {
            try second.run(rows(10, of: 3_000, into: "others"))
        }
        if isRead { #expect(try first.number("SELECT count(*) FROM others") == 31) } else { first.close() }
        let copy = folder.path + "/copy.db"
        for suffix in ["", "-wal"] { try FileManager.default.copyItem(atPath: path + suffix, toPath: copy + suffix) }
        for found in [try Database(path, gathers: false), try Database(copy, gathers: false)] {
            #expect(try found.number("SELECT count(*) FROM others") == 31)
            #expect(try found.isSound)
            found.close()
        }
        second.close()
        if isRead { first.close() }
    }

    @Test("after each commit the files as they are hold it: a copy of them opens as after a crash")
    func crash() throws {
        let folder = TemporaryFolder()
        let path = folder.path + "/crash.db"
        let database = try Database(path)
        try database.run(Self.table)
        for round in 1...12 {
            try database.run(rows(round * 3, of: 900))
            if round % 5 == 0 { try database.run("PRAGMA wal_checkpoint(\(round == 5 ? "RESTART" : "TRUNCATE"))") }
            let copy = folder.path + "/copy\(round).db"
            for suffix in ["", "-wal"] {
                try FileManager.default.copyItem(atPath: path + suffix, toPath: copy + suffix)
            }
            let copied = try Database(copy, gathers: false)
            #expect(try copied.number("SELECT count(*) FROM notes") == (1...round).reduce(0) { $0 + $1 * 3 })
            #expect(try copied.isSound)
            copied.close()
        }
        database.close()
        #expect(!FileManager.default.fileExists(atPath: path + "-wal"))
    }

    @Test("what the disk does not take fails the commit, and the next one finds its place")
    func fullDisk() throws {
        let folder = TemporaryFolder()
        let database = try Database(folder.path + "/full.db", gathers: false)
        let disk = try Disk(of: database.handle)
        try #require(database.gather())
        try database.run(Self.table)
        try database.run(rows(1, of: 100))
        disk.setFull(true)
        #expect(sqlite3_exec(database.handle, rows(10, of: 3_000), nil, nil, nil) == SQLITE_FULL)
        disk.setFull(false)
        #expect(try database.number("SELECT count(*) FROM notes") == 1)
        try database.run(rows(2, of: 3_000))
        #expect(try database.number("SELECT count(*) FROM notes") == 3)
        #expect(try database.isSound)
        database.close()
    }

    @Test("what the disk does not take in the middle of a transaction is not lost from it")
    func fullMeanwhile() throws {
        let folder = TemporaryFolder()
        let path = folder.path + "/meanwhile.db"
        let database = try Database(path, gathers: false)
        let others = rows(50, of: 3_000, into: "others")
        try database.run(
            "\(Self.table); CREATE TABLE others (id INTEGER PRIMARY KEY, words TEXT CHECK (words <> 'x')); \(others)")
        try database.run("PRAGMA wal_checkpoint(TRUNCATE); UPDATE others SET words = words || '1' WHERE id > 20")
        let disk = try Disk(of: database.handle)
        try #require(database.gather())
        try database.run("PRAGMA cache_size = 10; PRAGMA cache_spill = 5; BEGIN; \(rows(20, of: 3_000))")
        disk.setFull(true)
        #expect(
            sqlite3_exec(database.handle, "UPDATE others SET words = words || '2' WHERE id > 30", nil, nil, nil)
                == SQLITE_FULL)
        disk.setFull(false)
        // SQLite takes back all of it, or the statement alone.
        let goesOn = sqlite3_get_autocommit(database.handle) == 0
        if goesOn { try database.run("COMMIT") }
        let other = try Database(path, gathers: false)
        #expect(try other.number("SELECT count(*) FROM notes") == (goesOn ? 20 : 0))
        #expect(try other.isSound)
        other.close()
        database.close()
    }

    @Test("the writer gathers where each commit is synced, and nowhere else", arguments: [true, false])
    func writers(isSynced: Bool) async throws {
        let folder = TemporaryFolder()
        let pool = try await SQLiteDatabase.open(.file(folder.database), synchronous: isSynced ? .full : .normal)
        let add = SQLStatement(rows(20, of: 3_000))
        let made = try await pool.write { [self] connection in
            try connection.runScript(Self.table)
            let before = try writes()
            try connection.run(add)
            return try writes() - before
        }
        #expect(isSynced ? made == 1 : made >= 40)
        #expect(
            try await pool.read {
                try $0.first(SQLStatement("SELECT count(*) FROM notes")) { (row) throws(SQLError) in row.integer(at: 0)
                }
            } == 20)
        await pool.close()
    }

    /// Stands between SQLite's log and its file, and can be full.
    private struct Disk {
        private struct Methods {
            var table: sqlite3_io_methods
            let own: UnsafePointer<sqlite3_io_methods>
            var isFull = false
        }

        private let methods: UnsafeMutablePointer<Methods>
        // The suite's tests run one after the other, and nobody else uses it.
        private static nonisolated(unsafe) var all: [UnsafeRawPointer: UnsafeMutablePointer<Methods>] = [:]

        init(of database: OpaquePointer) throws {
            var found: UnsafeMutablePointer<sqlite3_file>?
            try #require(sqlite3_file_control(database, "main", SQLITE_FCNTL_JOURNAL_POINTER, &found) == SQLITE_OK)
            let file = try #require(found)
            let own = try #require(file.pointee.pMethods)
            methods = .allocate(capacity: 1)
            methods.initialize(to: Methods(table: own.pointee, own: own))
            Self.all[UnsafeRawPointer(file)] = methods
            methods.pointee.table.xWrite = { file, bytes, count, offset in
                guard let file, let methods = Disk.all[UnsafeRawPointer(file)], !methods.pointee.isFull else {
                    return SQLITE_FULL
                }
                return methods.pointee.own.pointee.xWrite(file, bytes, count, offset)
            }
            file.pointee.pMethods = UnsafeRawPointer(methods).assumingMemoryBound(to: sqlite3_io_methods.self)
        }

        func setFull(_ isFull: Bool) { methods.pointee.isFull = isFull }
    }
}
