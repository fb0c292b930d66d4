import SQLDatabase

/// Counts each token's rows in slices, the oldest first, and compares them with the tokens' counters when it comes to the last.
///
/// Where one connection does everything, nobody waits longer than a slice takes; elsewhere no snapshot keeps the log from being
/// checkpointed. Rows that come late, behind the slice that is walked, are not seen: what differs by this must be looked at as a whole.
struct DriftWalk: Sendable {
    /// Rows of a slice.
    let slice: Int
    /// The youngest rows, which the last slice takes together with what is left: most that come late are among them.
    let heldBack: Int
    /// The last request walked over.
    private var position = ""
    private var rows: [String: Int64] = [:]
    /// Requests by which counters differ from rows; `nil` until the walk is over.
    private(set) var drift: Int64?

    init(slice: Int = 25_000, heldBack: Int = 25_000) {
        self.slice = slice
        self.heldBack = heldBack
    }

    /// Walks over the next slice, in a transaction.
    mutating func advance(on connection: any SQLConnection) throws(SQLError) {
        guard let end = try identifier(slice, after: position, on: connection),
            try identifier(heldBack, after: end, on: connection) != nil
        else { return try finish(on: connection) }
        try count(Self.between, [.text(position), .text(end)], on: connection)
        position = end
    }

    private mutating func finish(on connection: any SQLConnection) throws(SQLError) {
        try count(Self.behind, [.text(position)], on: connection)
        try count(Self.removed, [], on: connection)
        var drift: Int64 = 0
        try connection.run(Self.counters) { (row) throws(SQLError) in
            drift += abs(row.integer(at: 1) - (rows[row.text(at: 0)] ?? 0))
        }
        self.drift = drift
    }

    private mutating func count(
        _ statement: SQLStatement, _ parameters: [SQLValue], on connection: any SQLConnection
    ) throws(SQLError) {
        try connection.run(statement, parameters) { (row) throws(SQLError) in
            rows[row.text(at: 0), default: 0] += row.integer(at: 1)
        }
    }

    /// The request `count` places behind `id`; `nil` when there are fewer.
    private func identifier(
        _ count: Int, after id: String, on connection: any SQLConnection
    ) throws(SQLError) -> String? {
        let parameters: [SQLValue] = [.text(id), .integer(Int64(count - 1))]
        return try connection.first(Self.place, parameters) { (row) throws(SQLError) in row.text(at: 0) }
    }

    private static let place = SQLStatement("SELECT id FROM requests WHERE id > $1 ORDER BY id LIMIT 1 OFFSET $2")
    private static let between = SQLStatement(
        "SELECT token_id, count(*) FROM requests WHERE id > $1 AND id <= $2 GROUP BY token_id")
    private static let behind = SQLStatement("SELECT token_id, count(*) FROM requests WHERE id > $1 GROUP BY token_id")
    private static let removed = SQLStatement(
        "SELECT token_id, CAST(COALESCE(sum(requests), 0) AS BIGINT) FROM usage_daily GROUP BY token_id")
    private static let counters = SQLStatement("SELECT id, request_count FROM tokens")
}
