import SQLDatabase
import Synchronization

/// The pool that a storage works on: another one once its database has moved.
final class CurrentPool: Sendable {
    private struct State {
        var pool: ConnectionPool
        var watches: [@Sendable (ConnectionPool) -> Void] = []
        var isClosed = false
    }

    private let state: Mutex<State>

    init(_ pool: ConnectionPool) { state = Mutex(State(pool: pool)) }

    var pool: ConnectionPool { state.withLock { $0.pool } }

    /// Begins something on the pool, and on each that takes its place.
    func watch(_ watch: @escaping @Sendable (ConnectionPool) -> Void) {
        let pool = state.withLock { state in
            state.watches.append(watch)
            return state.pool
        }
        watch(pool)
    }

    /// - Returns: the pool that nothing is asked of any more; the other one if it is too late.
    func replace(by other: ConnectionPool) -> ConnectionPool {
        let (former, watches) = state.withLock { state -> (ConnectionPool, [@Sendable (ConnectionPool) -> Void]) in
            guard !state.isClosed else { return (other, []) }
            let former = state.pool
            state.pool = other
            return (former, state.watches)
        }
        for watch in watches { watch(other) }
        return former
    }

    func close() async {
        let pool = state.withLock { state in
            state.isClosed = true
            // They hold those who hold the storage.
            state.watches = []
            return state.pool
        }
        await pool.close()
    }
}
