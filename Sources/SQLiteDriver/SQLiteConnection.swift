import CSQLite
import SQLDatabase
import Synchronization

/// One connection to SQLite, opened without its mutexes: confined to the thread that made it.
final class SQLiteConnection: SQLConnection {
    private let database: OpaquePointer
    private let counters: SQLiteCounters
    private let stopper: SQLiteInterrupter
    /// Prepared statements by ``SQLStatement/slot``.
    private var prepared: [SQLiteStatement?] = []
    private var isClosed = false
    /// Whether SQLite reads a text where it is, and not a copy of its own.
    private var readsTextsInPlace = true
    private let path: String
    /// The file that was opened; `nil` for a database in memory.
    private let file: SQLiteFile.Identity?

    var dialect: Dialect { SQLiteDatabase.dialect }
    var interrupter: any SQLInterrupter { stopper }
    var isInTransaction: Bool { sqlite3_get_autocommit(database) == 0 }
    private(set) var isLost = false

    /// Nobody asks how much memory SQLite has taken, and to count it costs a lock with each piece (SQLite manual, "Run-Time
    /// Configuration"). Refused, without harm, when somebody in this process has used SQLite before.
    private static let isConfigured = csqlite_without_memory_statistics() == SQLITE_OK

    init(path: String, mayCreate: Bool, _ counters: SQLiteCounters) throws(SQLError) {
        _ = Self.isConfigured
        var opened: OpaquePointer?
        let create = mayCreate ? SQLITE_OPEN_CREATE : 0
        let code = sqlite3_open_v2(path, &opened, SQLITE_OPEN_READWRITE | create | SQLITE_OPEN_NOMUTEX, nil)
        guard code == SQLITE_OK, let opened else {
            let error = SQLiteFailure.error(code, on: opened).adding(": \(path)")
            sqlite3_close_v2(opened)
            throw error
        }
        sqlite3_extended_result_codes(opened, 1)
        // So that a statement may find other texts where those were that it was planned with, see ``SQLiteStatement``.
        _ = csqlite_keep_plans(opened)
        database = opened
        self.path = path
        file = path == ":memory:" ? nil : SQLiteFile.identity(path)
        self.counters = counters
        stopper = SQLiteInterrupter(opened)
        stopper.watch(opened)
        countCheckpoints()
    }

    deinit { close() }

    /// What is written to a file that was moved or removed is lost for whoever opens the path next. The log beside it is left
    /// where it is: by now it may be another database's (sqlite.org/howtocorrupt.html, section 2.4).
    func checkHealth() {
        guard let file, !isLost, SQLiteFile.identity(path) != file else { return }
        isLost = true
        var persists: Int32 = 1
        sqlite3_file_control(database, "main", SQLITE_FCNTL_PERSIST_WAL, &persists)
    }

    func close() {
        guard !isClosed else { return }
        isClosed = true
        stopper.forget()
        prepared = []
        sqlite3_close_v2(database)
    }

    @discardableResult
    func run(
        _ statement: SQLStatement, _ parameters: borrowing SQLParameters, first: Int, count: Int,
        row: (any SQLRow) throws(SQLError) -> Void
    ) throws(SQLError) -> Int {
        if stopper.isRaised { throw SQLError(.interrupted) }
        let prepared = try prepared(statement)
        try statement.checkCount(count)
        // Ends the statement's read of the file and of the parameters' bytes, whatever happens.
        defer { prepared.reset() }
        let bound = prepared.bind(parameters, first: first)
        guard bound == SQLITE_OK else { throw failure(bound) }
        while true {
            switch sqlite3_step(prepared.handle) {
            case SQLITE_ROW: try row(SQLiteRow(statement: prepared.handle))
            case SQLITE_DONE: return prepared.isReadOnly ? 0 : Int(sqlite3_changes(database))
            case let code: throw failure(code)
            }
        }
    }

    func runScript(_ text: String) throws(SQLError) {
        let code = sqlite3_exec(database, text, nil, nil, nil)
        guard code == SQLITE_OK else { throw failure(code) }
    }

    func begin(_ mode: TransactionMode) throws(SQLError) {
        switch mode {
        case .read: try control(Self.beginRead)
        case .write: try control(Self.beginWrite)
        case .exclusive: try control(Self.beginExclusive)
        }
    }

    func commit() throws(SQLError) {
        try control(Self.commitAll)
        countCache()
    }

    func rollback() throws(SQLError) {
        // After a full disk or a failed write SQLite has ended the transaction already.
        guard isInTransaction else { return }
        try control(Self.rollbackAll)
    }

    /// Sets a pragma and reads it back.
    func set(_ pragma: String, to wanted: String) throws(SQLError) {
        try runScript("PRAGMA \(pragma)=\(wanted)")
        let statement = try SQLiteStatement("PRAGMA \(pragma)", on: database, readsTextsInPlace: readsTextsInPlace)
        let code = sqlite3_step(statement.handle)
        guard code == SQLITE_ROW || code == SQLITE_DONE else { throw failure(code) }
        let found = code == SQLITE_ROW ? SQLiteRow(statement: statement.handle).text(at: 0) : ""
        guard found == wanted else { throw SQLError(.setting(name: pragma, wanted: wanted, found: found)) }
    }

    /// To be called before anything is bound. A file of UTF-16 gets its texts as copies in that encoding.
    func noteEncoding() throws(SQLError) {
        let encoding = try SQLiteStatement("PRAGMA encoding", on: database, readsTextsInPlace: false)
        guard sqlite3_step(encoding.handle) == SQLITE_ROW else { throw failure(sqlite3_errcode(database)) }
        readsTextsInPlace = SQLiteRow(statement: encoding.handle).text(at: 0) == "UTF-8"
    }

    /// See ``GatheredLog``. Each commit must be synced.
    func gatherLog() { _ = GatheredLog.gather(for: database, counters) }

    /// Runs a statement that begins or ends a transaction: also when the caller wants to be interrupted.
    private func control(_ statement: SQLStatement) throws(SQLError) {
        let prepared = try prepared(statement)
        let code = sqlite3_step(prepared.handle)
        guard code == SQLITE_DONE else {
            let error = failure(code)
            prepared.reset()
            throw error
        }
        prepared.reset()
    }

    private func prepared(_ statement: SQLStatement) throws(SQLError) -> SQLiteStatement {
        let slot = statement.slot
        if slot < prepared.count, let found = prepared[slot] { return found }
        let made: SQLiteStatement
        do throws(SQLError) {
            made = try SQLiteStatement(statement.text, on: database, readsTextsInPlace: readsTextsInPlace)
        } catch {
            throw noted(error)
        }
        while prepared.count <= slot { prepared.append(nil) }
        prepared[slot] = made
        return made
    }

    private func failure(_ code: Int32) -> SQLError { noted(SQLiteFailure.error(code, on: database)) }

    private func noted(_ error: SQLError) -> SQLError {
        if error.kind == .busy { counters.busy.add(1, ordering: .relaxed) }
        return error
    }

    private static let beginRead = SQLStatement("BEGIN")
    private static let beginWrite = SQLStatement("BEGIN IMMEDIATE")
    private static let beginExclusive = SQLStatement("BEGIN EXCLUSIVE")
    private static let commitAll = SQLStatement("COMMIT")
    private static let rollbackAll = SQLStatement("ROLLBACK")
}

// MARK: - Counting

extension SQLiteConnection {
    /// SQLite's own automatic checkpoint is such a hook (sqlite.org/c3ref/wal_autocheckpoint.html); this one does the
    /// same after the same number of pages, and counts.
    private func countCheckpoints() {
        let context = Unmanaged.passUnretained(counters).toOpaque()
        sqlite3_wal_hook(
            database,
            { context, database, name, frames in
                guard let context else { return SQLITE_OK }
                let counters = Unmanaged<SQLiteCounters>.fromOpaque(context).takeUnretainedValue()
                counters.walFrames.store(Int(frames), ordering: .relaxed)
                guard frames >= 1000 else { return SQLITE_OK }
                counters.checkpoints.add(1, ordering: .relaxed)
                // One that can't run now is tried again after the next commit.
                sqlite3_wal_checkpoint_v2(database, name, SQLITE_CHECKPOINT_PASSIVE, nil, nil)
                return SQLITE_OK
            }, context)
    }

    /// Publishes the page cache's figures; costs well under a microsecond.
    private func countCache() {
        counters.cacheUsedBytes.store(status(SQLITE_DBSTATUS_CACHE_USED), ordering: .relaxed)
        counters.cacheHits.store(status(SQLITE_DBSTATUS_CACHE_HIT), ordering: .relaxed)
        counters.cacheMisses.store(status(SQLITE_DBSTATUS_CACHE_MISS), ordering: .relaxed)
    }

    private func status(_ figure: Int32) -> Int {
        var current: Int32 = 0
        var highest: Int32 = 0
        sqlite3_db_status(database, figure, &current, &highest, 0)
        return Int(current)
    }
}
