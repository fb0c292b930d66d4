import ProxyDomain
import ProxyStorage
import SQLDatabase

/// Writes the ledger's batches. Lives on the writer's thread, beside its connection, and keeps its memory there.
final class SQLLedgerWriter: LedgerWriter {
    /// Keeps us, hence outlives us.
    private unowned let slot: ConnectionSlot
    private let metrics: LedgerMetrics
    private let timings: OperationTimings
    private let work = LedgerWork()
    private var parameters = SQLParameters()
    private let memory: LedgerMemory
    private(set) var changesSeen: Int64?
    /// Milliseconds: requests before then may be summed up already.
    private var usageUntil: Int64 = 0
    /// Whether the batch at hand was never written.
    private var isNew = false
    private var optimism = Optimism()
    private var days = DayTables()
    private var haste = Haste()

    init(
        _ slot: ConnectionSlot, _ memory: LedgerMemory, _ metrics: LedgerMetrics, _ timings: OperationTimings
    ) {
        self.slot = slot
        self.memory = memory
        self.metrics = metrics
        self.timings = timings
    }

    func commit(_ batch: LedgerBatch) throws(StorageError) -> [AdmissionVerdict] {
        if batch.admissions.isEmpty, batch.settlements.isEmpty { return [] }
        let start = Monotonic.now()
        do throws(SQLError) {
            let connection = try slot.connected()
            if !memory.knows(batch.instance) { try inherit(from: batch.instance, on: connection) }
            let tables = try days.tables(for: batch, on: connection)
            let isLate = batch.isLate(summedUntil: usageUntil)
            let isWhole = isLate ? false : try writeWhole(batch, in: tables, on: connection)
            if isWhole {
                // What was summed up meanwhile is told only now, by whoever's clock that was.
                if batch.isLate(summedUntil: usageUntil) { try markLate(batch, on: connection) }
            } else {
                work.lay(out: batch, in: tables)
                try inTransaction(on: connection) { () throws(SQLError) in
                    try write(batch, on: connection)
                    if isLate || batch.isLate(summedUntil: usageUntil) {
                        try StaleSpan.mark(lateIn: batch, summedUntil: usageUntil, on: connection)
                    }
                }
            }
        } catch {
            // Whether they are in the database is not known.
            memory.change { open in
                for admission in batch.admissions where admission.isOpen { open.insert(admission.requestID) }
            }
            slot.tidy()
            days.forget()
            metrics.noteWriting(false)
            throw StorageError(error, during: "commit(_:)")
        }
        noteOpen(batch)
        let duration = Monotonic.now() - start
        timings.record(.ledgerCommit, duration)
        metrics.committed(batch.admissions.count + batch.settlements.count, in: duration)
        haste.follow(batch.admissions.count)
        return work.plan.verdicts
    }

    private func markLate(_ batch: LedgerBatch, on connection: any SQLConnection) throws(SQLError) {
        try inTransaction(on: connection) { () throws(SQLError) in
            try StaleSpan.mark(lateIn: batch, summedUntil: usageUntil, on: connection)
        }
    }

    private func inTransaction(
        on connection: any SQLConnection, _ body: () throws(SQLError) -> Void
    ) throws(SQLError) {
        do { try connection.transaction(.write, body) } catch { throw error.first }
    }

    /// Tries to write all of the batch in one round trip, where a round trip costs anything.
    /// - Returns: whether it is written; if not, nothing of it is.
    private func writeWhole(
        _ batch: LedgerBatch, in tables: LedgerTables, on connection: any SQLConnection
    ) throws(SQLError) -> Bool {
        guard let table = tables.only, connection.dialect.batchStyle == .arrays, !batch.isRetry, !batch.needsSteps,
            optimism.isJustified()
        else {
            return false
        }
        work.lay(out: batch, in: tables)
        work.plan.grantAll(of: batch)
        let isLone = batch.admissions.count == 1 && batch.settlements.isEmpty
        isNew = false
        do throws(SQLError) {
            // Outside a transaction, hence one by itself.
            try connection.run(
                isLone ? table.lone : table.whole,
                isLone ? loneParameters(batch) : wholeParameters(batch)
            ) { (row) throws(SQLError) in
                isNew = true
                changesSeen = row.integer(at: 2)
                usageUntil = row.integer(at: 5)
                work.plan.set(
                    requestCount: row.integer(at: 0), maxRequests: row.integer(at: 1), of: Int(row.integer(at: 3)) - 1)
            }
        } catch {
            guard LedgerTable.saysNotWhole(error) else { throw error }
            isNew = false
        }
        optimism.note(wasRight: isNew)
        if !isNew { metrics.rewritten() }
        return isNew
    }

    /// Three round trips, however large the batch: read, write, count and commit. A fourth where a project has a budget.
    private func write(_ batch: LedgerBatch, on connection: any SQLConnection) throws(SQLError) {
        try claim(batch, on: connection)
        try work.readStandings(on: connection)
        try connection.complete()
        try work.readAccounts(on: connection)
        // What was served is counted even if the batch was written, and refused it, before it was served: where a row is, nothing
        // is added by writing it again.
        guard isNew || batch.admissions.contains(where: { $0.basis == .served }) else {
            return try recall(batch, on: connection)
        }
        try work.write(batch, on: connection)
    }

    /// Finds out whether the batch was never written. Asked always, not only for a retry: it costs nothing more.
    private func claim(_ batch: LedgerBatch, on connection: any SQLConnection) throws(SQLError) {
        layClaim(batch)
        isNew = false
        guard connection.dialect.batchStyle == .arrays else {
            isNew = try connection.run(LedgerStatements.claim, parameters) > 0
            if isNew { try connection.run(LedgerStatements.seen) { row in note(seen: row) } }
            return
        }
        try connection.enqueue(LedgerStatements.claimTelling, parameters, first: 0, count: parameters.count) {
            [unowned self] row in
            isNew = true
            note(seen: row)
        }
    }

    private func note(seen row: any SQLRow) {
        changesSeen = row.integer(at: 0)
        usageUntil = row.integer(at: 1)
    }

    /// Takes over what a writer before us, of the same instance, left open.
    private func inherit(from instance: InstanceID, on connection: any SQLConnection) throws(SQLError) {
        let left = try connection.first(LedgerStatements.oldestOpen, [.id(instance)]) { (row) throws(SQLError) in
            row.isNull(at: 0) ? nil : try row.id(at: 0, as: RequestID.self)
        }
        memory.inherit(left ?? nil, from: instance)
    }

    /// After the batch is in the database.
    private func noteOpen(_ batch: LedgerBatch) {
        memory.change { open in
            for index in batch.admissions.indices where batch.admissions[index].isOpen {
                if case .admitted = work.plan.verdicts[index] {
                    open.insert(batch.admissions[index].requestID)
                } else {
                    open.remove(batch.admissions[index].requestID)
                }
            }
            for index in batch.settlements.indices { open.remove(batch.settlements[index].requestID) }
        }
    }

    /// The batch is in the database: reads from its rows what was answered.
    private func recall(_ batch: LedgerBatch, on connection: any SQLConnection) throws(SQLError) {
        var isPresent = Array(repeating: false, count: batch.admissions.count)
        parameters.removeAll()
        for admission in batch.admissions { parameters.append(admission.requestID) }
        try connection.query(LedgerTable.all.present, parameters, width: 1) { (position, _) throws(SQLError) in
            isPresent[position] = true
        }
        for index in batch.admissions.indices {
            work.plan.recall(admission: index, isPresent: isPresent[index], of: batch)
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
        if let oldest = memory.oldestOpen(with: batch.admissions) {
            parameters.append(oldest)
        } else {
            parameters.appendNull()
        }
    }

    private func wholeParameters(_ batch: LedgerBatch) -> SQLParameters {
        var all = SQLParameters()
        layClaim(batch)
        all.append(contentsOf: parameters)
        work.appendColumns(of: batch, to: &all)
        return all
    }

    private func loneParameters(_ batch: LedgerBatch) -> SQLParameters {
        var all = SQLParameters()
        layClaim(batch)
        all.append(contentsOf: parameters)
        work.appendRequests(of: batch, to: &all)
        return all
    }
}

extension LedgerBatch {
    /// Whether one of its requests was served already, or something is set aside for one, or was.
    fileprivate var needsSteps: Bool {
        admissions.contains { $0.reservation != .none || $0.basis == .served }
            || settlements.contains { $0.reservation != .none }
    }
}
