import CSQLite
import SQLDatabase

/// Gathers what a commit writes to the write-ahead log, so that it is one system call and not two for each page.
///
/// SQLite writes a frame's header and its page by themselves, and syncs after the last frame of a commit; nobody else reads a frame
/// before it has told them of it, which is after the sync (sqlite.org/walformat.html, section 2.2). So bytes may wait until they are
/// synced, or until this connection reads them, asks for the file's size, or changes it.
///
/// A transaction that is too large for the page cache writes frames before its commit. When it is taken back, what is left of them must go with
/// it: their place is free then, and another connection's commit may take it.
///
/// Lives as long as the log is open, in the place of SQLite's own methods, and goes with it. Confined to its connection's thread.
struct GatheredLog {
    /// What SQLite finds behind the file: must be the first member.
    private var methods: sqlite3_io_methods
    private let own: UnsafePointer<sqlite3_io_methods>
    private let database: OpaquePointer
    private let counters: SQLiteCounters
    private let bytes: UnsafeMutableRawPointer
    private var start: sqlite3_int64 = 0
    private var count = 0

    /// More than most commits write; what does not fit is written in parts.
    private static let capacity = 128 << 10

    /// Begins to gather for the log that `database` has open, if it can. Takes the connection's rollback hook.
    ///
    /// Only right where each commit is synced (`PRAGMA synchronous=FULL`).
    /// - Parameter counters: told of each time that the log is synced.
    /// - Returns: whether it does. It does not where a crash may spoil bytes beside those that are written: then SQLite adds frames after the
    ///   sync, which others may read (`SQLITE_IOCAP_POWERSAFE_OVERWRITE`).
    static func gather(for database: OpaquePointer, _ counters: SQLiteCounters) -> Bool {
        guard
            let main = file(SQLITE_FCNTL_FILE_POINTER, of: database),
            let file = file(SQLITE_FCNTL_JOURNAL_POINTER, of: database),
            let traits = main.pointee.pMethods?.pointee.xDeviceCharacteristics?(main),
            traits & SQLITE_IOCAP_POWERSAFE_OVERWRITE != 0, let own = file.pointee.pMethods
        else { return false }
        let log = UnsafeMutablePointer<GatheredLog>.allocate(capacity: 1)
        log.initialize(to: GatheredLog(over: own, of: database, counters))
        file.pointee.pMethods = UnsafeRawPointer(log).assumingMemoryBound(to: sqlite3_io_methods.self)
        // SQLite calls it before anything else is done with the log.
        sqlite3_rollback_hook(database, { $0?.assumingMemoryBound(to: GatheredLog.self).pointee.count = 0 }, log)
        return true
    }

    private static func file(_ which: Int32, of database: OpaquePointer) -> UnsafeMutablePointer<sqlite3_file>? {
        var file: UnsafeMutablePointer<sqlite3_file>?
        return sqlite3_file_control(database, "main", which, &file) == SQLITE_OK ? file : nil
    }

    private init(
        over own: UnsafePointer<sqlite3_io_methods>, of database: OpaquePointer, _ counters: SQLiteCounters
    ) {
        self.own = own
        self.database = database
        self.counters = counters
        bytes = .allocate(byteCount: Self.capacity, alignment: 8)
        methods = own.pointee
        // What a later version adds is not in this structure.
        methods.iVersion = min(methods.iVersion, 3)
        methods.xClose = { GatheredLog.close($0) }
        methods.xRead = { file, into, count, offset in
            GatheredLog.afterWriting(file) { $0.xRead?(file, into, count, offset) }
        }
        methods.xWrite = { GatheredLog.of($0)?.pointee.write($0, $1, Int($2), at: $3) ?? SQLITE_MISUSE }
        methods.xTruncate = { file, size in GatheredLog.afterWriting(file) { $0.xTruncate?(file, size) } }
        methods.xSync = { file, flags in
            GatheredLog.afterWriting(file) { own in
                let start = Monotonic.now()
                defer { GatheredLog.of(file)?.pointee.counters.synced(in: Monotonic.now() - start) }
                return own.xSync?(file, flags)
            }
        }
        methods.xFileSize = { file, size in GatheredLog.afterWriting(file) { $0.xFileSize?(file, size) } }
    }

    private mutating func write(
        _ file: UnsafeMutablePointer<sqlite3_file>?, _ data: UnsafeRawPointer?, _ amount: Int, at offset: sqlite3_int64
    ) -> Int32 {
        guard let data, amount > 0 else { return SQLITE_OK }
        if count > 0, offset != start + sqlite3_int64(count) || count + amount > Self.capacity {
            let code = flush(file)
            guard code == SQLITE_OK else { return code }
        }
        guard amount <= Self.capacity else { return writeThrough(file, data, amount, at: offset) }
        if count == 0 { start = offset }
        (bytes + count).copyMemory(from: data, byteCount: amount)
        count += amount
        return SQLITE_OK
    }

    /// What can't be written is kept until the transaction is taken back: a statement that fails by it may be taken back alone.
    private mutating func flush(_ file: UnsafeMutablePointer<sqlite3_file>?) -> Int32 {
        guard count > 0 else { return SQLITE_OK }
        let code = writeThrough(file, bytes, count, at: start)
        if code == SQLITE_OK { count = 0 }
        return code
    }

    private func writeThrough(
        _ file: UnsafeMutablePointer<sqlite3_file>?, _ data: UnsafeRawPointer, _ amount: Int, at offset: sqlite3_int64
    ) -> Int32 {
        own.pointee.xWrite?(file, data, Int32(amount), offset) ?? SQLITE_MISUSE
    }
}

// MARK: - As SQLite calls it

extension GatheredLog {
    private static func of(_ file: UnsafeMutablePointer<sqlite3_file>?) -> UnsafeMutablePointer<GatheredLog>? {
        UnsafeMutableRawPointer(mutating: file?.pointee.pMethods)?.assumingMemoryBound(to: GatheredLog.self)
    }

    /// Writes what has gathered, and then does what SQLite asked for.
    private static func afterWriting(
        _ file: UnsafeMutablePointer<sqlite3_file>?, _ act: (sqlite3_io_methods) -> Int32?
    ) -> Int32 {
        guard let log = of(file) else { return SQLITE_MISUSE }
        let code = log.pointee.flush(file)
        guard code == SQLITE_OK else { return code }
        return act(log.pointee.own.pointee) ?? SQLITE_MISUSE
    }

    /// What has gathered by then was never committed.
    private static func close(_ file: UnsafeMutablePointer<sqlite3_file>?) -> Int32 {
        guard let file, let log = of(file) else { return SQLITE_MISUSE }
        let own = log.pointee.own
        sqlite3_rollback_hook(log.pointee.database, nil, nil)
        file.pointee.pMethods = own
        log.pointee.bytes.deallocate()
        log.deinitialize(count: 1)
        log.deallocate()
        return own.pointee.xClose?(file) ?? SQLITE_MISUSE
    }
}
