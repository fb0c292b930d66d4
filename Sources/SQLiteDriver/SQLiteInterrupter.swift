import CSQLite
import SQLDatabase
import Synchronization

/// Stops a connection's statements from another thread.
///
/// `@unchecked Sendable`: the handle is read and changed under `lock` only, which the connection takes to close.
final class SQLiteInterrupter: SQLInterrupter, @unchecked Sendable {
    /// Looked at before each statement, and while one runs: SQLite forgets an interrupt that comes while none does.
    private let isUp = Atomic<Bool>(false)
    private let lock = Mutex(())
    private var database: OpaquePointer?

    init(_ database: OpaquePointer) { self.database = database }

    /// Has each statement look now and then whether it is to end (https://www.sqlite.org/c3ref/progress_handler.html). The connection
    /// must keep this for as long as it is open.
    func watch(_ database: OpaquePointer) {
        sqlite3_progress_handler(
            database, Self.stepsPerLook,
            { context in
                guard let context else { return 0 }
                return Unmanaged<SQLiteInterrupter>.fromOpaque(context).takeUnretainedValue().isRaised ? 1 : 0
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    /// More than what begins or ends a transaction takes, which is never interrupted; a fraction of a millisecond.
    private static let stepsPerLook: Int32 = 10_000

    var isRaised: Bool { isUp.load(ordering: .acquiring) }

    func raise() {
        lock.withLock { _ in
            isUp.store(true, ordering: .releasing)
            if let database { sqlite3_interrupt(database) }
        }
    }

    func lower() { isUp.store(false, ordering: .releasing) }

    /// The connection is about to be closed.
    func forget() { lock.withLock { _ in database = nil } }
}
