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
        var settled = 0
        while true {
            let step = try await writing(.settleAbandoned) { try Self.settleSome($0, now) }
            settled += step
            if step < Self.stepSize { return settled }
        }
    }

    /// Most requests settled in one transaction, so that others get their turn in between.
    private static var stepSize: Int { 500 }

    private static func settleSome(_ connection: any SQLConnection, _ now: Timestamp) throws(SQLError) -> Int {
        let open = try connection.all(RequestStatements.open, [.integer(Int64(stepSize))]) {
            (row) throws(SQLError) in (id: try row.id(at: 0, as: RequestID.self), admittedAt: try row.instant(at: 1))
        }
        var rows = SQLParameters()
        for request in open {
            let lasted = max(0, now.milliseconds - request.admittedAt.milliseconds) * 1000
            rows.append(request.id)
            rows.append(
                settlement: Settlement(
                    outcome: .inDoubt, status: 0, settledAt: now, durationMicroseconds: lasted,
                    firstByteMicroseconds: nil, usage: nil, cost: .zero, model: nil))
        }
        var settled = 0
        try connection.change(LedgerStatements.settle, rows, width: LedgerStatements.settleWidth) { _ in settled += 1 }
        return settled
    }
}

private enum RequestStatements {
    static let find = SQLStatement("SELECT \(Columns.request) FROM requests WHERE id = $1")
    static let list = SQLStatement(
        "SELECT \(Columns.request) FROM requests WHERE token_id = $1 AND id > $2 ORDER BY id LIMIT $3")
    static let open = SQLStatement(
        "SELECT id, admitted_at FROM requests WHERE settled_at IS NULL ORDER BY id LIMIT $1")
}
