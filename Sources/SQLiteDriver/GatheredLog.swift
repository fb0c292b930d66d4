import CSQLite

/// Gathers what a commit writes to the write-ahead log, so that it is one system call and not two for each page.
///
/// SQLite writes a frame's header and its page by themselves, and syncs after the last frame of a commit; nobody else reads a frame
/// before it has told them of it, which is after the sync (sqlite.org/walformat.html, section 2.2). So bytes may wait until they are
/// synced, or until this connection reads them, asks for the file's size, or changes it.
///
/// Lives as long as the log is open, in the place of SQLite's own methods, and goes with it. Confined to its connection's thread.
struct GatheredLog {
    /// What SQLite finds behind the file: must be the first member.
    private var methods: sqlite3_io_methods
    private let own: UnsafePointer<sqlite3_io_methods>
    private let bytes: UnsafeMutableRawPointer
    private var start: sqlite3_int64 = 0
    private var count = 0

    /// More than most commits write; what does not fit is written in parts.
    private static let capacity = 128 << 10

    /// Begins to gather for the log that `database` has open, if it can.
    ///
    /// Only right where each commit is synced (`PRAGMA synchronous=FULL`).
    /// - Returns: whether it does. It does not where a crash may spoil bytes beside those that are written: then SQLite adds frames after the
    ///   sync, which others may read (`SQLITE_IOCAP_POWERSAFE_OVERWRITE`).
    static func gather(for database: OpaquePointer) -> Bool {
        var file: UnsafeMutablePointer<sqlite3_file>?
        guard
            sqlite3_file_control(database, "main", SQLITE_FCNTL_JOURNAL_POINTER, &file) == SQLITE_OK,
            let file, let own = file.pointee.pMethods, own.pointee.xSync != nil,
            let traits = own.pointee.xDeviceCharacteristics?(file), traits & SQLITE_IOCAP_POWERSAFE_OVERWRITE != 0
        else { return false }
        let log = UnsafeMutablePointer<GatheredLog>.allocate(capacity: 1)
        log.initialize(to: GatheredLog(over: own))
        file.pointee.pMethods = UnsafeRawPointer(log).assumingMemoryBound(to: sqlite3_io_methods.self)
        return true
    }

    private init(over own: UnsafePointer<sqlite3_io_methods>) {
        self.own = own
        bytes = .allocate(byteCount: Self.capacity, alignment: 8)
        methods = own.pointee
        methods.xClose = { GatheredLog.close($0) }
        methods.xRead = { file, into, count, offset in
            GatheredLog.afterWriting(file) { $0.xRead?(file, into, count, offset) }
        }
        methods.xWrite = { GatheredLog.of($0)?.pointee.write($0, $1, Int($2), at: $3) ?? SQLITE_MISUSE }
        methods.xTruncate = { file, size in GatheredLog.afterWriting(file) { $0.xTruncate?(file, size) } }
        methods.xSync = { file, flags in GatheredLog.afterWriting(file) { $0.xSync?(file, flags) } }
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

    /// What can't be written is dropped: the commit fails by it, and what is written next begins where it began.
    private mutating func flush(_ file: UnsafeMutablePointer<sqlite3_file>?) -> Int32 {
        guard count > 0 else { return SQLITE_OK }
        defer { count = 0 }
        return writeThrough(file, bytes, count, at: start)
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

    private static func close(_ file: UnsafeMutablePointer<sqlite3_file>?) -> Int32 {
        guard let file, let log = of(file) else { return SQLITE_MISUSE }
        let written = log.pointee.flush(file)
        let own = log.pointee.own
        file.pointee.pMethods = own
        log.pointee.bytes.deallocate()
        log.deallocate()
        let closed = own.pointee.xClose?(file) ?? SQLITE_MISUSE
        return written == SQLITE_OK ? closed : written
    }
}
