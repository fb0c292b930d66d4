import ProxyDomain
import ProxyStorage
import SQLDatabase

/// What is done in a transaction that writes a batch: reads what decides, adds and ends requests, counts them.
///
/// Confined to one thread at a time, beside the connection it is handed; kept for its memory.
final class LedgerWork {
    var plan = LedgerPlan()
    /// Where the batch's requests are.
    private var tables = LedgerTables(.all)
    private var parameters = SQLParameters()
    /// The groups whose standings are asked for, in that order.
    private var asked: [Int] = []

    /// Begins with a batch, whose requests are in `tables`.
    func lay(out batch: LedgerBatch, in tables: LedgerTables = LedgerTables(.all)) {
        self.tables = tables
        plan.lay(out: batch)
    }

    /// Enqueues reading the tokens that must be known; all of them where rows must be locked in key order before any is
    /// written.
    func readStandings(on connection: any SQLConnection) throws(SQLError) {
        parameters.removeAll()
        let readsAll = connection.dialect.locksRows
        asked.removeAll(keepingCapacity: true)
        for (number, group) in plan.groups.enumerated()
        where readsAll || !group.admissions.isEmpty || group.reserves {
            parameters.append(group.token)
            asked.append(number)
        }
        try connection.enqueueQuery(LedgerStatements.standing, parameters, width: 1) {
            [unowned self] (position, row) throws(SQLError) in
            plan.set(try row.standing(), of: asked[position])
        }
    }

    /// Reads the accounts of projects with budgets, after the standings; locked in key order, after their tokens.
    func readAccounts(on connection: any SQLConnection) throws(SQLError) {
        let charged = plan.chargedProjects
        guard !charged.isEmpty else { return }
        parameters.removeAll()
        for place in charged { parameters.append(plan.projects[place].id) }
        try connection.query(LedgerStatements.account, parameters, width: 1) {
            [unowned self] (position, row) throws(SQLError) in
            plan.set(try row.account(from: 0), of: charged[position])
        }
    }

    /// Decides, and writes what follows from that.
    func write(_ batch: LedgerBatch, on connection: any SQLConnection) throws(SQLError) {
        plan.decide(on: batch)
        try addRequests(batch, on: connection)
        try settleRequests(batch, on: connection)
        try connection.complete()
        try countRequests(on: connection)
        try chargeProjects(on: connection)
    }

    private func addRequests(_ batch: LedgerBatch, on connection: any SQLConnection) throws(SQLError) {
        let parts = tables.split(plan.grants.indices) { batch.admissions[plan.grants[$0].admission].requestID }
        for (table, places) in parts {
            layRequests(batch, places, withReservation: true)
            try connection.enqueueChange(table.add, parameters, width: LedgerTable.addWidth) {
                [unowned self] position in
                let grant = plan.grants[places[position]]
                plan.count(admission: grant.admission, of: batch, in: grant.group)
            }
        }
    }

    private func settleRequests(_ batch: LedgerBatch, on connection: any SQLConnection) throws(SQLError) {
        for (table, places) in tables.split(batch.settlements.indices, { batch.settlements[$0].requestID }) {
            laySettlements(batch, places)
            try connection.enqueueChange(table.settle, parameters, width: LedgerTable.settleWidth) {
                [unowned self] position in
                plan.count(settlement: places[position], of: batch)
            }
        }
    }

    private func countRequests(on connection: any SQLConnection) throws(SQLError) {
        layCounts(of: plan.groups.indices.filter { plan.groups[$0].hasChanged }, withLimits: true)
        try connection.enqueueChange(LedgerStatements.count, parameters, width: LedgerStatements.countWidth)
        for group in plan.groups where group.isExcused {
            try connection.complete()
            try connection.run(LedgerStatements.excuse, [.id(group.token)])
        }
    }

    /// Where accounts were locked, of those only. Elsewhere whether a project has a budget is seen by the statement.
    private func chargeProjects(on connection: any SQLConnection) throws(SQLError) {
        parameters.removeAll()
        for place in connection.dialect.locksRows ? plan.chargedProjects : Array(plan.projects.indices) {
            let share = plan.projects[place]
            guard share.cost != 0 || share.reserved != 0 || share.renewal.beganAt != nil else { continue }
            parameters.append(share.id)
            parameters.append(share.cost + share.renewal.spent)
            parameters.append(share.reserved)
            parameters.append(share.renewal.beganAt)
        }
        try connection.enqueueChange(LedgerStatements.charge, parameters, width: LedgerStatements.chargeWidth)
    }
}

// MARK: - Parameters

extension LedgerWork {
    /// Adds the columns of ``LedgerTable/whole`` after those of its claim.
    func appendColumns(of batch: LedgerBatch, to all: inout SQLParameters) {
        layCounts(of: plan.groups.indices, withLimits: false)
        all.append(columnsOf: parameters, width: LedgerStatements.countWidthWithoutLimits)
        layRequests(batch, plan.grants.indices, withReservation: false)
        all.append(columnsOf: parameters, width: LedgerTable.addWidthWithoutReservation)
        laySettlements(batch, batch.settlements.indices)
        all.append(columnsOf: parameters, width: LedgerTable.settleWidth)
    }

    /// Adds the parameters of ``LedgerTable/lone`` after those of its claim.
    func appendRequests(of batch: LedgerBatch, to all: inout SQLParameters) {
        layRequests(batch, plan.grants.indices, withReservation: false)
        all.append(contentsOf: parameters)
    }

    /// Of the requests that the plan grants, at these places of its grants.
    private func layRequests(_ batch: LedgerBatch, _ places: some Sequence<Int>, withReservation: Bool) {
        parameters.removeAll()
        let width = withReservation ? LedgerTable.addWidth : LedgerTable.addWidthWithoutReservation
        var previous = -1
        var (admitted, settled): (WrittenInstant?, WrittenInstant?)
        for place in places {
            let grant = plan.grants[place]
            let first = parameters.count
            // Each value is read where it is: a copy of the whole admission would count its references.
            let index = grant.admission
            parameters.append(batch.admissions[index].requestID)
            if grant.group == previous {
                // The row before is of the same token, hence what names it is there already.
                parameters.append(sharing: first - width + 1)
                parameters.append(sharing: first - width + 2)
            } else {
                parameters.append(batch.admissions[index].tokenID)
                parameters.append(batch.admissions[index].projectID)
            }
            parameters.append(batch.admissions[index].admittedAt, sharing: &admitted)
            parameters.append(batch.admissions[index].method, repeatingIn: width)
            parameters.append(batch.admissions[index].path, repeatingIn: width)
            parameters.append(settlement: batch.admissions[index].settlement, repeatingIn: width, &settled)
            parameters.append(batch.instance.number)
            if withReservation { parameters.append(batch.admissions[index].reservation) }
            previous = grant.group
        }
    }

    private func laySettlements(_ batch: LedgerBatch, _ places: some Sequence<Int>) {
        parameters.removeAll()
        var settled: WrittenInstant?
        for place in places {
            let end = batch.settlements[place]
            parameters.append(end.requestID)
            parameters.append(settlement: end.settlement, repeatingIn: LedgerTable.settleWidth, &settled)
        }
    }

    private func layCounts(of groups: some Sequence<Int>, withLimits: Bool) {
        parameters.removeAll()
        for number in groups {
            let group = plan.groups[number]
            parameters.append(group.token)
            parameters.append(group.lastUsedAt)
            parameters.append(group.requests)
            parameters.append(group.sums.prompt)
            parameters.append(group.sums.completion)
            parameters.append(group.sums.cost)
            parameters.append(group.sums.cacheHits)
            guard withLimits else { continue }
            parameters.append(group.requestWindow?.text)
            parameters.append(group.tokenWindow?.text)
            parameters.append(group.sums.cost + group.renewal.spent)
            parameters.append(group.sums.reserved)
            parameters.append(group.renewal.beganAt)
            parameters.append(group.standing?.shadowRefusals ?? 0)
        }
    }
}

extension SQLParameters {
    /// Adds the three columns of a reservation, all NULL where nothing is set aside.
    mutating func append(_ reservation: Reservation) {
        guard reservation != .none else {
            appendNulls(3)
            return
        }
        append(reservation.promptTokens.storable)
        append(reservation.completionTokens.storable)
        append(reservation.cost.amount.storable)
    }

    /// Adds the fourteen columns of a settlement to rows of `width` values, all NULL for a request that is open.
    mutating func append(
        settlement: Settlement?, repeatingIn width: Int, _ settledLast: inout WrittenInstant?
    ) {
        guard let settlement else {
            appendNulls(14)
            return
        }
        if let model = settlement.model { append(model.withoutZeroBytes, repeatingIn: width) } else { appendNull() }
        append(settlement.outcome.rawValue, repeatingIn: width)
        append(Int64(settlement.status))
        append(settlement.usage?.promptTokens.storable)
        append(settlement.usage?.completionTokens.storable)
        append(settlement.cost.amount.storable)
        append(settlement.settledAt, sharing: &settledLast)
        append(max(0, settlement.durationMicroseconds))
        append(settlement.firstByteMicroseconds.map { max(0, $0) })
        if let usage = settlement.usage { append(usage.source.rawValue, repeatingIn: width) } else { appendNull() }
        if settlement.attempts.isEmpty { appendNull() } else { append(settlement.attempts.text) }
        append(settlement.sentMicroseconds.map { max(0, $0) })
        append(settlement.requestBytes.map { max(0, $0) })
        append(settlement.responseBytes.map { max(0, $0) })
    }
}

extension String {
    /// An upstream may call its model anything; a zero byte is what not every engine can keep.
    fileprivate var withoutZeroBytes: String {
        let hasAny = utf8.withContiguousStorageIfAvailable { $0.contains(0) } ?? utf8.contains(0)
        return hasAny ? String(map { $0 == "\0" ? "\u{FFFD}" : $0 }) : self
    }
}
