import CSQLite
import Foundation
import Testing

@testable import SQLiteDriver

@Suite("What a commit writes to SQLite's log is gathered")
struct GatheredLogTests {
    /// A database in a file, synced with each commit.
    private struct Database {
        let handle: OpaquePointer

        init(_ path: String, gathers: Bool = true) throws {
            var opened: OpaquePointer?
            try #require(sqlite3_open(path, &opened) == SQLITE_OK)
            handle = try #require(opened)
            try run(
                "PRAGMA journal_mode=wal; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0; SELECT 1 FROM sqlite_schema"
            )
            if gathers { try #require(GatheredLog.gather(for: handle)) }
        }

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

        func close() { #expect(sqlite3_close(handle) == SQLITE_OK) }
    }

    private static let table = "CREATE TABLE notes (id INTEGER PRIMARY KEY, words TEXT)"

    private func rows(_ count: Int, of bytes: Int) -> String {
        """
        WITH RECURSIVE each (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM each WHERE n < \(count))
        INSERT INTO notes (words) SELECT hex(randomblob(\(bytes / 2))) FROM each
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
        #expect(try reader.number("SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'") == 1)
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
        #expect(try database.number("SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'") == 1)
        database.close()
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
            #expect(try copied.number("SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'") == 1)
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
        try #require(GatheredLog.gather(for: database.handle))
        try database.run(Self.table)
        try database.run(rows(1, of: 100))
        disk.setFull(true)
        #expect(sqlite3_exec(database.handle, rows(10, of: 3_000), nil, nil, nil) == SQLITE_FULL)
        disk.setFull(false)
        #expect(try database.number("SELECT count(*) FROM notes") == 1)
        try database.run(rows(2, of: 3_000))
        #expect(try database.number("SELECT count(*) FROM notes") == 3)
        #expect(try database.number("SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'") == 1)
        database.close()
    }

    /// Stands between SQLite's log and its file, and can be full.
    private struct Disk {
        private struct Methods {
            var table: sqlite3_io_methods
            let own: UnsafePointer<sqlite3_io_methods>
            var isFull = false
        }

        private let methods: UnsafeMutablePointer<Methods>
        private static nonisolated(unsafe) var all: [UnsafeRawPointer: UnsafeMutablePointer<Methods>] = [:]

        init(of database: OpaquePointer) throws {
            var found: UnsafeMutablePointer<sqlite3_file>?
            try #require(sqlite3_file_control(database, "main", SQLITE_FCNTL_JOURNAL_POINTER, &found) == SQLITE_OK)
            let file = try #require(found)
            let own = try #require(file.pointee.pMethods)
            methods = .allocate(capacity: 1)
            methods.initialize(to: Methods(table: own.pointee, own: own))
            // One test makes one, hence nobody else is here.
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
