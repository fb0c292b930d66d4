import CSQLite
import Glibc
import SQLDatabase
import Synchronization

/// Makes connections to one SQLite database and adds up what they count.
final class SQLiteConnector: SQLConnector {
    let place: SQLiteDatabase.Place
    let synchronous: SQLiteDatabase.Synchronous
    let busyTimeout: Duration
    let mayCreate: Bool
    let counters = SQLiteCounters()
    /// Once there was a file, a missing one is not made again: it would be an empty database in its place.
    private let mayPrepare: Atomic<Bool>

    var dialect: Dialect { SQLiteDatabase.dialect }
    var canReconnect: Bool { place != .memory }

    init(
        _ place: SQLiteDatabase.Place, synchronous: SQLiteDatabase.Synchronous, busyTimeout: Duration, mayCreate: Bool
    ) {
        self.place = place
        self.synchronous = synchronous
        self.busyTimeout = busyTimeout
        self.mayCreate = mayCreate
        mayPrepare = Atomic(mayCreate)
    }

    func connect(_ role: ConnectionRole) throws(SQLError) -> any SQLConnection {
        let connection: SQLiteConnection
        switch place {
        case .memory:
            connection = try SQLiteConnection(path: ":memory:", mayCreate: true, counters)
        case .file(let path):
            if role == .writer, mayPrepare.load(ordering: .relaxed) { try SQLiteFile.prepare(path) }
            connection = try SQLiteConnection(path: path, mayCreate: false, counters)
            if role == .writer { mayPrepare.store(false, ordering: .relaxed) }
        }
        do throws(SQLError) {
            try configure(connection, role)
        } catch {
            connection.close()
            throw error
        }
        return connection
    }

    /// Sets what must hold and reads it back. A second process that opens the file at the same moment may make the
    /// change to WAL busy, which SQLite does not wait for by itself.
    private func configure(_ connection: SQLiteConnection, _ role: ConnectionRole) throws(SQLError) {
        let milliseconds = busyTimeout / .milliseconds(1)
        let deadline = Monotonic.now() + busyTimeout
        try connection.set("busy_timeout", to: String(Int(milliseconds)))
        while true {
            do throws(SQLError) {
                return try setPragmas(connection, role)
            } catch {
                guard error.kind == .busy, Monotonic.now() < deadline else { throw error }
                usleep(5_000)
            }
        }
    }

    private func setPragmas(_ connection: SQLiteConnection, _ role: ConnectionRole) throws(SQLError) {
        try connection.noteEncoding()
        if case .file = place {
            // Only an empty file takes it without being rewritten (sqlite.org/pragma.html#pragma_auto_vacuum).
            if role == .writer, try connection.first(Self.pageCount, [], { $0.integer(at: 0) }) == 0 {
                try connection.runScript("PRAGMA auto_vacuum = INCREMENTAL")
            }
            try connection.set("journal_mode", to: "wal")
            try connection.set("synchronous", to: synchronous == .full ? "2" : "1")
        }
        try connection.set("foreign_keys", to: "1")
        // Views and triggers of a file we did not make run nothing (sqlite.org/security.html).
        try connection.set("trusted_schema", to: "0")
        if role == .reader, place != .memory { try connection.set("query_only", to: "1") }
        if role == .writer, place != .memory, synchronous == .full {
            // The log is open once something was read.
            _ = try connection.first(Self.pageCount, []) { $0.integer(at: 0) }
            connection.gatherLog()
        }
    }

    func statistics() -> [SQLStatistic] {
        var figures = counters.statistics()
        if case .file(let path) = place {
            figures.append(
                SQLStatistic(
                    name: "database_wal_size_bytes", help: "Size of the write-ahead log file.", isCounter: false,
                    value: Double(SQLiteFile.size(path + "-wal") ?? 0)))
            if let size = SQLiteFile.size(path) {
                figures.append(
                    SQLStatistic(
                        name: "database_file_size_bytes", help: "Size of the database file.", isCounter: false,
                        value: Double(size)))
            }
        }
        return figures
    }

    func statistics(from connection: any SQLConnection) throws(SQLError) -> [SQLStatistic] {
        let asked: [(SQLStatement, String, String)] = [
            (Self.pageCount, "database_page_count", "Pages in the database."),
            (Self.pageSize, "database_page_size_bytes", "Size of a page."),
            (Self.freePages, "database_free_page_count", "Pages that hold nothing now."),
        ]
        var figures: [SQLStatistic] = []
        for (statement, name, help) in asked {
            let value = try connection.first(statement) { (row) throws(SQLError) in row.integer(at: 0) }
            figures.append(SQLStatistic(name: name, help: help, isCounter: false, value: Double(value ?? 0)))
        }
        return figures
    }

    private static let pageCount = SQLStatement("PRAGMA page_count")
    private static let pageSize = SQLStatement("PRAGMA page_size")
    private static let freePages = SQLStatement("PRAGMA freelist_count")
}
