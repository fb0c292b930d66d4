public import ProxyDomain
public import ProxyStorage
import Synchronization

/// Counts requests before clients see an answer, and writes down how they ended: in groups, exactly once.
///
/// All calls return at once and may come from any thread; what blocks happens on the store's writer.
public final class Ledger: Sendable {
    private let store: any LedgerStore
    private let queue: Mutex<LedgerQueue>
    private let receivers: Mutex<[any AdmissionReceiver]>
    private let idleWaiters = Mutex<[CheckedContinuation<Void, Never>]>([])
    private let now: @Sendable () -> Timestamp
    private let report: @Sendable (StorageError) -> Void
    private let changesSeen: @Sendable (Int64) -> Void

    /// - Parameters:
    ///   - instance: this process; together with a running number it names each batch.
    ///   - now: the clock by which expiry is judged.
    ///   - report: told of each failed commit, on the writer's thread.
    ///   - changesSeen: told before a batch's verdicts how many changes to projects and tokens came before it.
    public init(
        store: any LedgerStore, instance: InstanceID, limits: LedgerLimits = LedgerLimits(),
        now: @escaping @Sendable () -> Timestamp, report: @escaping @Sendable (StorageError) -> Void,
        changesSeen: @escaping @Sendable (Int64) -> Void = { _ in }
    ) {
        self.store = store
        self.queue = Mutex(LedgerQueue(instance: instance, limits: limits))
        self.receivers = Mutex([])
        self.now = now
        self.report = report
        self.changesSeen = changesSeen
    }

    /// Makes a place to hear verdicts at. Receivers are held until the ledger is closed.
    public func register(_ receiver: any AdmissionReceiver) -> ReceiverID {
        receivers.withLock { receivers in
            receivers.append(receiver)
            return ReceiverID(index: receivers.count - 1)
        }
    }

    /// Asks for a request to be counted; the verdict comes to `receiver` with `ticket`.
    /// - Parameter isWaitedFor: whether anybody waits already; otherwise the commit may linger until ``hurry(_:)``.
    /// - Returns: `nil` when too much is waiting: nothing was asked, and no verdict will come.
    public func admit(
        _ admission: Admission, receiver: ReceiverID, ticket: UInt64, isWaitedFor: Bool
    ) -> AdmissionHandle? {
        let waiter = LedgerQueue.Waiter(receiver: receiver.index, ticket: ticket)
        let admitted = queue.withLock { $0.admit(admission, for: waiter, isWaitedFor: isWaitedFor) }
        guard let (handle, wake) = admitted else { return nil }
        act(on: wake)
        return handle
    }

    /// Writes down how a request ended. Call once for each request given to ``admit(_:receiver:ticket:isWaitedFor:)``
    /// whose verdict was `.admitted` or is still to come.
    public func settle(_ settlement: RequestSettlement, of handle: AdmissionHandle) {
        act(on: queue.withLock { $0.settle(settlement, of: handle) })
    }

    /// Nobody wants an admission any more: it is not counted, unless a batch has taken it already.
    /// - Returns: whether that came in time. Then no verdict comes, and ``settle(_:of:)`` must not be called.
    public func withdraw(_ handle: AdmissionHandle) -> Bool {
        queue.withLock { $0.withdraw(handle) }
    }

    /// Somebody waits for this verdict now: if the admission lingers, it is committed at once.
    public func hurry(_ handle: AdmissionHandle) {
        act(on: queue.withLock { $0.hurry(handle) })
    }

    /// Requests and settlements that no batch has taken yet.
    public var depth: Int { queue.withLock { $0.depth } }

    /// Returns once everything given so far is written or given up.
    public func flush() async {
        await withCheckedContinuation { continuation in
            idleWaiters.withLock { $0.append(continuation) }
            act(on: queue.withLock { $0.hurry() })
            releaseIdleWaitersIfIdle()
        }
    }

    /// Takes no further admissions, and returns once everything given is written or given up.
    public func close() async {
        act(on: queue.withLock { $0.close() })
        await flush()
        // Nobody waits any more. Receivers hold what holds the ledger.
        receivers.withLock { $0 = [] }
    }

    private func act(on wake: LedgerQueue.Wake) {
        switch wake {
        case .notNeeded: break
        case .now: store.enqueueTurn(after: .zero) { [self] writer in runTurn(with: writer) }
        case .after(let delay, let linger):
            store.enqueueTurn(after: delay) { [self] writer in runTurn(with: writer, after: linger) }
        }
    }

    /// One batch, on the writer's thread. It is out until its verdicts are told: whoever finds the ledger idle finds no one waiting.
    private func runTurn(with writer: any LedgerWriter, after linger: LedgerQueue.Linger? = nil) {
        guard let parcel = queue.withLock({ $0.take(at: now(), after: linger) }) else {
            return releaseIdleWaitersIfIdle()
        }
        do {
            let verdicts = try writer.commit(parcel.batch)
            if let changes = writer.changesSeen { changesSeen(changes) }
            deliver(verdicts, to: parcel.waiters)
            act(on: queue.withLock { $0.committed(verdicts, at: now()) })
        } catch {
            report(error)
            recover(parcel, from: error)
        }
        releaseIdleWaitersIfIdle()
    }

    private func recover(_ parcel: LedgerQueue.Parcel, from error: StorageError) {
        switch queue.withLock({ $0.failed(isTransient: error.isTransient, at: now()) }) {
        case .retry(let delay):
            store.enqueueTurn(after: delay) { [self] writer in runTurn(with: writer) }
        case .giveUp(let waiters):
            deliver(Array(repeating: .unavailable, count: waiters.count), to: waiters)
            act(on: queue.withLock { $0.gaveUp(at: now()) })
        }
    }

    /// Sorts verdicts by receiver, so that each event loop is woken once for a batch.
    private func deliver(_ verdicts: [AdmissionVerdict], to waiters: [LedgerQueue.Waiter]) {
        let receivers = receivers.withLock { $0 }
        var decisions = [[AdmissionDecision]](repeating: [], count: receivers.count)
        for (waiter, verdict) in zip(waiters, verdicts) {
            decisions[waiter.receiver].append(AdmissionDecision(ticket: waiter.ticket, verdict: verdict))
        }
        for (receiver, decided) in zip(receivers, decisions) where !decided.isEmpty {
            receiver.admissionsDecided(decided)
        }
    }

    /// Both in one step: who begins to wait after the ledger was idle waits until it is so again.
    private func releaseIdleWaitersIfIdle() {
        let waiting: [CheckedContinuation<Void, Never>] = queue.withLock { queue in
            guard queue.isIdle else { return [] }
            return idleWaiters.withLock { waiting in
                defer { waiting = [] }
                return waiting
            }
        }
        for continuation in waiting { continuation.resume() }
    }
}

/// Hears what became of admissions; usually one for each event loop.
public protocol AdmissionReceiver: Sendable {
    /// Called once for each batch that decided any of this receiver's requests, on the writer's thread: must not block.
    func admissionsDecided(_ decisions: [AdmissionDecision])
}

/// A verdict, and the ticket that the request was given under.
public struct AdmissionDecision: Hashable, Sendable {
    public let ticket: UInt64
    public let verdict: AdmissionVerdict
}

/// Names a receiver within its ledger.
public struct ReceiverID: Hashable, Sendable {
    let index: Int
}
