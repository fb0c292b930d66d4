import CSQLite
import SQLDatabase
import Synchronization

/// Stops a connection's statements from another thread.
///
/// `@unchecked Sendable`: the handle is read and changed under `lock` only, which the connection takes to close.
final class SQLiteInterrupter: SQLInterrupter, @unchecked Sendable {
    /// Looked at before each statement: SQLite forgets an interrupt that comes between two of them.
    private let isUp = Atomic<Bool>(false)
    private let lock = Mutex(())
    private var database: OpaquePointer?

    init(_ database: OpaquePointer) { self.database = database }

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
