import ProxyDomain
public import ProxyStorage
import SQLDatabase

extension SQLStorage {
    public func unfinishedCopy() async throws(StorageError) -> CopyRecord? {
        try await reading(.probe, CopyRecord.unfinished)
    }
}

extension CopyRecord {
    /// The copy into this database that has begun and not ended.
    static func unfinished(on connection: any SQLConnection) throws(SQLError) -> CopyRecord? {
        try connection.first(CopyStatements.unfinished) { (row) throws(SQLError) in
            CopyRecord(source: row.text(at: 0), beganAt: try row.instant(at: 1))
        }
    }

    /// In the same transaction as what makes room for it. Of those before it that did not end nothing is left.
    static func begin(from source: String, at now: Timestamp, on connection: any SQLConnection) throws(SQLError) {
        try connection.run(CopyStatements.forgetUnfinished)
        try connection.run(CopyStatements.begin, [.text(source), .instant(now)])
    }

    /// Ends the copy that began at an instant, if it hasn't ended. Whoever finds the source moved may do so.
    /// - Parameter changes: how many changes to projects and tokens the source has counted.
    /// - Returns: whether there is such a copy, and no other one that has not ended.
    static func finish(
        beganAt: Timestamp, changes: Int64, at now: Timestamp, on connection: any SQLConnection
    ) throws(SQLError) -> Bool {
        let isThere = try connection.first(CopyStatements.find, [.instant(beganAt)]) { (row) throws(SQLError) in
            row.integer(at: 0) > 0
        }
        guard isThere == true else { return false }
        if try connection.run(CopyStatements.endOne, [.instant(now), .instant(beganAt)]) > 0 {
            try GrantChanges.raise(above: changes, on: connection)
        }
        return true
    }

    static func end(at now: Timestamp, on connection: any SQLConnection) throws(SQLError) {
        try connection.run(CopyStatements.end, [.instant(now)])
    }
}

private enum CopyStatements {
    static let unfinished = SQLStatement("SELECT source, began_at FROM copies WHERE ended_at IS NULL")
    static let forgetUnfinished = SQLStatement("DELETE FROM copies WHERE ended_at IS NULL")
    static let begin = SQLStatement(
        """
        INSERT INTO copies (number, source, began_at)
        SELECT coalesce(max(number), 0) + 1, $1, $2 FROM copies
        """)
    static let find = SQLStatement(
        """
        SELECT count(*) FROM copies WHERE began_at = $1
            AND NOT EXISTS (SELECT 1 FROM copies WHERE ended_at IS NULL AND began_at <> $1)
        """)
    static let endOne = SQLStatement("UPDATE copies SET ended_at = $1 WHERE began_at = $2 AND ended_at IS NULL")
    static let end = SQLStatement("UPDATE copies SET ended_at = $1 WHERE ended_at IS NULL")
}

/// The count by which servers hear that a project or a token has changed.
enum GrantChanges {
    static func count(on connection: any SQLConnection) throws(SQLError) -> Int64 {
        try connection.first(read) { (row) throws(SQLError) in row.integer(at: 0) } ?? 0
    }

    /// Counts a change, so that servers that remember grants of either database hear that nothing is as it was.
    /// - Parameter other: how many another database has counted.
    static func raise(above other: Int64, on connection: any SQLConnection) throws(SQLError) {
        try connection.run(raising, [.integer(other)])
    }

    private static let read = SQLStatement("SELECT count FROM grant_changes WHERE id = 1")
    private static let raising = SQLStatement(
        "UPDATE grant_changes SET count = 1 + CASE WHEN count > $1 THEN count ELSE $1 END WHERE id = 1")
}
