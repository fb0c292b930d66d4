/// How an engine keeps a large table in parts of a day (UTC) each, so that a day can go at once. The table's key is text
/// that begins with its time: UUID version 7.
public struct DayParts: Sendable {
    /// Makes the parts of the days from `$2`, `YYYY-MM-DD`, on, `$3` of them, of the table `$1`, unless they are there. Rows of
    /// days without a part have one together.
    public let prepare: SQLStatement
    /// Gives 1 when there is a table `$1`.
    public let exists: SQLStatement
    /// Gives the name of the first part of the table `$1` that holds keys below `$2` alone, if any.
    public let ended: SQLStatement
    /// Run first in a transaction that takes a part away, so that only one does at a time.
    public let removalLock: SQLStatement
    /// Keeps writers out of a part, and has its removal fail rather than wait: others would queue behind it.
    public let seal: @Sendable (_ part: String) -> String

    public init(
        prepare: SQLStatement, exists: SQLStatement, ended: SQLStatement, removalLock: SQLStatement,
        seal: @escaping @Sendable (_ part: String) -> String
    ) {
        self.prepare = prepare
        self.exists = exists
        self.ended = ended
        self.removalLock = removalLock
        self.seal = seal
    }

    /// The name of a day's part of `table`.
    /// - Parameter day: `YYYY-MM-DD`.
    public static func name(of table: String, on day: String) -> String {
        "\(table)_\(day.filter { $0 != "-" })"
    }
}
