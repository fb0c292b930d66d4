import Glibc
import PostgresDriver
import ProxyDomain
public import ProxySettings
import ProxyStorage
import SQLDatabase
public import SQLStorage
import SQLiteDriver

/// Looks after a database as a whole: its schema, and copies of it in files.
public enum DatabaseMaintenance {
    /// How a database stands.
    public struct Status: Sendable {
        /// `sqlite` or `postgres`.
        public let driver: String
        /// Where it is, without a password.
        public let place: String
        /// The schema it has, and the one that this program brings it to.
        public let schema: Int64
        public let knownSchema: Int64
        /// How many rows each table has; empty unless the schema is this program's.
        public let rows: [TableRows]
        /// From where a copy came that did not end.
        public let unfinishedCopy: String?
        /// Where it moves to, or has moved.
        public let move: MoveRecord?
    }

    /// Tells how the database stands that the settings name, and changes nothing.
    public static func status(_ settings: ServerSettings) async throws -> Status {
        try await onPool(settings, .looking) { pool, place in
            let versions = try await SQLStorage.schemaVersions(of: pool)
            var rows: [TableRows] = []
            var unfinished: String?
            var move: MoveRecord?
            if versions.found == versions.known {
                rows = try await DatabaseCopy.rows(in: pool)
                let storage = try await SQLStorage.inspect(pool)
                (unfinished, move) = (try await storage.unfinishedCopy()?.source, try await storage.move())
            }
            return Status(
                driver: pool.connector.dialect.name, place: place.address, schema: versions.found,
                knownSchema: versions.known, rows: rows, unfinishedCopy: unfinished, move: move)
        }
    }

    /// Brings the schema up to date, as a server does when it starts; on PostgreSQL also beside servers.
    /// - Returns: the version before, and the one now.
    public static func migrate(_ settings: ServerSettings) async throws -> (before: Int64, now: Int64) {
        let lock = try DatabasePlace(settings.database).lock()
        defer { lock?.release() }
        return try await onPool(settings, .filling) { pool, _ in
            let versions = try await SQLStorage.schemaVersions(of: pool)
            _ = try await SQLStorage.open(pool, now: .wallClock)
            return (versions.found, versions.known)
        }
    }

    /// Writes a SQLite database into a file that isn't there yet, while a server goes on (`VACUUM INTO`,
    /// sqlite.org/lang_vacuum.html): what had been committed when it began.
    public static func writeFile(_ settings: ServerSettings, to path: String) async throws {
        try await onPool(settings, .looking) { pool, _ in try await vacuum(pool, into: path) }
    }

    /// Puts a file that ``writeFile(_:to:)`` wrote into the place of the SQLite database, once it was read through; no server may use
    /// that.
    /// - Parameter replaces: whether a database that is there may go.
    public static func readFile(_ settings: ServerSettings, from path: String, replaces: Bool) async throws {
        let place = try DatabasePlace(settings.database)
        guard case .file(let target) = place else {
            throw StartupError("\(place.named) is no file: a file of SQLite goes back into one")
        }
        let lock = try place.lock()
        defer { lock?.release() }
        guard replaces || !SecretFile.exists(target) else {
            throw TransferError.refused("\(target) is there already: name another, or let it go with --replace")
        }
        let draft = target + ".restored"
        unlink(draft)
        defer { unlink(draft) }
        let source = try await DatabasePlace.file(path).connect(settings.database, for: .looking)
        try await source.closing { try await vacuum(source, into: draft) }
        try await expectSound(draft, settings, of: path)
        // Closed by the last who has it, the old one leaves no log behind, which must not be read into the new one.
        if let old = try? await place.connect(settings.database, for: .looking) { await old.close() }
        for suffix in ["-wal", "-shm"] { unlink(target + suffix) }
        guard rename(draft, target) == 0 else {
            throw StartupError("\(target) can't be written (\(String(cString: strerror(errno)))): mend that")
        }
    }

    /// Brings a backup's schema up to date, and looks whether every invariant holds.
    private static func expectSound(_ draft: String, _ settings: ServerSettings, of path: String) async throws {
        let pool = try await DatabasePlace.file(draft).connect(settings.database, for: .filling)
        try await pool.closing {
            let storage = try await SQLStorage.open(pool, now: .wallClock)
            // What a move had begun when the backup was made has no end here.
            _ = try await LiveCopy.abandon(pool, recordedAs: nil)
            if let broken = try await storage.verify().first(where: { !$0.holds }) {
                throw TransferError.refused(
                    "\(path) breaks \(broken.invariant) (\(broken.violations)): nothing was changed")
            }
        }
    }

    /// Ends in a database that was restored what a move had begun when the backup was made.
    public static func endMove(_ settings: ServerSettings) async throws {
        try await onPool(settings, .looking) { pool, _ in _ = try await LiveCopy.abandon(pool, recordedAs: nil) }
    }

    /// What PostgreSQL's own programs need in their environment to find the database that we would: no password is seen in a list of
    /// processes then (PostgreSQL manual, section 34.15).
    /// - Parameter inherited: this program's own, of which libpq reads what the URL doesn't say.
    public static func clientEnvironment(
        _ settings: ServerSettings, inherited: [String: String]
    ) throws -> [String: String] {
        var environment = inherited.filter { $0.key.hasPrefix("PG") || ["PATH", "HOME"].contains($0.key) }
        guard case .server(let address) = try DatabasePlace(settings.database) else { return environment }
        for (keyword, value) in address.parameters {
            if let name = clientNames[keyword] {
                environment[name] = value
            } else if !connectionKeywords.contains(keyword) {
                throw StartupError(
                    "DATABASE_URL has '\(keyword)', which PostgreSQL's programs can't be told: run pg_dump or pg_restore by hand"
                )
            }
        }
        let checksAuthority = ["verify-ca", "verify-full"].contains(address.parameters["sslmode"])
        if checksAuthority, environment["PGSSLROOTCERT"] == nil {
            environment["PGSSLROOTCERT"] = PostgresDatabase.Options.debianRoots
        }
        return environment
    }

    private static let clientNames = [
        "host": "PGHOST", "hostaddr": "PGHOSTADDR", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD",
        "dbname": "PGDATABASE", "sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT", "sslcert": "PGSSLCERT",
        "sslkey": "PGSSLKEY", "sslcrl": "PGSSLCRL", "passfile": "PGPASSFILE", "options": "PGOPTIONS",
        "target_session_attrs": "PGTARGETSESSIONATTRS", "connect_timeout": "PGCONNECT_TIMEOUT",
        "gssencmode": "PGGSSENCMODE", "krbsrvname": "PGKRBSRVNAME", "channel_binding": "PGCHANNELBINDING",
        "service": "PGSERVICE",
    ]
    /// What says how a connection behaves, and not where it leads.
    private static let connectionKeywords: Set = [
        "application_name", "fallback_application_name", "client_encoding", "keepalives", "keepalives_idle",
        "keepalives_interval", "keepalives_count", "tcp_user_timeout",
    ]

    /// Makes sure that a PostgreSQL database may be written over: nobody serves from it, and it is empty or may go, in whatever state
    /// it then is.
    public static func expectFree(_ settings: ServerSettings, replaces: Bool) async throws {
        let place = try DatabasePlace(settings.database)
        do {
            try await TransferSide.with(place, settings.database, as: .looked) { side in
                guard side.isMade, !replaces else { return }
                let rows = try await DatabaseCopy.rows(in: side.pool)
                guard rows.allSatisfy({ $0.rows == 0 }) else { throw DatabaseCopyError.targetNotEmpty(rows) }
            }
        } catch {
            guard replaces, case .refused = error else { throw error }
        }
    }

    /// Takes away all that migrations made in a PostgreSQL database.
    public static var removal: String {
        let tables = SQLStorage.tableNames.map { "DROP TABLE IF EXISTS \($0) CASCADE" }
        let functions = ["prepare_day_parts", "day_part_key", "note_move_change"].map {
            "DROP FUNCTION IF EXISTS \($0) CASCADE"
        }
        return (tables + functions).joined(separator: "; ")
    }

    private static func vacuum(_ pool: ConnectionPool, into path: String) async throws {
        guard !SecretFile.exists(path) else {
            throw TransferError.refused("\(path) is there already: name another file")
        }
        let statement = SQLStatement("VACUUM INTO $1")
        // For its owner alone, also while it is written.
        let mask = umask(0o077)
        defer { umask(mask) }
        _ = try await pool.write { try $0.run(statement, [.text(path)]) }
    }

    private static func onPool<Value: Sendable>(
        _ settings: ServerSettings, _ purpose: DatabasePlace.Purpose,
        _ body: (ConnectionPool, DatabasePlace) async throws -> Value
    ) async throws -> Value {
        let place = try DatabasePlace(settings.database)
        if case .memory = place {
            throw StartupError("DATABASE_PATH :memory: is in no other process's reach: name a file")
        }
        do {
            let pool = try await place.connect(settings.database, for: purpose)
            return try await pool.closing { try await body(pool, place) }
        } catch {
            if error is StartupError || error is TransferError { throw error }
            throw place.unusable(error)
        }
    }
}
