public import ProxyDomain
public import ProxyStorage
import SQLDatabase

extension SQLStorage {
    public func prepareDays(from now: Timestamp) async throws(StorageError) {
        guard let parts = pool.connector.dialect.dayParts else { return }
        _ = try await writing(.prepareDays) { connection in
            try Self.prepareDays(parts, from: now, on: connection)
        }
    }

    static func prepareDays(
        _ parts: DayParts, from now: Timestamp, on connection: any SQLConnection
    ) throws(SQLError) {
        try connection.run(
            parts.prepare, [.text("requests"), .text(RequestDay(of: now).text), .integer(Self.daysAhead)])
    }

    public func prune(before instant: Timestamp, atMost limit: Int) async throws(StorageError) -> Int? {
        var day = RequestDay(of: instant)
        if let open = try await reading(.prune, { [day] in try Self.firstOpen(before: day, on: $0) }) {
            day = RequestDay(of: open)
        }
        if let parts = pool.connector.dialect.dayParts,
            let removed = try await writing(
                .prune, as: .exclusive, { [day] in try Self.removePart(parts, before: day, on: $0) })
        {
            return removed
        }
        let removed = try await writing(.prune) { [day] connection in
            if let lock = connection.dialect.dayParts?.removalLock { try connection.run(lock) }
            guard try !MoveRecord.holdsRemoval(on: connection) else { return 0 }
            let removed = try Self.removeRows(before: day, atMost: limit, on: connection)
            // In the same transaction: it costs no sync of its own.
            if removed > 0, let reclaim = connection.dialect.reclaim { try connection.runScript(reclaim) }
            return removed
        }
        return removed > 0 ? removed : nil
    }

    /// Parts are made so long ahead that a server may be without its database for a while.
    private static let daysAhead: Int64 = 8

    /// The first request of an earlier day that is open: its day stays. Looked for from where writers say that any may be.
    private static func firstOpen(
        before day: RequestDay, on connection: any SQLConnection
    ) throws(SQLError) -> RequestID? {
        let oldest = try connection.first(RetentionStatements.oldestOpen) { (row) throws(SQLError) in
            row.optionalText(at: 0)
        }
        guard let oldest = oldest ?? nil, oldest < day.firstKey else { return nil }
        return try connection.first(RetentionStatements.firstOpen, [.text(oldest), .text(day.firstKey)]) {
            (row) throws(SQLError) in try row.id(at: 0)
        }
    }

    /// Takes away the first part that holds nothing but requests of earlier days, unless one of them is open.
    /// - Returns: how many requests were in it; `nil` when there is no such part.
    private static func removePart(
        _ parts: DayParts, before day: RequestDay, on connection: any SQLConnection
    ) throws(SQLError) -> Int? {
        try connection.run(parts.removalLock)
        guard try !MoveRecord.holdsRemoval(on: connection) else { return nil }
        let name = try connection.first(parts.ended, [.text("requests"), .text(day.firstKey)]) {
            (row) throws(SQLError) in row.text(at: 0)
        }
        guard let name else { return nil }
        try connection.runScript(parts.seal(name))
        let end = try connection.first(SQLStatement("SELECT max(id) FROM \(name)")) { (row) throws(SQLError) in
            row.isNull(at: 0) ? nil : try row.id(at: 0, as: RequestID.self)
        }
        // A text of its own: a part is removed once. It walks over the part once.
        let keep = SQLStatement(RetentionStatements.keepAll(of: name))
        let (count, open) =
            try connection.first(keep) { (row) throws(SQLError) in
                (row.integer(at: 0), row.integer(at: 1))
            } ?? (0, 0)
        guard open == 0 else {
            throw SQLError(.other, detail: "\(name) holds \(open) requests that no writer knows of")
        }
        // After the walk over all of it: late requests of other times wait for this.
        if let last = end ?? nil { try StaleSpan.requestsRemoved(through: last.instant, on: connection) }
        try connection.runScript("DROP TABLE \(name)")
        return Int(count)
    }

    /// Removes the first rows of earlier days; those of open requests stay.
    private static func removeRows(
        before day: RequestDay, atMost limit: Int, on connection: any SQLConnection
    ) throws(SQLError) -> Int {
        let last = try connection.first(
            RetentionStatements.last, [.text(day.firstKey), .integer(Int64(max(1, limit)))]
        ) { (row) throws(SQLError) in row.optionalText(at: 0) }
        guard let last = last ?? nil, let end = RequestID(last) else { return 0 }
        try StaleSpan.requestsRemoved(through: end.instant, on: connection)
        if connection.dialect.locksRows {
            // In one statement: others may add rows in between that two would see differently.
            return try connection.first(RetentionStatements.moveUpTo, [.text(last)]) { (row) throws(SQLError) in
                Int(row.integer(at: 0))
            } ?? 0
        }
        try connection.run(RetentionStatements.keepUpTo, [.text(last)])
        return try connection.run(RetentionStatements.removeUpTo, [.text(last)])
    }
}

private enum RetentionStatements {
    static let oldestOpen = SQLStatement("SELECT min(oldest_open) FROM ledger_writers")
    static let firstOpen = SQLStatement(
        "SELECT id FROM requests WHERE id >= $1 AND id < $2 AND settled_at IS NULL ORDER BY id LIMIT 1")
    static let last = SQLStatement(
        """
        SELECT max(id) FROM (
            SELECT id FROM requests WHERE id < $1 AND settled_at IS NOT NULL ORDER BY id LIMIT $2) AS first
        """)
    static let keepUpTo = SQLStatement(
        """
        INSERT INTO usage_daily (\(keptColumns)) SELECT \(sums) FROM requests WHERE settled_at IS NOT NULL AND id <= $1 \
        \(groups) \(adding)
        """)
    static let removeUpTo = SQLStatement("DELETE FROM requests WHERE settled_at IS NOT NULL AND id <= $1")

    static let moveUpTo = SQLStatement(
        """
        WITH gone AS (
            DELETE FROM requests WHERE settled_at IS NOT NULL AND id <= $1 RETURNING *
        ), kept AS (
            INSERT INTO usage_daily (\(keptColumns)) SELECT \(sums) FROM gone \(groups) \(adding)
        )
        SELECT count(*) FROM gone
        """)

    private static let columns = [
        "requests", "prompt_tokens", "completion_tokens", "cost_nano", "errors", "cache_hits",
    ]
    private static let keptColumns = "day, token_id, project_id, model, status, \(columns.joined(separator: ", "))"

    /// Adds what all rows of a part say to what is kept of their tokens' days. Gives how many there are, and how many of them are open.
    static func keepAll(of part: String) -> String {
        """
        WITH found AS MATERIALIZED (
            SELECT \(sums), count(*) - count(settled_at) AS open FROM \(part) \(groups)
        ), kept AS (
            INSERT INTO usage_daily (\(keptColumns)) SELECT \(keptColumns) FROM found WHERE true \(adding)
        )
        SELECT CAST(COALESCE(sum(requests), 0) AS BIGINT), CAST(COALESCE(sum(open), 0) AS BIGINT) FROM found
        """
    }

    private static let groups = "GROUP BY 1, 2, 4, 5"
    private static let sums = """
        substr(admitted_at, 1, 10) AS day, token_id, max(project_id) AS project_id, \(UsageStatements.model) AS model, \
        \(UsageStatements.status) AS status, count(*) AS requests, \
        \(columns[1...3].map { "CAST(COALESCE(sum(\($0)), 0) AS BIGINT) AS \($0)" }.joined(separator: ", ")), \
        CAST(sum(\(UsageStatements.failed)) AS BIGINT) AS errors, \
        CAST(sum(\(UsageStatements.fromCache)) AS BIGINT) AS cache_hits
        """
    private static let adding = """
        ON CONFLICT (day, token_id, model, status) DO UPDATE SET \
        \(columns.map { "\($0) = usage_daily.\($0) + excluded.\($0)" }.joined(separator: ", "))
        """
}
