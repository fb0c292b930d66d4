/// All that differs between engines and can be said as a value. The rest of the SQL is written once.
///
/// A class, so that handing it on, which each statement of a batch does, copies one reference and no texts. It never changes.
public final class Dialect: Sendable {
    /// How an act on many rows reaches the engine.
    public enum BatchStyle: Sendable {
        /// One run for each row: right where a call costs no round trip.
        case eachRow
        /// One run for all rows, each parameter an array in text form: `{"a","b",NULL}`.
        case arrays
    }

    /// Words of `CREATE TABLE` that engines disagree on.
    public struct SchemaTerms: Sendable {
        /// A signed 64-bit integer.
        public let integer: String
        /// Text compared byte for byte.
        public let text: String
        /// An instant, kept and given back as 24 characters of ISO 8601 in UTC.
        public let instant: String
        /// What follows the closing parenthesis of a table that is found by its primary key.
        public let keyedTable: String
        /// `TABLE` for what may be lost in a crash, and is the cheaper to write for that where the engine has such.
        public let scratch: String
        /// A script that turns a table into one in parts (``DayParts``), those of the coming days included; what is in it stays in
        /// its first part. Nothing where tables are whole.
        public let partition: @Sendable (_ table: String) -> String

        public init(
            integer: String, text: String, instant: String, keyedTable: String, scratch: String = "TABLE",
            partition: @escaping @Sendable (_ table: String) -> String = { _ in "" }
        ) {
            self.integer = integer
            self.text = text
            self.instant = instant
            self.keyedTable = keyedTable
            self.scratch = scratch
            self.partition = partition
        }
    }

    /// Label of the engine: `sqlite` or `postgres`.
    public let name: String
    public let batchStyle: BatchStyle
    /// Whether writers lock single rows, so that a batch must first lock all it will touch, in key order.
    public let locksRows: Bool
    public let terms: SchemaTerms
    /// Run first in the transaction of the migrations, when `begin` alone does not keep other instances out.
    public let migrationLock: SQLStatement?
    /// Run in a transaction that changed projects or tokens: tells other instances when it commits. `nil` where there
    /// are none.
    public let tellChange: SQLStatement?
    /// Gives one row `ok`, or one row for each fault the engine finds in its own structures.
    public let integrityCheck: SQLStatement?
    /// How large tables are kept in parts; `nil` where they are whole.
    public let dayParts: DayParts?
    /// Gives room that deleted rows have left back to the file system, a little at a time; `nil` where that isn't asked for.
    public let reclaim: String?

    public init(
        name: String, batchStyle: BatchStyle, locksRows: Bool, terms: SchemaTerms, migrationLock: SQLStatement? = nil,
        tellChange: SQLStatement? = nil, integrityCheck: SQLStatement? = nil, dayParts: DayParts? = nil,
        reclaim: String? = nil
    ) {
        self.name = name
        self.batchStyle = batchStyle
        self.locksRows = locksRows
        self.terms = terms
        self.migrationLock = migrationLock
        self.tellChange = tellChange
        self.integrityCheck = integrityCheck
        self.dayParts = dayParts
        self.reclaim = reclaim
    }
}
