import Glibc
import Synchronization

/// Connections on threads, for callers that are async.
///
/// One writer and up to `readers` readers, each on a lane of its own; with no readers exactly one connection, which
/// then also reads. Where the engine locks rows, the writer is the ledger's, and other writes share the readers'
/// connections. A closure runs on one connection from its beginning to its end, so a transaction can't be
/// interleaved, and can't leak when its caller is cancelled.
public final class ConnectionPool: Sendable {
    public struct Limits: Sendable {
        /// Most readers; 0 for reading on the writer.
        public var readers: Int
        /// Most readers kept open without work.
        public var maxIdle: Int
        /// Longest life of a reader; `nil` for no bound.
        public var lifetime: Duration?
        /// Longest time a call waits for its turn on a connection.
        public var wait: Duration
        /// Most calls that wait for readers, and most that wait for the writer. The ledger's turns are not counted.
        public var maxWaiting: Int

        public init(
            readers: Int, maxIdle: Int = 5, lifetime: Duration? = .seconds(3600), wait: Duration = .seconds(2),
            maxWaiting: Int = 4096
        ) {
            self.readers = readers
            self.maxIdle = maxIdle
            self.lifetime = lifetime
            self.wait = wait
            self.maxWaiting = maxWaiting
        }
    }

    /// How the pool stands, the writer included.
    public struct Counters: Hashable, Sendable {
        public var inUse = 0
        public var idle = 0
        public var waiting = 0
        public var opened = 0
        public var closed = 0
        /// Since when the reader that is open longest is.
        public var oldest: Duration?
    }

    public let connector: any SQLConnector
    private let limits: Limits
    private let writer: Lane<ConnectionSlot>
    private let isWriterBusy = Atomic<Bool>(false)
    private let state: Mutex<PoolState>
    private let reconnection = Reconnection()

    /// Starts the writer's thread. Connects nothing yet.
    public init(_ connector: any SQLConnector, limits: Limits) throws(SQLError) {
        self.connector = connector
        self.limits = limits
        let (lifetime, reconnection) = (limits.lifetime, reconnection)
        writer = try Lane(name: "db-writer", gathers: true) {
            ConnectionSlot(connector, .writer, reconnection, lifetime: connector.dialect.locksRows ? lifetime : nil)
        }
        state = Mutex(PoolState(limits: limits))
    }

    /// Connects the writer, so that what is wrong with the database is known at start.
    /// - Parameters:
    ///   - patience: how long to try.
    ///   - isAway: whether trying again can help; asked after each failure, on a thread where blocking is allowed.
    public func connect(patience: Duration = .zero, isAway: @escaping @Sendable () -> Bool = { true }) async throws {
        let outcome: Result<Void, SQLError> = await withCheckedContinuation { continuation in
            enqueueTurn(after: .zero) { [self] slot in
                let deadline = Monotonic.now() + patience
                while true {
                    do throws(SQLError) {
                        _ = try slot.connected()
                        noteWriter(slot)
                        return continuation.resume(returning: .success(()))
                    } catch {
                        let goesOn = error.kind == .connectionLost && Monotonic.now() < deadline && isAway()
                        guard goesOn else { return continuation.resume(returning: .failure(error)) }
                        usleep(20_000)
                    }
                }
            }
        }
        try outcome.get()
    }

    /// Runs `body` on a connection that may write; on the writer, after all writes and turns given earlier, where the
    /// engine has only one. Once begun it runs to its end.
    /// - Throws: `.noConnection` when its turn did not come in time, `.interrupted` when the caller was cancelled
    ///   before its turn, and whatever `body` throws.
    /// - Parameter again: whether `body`, which threw this, changed nothing and may run once more on a new connection.
    @discardableResult
    public func write<Value: Sendable>(
        again: @escaping @Sendable (any Error) -> Bool = { _ in false },
        _ body: @escaping @Sendable (any SQLConnection) throws -> Value
    ) async throws -> Value {
        let isShared = connector.dialect.locksRows && limits.readers > 0
        return try await perform(onWriter: !isShared, isInterruptible: false, again: again, body)
    }

    /// Runs `body` on a reader. A cancelled caller stops it: the running statement throws `.interrupted`.
    @discardableResult
    public func read<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws -> Value
    ) async throws -> Value {
        try await perform(
            onWriter: limits.readers == 0, isInterruptible: true,
            again: { ($0 as? SQLError)?.kind == .connectionLost }, body)
    }

    /// Runs `turn` on the writer's thread after all writes given earlier, and not before `delay` has passed.
    ///
    /// Returns at once. A turn given after ``close()`` still runs, with a slot that throws.
    public func enqueueTurn(after delay: Duration, _ turn: @escaping @Sendable (ConnectionSlot) -> Void) {
        writer.enqueue(after: delay) { [weak self] slot in
            self?.isWriterBusy.store(true, ordering: .relaxed)
            turn(slot)
            slot.tidy()
            self?.noteWriter(slot)
        }
    }

    private func noteWriter(_ slot: ConnectionSlot) {
        if slot.hasChanged { state.withLock { $0.noteWriter(made: slot.made, isOpen: slot.isOpen) } }
        isWriterBusy.store(false, ordering: .relaxed)
    }

    /// Runs `turn` on the writer's thread again and again, `interval` after its last end, until the pool is closed.
    public func repeatTurn(every interval: Duration, _ turn: @escaping @Sendable (ConnectionSlot) -> Void) {
        enqueueTurn(after: interval) { [weak self] slot in
            guard let self, !state.withLock({ $0.isClosed }) else { return }
            turn(slot)
            repeatTurn(every: interval, turn)
        }
    }

    public var counters: Counters {
        let isWriterBusy = isWriterBusy.load(ordering: .relaxed)
        return state.withLock { state in
            var counters = Counters()
            let writerOpen = state.isWriterOpen ? 1 : 0
            let writerInUse = isWriterBusy ? writerOpen : 0
            counters.inUse = state.readers.inUse + writerInUse
            counters.idle = state.readers.idleCount + writerOpen - writerInUse
            counters.waiting = state.readers.waiting + max(0, state.writes.count - writerInUse)
            counters.opened = state.readers.opened + state.writersOpened
            counters.closed = state.readers.closed + state.writersOpened - writerOpen
            counters.oldest = state.readers.oldestOpening
            return counters
        }
    }

    /// Refuses new calls, lets those under way end, and closes every connection.
    public func close() async {
        state.withLock { state in
            state.isClosed = true
            apply(state.readers.shut(), to: &state)
        }
        await withCheckedContinuation { continuation in
            let isDone = state.withLock { state in
                if state.hasNoReader { return true }
                state.onEmpty.append { continuation.resume() }
                return false
            }
            if isDone { continuation.resume() }
        }
        await withCheckedContinuation { continuation in
            writer.enqueue { [self] slot in
                slot.close()
                noteWriter(slot)
                continuation.resume()
            }
        }
    }
}

// MARK: - One call

extension ConnectionPool {
    private func perform<Value: Sendable>(
        onWriter: Bool, isInterruptible: Bool, again: @escaping @Sendable (any Error) -> Bool,
        _ body: @escaping @Sendable (any SQLConnection) throws -> Value
    ) async throws -> Value {
        let call = PendingCall(number: state.withLock { $0.nextNumber() })
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Value, any Error>) in
                guard call.queue({ continuation.resume(throwing: $0) }) else { return }
                let job: PoolState.Job = { [self] slot, place in
                    var result: Result<Value, any Error>?
                    if call.begin() {
                        result = Result { try run(call, isInterruptible, again, on: slot, body) }
                        call.end()
                    }
                    finish(call, slot, place)
                    if let result { continuation.resume(with: result) }
                }
                submit(call, job, onWriter: onWriter)
            }
        } onCancel: {
            if call.cancel() { forget(call) }
        }
    }

    /// - Parameter again: whether the same may be tried once more on a new connection.
    private func run<Value>(
        _ call: PendingCall, _ isInterruptible: Bool, _ again: (any Error) -> Bool, on slot: ConnectionSlot,
        _ body: (any SQLConnection) throws -> Value
    ) throws -> Value {
        let connection = try slot.connected(patience: limits.wait)
        if isInterruptible { call.interruptible(by: connection.interrupter) }
        do {
            return try body(connection)
        } catch  where slot.canReconnect && again(error) {
            slot.tidy()
            let next = try slot.connected(patience: limits.wait)
            if isInterruptible { call.interruptible(by: next.interrupter) }
            return try body(next)
        }
    }

    private func submit(_ call: PendingCall, _ job: @escaping PoolState.Job, onWriter: Bool) {
        let now = Monotonic.now()
        let isRefused = state.withLock { state in
            if state.isClosed { return true }
            if onWriter {
                guard state.writes.count < limits.maxWaiting else { return true }
                state.writes[call.number] = PoolState.Write(call: call, deadline: now + limits.wait)
                writer.enqueue { [self] slot in
                    isWriterBusy.store(true, ordering: .relaxed)
                    job(slot, nil)
                }
            } else {
                state.reads[call.number] = PoolState.Read(call: call, job: job)
                apply(state.readers.ask(call.number, now: now), to: &state)
            }
            scheduleTick(&state, now)
            return false
        }
        if isRefused { call.refuse(Self.busy) }
    }

    /// Gives the connection back, before the caller hears of the result.
    private func finish(_ call: PendingCall, _ slot: ConnectionSlot, _ place: Int?) {
        let isSound = slot.tidy()
        let now = Monotonic.now()
        var onEmpty: [@Sendable () -> Void] = []
        state.withLock { state in
            if let place {
                apply(state.readers.giveBack(place, isBroken: !isSound, now: now), to: &state)
                if state.hasNoReader { swap(&onEmpty, &state.onEmpty) }
                scheduleTick(&state, now)
            } else {
                state.writes[call.number] = nil
            }
        }
        if place == nil { noteWriter(slot) }
        for tell in onEmpty { tell() }
    }

    /// A cancelled call no longer waits.
    private func forget(_ call: PendingCall) {
        state.withLock { state in
            state.writes[call.number] = nil
            state.readers.abandon(call.number)
            state.reads[call.number] = nil
        }
    }

    static var busy: SQLError { SQLError(.noConnection, detail: "no connection became free in time") }
}

// MARK: - Carrying out decisions

extension ConnectionPool {
    private func apply(_ actions: [PoolDecisions.Action], to state: inout PoolState) {
        for action in actions {
            switch action {
            case .grant(let waiter, let place, let isNew):
                if isNew { openReader(place, &state) }
                start(waiter, at: place, &state)
            case .close(let place):
                close(place, &state)
            case .refuse(let waiter):
                state.reads.removeValue(forKey: waiter)?.call.refuse(Self.busy)
            }
        }
    }

    /// Where the last connection that is closed tidies up after all, whoever closes the pool waits for this one too.
    private func close(_ place: Int, _ state: inout PoolState) {
        guard let lane = state.lanes.removeValue(forKey: place) else { return }
        state.closing += 1
        lane.enqueue { [self] slot in
            slot.close()
            var onEmpty: [@Sendable () -> Void] = []
            self.state.withLock { state in
                state.closing -= 1
                if state.hasNoReader { swap(&onEmpty, &state.onEmpty) }
            }
            for tell in onEmpty { tell() }
        }
    }

    private func openReader(_ place: Int, _ state: inout PoolState) {
        let (connector, reconnection) = (connector, reconnection)
        state.lanes[place] = try? Lane(name: "db-reader-\(place)") { ConnectionSlot(connector, .reader, reconnection) }
    }

    private func start(_ waiter: UInt64, at place: Int, _ state: inout PoolState) {
        let read = state.reads.removeValue(forKey: waiter)
        if let read, let lane = state.lanes[place] {
            let job = read.job
            lane.enqueue { job($0, place) }
        } else {
            // No thread to be had, or nobody to serve.
            read?.call.refuse(Self.busy)
            apply(state.readers.giveBack(place, isBroken: state.lanes[place] == nil, now: Monotonic.now()), to: &state)
        }
    }

    /// Sees to it that deadlines and lifetimes are looked at when the next one is due.
    private func scheduleTick(_ state: inout PoolState, _ now: Duration) {
        // Whoever begins to wait now waits until then at least; an idle place may live that much too long.
        if let due = state.tickDue, due <= now + limits.wait { return }
        guard let next = state.nextTick else { return }
        if state.clock == nil { state.clock = try? Lane(name: "db-clock") {} }
        // Not more than a hundred times a second, however small the limits.
        let delay = max(next - now, .milliseconds(10))
        state.tickDue = now + delay
        state.clock?.enqueue(after: delay) { [weak self] in self?.tick() }
    }

    private func tick() {
        let now = Monotonic.now()
        state.withLock { state in
            if let due = state.tickDue, due <= now { state.tickDue = nil }
            apply(state.readers.tick(now: now), to: &state)
            for (number, write) in state.writes where write.deadline <= now {
                // One that runs is left to end.
                if write.call.refuse(Self.busy) {
                    state.writes[number] = nil
                } else {
                    state.writes[number]?.isLate = true
                }
            }
            scheduleTick(&state, now)
        }
    }
}
