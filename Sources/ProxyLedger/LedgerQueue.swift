import ProxyDomain
import ProxyStorage

/// What waits for the next batch, and when that batch is due. Pure: no thread, no clock, no database.
///
/// At most one batch is out at any time. Whatever arrives meanwhile forms the next one, so batches grow with load and,
/// at saturation, no timer is involved.
struct LedgerQueue: Sendable {
    /// Who hears of an admission's verdict.
    struct Waiter: Hashable, Sendable {
        let receiver: Int
        let ticket: UInt64
    }

    /// A batch on its way, with its waiters in the order of its admissions.
    struct Parcel: Sendable {
        var batch: LedgerBatch
        let waiters: [Waiter]
        /// When it was taken first.
        let since: Timestamp
        /// How often it was tried and failed.
        var failures = 0
        /// Whether how its requests end is for the next batch, once it is given up.
        var isWrittenLater = false
    }

    /// When the writer must be asked for a turn.
    enum Wake: Hashable, Sendable {
        /// Nothing is due, or a turn is on its way already.
        case notNeeded
        case now
        case after(Duration, Linger)
    }

    /// Names a time of lingering, so that a turn which comes when it has long ended is known as such.
    struct Linger: Hashable, Sendable {
        fileprivate let number: UInt64
    }

    /// What to do about a batch that failed.
    enum FailureStep: Hashable, Sendable {
        case retry(after: Duration)
        /// Tell these waiters that the database is away.
        case giveUp([Waiter])
    }

    private enum Schedule: Equatable {
        case idle
        case lingering(Linger, Duration)
        case due
    }

    let instance: InstanceID
    let limits: LedgerLimits
    private var admissions: [Admission] = []
    private var waiters: [Waiter] = []
    private var settlements: [RequestSettlement] = []
    private var schedule = Schedule.idle
    private var habit = LingerHabit()
    /// Numbers of admissions that nobody wants any more; no batch takes them.
    private var withdrawn: Set<UInt64> = []
    private var sequence: Int64 = 0
    private var parcel: Parcel?
    private(set) var isClosed = false
    /// Whether the store was waited for in vain after the end.
    private var isHopeless = false
    /// The number of the first admission that no batch has taken; admissions are numbered from 1 as they come.
    private var firstPending: UInt64 = 1
    /// The number of the last admission that somebody waits for.
    private var lastAwaited: UInt64 = 0
    private var lingers: UInt64 = 0

    init(instance: InstanceID, limits: LedgerLimits) {
        self.instance = instance
        self.limits = limits
    }

    /// Requests and settlements that no batch has taken yet.
    var depth: Int { admissions.count + settlements.count }
    var isIdle: Bool { depth == 0 && parcel == nil }

    /// Adds an admission. Gives no handle when the queue is full or closed.
    mutating func admit(_ admission: Admission, for waiter: Waiter, isWaitedFor: Bool) -> (AdmissionHandle, Wake)? {
        guard !isClosed, depth < limits.maxQueued else { return nil }
        admissions.append(admission)
        waiters.append(waiter)
        let handle = AdmissionHandle(number: firstPending + UInt64(admissions.count) - 1)
        if isWaitedFor { return (handle, hurry(handle)) }
        guard parcel == nil, schedule != .due else { return (handle, .notNeeded) }
        return (handle, habit.isWorthwhile() ? linger(limits.admissionLinger) : hurry(handle))
    }

    /// Adds the end of a request: into its admission while that is pending, so that both are written as one row.
    mutating func settle(_ settlement: RequestSettlement, of handle: AdmissionHandle) -> Wake {
        if handle.number >= firstPending {
            admissions[Int(handle.number - firstPending)].settlement = settlement.settlement
            return .notNeeded
        }
        settlements.append(settlement)
        return linger(limits.settlementLinger)
    }

    /// Nobody wants the admission any more. It is not counted, unless a batch has taken it.
    /// - Returns: whether it is withdrawn: then no verdict comes, and nothing is to be settled.
    mutating func withdraw(_ handle: AdmissionHandle) -> Bool {
        guard handle.number >= firstPending else { return false }
        withdrawn.insert(handle.number)
        return true
    }

    /// Somebody waits for this admission: the next batch is due now, and takes it and those before it.
    ///
    /// Those after it stay, while they have company to wait for: most are soon waited for too, with their end, and then they are
    /// one row to write instead of a row and its change.
    mutating func hurry(_ handle: AdmissionHandle) -> Wake {
        guard handle.number >= firstPending else { return .notNeeded }
        lastAwaited = max(lastAwaited, handle.number)
        return makeDue()
    }

    /// Somebody waits for all there is.
    mutating func hurry() -> Wake {
        guard depth > 0 else { return .notNeeded }
        lastAwaited = firstPending + UInt64(admissions.count) - 1
        return makeDue()
    }

    private mutating func makeDue() -> Wake {
        guard parcel == nil, schedule != .due else { return .notNeeded }
        if case .lingering(_, limits.admissionLinger) = schedule, !admissions.isEmpty {
            habit.ended(hadPurpose: admissions.count > 1)
        }
        schedule = .due
        return .now
    }

    private mutating func linger(_ delay: Duration) -> Wake {
        guard parcel == nil else { return .notNeeded }
        switch schedule {
        case .due: return .notNeeded
        case .lingering(_, let present) where present <= delay: return .notNeeded
        case .lingering, .idle: break
        }
        lingers += 1
        let linger = Linger(number: lingers)
        schedule = .lingering(linger, delay)
        return .after(delay, linger)
    }

    /// Takes what is to be committed now: the batch that failed before, else what has gathered. `nil` when none is due.
    /// - Parameter linger: whose end this turn is; `nil` for a turn that was asked for at once.
    mutating func take(at now: Timestamp, after linger: Linger? = nil) -> Parcel? {
        if let linger {
            guard case .lingering(linger, _) = schedule else { return nil }
            if admissions.count > 1 { habit.ended(hadPurpose: true) }
        }
        schedule = .idle
        if parcel != nil {
            // Judged by the time at which it is written, or a window would begin too early.
            parcel?.batch.now = now
            return parcel
        }
        let most = min(linger == nil ? dueCount(at: now) : admissions.count, limits.maxBatch)
        while depth > 0 {
            let count = min(admissions.count, most)
            let ending =
                takesSettlements(beside: count, at: now) ? Array(settlements.prefix(limits.maxSettlements)) : []
            var (asking, asked) = (Array(admissions.prefix(count)), Array(waiters.prefix(count)))
            if !withdrawn.isEmpty {
                let wanted = (0..<count).filter { withdrawn.remove(firstPending + UInt64($0)) == nil }
                (asking, asked) = (wanted.map { asking[$0] }, wanted.map { asked[$0] })
            }
            admissions.removeFirst(count)
            waiters.removeFirst(count)
            firstPending += UInt64(count)
            settlements.removeFirst(ending.count)
            guard !asking.isEmpty || !ending.isEmpty else { continue }
            sequence += 1
            let batch = LedgerBatch(
                instance: instance, sequence: sequence, now: now, admissions: asking, settlements: ending)
            parcel = Parcel(batch: batch, waiters: asked, since: now)
            return parcel
        }
        return nil
    }

    /// How many admissions somebody waits for, or have gathered company for long enough; all, when nobody waits for any.
    private func dueCount(at now: Timestamp) -> Int {
        guard lastAwaited >= firstPending, !isClosed else { return admissions.count }
        let awaited = min(Int(lastAwaited - firstPending) + 1, admissions.count)
        return admissions[awaited...].firstIndex { now - $0.admittedAt < limits.admissionLinger } ?? admissions.count
    }

    /// Nobody waits for a settlement, but somebody for a lone admission, and that is written faster without company. So
    /// settlements let it go ahead, for a while.
    private func takesSettlements(beside count: Int, at now: Timestamp) -> Bool {
        guard count == 1, !isClosed, settlements.count < limits.settlementsBehind,
            let oldest = settlements.first
        else { return true }
        let waited = now - oldest.settlement.settledAt
        return waited < .zero || waited >= limits.settlementPatience
    }

    /// The batch is written and its verdicts are told. The next is due at once if somebody waits for it.
    ///
    /// - Parameter verdicts: in the order of the batch's admissions. One that is unavailable is settled as in ``gaveUp(at:)``.
    mutating func committed(_ verdicts: [AdmissionVerdict], at now: Timestamp) -> Wake {
        if let parcel, parcel.batch.isRetry {
            let undecided = zip(parcel.batch.admissions, verdicts).filter { $0.1 == .unavailable }
            settlements += undecided.map { Self.abandoned($0.0, at: now) }
        }
        parcel = nil
        if depth == 0 { return .notNeeded }
        if isClosed || lastAwaited >= firstPending { return makeDue() }
        return linger(admissions.isEmpty ? limits.settlementLinger : limits.admissionLinger)
    }

    /// The batch failed. Retried until its oldest waiter has waited long enough; then it is out until ``gaveUp(at:)``.
    mutating func failed(isTransient: Bool, at now: Timestamp) -> FailureStep {
        guard var failing = parcel else { return .giveUp([]) }
        failing.failures += 1
        failing.batch.isRetry = true
        // At the end nobody would write it: the next start finds these requests open, and settles them in doubt.
        failing.isWrittenLater = isTransient && !isClosed
        parcel = failing
        if isTransient, now - failing.since < limits.wait, !isHopeless {
            schedule = .due
            return .retry(after: min(.milliseconds(5 << min(failing.failures, 6)), limits.wait))
        }
        // At the end the store is waited for once.
        isHopeless = isClosed
        return .giveUp(failing.waiters)
    }

    /// The waiters of the batch that failed have been told. The next is due at once.
    ///
    /// What is given up may yet turn out to be written (a lost COMMIT). So each of its requests is also settled as
    /// refused, which changes nothing where no row is, and its settlements are written with the next batch.
    mutating func gaveUp(at now: Timestamp) -> Wake {
        if let failed = parcel, failed.isWrittenLater {
            let abandoned = failed.batch.admissions.map { Self.abandoned($0, at: now) }
            settlements.insert(contentsOf: failed.batch.settlements + abandoned, at: 0)
        }
        parcel = nil
        return hurry()
    }

    private static func abandoned(_ admission: Admission, at now: Timestamp) -> RequestSettlement {
        RequestSettlement(
            of: admission,
            Settlement(
                outcome: .refused, status: 503, settledAt: now, durationMicroseconds: 0, firstByteMicroseconds: nil,
                usage: nil, cost: .zero, model: nil))
    }

    /// No admission is taken from now on; settlements still are.
    mutating func close() -> Wake {
        isClosed = true
        return hurry()
    }
}

/// Finds an admission again while no batch has taken it.
public struct AdmissionHandle: Hashable, Sendable {
    let number: UInt64

    /// Finds none: for a request whose admission is known to be written.
    public static let written = AdmissionHandle(number: 0)
}

/// Bounds of a ledger.
public struct LedgerLimits: Hashable, Sendable {
    /// How long an admission that nobody waits for yet may gather company.
    public var admissionLinger: Duration
    /// How long the end of a request may gather company. A server killed within it leaves the request in doubt.
    public var settlementLinger: Duration
    /// How long, and how many, settlements let single admissions go ahead of them.
    public var settlementPatience: Duration
    public var settlementsBehind: Int
    /// Most admissions and settlements that wait; more are refused.
    public var maxQueued: Int
    /// Most admissions in one transaction.
    public var maxBatch: Int
    /// Most settlements in one transaction: what gathers in an outage must not make a batch that never ends in time.
    public var maxSettlements: Int
    /// How long an admission waits for a database that is away (`DATABASE_WAIT`).
    public var wait: Duration

    public init(
        admissionLinger: Duration = .milliseconds(2), settlementLinger: Duration = .milliseconds(50),
        settlementPatience: Duration = .milliseconds(10), settlementsBehind: Int = 16, maxQueued: Int = 100_000,
        maxBatch: Int = 1000, maxSettlements: Int = 4000, wait: Duration = .seconds(2)
    ) {
        self.admissionLinger = admissionLinger
        self.settlementLinger = settlementLinger
        self.settlementPatience = settlementPatience
        self.settlementsBehind = settlementsBehind
        self.maxQueued = maxQueued
        self.maxBatch = maxBatch
        self.maxSettlements = maxSettlements
        self.wait = wait
    }
}
