import CPostgresLoader
import Glibc
public import SQLDatabase

/// Opens PostgreSQL databases.
public enum PostgresDatabase {
    /// How connections behave.
    public struct Options: Sendable {
        /// Shown in `pg_stat_activity`; at most 63 bytes.
        public var applicationName: String
        /// How long making a connection may take; whole seconds, at least 2 (libpq's `connect_timeout`).
        public var connectTimeout: Duration
        /// How long the server works on one statement before it gives up.
        public var statementTimeout: Duration
        /// The same for the writer's connection, whose statements are short, and how long it may leave a transaction open. One
        /// that is silent a second longer counts as lost. `nil` for ``statementTimeout``.
        public var writerTimeout: Duration?
        /// How long a statement waits for a lock that another connection holds.
        public var lockTimeout: Duration
        /// Whether a commit waits for the disk even where the server's own setting would not.
        public var isSynchronous: Bool
        /// How long the writer's plans are used before they are made anew, which takes a millisecond.
        public var planLifetime: Duration
        /// PEM file of the roots to trust where the address asks for verification and names none.
        public var systemRoots: String?

        public init(
            applicationName: String = "llm-proxy", connectTimeout: Duration = .seconds(2),
            statementTimeout: Duration = .seconds(30), writerTimeout: Duration? = nil,
            lockTimeout: Duration = .seconds(2), isSynchronous: Bool = true,
            planLifetime: Duration = .seconds(10), systemRoots: String? = Self.debianRoots
        ) {
            self.applicationName = applicationName
            self.connectTimeout = connectTimeout
            self.statementTimeout = statementTimeout
            self.writerTimeout = writerTimeout
            self.lockTimeout = lockTimeout
            self.isSynchronous = isSynchronous
            self.planLifetime = planLifetime
            self.systemRoots = systemRoots
        }

        /// Where Debian and its kin keep the roots they trust; `nil` when the file is not there.
        public static var debianRoots: String? {
            let path = "/etc/ssl/certs/ca-certificates.crt"
            return access(path, R_OK) == 0 ? path : nil
        }
    }

    /// Makes the pool and connects its writer.
    /// - Parameters:
    ///   - limits: `limits.readers` bounds the connections beside the writer.
    ///   - patience: how long to try while no server answers, or none that we can talk TLS with. One that answers and
    ///     refuses us is not asked again.
    /// - Throws: `.connectionLost` with the server's words, `.setting` for a server that is too old or not UTF-8.
    public static func open(
        _ address: PostgresAddress, limits: ConnectionPool.Limits, options: Options = Options(),
        patience: Duration = .zero
    ) async throws(SQLError) -> ConnectionPool {
        if let failure = postgres_library_failure() {
            throw SQLError(
                .setting(name: "libpq", wanted: "14 or newer", found: "none"), detail: String(cString: failure))
        }
        let connector = PostgresConnector(address, options)
        let pool = try ConnectionPool(connector, limits: limits)
        do {
            try await pool.connect(patience: patience) { connector.isAway() }
        } catch {
            await pool.close()
            throw error as? SQLError ?? SQLError(.other, detail: "\(error)")
        }
        return pool
    }

    /// Where changes to projects and tokens are told.
    static let channel = "llm_proxy_grants"

    /// Words as they are, past PostgreSQL's own ideas of what a word is (manual, section 12.3).
    private static let lexemes = "array_to_tsvector(string_to_array(words, ' '))"

    /// What SQLite and PostgreSQL disagree on, PostgreSQL's side.
    public static let dialect = Dialect(
        name: "postgres", batchStyle: .arrays, locksRows: true,
        terms: .init(
            integer: "BIGINT", ownNumber: "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
            text: "TEXT COLLATE \"C\"", instant: "TEXT COLLATE \"C\"", keyedTable: "",
            scratch: "UNLOGGED TABLE",
            partition: { DayParts.postgresPartition(table: $0) },
            wordIndex: { "CREATE INDEX \($0)_words ON \($0) USING gin ((\(lexemes)))" }),
        search: .init(
            wordsMatch: { _, words in "\(lexemes) @@ CAST(replace(\(words), ' ', ' & ') AS tsquery)" },
            memberText: { column, name in "CAST(\(column) AS jsonb) ->> \(name)" }),
        capture: .postgres,
        // A number that only this program uses.
        migrationLock: SQLStatement("SELECT pg_advisory_xact_lock(5489371105128823411)"),
        transferClaim: SQLStatement("SELECT CAST(pg_try_advisory_lock(5489371105128823414) AS integer)"),
        tellChange: SQLStatement("SELECT pg_notify('\(channel)', '')"), dayParts: .postgres)
}
