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
    static let end = SQLStatement("UPDATE copies SET ended_at = $1 WHERE ended_at IS NULL")
}
