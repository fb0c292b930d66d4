public import ProxyDomain
public import ProxyStorage
public import SQLDatabase

/// The storage in SQL, written once for every engine: what differs is in the pool's dialect.
public final class SQLStorage: Storage {
    private let current: CurrentPool
    let timings: OperationTimings
    let ledgerMetrics: LedgerMetrics
    let ledgerMemory: LedgerMemory
    /// What its next change is to be recorded as.
    let event: AuditEvent?
    /// What its next change is answered with.
    private let answer: RememberedAnswer?

    /// A storage on a pool whose schema is known to be right; see ``open(_:now:)`` and ``inspect(_:)``.
    init(_ pool: ConnectionPool) {
        current = CurrentPool(pool)
        timings = OperationTimings()
        ledgerMetrics = LedgerMetrics()
        ledgerMemory = LedgerMemory()
        event = nil
        answer = nil
    }

    private init(_ other: SQLStorage, recording event: AuditEvent?, remembering answer: RememberedAnswer?) {
        current = other.current
        timings = other.timings
        ledgerMetrics = other.ledgerMetrics
        ledgerMemory = other.ledgerMemory
        self.event = event
        self.answer = answer
    }

    public func recording(_ event: AuditEvent) -> any Storage { recorded(as: event) }

    /// The same storage for one change, as ``recording(_:)``; with `nil` the change is not recorded.
    public func recorded(as event: AuditEvent?) -> SQLStorage {
        SQLStorage(self, recording: event, remembering: answer)
    }

    public func remembering(_ answer: RememberedAnswer) -> any Storage {
        SQLStorage(self, recording: event, remembering: answer)
    }

    /// Migrates the database to this program's schema and gives the storage.
    ///
    /// The storage owns the pool from now on: ``close()`` closes it. When this throws, the caller still owns it.
    /// - Parameter now: recorded with each migration that is applied.
    public static func open(_ pool: ConnectionPool, now: Timestamp) async throws(MigrationError) -> SQLStorage {
        try await onSchema(of: pool) { connection throws(MigrationError) in
            try Schema.runner.run(on: connection, appliedAt: now.text)
            guard let parts = connection.dialect.dayParts else { return }
            do throws(SQLError) { try prepareDays(parts, from: now, on: connection) } catch { throw .database(error) }
        }
        return SQLStorage(pool)
    }

    /// Gives the storage of a database that has exactly this program's schema, and changes nothing: for tools that look.
    /// - Throws: `.olderSchema` when the server must migrate it first, `.newerSchema`, `.differs`, `.database`.
    public static func inspect(_ pool: ConnectionPool) async throws(MigrationError) -> SQLStorage {
        try await onSchema(of: pool) { connection throws(MigrationError) in try Schema.runner.check(connection) }
        return SQLStorage(pool)
    }

    /// The version of the schema that a database has, and the one that this program brings it to.
    public static func schemaVersions(of pool: ConnectionPool) async throws -> (found: Int64, known: Int64) {
        try await pool.write { (Schema.runner.foundVersion(on: $0), Schema.runner.knownVersion) }
    }

    /// Every table of a database, those first that refer to others.
    public static var tableNames: [String] { StoredTable.leftBehind + StoredTable.all.reversed().map(\.name) }

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

    /// The database, which may be another one next time: see ``move(to:)``.
    var pool: ConnectionPool { current.pool }

    public var driver: String { pool.connector.dialect.name }
    public var isShared: Bool { pool.connector.dialect.tellChange != nil }

    /// Reads; and writes too while the last batch of the ledger could not be written, for nothing else may come to tell
    /// that it could be by now.
    public func probe() async throws(StorageError) {
        if ledgerMetrics.isFailing {
            // To and fro: SQLite writes no page on which nothing has changed.
            _ = try await writing(.probe) { connection in
                for step in [1, -1] { try connection.run(Self.touching, [.integer(Int64(step))]) }
            }
            ledgerMetrics.noteWriting(true)
        }
        let moved = try await reading(.probe) { connection in
            try connection.first(Self.probing) { (row) throws(SQLError) in row.integer(at: 0) }
        }
        guard moved == 0 else { throw StorageError(.unavailable, detail: "the database has moved") }
    }

    public func close() async { await current.close() }

    /// What is told of changes is told of those in another database, once that takes this one's place.
    func watch(_ watch: @escaping @Sendable (ConnectionPool) -> Void) { current.watch(watch) }

    func replacePool(by other: ConnectionPool) -> ConnectionPool { current.replace(by: other) }

    private static let touching = SQLStatement("UPDATE grant_changes SET count = count + $1 WHERE id = 1")
    /// Whether servers are elsewhere by now.
    private static let probing = SQLStatement("SELECT count(*) FROM moves WHERE state = 'moved'")
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

    /// Runs `body` in a transaction, again if the engine resolved a conflict against it.
    /// - Parameters:
    ///   - mode: `.exclusive` for what may take as long as it needs.
    ///   - recordsFirst: whether the audit's chain is held before the body, which itself holds what others take after the chain.
    ///   - changesGrants: whether projects or tokens are changed, which other instances must hear of.
    func writing<Value: Sendable>(
        _ operation: Operation, as mode: TransactionMode = .write, changesGrants: Bool = false,
        recordsFirst: Bool = false,
        during name: String = #function, _ body: @escaping @Sendable (any SQLConnection) throws -> Value
    ) async throws(StorageError) -> Value {
        try await timed(operation, name) { [pool, event, answer] in
            try await pool.write(again: Self.hasNotCommitted) { connection in
                try Self.retrying(on: connection) { () throws(TransactionError<any Error>) in
                    try connection.transaction(mode) { () throws(any Error) in
                        if recordsFirst, let event { try AuditChain.append(event, on: connection) }
                        let value = try body(connection)
                        if let answer { try answer.keep(on: connection) }
                        if !recordsFirst, let event { try AuditChain.append(event, on: connection) }
                        if changesGrants { try Self.tellChange(on: connection) }
                        return value
                    }
                }
            }
        }
    }

    /// Runs a transaction up to five times while a deadlock or a serialization conflict is resolved against it: nothing
    /// of it is then in the database. Each is over in an instant, so there is no pause in between.
    private static func retrying<Value>(
        on connection: any SQLConnection, _ run: () throws(TransactionError<any Error>) -> Value
    ) throws(TransactionError<any Error>) -> Value {
        var tries = 0
        while true {
            do throws(TransactionError<any Error>) {
                return try run()
            } catch {
                tries += 1
                guard tries < 5, error.isConflict, !connection.isInTransaction else { throw error }
            }
        }
    }

    /// Whether a connection that broke did so before it was asked to commit: then nothing was changed.
    private static func hasNotCommitted(_ error: any Error) -> Bool {
        switch error as? TransactionError<any Error> {
        case .begin(let cause): cause.kind == .connectionLost
        case .body(let cause, _): (cause as? SQLError)?.kind == .connectionLost
        case .commit, nil: false
        }
    }

    /// Last in its transaction: whoever holds this row only commits.
    private static func tellChange(on connection: any SQLConnection) throws(SQLError) {
        try connection.run(countChange)
        if let tell = connection.dialect.tellChange { try connection.run(tell) }
    }

    private static let countChange = SQLStatement("UPDATE grant_changes SET count = count + 1 WHERE id = 1")

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

extension TransactionError where Body == any Error {
    /// Whether the engine undid the transaction for the sake of another.
    var isConflict: Bool {
        switch self {
        case .begin: false
        case .body(let cause, let rollback): rollback == nil && (cause as? SQLError)?.kind == .conflict
        case .commit(let cause, let rollback): rollback == nil && cause.kind == .conflict
        }
    }
}
