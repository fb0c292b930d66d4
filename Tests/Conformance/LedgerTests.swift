import Glibc
import ProxyDomain
import ProxyStorage
import SQLDatabase
import Synchronization
import Testing

@testable import ProxyLedger

@Suite("The ledger")
struct LedgerTests {
    @Test("closes when all verdicts are told, those of a batch that is given up too", arguments: [true, false])
    func closing(isReachable: Bool) async throws {
        let store = try LaneStore(isReachable: isReachable)
        let (noon, id) = (Timestamp(milliseconds: 1_795_435_200_000), Identifier(high: 1, low: 1))
        let ledger = Ledger(store: store, instance: InstanceID(id), now: { noon }, report: { _ in })
        let (isTelling, began) = AsyncStream<Void>.makeStream()
        let receiver = SlowReceiver(began: began)
        let place = ledger.register(receiver)
        let admission = Admission(
            requestID: RequestID(id), tokenID: TokenID(id), projectID: ProjectID(id), admittedAt: noon, method: "GET",
            path: "/v1/models")
        #expect(ledger.admit(admission, receiver: place, ticket: 7, isWaitedFor: true) != nil)
        for await _ in isTelling { break }
        await ledger.close()
        #expect(
            receiver.told.withLock { $0 } == [
                AdmissionDecision(ticket: 7, verdict: isReachable ? .admitted(remaining: nil) : .unavailable)
            ])
    }
}

/// Takes its time to hear of verdicts.
private final class SlowReceiver: AdmissionReceiver {
    let told = Mutex<[AdmissionDecision]>([])
    private let began: AsyncStream<Void>.Continuation

    init(began: AsyncStream<Void>.Continuation) { self.began = began }

    func admissionsDecided(_ decisions: [AdmissionDecision]) {
        began.yield()
        usleep(200_000)
        told.withLock { $0 += decisions }
    }
}

/// Turns on a thread of their own, of a writer that admits all or finds its database broken.
private final class LaneStore: LedgerStore, LedgerWriter {
    private let lane: Lane<Void>
    private let isReachable: Bool
    let changesSeen: Int64? = nil

    init(isReachable: Bool) throws {
        self.isReachable = isReachable
        lane = try Lane(name: "turns") {}
    }

    func enqueueTurn(after delay: Duration, _ turn: @escaping @Sendable (any LedgerWriter) -> Void) {
        lane.enqueue(after: delay) { [self] _ in turn(self) }
    }

    func commit(_ batch: LedgerBatch) throws(StorageError) -> [AdmissionVerdict] {
        guard isReachable else { throw StorageError(.corrupt) }
        return batch.admissions.map { _ in .admitted(remaining: nil) }
    }
}
