import Synchronization

/// One call on its way to a connection: it waits, runs, and ends once, whoever comes first — the lane, the deadline or
/// the caller's cancellation.
final class PendingCall: Sendable {
    private enum Phase {
        case made
        /// Becomes running when its turn comes, ended when it is refused.
        case queued(refuse: @Sendable (SQLError) -> Void)
        /// Becomes ended when the body has returned.
        case running((any SQLInterrupter)?)
        case ended
    }

    private struct State {
        var phase = Phase.made
        var isCancelled = false
    }

    /// Unique in its pool.
    let number: UInt64
    private let state = Mutex(State())

    init(number: UInt64) { self.number = number }

    /// From made to queued. `refuse` is called at most once, if the call ends without having run.
    /// - Returns: `false` when the caller has cancelled already; `refuse` has then been called.
    func queue(_ refuse: @escaping @Sendable (SQLError) -> Void) -> Bool {
        let isCancelled = state.withLock { state in
            state.phase = state.isCancelled ? .ended : .queued(refuse: refuse)
            return state.isCancelled
        }
        if isCancelled { refuse(SQLError(.interrupted)) }
        return !isCancelled
    }

    /// From queued to running.
    /// - Returns: `false` when it was refused meanwhile: its body must not run.
    func begin() -> Bool {
        state.withLock { state in
            guard case .queued = state.phase else { return false }
            state.phase = .running(nil)
            return true
        }
    }

    /// Lets a cancellation stop the running statement, from now to ``end()``.
    func interruptible(by interrupter: any SQLInterrupter) {
        state.withLock { state in
            if state.isCancelled { interrupter.raise() }
            state.phase = .running(interrupter)
        }
    }

    /// From running to ended. No interrupt of this call comes later, so the next one on the connection is not hit.
    func end() {
        state.withLock { state in
            if case .running(let interrupter?) = state.phase { interrupter.lower() }
            state.phase = .ended
        }
    }

    /// Ends it if it still waits.
    /// - Returns: whether this call refused it.
    @discardableResult
    func refuse(_ error: SQLError) -> Bool {
        let refusal: (@Sendable (SQLError) -> Void)? = state.withLock { state in
            guard case .queued(let refuse) = state.phase else { return nil }
            state.phase = .ended
            return refuse
        }
        refusal?(error)
        return refusal != nil
    }

    /// The caller no longer wants an answer: ends it if it waits, interrupts it if that was allowed.
    /// - Returns: whether it was still waiting.
    @discardableResult
    func cancel() -> Bool {
        state.withLock { state in
            state.isCancelled = true
            if case .running(let interrupter?) = state.phase { interrupter.raise() }
        }
        return refuse(SQLError(.interrupted))
    }
}
