import Synchronization

/// Work that nobody waits for until the server stops.
final class DetachedWork: Sendable {
    private struct State {
        var open = 0
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    func begin(_ work: @escaping @Sendable () async -> Void) {
        state.withLock { $0.open += 1 }
        Task {
            await work()
            end()
        }
    }

    private func end() {
        let waiters = state.withLock { state in
            state.open -= 1
            guard state.open == 0 else { return [CheckedContinuation<Void, Never>]() }
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Returns once all that was begun has ended.
    func finish() async {
        await withCheckedContinuation { continuation in
            let isIdle = state.withLock { state in
                if state.open > 0 { state.waiters.append(continuation) }
                return state.open == 0
            }
            if isIdle { continuation.resume() }
        }
    }
}
