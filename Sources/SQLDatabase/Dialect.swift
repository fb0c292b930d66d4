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
        /// Type and constraint of a key that numbers rows by itself.
        public let ownNumber: String
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
        /// A script that indexes the words of a table's column `words`, for ``SearchTerms/wordsMatch``; its column `number` numbers the
        /// rows.
        public let wordIndex: @Sendable (_ table: String) -> String

        public init(
            integer: String, ownNumber: String, text: String, instant: String, keyedTable: String,
            scratch: String = "TABLE",
            partition: @escaping @Sendable (_ table: String) -> String = { _ in "" },
            wordIndex: @escaping @Sendable (_ table: String) -> String
        ) {
            self.integer = integer
            self.ownNumber = ownNumber
            self.text = text
            self.instant = instant
            self.keyedTable = keyedTable
            self.scratch = scratch
            self.partition = partition
            self.wordIndex = wordIndex
        }
    }

    /// Conditions that engines write differently.
    public struct SearchTerms: Sendable {
        /// Whether a row of `table` has all words of a parameter, which are plain ones with a space between two.
        public let wordsMatch: @Sendable (_ table: String, _ parameter: String) -> String
        /// The text of a member of the JSON object in `column`, the member's name being a parameter of letters, digits, `_` and `-`.
        public let memberText: @Sendable (_ column: String, _ parameter: String) -> String

        /// How the index of a table's words is kept by hand; `nil` where the engine keeps it.
        public let upkeep: (@Sendable (_ table: String) -> WordUpkeep)?

        public init(
            wordsMatch: @escaping @Sendable (_ table: String, _ parameter: String) -> String,
            memberText: @escaping @Sendable (_ column: String, _ parameter: String) -> String,
            upkeep: (@Sendable (_ table: String) -> WordUpkeep)? = nil
        ) {
            self.wordsMatch = wordsMatch
            self.memberText = memberText
            self.upkeep = upkeep
        }
    }

    /// Statements, as texts, that keep an index of words as its table is.
    public struct WordUpkeep: Sendable {
        /// Adds the row numbered `$1` with the words `$2`.
        public let add: String
        /// Takes out all rows up to that numbered `$1`, which are still in the table.
        public let remove: String
        /// Makes the index anew from the table.
        public let rebuild: String

        public init(add: String, remove: String, rebuild: String) {
            self.add = add
            self.remove = remove
            self.rebuild = rebuild
        }
    }

    /// Label of the engine: `sqlite` or `postgres`.
    public let name: String
    public let batchStyle: BatchStyle
    /// Whether writers lock single rows, so that a batch must first lock all it will touch, in key order.
    public let locksRows: Bool
    public let terms: SchemaTerms
    public let search: SearchTerms
    /// Run first in the transaction of the migrations, when `begin` alone does not keep other instances out.
    public let migrationLock: SQLStatement?
    /// Gives 1 when this connection alone may copy from or into the database, until it is closed; `nil` where a file's lock says so.
    public let transferClaim: SQLStatement?
    /// Run in a transaction that changed projects or tokens: tells other instances when it commits. `nil` where there
    /// are none.
    public let tellChange: SQLStatement?
    /// Gives one row `ok`, or one row for each fault the engine finds in its own structures.
    public let integrityCheck: SQLStatement?
    /// How large tables are kept in parts; `nil` where they are whole.
    public let dayParts: DayParts?
    /// How changes of rows are noted while the database is moved.
    public let capture: ChangeCapture
    /// Gives room that deleted rows have left back to the file system, a little at a time; `nil` where that isn't asked for.
    public let reclaim: String?

    public init(
        name: String, batchStyle: BatchStyle, locksRows: Bool, terms: SchemaTerms, search: SearchTerms,
        capture: ChangeCapture, migrationLock: SQLStatement? = nil, transferClaim: SQLStatement? = nil,
        tellChange: SQLStatement? = nil, integrityCheck: SQLStatement? = nil, dayParts: DayParts? = nil,
        reclaim: String? = nil
    ) {
        self.name = name
        self.batchStyle = batchStyle
        self.locksRows = locksRows
        self.terms = terms
        self.search = search
        self.capture = capture
        self.migrationLock = migrationLock
        self.transferClaim = transferClaim
        self.tellChange = tellChange
        self.integrityCheck = integrityCheck
        self.dayParts = dayParts
        self.reclaim = reclaim
    }
}
