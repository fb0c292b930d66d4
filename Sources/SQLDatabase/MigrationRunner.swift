/// Brings a database's schema to the version this program knows, in one transaction.
public struct MigrationRunner: Sendable {
    private let migrations: [Migration]

    /// - Parameter migrations: all of them, in order, numbered from 1.
    public init(_ migrations: [Migration]) {
        precondition(
            migrations.enumerated().allSatisfy { $0.element.version == Int64($0.offset) + 1 },
            "migrations are numbered 1, 2, 3, … in order")
        self.migrations = migrations
    }

    /// The version that ``run(on:appliedAt:)`` leaves behind.
    public var knownVersion: Int64 { Int64(migrations.count) }

    /// Applies what is missing. Of two that run at once the second waits, and finds nothing to do.
    /// - Parameter appliedAt: recorded with each migration, as 24 characters of ISO 8601.
    /// - Returns: how many migrations were applied.
    @discardableResult
    public func run(on connection: any SQLConnection, appliedAt: String) throws(MigrationError) -> Int {
        do {
            return try connection.transaction(.exclusive) { () throws(MigrationError) -> Int in
                try apply(to: connection, appliedAt)
            }
        } catch {
            switch error {
            case .begin(let cause), .commit(let cause, _): throw .database(cause)
            case .body(let cause, _): throw cause
            }
        }
    }

    /// The version that the database has; 0 for one that was never ours.
    public func foundVersion(on connection: any SQLConnection) -> Int64 {
        (try? Self.applied(on: connection))?.last?.version ?? 0
    }

    /// Checks that the schema is exactly the one this program knows, and changes nothing.
    public func check(_ connection: any SQLConnection) throws(MigrationError) {
        let found: [Applied]
        do throws(SQLError) { found = try Self.applied(on: connection) } catch {
            // A database without our table was never ours.
            throw error.kind == .other ? .olderSchema(found: 0, known: knownVersion) : .database(error)
        }
        try compare(found, connection.dialect)
        guard found.count == migrations.count else {
            throw .olderSchema(found: Int64(found.count), known: knownVersion)
        }
    }

    private func apply(to connection: any SQLConnection, _ appliedAt: String) throws(MigrationError) -> Int {
        let dialect = connection.dialect
        let found: [Applied]
        do throws(SQLError) {
            if let lock = dialect.migrationLock { try connection.run(lock) }
            try connection.runScript(Self.table(dialect.terms))
            found = try Self.applied(on: connection)
        } catch {
            throw .database(error)
        }
        try compare(found, dialect)
        let missing = migrations.dropFirst(found.count)
        do throws(SQLError) {
            for migration in missing {
                try connection.runScript(migration.script(for: dialect))
                try connection.run(
                    Self.record,
                    [
                        .integer(migration.version), .text(migration.name), .text(migration.checksum(for: dialect)),
                        .text(appliedAt),
                    ])
            }
        } catch {
            throw .database(error)
        }
        return missing.count
    }

    private func compare(_ found: [Applied], _ dialect: Dialect) throws(MigrationError) {
        if let last = found.last, last.version > knownVersion {
            throw .newerSchema(found: last.version, known: knownVersion)
        }
        for (index, applied) in found.enumerated() {
            let known = migrations[index]
            guard applied.version == known.version else { throw .gap(version: known.version) }
            guard applied.name == known.name, applied.checksum == known.checksum(for: dialect) else {
                throw .differs(version: known.version, foundName: applied.name, knownName: known.name)
            }
        }
    }

    private struct Applied {
        let version: Int64
        let name: String
        let checksum: String
    }

    private static func applied(on connection: any SQLConnection) throws(SQLError) -> [Applied] {
        try connection.all(list) { (row) throws(SQLError) in
            Applied(version: row.integer(at: 0), name: row.text(at: 1), checksum: row.text(at: 2))
        }
    }

    private static func table(_ terms: Dialect.SchemaTerms) -> String {
        """
        CREATE TABLE IF NOT EXISTS schema_migrations (
            version \(terms.integer) NOT NULL PRIMARY KEY,
            name \(terms.text) NOT NULL,
            checksum \(terms.text) NOT NULL,
            applied_at \(terms.instant) NOT NULL
        )\(terms.keyedTable)
        """
    }

    private static let list = SQLStatement("SELECT version, name, checksum FROM schema_migrations ORDER BY version")
    private static let record = SQLStatement(
        "INSERT INTO schema_migrations (version, name, checksum, applied_at) VALUES ($1, $2, $3, $4)")
}
