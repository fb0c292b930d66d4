import ProxyDomain
import ProxyStorage
import Synchronization

extension LedgerStore {
    /// Runs one turn of `batch` and gives what the writer said. For tests: the product never waits like this.
    func commit(_ batch: LedgerBatch) async throws(StorageError) -> [AdmissionVerdict] {
        let result: Result<[AdmissionVerdict], StorageError> = await withCheckedContinuation { continuation in
            enqueueTurn(after: .zero) { writer in
                continuation.resume(
                    returning: Result { () throws(StorageError) in try writer.commit(batch) })
            }
        }
        return try result.get()
    }
}

/// Writes batches as one server process does: numbered from 1, one after the other.
final class Clerk: Sendable {
    private let store: any LedgerStore
    private let instance: InstanceID
    private let last = Mutex<LedgerBatch?>(nil)

    init(_ store: any LedgerStore, instance number: Int = 1) {
        self.store = store
        self.instance = .sample(number)
    }

    /// Commits the next batch.
    @discardableResult
    func commit(
        _ admissions: [Admission] = [], settling settlements: [RequestSettlement] = [], at now: Timestamp = .noon,
        isRetry: Bool = false
    ) async throws(StorageError) -> [AdmissionVerdict] {
        let batch = last.withLock { last in
            let batch = LedgerBatch(
                instance: instance, sequence: (last?.sequence ?? 0) + 1, isRetry: isRetry, now: now,
                admissions: admissions, settlements: settlements)
            last = batch
            return batch
        }
        return try await store.commit(batch)
    }

    /// Gives the last batch again, as after a COMMIT whose answer was lost.
    @discardableResult
    func retryLast(on other: (any LedgerStore)? = nil) async throws(StorageError) -> [AdmissionVerdict] {
        guard var batch = last.withLock({ $0 }) else { return [] }
        batch.isRetry = true
        return try await (other ?? store).commit(batch)
    }
}

/// A storage with one project, and a clerk who writes its ledger: where most scenarios begin.
struct Tenancy: Sendable {
    let storage: any Storage
    let project: Project
    let clerk: Clerk

    init(_ site: any StorageSite) async throws {
        storage = try await site.open()
        project = .sample(1)
        clerk = Clerk(storage)
        try await storage.create(project)
    }

    /// Issues the token numbered `number`.
    func issue(
        _ number: Int = 1, cap: Int64 = 0, perMinute: Int64? = nil, limits: TokenLimits? = nil,
        expiresAt: Timestamp? = nil,
        of other: ProjectID? = nil
    ) async throws -> Token {
        let token = Token.sample(
            number, of: other ?? project.id, expiresAt: expiresAt, cap: cap,
            limits: limits ?? TokenLimits(requestsPerMinute: perMinute))
        try await storage.create(token, digest: .sample(number))
        return token
    }

    /// Asks for the requests numbered `numbers` of `token` in one batch.
    @discardableResult
    func admit(
        _ numbers: ClosedRange<Int>, of token: Token, at now: Timestamp = .noon
    ) async throws -> [AdmissionVerdict] {
        try await clerk.commit(numbers.map { .sample($0, of: token, at: now) }, at: now)
    }

    /// As ``admit(_:of:at:)``, and tells no more than who was admitted and why the others were not.
    func decide(
        _ numbers: ClosedRange<Int>, of token: Token, reserving reservation: Reservation = .none,
        at now: Timestamp = .noon
    ) async throws -> [AdmissionVerdict] {
        let asked = numbers.map { Admission.sample($0, of: token, at: now, reservation: reservation) }
        return try await clerk.commit(asked, at: now).map(\.withoutHeadroom)
    }

    /// Ends the requests numbered `numbers` of `token`, for which `reservation` was set aside at `arrival`.
    func end(
        _ numbers: ClosedRange<Int>, of token: Token, reserving reservation: Reservation = .none,
        arrivedAt arrival: Timestamp = .noon, usage: TokenUsage? = nil, cost: Int64 = 0, at now: Timestamp = .noon
    ) async throws {
        try await clerk.commit(
            settling: numbers.map { number in
                RequestSettlement(
                    of: .sample(number, of: token, at: arrival, reservation: reservation),
                    .sample(at: now, usage: usage, cost: cost))
            }, at: now)
    }

    /// Settles what `instance` left open, as it is now.
    @discardableResult
    func sweep(
        _ instance: InstanceID, by sweeper: InstanceID = .sample(99), at now: Timestamp = .noon
    ) async throws -> Int {
        guard let record = try await storage.instances().first(where: { $0.instance == instance }) else { return 0 }
        return try await storage.settleAbandoned(of: record, by: sweeper, at: now)
    }

    /// How many requests the token counts, and how many rows it has.
    func tally(_ token: Token) async throws -> Tally {
        let rows = try await storage.requests(of: token.id, after: nil, limit: 1000)
        return Tally(counted: try await storage.token(token.id).requestCount, rows: rows.count)
    }
}

/// A token's counter beside what it counts.
struct Tally: Hashable, Sendable, CustomStringConvertible {
    let counted: Int64
    let rows: Int
    var description: String { "\(counted) counted, \(rows) rows" }

    init(counted: Int64, rows: Int) {
        self.counted = counted
        self.rows = rows
    }

    /// A counter that is right.
    init(_ both: Int) { self.init(counted: Int64(both), rows: both) }
}

extension AdmissionVerdict {
    /// The verdict alone.
    var withoutHeadroom: AdmissionVerdict {
        if case .admitted(let remaining, _) = self { .admitted(remaining: remaining) } else { self }
    }
}
