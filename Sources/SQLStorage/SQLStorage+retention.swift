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
            let removed = try await writing(.prune, { [day] in try Self.removePart(parts, before: day, on: $0) })
        {
            return removed
        }
        let removed = try await writing(.prune) { [day] connection in
            if let lock = connection.dialect.dayParts?.removalLock { try connection.run(lock) }
            return try Self.removeRows(before: day, atMost: limit, on: connection)
        }
        if removed > 0, let reclaim = pool.connector.dialect.reclaim {
            do {
                try await pool.write { try $0.runScript(reclaim) }
            } catch {
                throw StorageError(wrapping: error, during: "prune")
            }
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
        let name = try connection.first(parts.ended, [.text("requests"), .text(day.firstKey)]) {
            (row) throws(SQLError) in row.text(at: 0)
        }
        guard let name else { return nil }
        try connection.runScript(parts.seal(name))
        // Texts of their own: a part is removed once.
        let open = try connection.count("SELECT count(*) FROM \(name) WHERE settled_at IS NULL")
        guard open == 0 else { return nil }
        let count = try connection.count("SELECT count(*) FROM \(name)")
        try connection.runScript(RetentionStatements.keep(from: name, where: "settled_at IS NOT NULL"))
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
        guard let last = last ?? nil else { return 0 }
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
    static let keepUpTo = SQLStatement(keep(from: "requests", where: "settled_at IS NOT NULL AND id <= $1"))
    static let removeUpTo = SQLStatement("DELETE FROM requests WHERE settled_at IS NOT NULL AND id <= $1")

    /// Adds what rows say to what is kept of their tokens' days.
    static func keep(from table: String, where condition: String) -> String {
        let sum = { (column: String) in "CAST(COALESCE(sum(\(column)), 0) AS BIGINT)" }
        let add = { (column: String) in "\(column) = usage_daily.\(column) + excluded.\(column)" }
        let columns = ["requests", "prompt_tokens", "completion_tokens", "cost_nano"]
        return """
            INSERT INTO usage_daily (day, token_id, project_id, \(columns.joined(separator: ", ")))
            SELECT substr(admitted_at, 1, 10), token_id, max(project_id), count(*), \(sum("prompt_tokens")),
                \(sum("completion_tokens")), \(sum("cost_nano"))
            FROM \(table) WHERE \(condition) GROUP BY substr(admitted_at, 1, 10), token_id
            ON CONFLICT (day, token_id) DO UPDATE SET \(columns.map(add).joined(separator: ", "))
            """
    }
}

extension SQLConnection {
    fileprivate func count(_ text: String) throws(SQLError) -> Int64 {
        try first(SQLStatement(text)) { (row) throws(SQLError) in row.integer(at: 0) } ?? 0
    }
}
