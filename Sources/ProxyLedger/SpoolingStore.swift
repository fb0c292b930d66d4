public import ProxyDomain
public import ProxyStorage
import Synchronization

/// Keeps batches in a journal while the database is away, and writes them to it when it is back: in their order, each exactly once.
///
/// Served from the journal are only requests of tokens without any limit (``Admission/Basis/unlimited``): whether others may be
/// admitted only the database knows. They hear `.unavailable` until it is back and has all that the journal holds.
public final class SpoolingStore: LedgerStore {
    /// What is told to whoever runs the server.
    public enum Event: Sendable {
        case outageBegan(StorageError)
        /// So many batches were written.
        case outageEnded(batches: Int)
        case failed(SpoolError)
        /// The database is there, and does not take what the spool holds: nothing goes on until that is mended.
        case rejected(StorageError)
    }

    private struct State {
        var outageSince: ContinuousClock.Instant?
        var lastError = StorageError(.unavailable)
        /// Whether the database answered when it was asked last.
        var isReachable = false
        /// Batches written since the outage began.
        var written = 0
        var isProbing = false
        var isClosing = false
        var isClosed = false
    }

    private let base: any LedgerStore
    private let journal: SpoolJournal
    /// Changed by the writer's turns, which come one at a time.
    private let state = Mutex(State())
    private let patience: Duration
    private let probe: @Sendable () async -> Bool
    private let now: @Sendable () -> Timestamp
    private let report: @Sendable (Event) -> Void

    /// How long to leave the database alone before it is asked again.
    private static let pause: Duration = .milliseconds(500)
    /// How long a turn may write what the journal holds while others wait.
    private static let turnLength: Duration = .milliseconds(100)

    /// - Parameters:
    ///   - journal: nobody else may use it.
    ///   - patience: how long the database may be away before the journal is used.
    ///   - probe: asks the database for anything, not on the writer's thread: a host that is silent takes its time to be given up.
    ///   - report: told on the writer's thread.
    public init(
        _ base: any LedgerStore, journal: SpoolJournal, patience: Duration,
        probe: @escaping @Sendable () async -> Bool, now: @escaping @Sendable () -> Timestamp,
        report: @escaping @Sendable (Event) -> Void
    ) {
        self.base = base
        self.journal = journal
        self.patience = patience
        self.probe = probe
        self.now = now
        self.report = report
    }

    public func enqueueTurn(after delay: Duration, _ turn: @escaping @Sendable (any LedgerWriter) -> Void) {
        base.enqueueTurn(after: delay) { [self] writer in turn(SpoolingWriter(base: writer, store: self)) }
    }

    /// Batches in the journal, and its size in bytes. Above 0 while the database is away, and until it has them.
    public var backlog: (batches: Int, bytes: Int) { (journal.count, journal.size) }

    /// Whether requests can be served without the database.
    public var hasRoom: Bool { journal.hasRoom }

    /// No more is to come than the ledger has: what the database doesn't take at once is kept in the journal.
    public func prepareToClose() { state.withLock { $0.isClosing = true } }

    /// Writes what the journal holds as long as the database takes it, and leaves the rest to the next start.
    public func close(by deadline: ContinuousClock.Instant) async {
        while !journal.isEmpty, ContinuousClock.now < deadline, await probe(), await writeForOneTurn() {}
        close()
    }

    private func close() {
        state.withLock { $0.isClosed = true }
        journal.remove()
    }

    /// - Returns: whether the database took it.
    private func writeForOneTurn() async -> Bool {
        await withCheckedContinuation { continuation in
            base.enqueueTurn(after: .zero) { [self] writer in
                state.withLock { $0.isReachable = true }
                _ = tryToDrain(with: writer)
                continuation.resume(returning: state.withLock { $0.isReachable })
            }
        }
    }

    /// Writes to `store` all that a journal holds which a server left behind, and removes it.
    /// - Returns: how many batches there were.
    /// - Throws: `SpoolError` or `StorageError`; what is not written then is still in the journal.
    public static func recover(
        _ journal: SpoolJournal, to store: any LedgerStore, now: @escaping @Sendable () -> Timestamp
    ) async throws -> Int {
        let spool = SpoolingStore(store, journal: journal, patience: .zero, probe: { true }, now: now, report: { _ in })
        let count = journal.count
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            store.enqueueTurn(after: .zero) { writer in
                continuation.resume(with: Result { while try !spool.drain(with: writer) {} })
            }
        }
        spool.close()
        return count
    }

    // MARK: Turns

    fileprivate func commit(
        _ batch: LedgerBatch, with writer: any LedgerWriter
    ) throws(StorageError) -> [AdmissionVerdict] {
        if journal.isEmpty || tryToDrain(with: writer) {
            do throws(StorageError) {
                let verdicts = try writer.commit(batch)
                state.withLock { $0.outageSince = nil }
                return verdicts
            } catch {
                guard error.kind == .unavailable, hasLasted(error) else { throw error }
            }
        }
        return try keep(batch)
    }

    /// Whether the database has been away for longer than is waited for.
    private func hasLasted(_ error: StorageError) -> Bool {
        let now = ContinuousClock.now
        return state.withLock { state in
            let since = state.outageSince ?? now
            state.outageSince = since
            state.lastError = error
            return state.isClosing || now - since >= patience
        }
    }

    /// Puts into the journal what may be served.
    private func keep(_ batch: LedgerBatch) throws(StorageError) -> [AdmissionVerdict] {
        let error = state.withLock { $0.lastError }
        let served = batch.admissions.filter { $0.basis != .standing }
        let wasEmpty = journal.isEmpty
        if served.isEmpty, batch.settlements.isEmpty {
            // Others may wait for the database a while longer, unless it is known to be away.
            if wasEmpty { throw error }
        } else {
            do throws(SpoolError) {
                try journal.append(
                    LedgerBatch(
                        instance: batch.instance, sequence: batch.sequence, now: batch.now, admissions: served,
                        settlements: batch.settlements))
            } catch let failure {
                report(.failed(failure))
                throw StorageError(.unavailable, during: "commit(_:)", detail: "\(failure)")
            }
            if wasEmpty {
                state.withLock { $0.isReachable = false }
                report(.outageBegan(error))
            }
            lookOut()
        }
        return batch.admissions.map { $0.basis == .standing ? .unavailable : .admitted(remaining: nil) }
    }

    /// Asks for the database until it is there and the journal is written.
    private func lookOut() {
        let isNeeded = state.withLock { state in
            defer { state.isProbing = true }
            return !state.isProbing && !state.isClosed
        }
        guard isNeeded else { return }
        Task { [self] in
            try? await Task.sleep(for: Self.pause)
            let isReachable = await probe()
            let isClosed = state.withLock { state in
                (state.isProbing, state.isReachable) = (false, isReachable)
                return state.isClosed
            }
            guard !isClosed else { return }
            guard isReachable else { return lookOut() }
            base.enqueueTurn(after: .zero) { [self] writer in turnForJournal(with: writer) }
        }
    }

    /// Writes on with turns of its own, between those of the ledger, also when nothing else comes.
    private func turnForJournal(with writer: any LedgerWriter) {
        guard !journal.isEmpty, !tryToDrain(with: writer) else { return }
        guard state.withLock({ $0.isReachable && !$0.isClosed }) else { return lookOut() }
        base.enqueueTurn(after: .zero) { [self] writer in turnForJournal(with: writer) }
    }

    /// - Returns: whether the journal is empty.
    private func tryToDrain(with writer: any LedgerWriter) -> Bool {
        guard state.withLock({ $0.isReachable && !$0.isClosed }) else { return false }
        do {
            guard try drain(with: writer) else { return false }
            let written = state.withLock { state in
                defer { (state.written, state.outageSince) = (0, nil) }
                return state.written
            }
            report(.outageEnded(batches: written))
            return true
        } catch {
            if let error = error as? SpoolError { report(.failed(error)) }
            if let error = error as? StorageError, !error.isTransient { report(.rejected(error)) }
            state.withLock { state in
                if let error = error as? StorageError { state.lastError = error }
                state.isReachable = false
            }
            return false
        }
    }

    /// Writes what the journal holds, for one turn.
    /// - Returns: whether the journal is empty.
    private func drain(with writer: any LedgerWriter) throws -> Bool {
        let deadline = ContinuousClock.now + Self.turnLength
        while var batch = try journal.first() {
            // Judged by the time at which it is written: others may have begun a new period meanwhile.
            batch.now = max(batch.now, now())
            guard try !writer.commit(batch).contains(.refused(.unknownToken)) else {
                throw SpoolError(.foreign, path: journal.path, errno: 0)
            }
            try journal.removeFirst()
            state.withLock { $0.written += 1 }
            if ContinuousClock.now > deadline { break }
        }
        return journal.isEmpty
    }
}

/// The writer of a turn, with the journal behind it.
private struct SpoolingWriter: LedgerWriter {
    let base: any LedgerWriter
    let store: SpoolingStore

    var changesSeen: Int64? { base.changesSeen }

    func commit(_ batch: LedgerBatch) throws(StorageError) -> [AdmissionVerdict] {
        try store.commit(batch, with: base)
    }
}
