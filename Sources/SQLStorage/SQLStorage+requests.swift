public import ProxyDomain
public import ProxyStorage
import SQLDatabase

extension SQLStorage {
    public func request(_ id: RequestID) async throws(StorageError) -> RequestRecord {
        let found = try await reading(.readRequest) { connection in
            try connection.first(RequestStatements.find, [.id(id)]) { (row) throws(SQLError) in try row.request() }
        }
        guard let found else { throw StorageError(.notFound) }
        return RequestRecord(admission: found)
    }

    /// Walks over all requests in order: no index costs every request for the sake of this rare question.
    public func requests(
        of token: TokenID, after cursor: RequestID?, limit: Int
    ) async throws(StorageError) -> [RequestRecord] {
        try await reading(.listRequests) { connection in
            try connection.all(
                RequestStatements.list,
                [.id(token), .text(cursor?.text ?? ""), .integer(Int64(limit.clampedToPage))]
            ) { (row) throws(SQLError) in RequestRecord(admission: try row.request()) }
        }
    }

    public func settleAbandoned(at now: Timestamp) async throws(StorageError) -> Int {
        let writers = try await reading(.settleAbandoned) { connection in
            try connection.all(RequestStatements.writers) { (row) throws(SQLError) in
                Writer(instance: row.text(at: 0), sequence: row.integer(at: 1), oldestOpen: row.text(at: 2))
            }
        }
        guard let oldest = writers.map(\.oldestOpen).min() else { return 0 }
        let settled = try await settleOpen(from: oldest, of: nil, at: now)
        _ = try await writing(.settleAbandoned) { connection in
            // A writer that has written meanwhile knows better what is open.
            for writer in writers {
                try connection.run(
                    RequestStatements.forgetOpen, [.text(writer.instance), .integer(writer.sequence)])
            }
        }
        return settled
    }

    public func settleAbandoned(
        of instance: InstanceRecord, by sweeper: InstanceID, at now: Timestamp
    ) async throws(StorageError) -> Int {
        let (dead, lease) = (instance.instance, SweepLease(on: instance, for: sweeper))
        let oldest = try await reading(.settleAbandoned) { connection in
            try connection.first(LedgerStatements.oldestOpen, [.id(dead)]) { (row) throws(SQLError) in
                row.optionalText(at: 0) ?? dead.text
            }
        }
        guard let oldest else { return 0 }
        let settled = try await settleOpen(from: oldest, of: lease, at: now)
        _ = try await writing(.settleAbandoned) { connection in
            guard try lease.isHeld(on: connection) else { return }
            try connection.run(RequestStatements.forgetWriter, [.id(dead), .integer(dead.number)])
        }
        return settled
    }

    /// Settles what is open from `oldest` on: that of the instance under a lease, or everybody's.
    private func settleOpen(
        from oldest: String, of lease: SweepLease?, at now: Timestamp
    ) async throws(StorageError) -> Int {
        var cursor = oldest
        var settled = 0
        while true {
            let from = cursor
            let open = try await reading(.settleAbandoned) {
                try Self.openRequests($0, from: from, of: lease?.instance)
            }
            guard let last = open.last else { return settled }
            let step: Int? = try await writing(.settleAbandoned) { connection in
                if let lease, try !lease.isHeld(on: connection) { return nil }
                return try Self.settle(open, on: connection, now)
            }
            guard let step else { return settled }
            settled += step
            cursor = last.requestID.text
        }
    }

    private struct Writer: Sendable {
        let instance: String
        let sequence: Int64
        let oldestOpen: String
    }

    /// Most requests settled in one transaction, so that others get their turn in between.
    private static var stepSize: Int64 { 500 }

    /// `from` itself included: the first time it may be open, later it no longer is.
    private static func openRequests(
        _ connection: any SQLConnection, from: String, of instance: InstanceID?
    ) throws(SQLError) -> [OpenRequest] {
        var values: [SQLValue] = [.text(from), .integer(stepSize)]
        if let instance { values.append(.integer(instance.number)) }
        let statement = instance == nil ? RequestStatements.open : RequestStatements.openOfWriter
        return try connection.all(statement, values) { (row) throws(SQLError) in try row.openRequest() }
    }

    private static func settle(
        _ open: [OpenRequest], on connection: any SQLConnection, _ now: Timestamp
    ) throws(SQLError) -> Int {
        let batch = LedgerBatch(
            instance: InstanceID(Identifier(high: 0, low: 0)), sequence: 0, now: now, admissions: [],
            settlements: open.map { $0.inDoubt(at: now) })
        let work = LedgerWork()
        work.lay(out: batch)
        try work.readStandings(on: connection)
        try connection.complete()
        try work.readAccounts(on: connection)
        try work.write(batch, on: connection)
        try connection.complete()
        return work.plan.settled
    }
}

/// The right to settle what a dead instance left open.
private struct SweepLease: Sendable {
    let instance: InstanceID
    private let values: [SQLValue]

    init(on record: InstanceRecord, for sweeper: InstanceID) {
        instance = record.instance
        values = [.id(record.instance), .integer(record.progress), .id(sweeper)]
    }

    /// Takes the lease, or makes sure of it, until the end of the transaction at hand.
    func isHeld(on connection: any SQLConnection) throws(SQLError) -> Bool {
        try connection.run(RequestStatements.holdLease, values) > 0
    }
}

/// A request that a dead server left open, with what its end can be guessed from.
struct OpenRequest: Sendable {
    let requestID: RequestID
    let tokenID: TokenID
    let projectID: ProjectID
    let admittedAt: Timestamp
    let reservation: Reservation
    /// What the token's requests have used on average.
    let average: Reservation

    /// Its end. What it used is what was set aside for it, or else what the token's requests use; it may have used less.
    func inDoubt(at now: Timestamp) -> RequestSettlement {
        let estimate = reservation == .none ? average : reservation
        return RequestSettlement(
            requestID: requestID, tokenID: tokenID, projectID: projectID, admittedAt: admittedAt,
            reservation: reservation,
            settlement: Settlement(
                outcome: .inDoubt, status: 0, settledAt: now,
                durationMicroseconds: max(0, now.milliseconds - admittedAt.milliseconds) * 1000,
                firstByteMicroseconds: nil,
                usage: TokenUsage(
                    promptTokens: estimate.promptTokens, completionTokens: estimate.completionTokens, source: .estimate),
                cost: estimate.cost, model: nil))
    }
}

enum RequestStatements {
    static let find = SQLStatement("SELECT \(Columns.request) FROM requests WHERE id = $1")
    static let list = SQLStatement(
        "SELECT \(Columns.request) FROM requests WHERE token_id = $1 AND id > $2 ORDER BY id LIMIT $3")
    static let writers = SQLStatement(
        "SELECT instance_id, last_sequence, oldest_open FROM ledger_writers WHERE oldest_open IS NOT NULL")
    static let open = SQLStatement("\(openFields) AND requests.settled_at IS NULL ORDER BY requests.id LIMIT $2")
    static let openOfWriter = SQLStatement(
        "\(openFields) AND requests.writer = $3 AND requests.settled_at IS NULL ORDER BY requests.id LIMIT $2")
    private static let openFields = """
        SELECT \(Columns.open) FROM requests LEFT JOIN tokens ON tokens.id = requests.token_id WHERE requests.id >= $1
        """
    /// Unless another living instance holds it, or the dead one has made progress.
    static let holdLease = SQLStatement(
        """
        UPDATE ledger_writers SET swept_by = $3 WHERE instance_id = $1 AND last_sequence + beats = $2
            AND (swept_by IS NULL OR swept_by = $3 OR swept_by NOT IN (SELECT instance_id FROM ledger_writers))
        """)
    /// Unless something is open by now: then it lives. No request of an instance is older than the instance.
    static let forgetWriter = SQLStatement(
        """
        DELETE FROM ledger_writers WHERE instance_id = $1 AND NOT EXISTS (SELECT 1 FROM requests
            WHERE requests.id >= COALESCE(ledger_writers.oldest_open, ledger_writers.instance_id) AND requests.writer = $2 AND requests.settled_at IS NULL)
        """)
    static let forgetOpen = SQLStatement(
        "UPDATE ledger_writers SET oldest_open = NULL WHERE instance_id = $1 AND last_sequence = $2")
}
