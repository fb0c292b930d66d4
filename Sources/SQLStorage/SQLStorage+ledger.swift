public import ProxyStorage
import SQLDatabase
import Synchronization

extension SQLStorage {
    /// The verdict `.admitted(remaining:)` tells what the cap held right after that request, so each waiter of a batch
    /// sees its own number. Of a batch that is looked up after a lost commit, it tells what the cap holds now.
    public func enqueueTurn(after delay: Duration, _ turn: @escaping @Sendable (any LedgerWriter) -> Void) {
        pool.enqueueTurn(after: delay) { [ledgerMemory, ledgerMetrics, timings] slot in
            let writer =
                slot.companion as? SQLLedgerWriter ?? SQLLedgerWriter(slot, ledgerMemory, ledgerMetrics, timings)
            slot.companion = writer
            turn(writer)
        }
    }
}

/// How large the ledger's batches are, and how long they take.
final class LedgerMetrics: Sendable {
    private let sizes = Histogram(upperBounds: Histogram.sizeBounds)
    private let durations = Histogram(upperBounds: Histogram.secondBounds)

    private let rewrites = Atomic<Int>(0)
    private let failing = Atomic<Bool>(false)

    /// Whether the last commit failed, and nothing was written since.
    var isFailing: Bool { failing.load(ordering: .relaxed) }

    func noteWriting(_ succeeds: Bool) { failing.store(!succeeds, ordering: .relaxed) }

    /// A batch could not be written whole, and is written again step by step.
    func rewritten() { rewrites.add(1, ordering: .relaxed) }

    func committed(_ count: Int, in duration: Duration) {
        noteWriting(true)
        sizes.observe(Double(count))
        durations.observe(duration.inSeconds)
    }

    var figures: [DatabaseFigure] {
        [
            sizes.figure("database_ledger_batch_size", "Admissions and settlements in one ledger commit."),
            durations.figure("database_commit_seconds", "Time one ledger commit took, its statements included."),
            DatabaseFigure(
                name: "database_ledger_rewritten_total",
                help: "Ledger batches that one statement could not write whole, most for a token that refuses.",
                kind: .counter, value: Double(rewrites.load(ordering: .relaxed))),
        ]
    }
}
