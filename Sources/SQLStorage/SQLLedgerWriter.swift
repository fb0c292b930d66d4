import ProxyDomain
import ProxyStorage
import SQLDatabase

/// Writes the ledger's batches. Lives on the writer's thread, beside its connection, and keeps its memory there.
final class SQLLedgerWriter: LedgerWriter {
    /// Keeps us, hence outlives us.
    private unowned let slot: ConnectionSlot
    private let metrics: LedgerMetrics
    private let timings: OperationTimings
    private var plan = LedgerPlan()
    private var parameters = SQLParameters()
    private var open = OpenRequests()
    /// Whose oldest open request from before our time is in ``inherited``.
    private var knownInstance: InstanceID?
    private var inherited: RequestID?
    private(set) var changesSeen: Int64?
    /// Whether the batch at hand was never written.
    private var isNew = false
    private var optimism = Optimism()

    init(_ slot: ConnectionSlot, _ metrics: LedgerMetrics, _ timings: OperationTimings) {
        self.slot = slot
        self.metrics = metrics
        self.timings = timings
    }

    func commit(_ batch: LedgerBatch) throws(StorageError) -> [AdmissionVerdict] {
        if batch.admissions.isEmpty, batch.settlements.isEmpty { return [] }
        let start = Monotonic.now()
        do throws(SQLError) {
            let connection = try slot.connected()
            if knownInstance != batch.instance { try inherit(from: batch.instance, on: connection) }
            if try !writeWhole(batch, on: connection) {
                plan.lay(out: batch)
                try inTransaction(on: connection) { () throws(SQLError) in try write(batch, on: connection) }
            }
        } catch {
            // Whether they are in the database is not known.
            for admission in batch.admissions where admission.settlement == nil { open.insert(admission.requestID) }
            slot.tidy()
            throw StorageError(error, during: "commit(_:)")
        }
        noteOpen(batch)
        let duration = Monotonic.now() - start
        timings.record(.ledgerCommit, duration)
        metrics.committed(batch.admissions.count + batch.settlements.count, in: duration)
        return plan.verdicts
    }

    private func inTransaction(
        on connection: any SQLConnection, _ body: () throws(SQLError) -> Void
    ) throws(SQLError) {
        do { try connection.transaction(.write, body) } catch { throw error.first }
    }

    /// Tries to write all of the batch in one round trip, where a round trip costs anything.
    /// - Returns: whether it is written; if not, nothing of it is.
    private func writeWhole(_ batch: LedgerBatch, on connection: any SQLConnection) throws(SQLError) -> Bool {
        guard connection.dialect.batchStyle == .arrays, !batch.isRetry, optimism.isJustified() else { return false }
        plan.lay(out: batch)
        plan.grantAll(of: batch)
        let isLone = batch.admissions.count == 1 && batch.settlements.isEmpty
        isNew = false
        do throws(SQLError) {
            // Outside a transaction, hence one by itself.
            try connection.run(
                isLone ? LedgerStatements.lone : LedgerStatements.whole,
                isLone ? loneParameters(batch) : wholeParameters(batch)
            ) { (row) throws(SQLError) in
                isNew = true
                changesSeen = row.integer(at: 2)
                plan.set(
                    requestCount: row.integer(at: 0), maxRequests: row.integer(at: 1), of: Int(row.integer(at: 3)) - 1)
            }
        } catch {
            guard LedgerStatements.saysNotWhole(error) else { throw error }
            isNew = false
        }
        optimism.note(wasRight: isNew)
        if !isNew { metrics.rewritten() }
        return isNew
    }

    /// Three round trips, however large the batch: read, write, count and commit.
    private func write(_ batch: LedgerBatch, on connection: any SQLConnection) throws(SQLError) {
        try claim(batch, on: connection)
        try readStandings(on: connection)
        try connection.complete()
        guard isNew else { return try recall(batch, on: connection) }
        plan.decide(at: batch.now)
        try addRequests(batch, on: connection)
        try settleRequests(batch, on: connection)
        try connection.complete()
        try countRequests(on: connection)
    }

    /// Finds out whether the batch was never written. Asked always, not only for a retry: it costs nothing more.
    private func claim(_ batch: LedgerBatch, on connection: any SQLConnection) throws(SQLError) {
        layClaim(batch)
        isNew = false
        try connection.enqueue(LedgerStatements.claim, parameters, first: 0, count: parameters.count) {
            [unowned self] (row) throws(SQLError) in
            isNew = true
            changesSeen = row.integer(at: 0)
        }
    }

    /// Takes over what a writer before us, of the same instance, left open.
    private func inherit(from instance: InstanceID, on connection: any SQLConnection) throws(SQLError) {
        let left = try connection.first(LedgerStatements.oldestOpen, [.id(instance)]) { (row) throws(SQLError) in
            row.isNull(at: 0) ? nil : try row.id(at: 0, as: RequestID.self)
        }
        if let left = left ?? nil { inherited = min(inherited ?? left, left) }
        knownInstance = instance
    }

    /// No request that is open after this batch has a smaller identifier.
    private func oldestOpen(with batch: LedgerBatch) -> RequestID? {
        var oldest = inherited
        func take(_ id: RequestID) { oldest = oldest.map { min($0, id) } ?? id }
        if let known = open.oldest() { take(known) }
        for admission in batch.admissions where admission.settlement == nil { take(admission.requestID) }
        return oldest
    }

    /// After the batch is in the database.
    private func noteOpen(_ batch: LedgerBatch) {
        for (index, admission) in batch.admissions.enumerated() where admission.settlement == nil {
            if case .admitted = plan.verdicts[index] {
                open.insert(admission.requestID)
            } else {
                open.remove(admission.requestID)
            }
        }
        for end in batch.settlements { open.remove(end.requestID) }
    }

    /// Of the tokens that ask for admission; of all, where rows must be locked in key order before any is written.
    private func readStandings(on connection: any SQLConnection) throws(SQLError) {
        parameters.removeAll()
        let readsAll = connection.dialect.locksRows
        asked.removeAll(keepingCapacity: true)
        for (number, group) in plan.groups.enumerated() where readsAll || !group.admissions.isEmpty {
            parameters.append(group.token)
            asked.append(number)
        }
        try connection.enqueueQuery(LedgerStatements.standing, parameters, width: 1) {
            [unowned self] (position, row) throws(SQLError) in
            plan.set(try row.standing(), of: asked[position])
        }
    }

    /// The groups whose standings are asked for, in that order.
    private var asked: [Int] = []

    private func addRequests(_ batch: LedgerBatch, on connection: any SQLConnection) throws(SQLError) {
        layRequests(batch)
        try connection.enqueueChange(LedgerStatements.add, parameters, width: LedgerStatements.addWidth) {
            [unowned self] position in
            let grant = plan.grants[position]
            plan.count(batch.admissions[grant.admission], in: grant.group)
        }
    }

    private func settleRequests(_ batch: LedgerBatch, on connection: any SQLConnection) throws(SQLError) {
        laySettlements(batch)
        try connection.enqueueChange(LedgerStatements.settle, parameters, width: LedgerStatements.settleWidth) {
            [unowned self] position in
            plan.count(batch.settlements[position].settlement, in: plan.settlementGroups[position])
        }
    }

    private func countRequests(on connection: any SQLConnection) throws(SQLError) {
        layCounts(of: plan.groups.indices.filter { plan.groups[$0].hasChanged })
        try connection.enqueueChange(LedgerStatements.count, parameters, width: LedgerStatements.countWidth)
    }

    /// The batch is in the database: reads from its rows what was answered.
    private func recall(_ batch: LedgerBatch, on connection: any SQLConnection) throws(SQLError) {
        var isPresent = Array(repeating: false, count: batch.admissions.count)
        parameters.removeAll()
        for admission in batch.admissions { parameters.append(admission.requestID) }
        try connection.query(LedgerStatements.present, parameters, width: 1) { (position, _) throws(SQLError) in
            isPresent[position] = true
        }
        for (number, group) in plan.groups.enumerated() {
            for place in group.admissions {
                let admission = plan.keys[place].index
                plan.recall(admission: admission, isPresent: isPresent[admission], in: number, at: batch.now)
            }
        }
    }
}

// MARK: - Parameters

extension SQLLedgerWriter {
    private func layClaim(_ batch: LedgerBatch) {
        parameters.removeAll()
        parameters.append(batch.instance)
        parameters.append(batch.sequence)
        parameters.append(batch.now)
        if let oldest = oldestOpen(with: batch) { parameters.append(oldest) } else { parameters.appendNull() }
    }

    private func wholeParameters(_ batch: LedgerBatch) -> SQLParameters {
        var all = SQLParameters()
        layClaim(batch)
        all.append(contentsOf: parameters)
        layCounts(of: plan.groups.indices, withWindow: false)
        all.append(columnsOf: parameters, width: LedgerStatements.countWidth - 1)
        layRequests(batch)
        all.append(columnsOf: parameters, width: LedgerStatements.addWidth)
        laySettlements(batch)
        all.append(columnsOf: parameters, width: LedgerStatements.settleWidth)
        return all
    }

    private func loneParameters(_ batch: LedgerBatch) -> SQLParameters {
        var all = SQLParameters()
        layClaim(batch)
        all.append(contentsOf: parameters)
        layRequests(batch)
        all.append(contentsOf: parameters)
        return all
    }

    /// Of the requests that the plan grants.
    private func layRequests(_ batch: LedgerBatch) {
        parameters.removeAll()
        var previous = -1
        for grant in plan.grants {
            let admission = batch.admissions[grant.admission]
            let first = parameters.count
            parameters.append(admission.requestID)
            if grant.group == previous {
                // The row before is of the same token, hence its text is there already.
                parameters.append(sharing: first - LedgerStatements.addWidth + 1)
            } else {
                parameters.append(admission.tokenID)
            }
            parameters.append(admission.projectID)
            parameters.append(admission.admittedAt)
            parameters.append(admission.method)
            parameters.append(admission.path)
            parameters.append(settlement: admission.settlement)
            parameters.append(batch.instance.number)
            previous = grant.group
        }
    }

    private func laySettlements(_ batch: LedgerBatch) {
        parameters.removeAll()
        for end in batch.settlements {
            parameters.append(end.requestID)
            parameters.append(settlement: end.settlement)
        }
    }

    private func layCounts(of groups: some Sequence<Int>, withWindow: Bool = true) {
        parameters.removeAll()
        for number in groups {
            let group = plan.groups[number]
            parameters.append(group.token)
            parameters.append(group.lastUsedAt)
            parameters.append(group.requests)
            parameters.append(group.sums.prompt)
            parameters.append(group.sums.completion)
            parameters.append(group.sums.cost)
            if withWindow { parameters.append(group.window?.text) }
        }
    }
}

extension SQLParameters {
    /// Adds the nine columns of a settlement, all NULL for a request that is open.
    mutating func append(settlement: Settlement?) {
        guard let settlement else {
            for _ in 0..<9 { appendNull() }
            return
        }
        append(settlement.model?.withoutZeroBytes)
        append(settlement.outcome.rawValue)
        append(Int64(settlement.status))
        append(settlement.usage?.promptTokens.storable)
        append(settlement.usage?.completionTokens.storable)
        append(settlement.cost.amount.storable)
        append(settlement.settledAt)
        append(max(0, settlement.durationMicroseconds))
        append(settlement.firstByteMicroseconds.map { max(0, $0) })
    }
}

extension String {
    /// An upstream may call its model anything; a zero byte is what not every engine can keep.
    fileprivate var withoutZeroBytes: String {
        utf8.contains(0) ? String(map { $0 == "\0" ? "\u{FFFD}" : $0 }) : self
    }
}
