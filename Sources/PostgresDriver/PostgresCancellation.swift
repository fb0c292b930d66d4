import CPostgres
import Glibc
import SQLDatabase
import Synchronization

/// One cancel request, sent on a thread of its own: libpq waits for the server to close the request's connection, and a server
/// that is frozen never does.
final class PostgresCancellation: Sendable {
    private let done = Atomic<Bool>(false)

    var isDone: Bool { done.load(ordering: .acquiring) }

    /// - Parameter handle: the connection whose statement is to stop.
    init?(of handle: OpaquePointer) {
        guard let request = PQgetCancel(handle) else { return nil }
        // A pointer that only the new thread uses from here on.
        let address = UInt(bitPattern: request)
        do throws(SQLError) {
            try startThread { [self] in
                var message = [CChar](repeating: 0, count: 256)
                let request = OpaquePointer(bitPattern: address)
                PQcancel(request, &message, Int32(message.count))
                PQfreeCancel(request)
                done.store(true, ordering: .releasing)
            }
        } catch {
            PQfreeCancel(request)
            return nil
        }
    }

    /// Blocks until the request has been dealt with.
    /// - Returns: `false` when that takes longer than `time`.
    func waitUntilDone(for time: Duration) -> Bool {
        let deadline = Monotonic.now() + time
        while !isDone {
            guard Monotonic.now() < deadline else { return false }
            usleep(1000)
        }
        return true
    }
}
