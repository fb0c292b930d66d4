import ProxyConformance
import ProxyDomain
import ProxyStorage
import Testing

@testable import ProxyLedger

private let noon = Timestamp(milliseconds: 1_795_435_200_000)
private let token = TokenID(Identifier(high: 1, low: 1))
private let project = ProjectID(Identifier(high: 1, low: 2))

/// A queue that expectations can change: they take no mutating calls.
private final class Bench {
    var queue: LedgerQueue

    init(maxQueued: Int = 100, maxBatch: Int = 10) {
        queue = LedgerQueue(
            instance: InstanceID(Identifier(high: 9, low: 9)),
            limits: LedgerLimits(maxQueued: maxQueued, maxBatch: maxBatch))
    }

    var limits: LedgerLimits { queue.limits }
    var isIdle: Bool { queue.isIdle }

    func admit(_ number: UInt64, isWaitedFor: Bool = true) -> (AdmissionHandle, LedgerQueue.Wake)? {
        queue.admit(admission(number), for: waiter(number), isWaitedFor: isWaitedFor)
    }

    func settle(_ number: UInt64, _ handle: AdmissionHandle) -> LedgerQueue.Wake {
        queue.settle(settlement(number), of: handle)
    }

    func hurry() -> LedgerQueue.Wake { queue.hurry() }
    func hurry(_ handle: AdmissionHandle) -> LedgerQueue.Wake { queue.hurry(handle) }
    func take(at now: Timestamp = noon, after linger: LedgerQueue.Linger? = nil) -> LedgerQueue.Parcel? {
        queue.take(at: now, after: linger)
    }
    func committed(_ verdicts: [AdmissionVerdict] = []) -> LedgerQueue.Wake { queue.committed(verdicts, at: noon) }
    func failed(isTransient: Bool, at now: Timestamp = noon) -> LedgerQueue.FailureStep {
        queue.failed(isTransient: isTransient, at: now)
    }
    func gaveUp(at now: Timestamp = noon) -> LedgerQueue.Wake { queue.gaveUp(at: now) }
    func close() -> LedgerQueue.Wake { queue.close() }
    func withdraw(_ handle: AdmissionHandle) -> Bool { queue.withdraw(handle) }
}

extension LedgerQueue.Wake {
    /// `nil` when no turn is asked for.
    fileprivate var delay: Duration? {
        switch self {
        case .notNeeded: nil
        case .now: .zero
        case .after(let delay, _): delay
        }
    }

    fileprivate var linger: LedgerQueue.Linger? { if case .after(_, let linger) = self { linger } else { nil } }
}

private func request(_ number: UInt64) -> RequestID { RequestID(Identifier(high: 2, low: number)) }

private func admission(_ number: UInt64) -> Admission {
    Admission(
        requestID: request(number), tokenID: token, projectID: project, admittedAt: noon, method: "POST", path: "/v1/x")
}

private func settlement(_ number: UInt64) -> RequestSettlement {
    RequestSettlement(
        requestID: request(number), tokenID: token, projectID: project, admittedAt: noon,
        settlement: Settlement(
            outcome: .completed, status: 200, settledAt: noon, durationMicroseconds: 1, firstByteMicroseconds: nil,
            usage: nil, cost: .zero, model: nil))
}

private func waiter(_ number: UInt64) -> LedgerQueue.Waiter { .init(receiver: 0, ticket: number) }

/// What the ledger's queue decides, event by event.
@Suite("The ledger's queue")
struct LedgerQueueTests {
    @Test func asksForATurnOnceAndAtOnceWhenSomebodyWaits() throws {
        let queue = Bench()
        #expect(try #require(queue.admit(1)).1 == .now)
        #expect(try #require(queue.admit(2, isWaitedFor: true)).1 == .notNeeded)
        #expect(queue.hurry() == .notNeeded)
    }

    @Test func lingersUntilSomebodyWaits() throws {
        let queue = Bench()
        let lingering = try #require(queue.admit(1, isWaitedFor: false))
        #expect(lingering.1.delay == queue.limits.admissionLinger)
        #expect(queue.hurry() == .now)
        #expect(queue.hurry() == .notNeeded)
    }

    @Test func takesWhatIsWaitedForAndLeavesWhatStillGathersCompany() throws {
        let queue = Bench()
        let handles = try (1...3).map { try #require(queue.admit(UInt64($0), isWaitedFor: false)).0 }
        _ = queue.settle(2, handles[1])
        #expect(queue.hurry(handles[1]) == .now)
        #expect(queue.hurry(handles[0]) == .notNeeded)
        #expect(queue.take()?.waiters == [waiter(1), waiter(2)])
        #expect(queue.hurry(handles[1]) == .notNeeded, "a batch has taken it")
        let lingering = queue.committed()
        #expect(lingering.delay == queue.limits.admissionLinger)
        _ = queue.settle(3, handles[2])
        let last = try #require(queue.take(after: lingering.linger))
        #expect(last.waiters == [waiter(3)] && last.batch.admissions.first?.settlement != nil)
    }

    @Test func leavesNothingBehindForLongerThanItMayLinger() throws {
        let queue = Bench()
        let handles = try (1...3).map { try #require(queue.admit(UInt64($0), isWaitedFor: false)).0 }
        _ = queue.hurry(handles[0])
        #expect(queue.take(at: noon + queue.limits.admissionLinger)?.waiters == [waiter(1), waiter(2), waiter(3)])
    }

    @Test func ignoresTheTurnOfALingerThatHasEnded() throws {
        let queue = Bench()
        let (handle, lingering) = try #require(queue.admit(1, isWaitedFor: false))
        _ = queue.hurry(handle)
        #expect(queue.take(after: lingering.linger) == nil, "a turn at once is on its way")
        #expect(queue.take()?.waiters == [waiter(1)])
        _ = queue.committed()
        let next = try #require(queue.admit(2, isWaitedFor: false)).1
        #expect(queue.take(after: lingering.linger) == nil && next.linger != lingering.linger)
        #expect(queue.take(after: next.linger)?.waiters == [waiter(2)])
    }

    @Test func anAdmissionLingersNoLongerBesideASettlement() throws {
        let queue = Bench()
        let (handle, _) = try #require(queue.admit(1))
        _ = queue.take()
        _ = queue.committed()
        let patient = queue.settle(1, handle)
        #expect(patient.delay == queue.limits.settlementLinger)
        let sooner = try #require(queue.admit(2, isWaitedFor: false)).1
        #expect(sooner.delay == queue.limits.admissionLinger)
        #expect(queue.take(after: patient.linger) == nil)
        #expect(queue.take(after: sooner.linger)?.batch.admissions.count == 1)
    }

    @Test func hasOneBatchOutAndGathersTheNextMeanwhile() throws {
        let queue = Bench()
        _ = queue.admit(1, isWaitedFor: true)
        let first = try #require(queue.take())
        #expect(first.batch.sequence == 1 && first.waiters == [waiter(1)])
        #expect(try #require(queue.admit(2, isWaitedFor: true)).1 == .notNeeded)
        #expect(queue.committed() == .now)
        let second = try #require(queue.take())
        #expect(second.batch.sequence == 2 && second.batch.admissions.map(\.requestID) == [request(2)])
        #expect(queue.committed() == .notNeeded)
        #expect(queue.isIdle && queue.take() == nil)
    }

    @Test func writesTheEndIntoAnAdmissionThatIsPending() throws {
        let queue = Bench()
        let (handle, _) = try #require(queue.admit(1, isWaitedFor: false))
        #expect(queue.settle(1, handle) == .notNeeded)
        let parcel = try #require(queue.take())
        #expect(parcel.batch.admissions.first?.settlement?.outcome == .completed)
        #expect(parcel.batch.settlements.isEmpty)
    }

    @Test func writesTheEndBesideAnAdmissionThatIsOnItsWay() throws {
        let queue = Bench()
        let (handle, _) = try #require(queue.admit(1, isWaitedFor: true))
        _ = queue.take()
        _ = queue.settle(1, handle)
        #expect(queue.committed().delay == queue.limits.settlementLinger)
        #expect(queue.take()?.batch.settlements.map(\.requestID) == [request(1)])
    }

    @Test func letsALoneAdmissionGoAheadOfSettlementsForAWhile() throws {
        let queue = Bench()
        let (handle, _) = try #require(queue.admit(1, isWaitedFor: true))
        _ = queue.take()
        _ = queue.settle(1, handle)
        #expect(try #require(queue.admit(2)).1 == .notNeeded)
        #expect(queue.committed() == .now)
        #expect(queue.take()?.batch.settlements.isEmpty == true)
        _ = queue.committed()
        _ = queue.admit(3)
        let late = noon + queue.limits.settlementPatience
        #expect(queue.take(at: late)?.batch.settlements.map(\.requestID) == [request(1)])
    }

    @Test func writesSettlementsBesideSeveralAdmissionsAndWhenTheyAreMany() throws {
        let queue = Bench()
        let (handle, _) = try #require(queue.admit(1, isWaitedFor: true))
        _ = queue.take()
        _ = queue.settle(1, handle)
        _ = queue.admit(2)
        _ = queue.admit(3)
        _ = queue.committed()
        #expect(queue.take()?.batch.settlements.count == 1)
        for number in 4..<UInt64(4 + queue.limits.settlementsBehind) { _ = queue.settle(number, .written) }
        _ = queue.committed()
        _ = queue.admit(99)
        #expect(queue.take()?.batch.settlements.count == queue.limits.settlementsBehind)
    }

    @Test func leavesOutWhatIsWithdrawnInTime() throws {
        let queue = Bench(maxBatch: 2)
        let handles = try (1...5).map { try #require(queue.admit(UInt64($0))).0 }
        for place in [0, 1, 3] { #expect(queue.withdraw(handles[place])) }
        let first = try #require(queue.take())
        #expect(first.waiters == [waiter(3)] && first.batch.admissions.map(\.requestID) == [request(3)])
        #expect(first.batch.sequence == 1)
        #expect(!queue.withdraw(handles[2]), "a batch has taken it")
        _ = queue.committed()
        // What ends meanwhile still finds its admission.
        _ = queue.settle(5, handles[4])
        let second = try #require(queue.take())
        #expect(second.waiters == [waiter(5)] && second.batch.admissions.first?.settlement != nil)
        _ = queue.committed()
        let last = try #require(queue.admit(6)).0
        #expect(queue.withdraw(last) && queue.take() == nil && queue.isIdle)
    }

    @Test func judgesARetryByTheTimeItIsWrittenAt() throws {
        let queue = Bench()
        _ = queue.admit(1)
        _ = queue.take()
        _ = queue.failed(isTransient: true, at: noon + .milliseconds(10))
        let again = noon + .milliseconds(900)
        #expect(queue.take(at: again)?.batch.now == again)
        let late = noon + queue.limits.wait
        #expect(queue.failed(isTransient: true, at: late) == .giveUp([waiter(1)]))
    }

    @Test func stopsLingeringWhereAnswersComeBeforeCompany() throws {
        let queue = Bench()
        func hurriedAlone(_ number: UInt64) throws -> LedgerQueue.Wake {
            let wake = try #require(queue.admit(number, isWaitedFor: false)).1
            _ = queue.hurry()
            _ = queue.take()
            _ = queue.committed()
            return wake
        }
        for number in 1...8 { #expect(try hurriedAlone(UInt64(number)).delay == queue.limits.admissionLinger) }
        let tried = try (9...200).filter { try hurriedAlone(UInt64($0)) != .now }
        #expect(tried.count == 3, "now and then it finds out whether that is still so: \(tried)")
        // Company came while it tried: it lingers again.
        var number: UInt64 = 201
        while try #require(queue.admit(number, isWaitedFor: false)).1 == .now {
            _ = queue.take()
            _ = queue.committed()
            number += 1
        }
        _ = queue.admit(number + 1, isWaitedFor: false)
        _ = queue.take()
        _ = queue.committed()
        #expect(try hurriedAlone(number + 2).delay == queue.limits.admissionLinger)
    }

    /// An end may never reach the database before its admission, or it would be an end of nothing.
    @Test func writesTheEndIntoAnAdmissionThatALargeBatchLeftBehind() throws {
        let queue = Bench(maxBatch: 2)
        var handles: [AdmissionHandle] = []
        for number in 1...5 {
            let admitted = queue.admit(UInt64(number))
            handles.append(try #require(admitted).0)
        }
        #expect(queue.take()?.batch.admissions.count == 2)
        _ = queue.settle(5, handles[4])
        #expect(queue.committed() == .now)
        let second = try #require(queue.take())
        #expect(second.batch.settlements.isEmpty && second.batch.admissions.map(\.settlement) == [nil, nil])
        _ = queue.committed()
        #expect(queue.take()?.batch.admissions.map { $0.settlement?.outcome } == [.completed])
    }

    @Test func refusesWhatIsOverTheLimitAndWhatComesAfterTheEnd() {
        let queue = Bench(maxQueued: 2)
        #expect(queue.admit(1, isWaitedFor: true) != nil)
        #expect(queue.admit(2, isWaitedFor: true) != nil)
        #expect(queue.admit(3, isWaitedFor: true) == nil)
        let closed = Bench()
        #expect(closed.close() == .notNeeded)
        #expect(closed.admit(1, isWaitedFor: true) == nil)
    }

    @Test func triesAFailedBatchAgainUnderItsNumberThenGivesItUp() throws {
        let queue = Bench()
        _ = queue.admit(1, isWaitedFor: true)
        _ = queue.take()
        let early = noon + .milliseconds(10)
        #expect(queue.failed(isTransient: true, at: early) == .retry(after: .milliseconds(10)))
        let again = try #require(queue.take(at: early))
        #expect(again.batch.sequence == 1 && again.batch.isRetry)
        #expect(queue.failed(isTransient: true, at: early) == .retry(after: .milliseconds(20)))
        _ = queue.take(at: early)
        let late = noon + queue.limits.wait
        #expect(queue.failed(isTransient: true, at: late) == .giveUp([waiter(1)]))
        #expect(queue.gaveUp(at: late) == .now)
        // Should its commit have happened unheard, the row is settled as refused by the next batch.
        let next = try #require(queue.take(at: late))
        #expect(next.batch.sequence == 2 && next.batch.settlements.map(\.settlement.status) == [503])
    }

    @Test func givesUpAtOnceWhatNoTryCanMend() throws {
        let queue = Bench()
        _ = queue.admit(1, isWaitedFor: true)
        _ = queue.take()
        #expect(queue.failed(isTransient: false) == .giveUp([waiter(1)]))
        // A ledger that closes waits until its waiter is told.
        #expect(!queue.isIdle)
        #expect(queue.gaveUp() == .notNeeded)
        #expect(queue.isIdle)
    }

    @Test func writesLaterWhatWasGivenUpBeforeItClosed() throws {
        let queue = Bench()
        let handle = try #require(queue.admit(1)).0
        _ = queue.take()
        _ = queue.committed()
        _ = queue.settle(1, handle)
        _ = queue.take()
        #expect(queue.failed(isTransient: true, at: noon + queue.limits.wait) == .giveUp([]))
        // While its waiters are told.
        _ = queue.close()
        #expect(queue.gaveUp() == .now)
        #expect(queue.take()?.batch.settlements.map(\.requestID) == [request(1)])
        #expect(queue.failed(isTransient: true) == .retry(after: .milliseconds(10)))
    }

    /// Whatever happens in whatever order, each request hears one verdict and is in one committed batch, or given up.
    @Test(arguments: 1...50 as ClosedRange<UInt64>)
    func losesAndDoublesNothing(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let queue = Bench(maxQueued: 30, maxBatch: 4)
        var parcel: LedgerQueue.Parcel?
        var handles: [UInt64: AdmissionHandle] = [:]
        var committed: [UInt64] = []
        var givenUp: [UInt64] = []
        var asked: UInt64 = 0
        for _ in 0..<400 {
            switch Int.random(in: 0..<6, using: &random) {
            case 0, 1:
                let isWaitedFor = Bool.random(using: &random)
                guard let admitted = queue.admit(asked + 1, isWaitedFor: isWaitedFor) else {
                    continue
                }
                asked += 1
                handles[asked] = admitted.0
            case 2:
                guard let (number, handle) = handles.randomElement(using: &random) else { continue }
                handles[number] = nil
                _ = queue.settle(number, handle)
            case 3: parcel = queue.take()
            case 4:
                guard let out = parcel else { continue }
                committed += out.waiters.map(\.ticket)
                parcel = nil
                _ = queue.committed()
            default:
                guard parcel != nil else { continue }
                parcel = nil
                if case .giveUp(let waiters) = queue.failed(isTransient: .random(using: &random)) {
                    givenUp += waiters.map(\.ticket)
                    _ = queue.gaveUp()
                }
            }
        }
        if let parcel {
            committed += parcel.waiters.map(\.ticket)
            _ = queue.committed()
        }
        while let rest = queue.take() {
            committed += rest.waiters.map(\.ticket)
            _ = queue.committed()
        }
        #expect((committed + givenUp).sorted() == Array(1...max(1, asked)).filter { $0 <= asked })
        #expect(queue.isIdle)
    }

    @Test("what can't be decided while others are served is settled with the next batch")
    func undecided() throws {
        let queue = Bench()
        _ = try #require(queue.admit(1))
        _ = try #require(queue.admit(2))
        _ = queue.take()
        _ = queue.failed(isTransient: true)
        _ = queue.take()
        _ = queue.committed([.admitted(remaining: nil), .unavailable])
        let next = try #require(queue.take()).batch
        #expect(next.settlements.map(\.requestID) == [request(2)])
        #expect(next.settlements.map(\.settlement.outcome) == [.refused])
    }
}
