public import ProxyDomain
public import ProxyStorage
public import SQLDatabase

/// The storage in SQL, written once for every engine: what differs is in the pool's dialect.
public final class SQLStorage: Storage {
    let pool: ConnectionPool
    let timings = OperationTimings()
    let ledgerMetrics = LedgerMetrics()

    /// A storage on a pool whose schema is known to be right; see ``open(_:now:)`` and ``inspect(_:)``.
    init(_ pool: ConnectionPool) { self.pool = pool }

    /// Migrates the database to this program's schema and gives the storage.
    ///
    /// The storage owns the pool from now on: ``close()`` closes it. When this throws, the caller still owns it.
    /// - Parameter now: recorded with each migration that is applied.
    public static func open(_ pool: ConnectionPool, now: Timestamp) async throws(MigrationError) -> SQLStorage {
        try await onSchema(of: pool) { connection throws(MigrationError) in
            try Schema.runner.run(on: connection, appliedAt: now.text)
        }
        return SQLStorage(pool)
    }

    /// Gives the storage of a database that has exactly this program's schema, and changes nothing: for tools that look.
    /// - Throws: `.olderSchema` when the server must migrate it first, `.newerSchema`, `.differs`, `.database`.
    public static func inspect(_ pool: ConnectionPool) async throws(MigrationError) -> SQLStorage {
        try await onSchema(of: pool) { connection throws(MigrationError) in try Schema.runner.check(connection) }
        return SQLStorage(pool)
    }

    private static func onSchema(
        of pool: ConnectionPool, _ act: @escaping @Sendable (any SQLConnection) throws(MigrationError) -> Void
    ) async throws(MigrationError) {
        do {
            try await pool.write { try act($0) }
        } catch let error as MigrationError {
            throw error
        } catch {
            throw .database(error as? SQLError ?? SQLError(.other, detail: "\(error)"))
        }
    }

    public var driver: String { pool.connector.dialect.name }

    public func probe() async throws(StorageError) {
        _ = try await reading(.probe) { try $0.first(Self.probing) { (row) throws(SQLError) in row.integer(at: 0) } }
    }

    public func close() async { await pool.close() }

    private static let probing = SQLStatement("SELECT count(*) FROM schema_migrations")
}

// MARK: - Calls

extension SQLStorage {
    /// Runs `body` on a reader.
    func reading<Value: Sendable>(
        _ operation: Operation, during name: String = #function,
        _ body: @escaping @Sendable (any SQLConnection) throws -> Value
    ) async throws(StorageError) -> Value {
        try await timed(operation, name) { [pool] in try await pool.read(body) }
    }

    /// Runs `body` in a transaction on the writer.
    func writing<Value: Sendable>(
        _ operation: Operation, during name: String = #function,
        _ body: @escaping @Sendable (any SQLConnection) throws -> Value
    ) async throws(StorageError) -> Value {
        try await timed(operation, name) { [pool] in
            try await pool.write { connection in
                try connection.transaction(.write) { () throws(any Error) in try body(connection) }
            }
        }
    }

    private func timed<Value: Sendable>(
        _ operation: Operation, _ name: String, _ body: () async throws -> Value
    ) async throws(StorageError) -> Value {
        let start = Monotonic.now()
        defer { timings.record(operation, Monotonic.now() - start) }
        do {
            return try await body()
        } catch {
            throw StorageError(wrapping: error, during: name)
        }
    }
}
