import CPostgres
import Glibc
import SQLDatabase
import Synchronization

/// Wakes a connection that waits for its server, from any thread.
///
/// The connection itself then has the cancel request sent and waits for its outcome: so a request that comes late can't hit
/// the next statement.
final class PostgresInterrupter: SQLInterrupter {
    private let isUp = Atomic<Bool>(false)
    /// Readable while there is something to look at. Closed with the last reference.
    let descriptor: Int32

    init() { descriptor = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK)) }

    deinit { close(descriptor) }

    var isRaised: Bool { isUp.load(ordering: .acquiring) }

    func raise() {
        isUp.store(true, ordering: .releasing)
        eventfd_write(descriptor, 1)
    }

    func lower() {
        isUp.store(false, ordering: .releasing)
        settle()
    }

    /// Makes the descriptor unreadable again.
    func settle() {
        var value: eventfd_t = 0
        eventfd_read(descriptor, &value)
    }
}
