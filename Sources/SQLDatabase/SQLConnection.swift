/// One connection to one engine. Synchronous, and confined to the thread that made it.
public protocol SQLConnection: AnyObject {
    var dialect: Dialect { get }

    /// Stops the running statement from another thread.
    var interrupter: any SQLInterrupter { get }

    /// Whether a transaction is open.
    var isInTransaction: Bool { get }

    /// Whether the engine is gone, so that only a new connection can help.
    var isLost: Bool { get }

    /// Runs one statement with `count` of the parameters, beginning with the one at `first`.
    /// - Parameter row: called for each row of the result, in order. When it throws, the statement ends.
    /// - Returns: how many rows were added, changed or removed; 0 for a statement that only reads.
    @discardableResult
    func run(
        _ statement: SQLStatement, _ parameters: borrowing SQLParameters, first: Int, count: Int,
        row: (any SQLRow) throws(SQLError) -> Void
    ) throws(SQLError) -> Int

    /// Gives a statement to be run after those given before it: now, or together with them when ``complete()``,
    /// ``commit()`` or ``run(_:_:first:count:row:)`` is called. So statements that don't need each other's results cost
    /// one round trip to an engine behind a wire. The parameters may be changed at once.
    /// - Parameter row: as for ``run(_:_:first:count:row:)``, but called by then only.
    func enqueue(
        _ statement: SQLStatement, _ parameters: borrowing SQLParameters, first: Int, count: Int,
        row: @escaping (any SQLRow) throws(SQLError) -> Void
    ) throws(SQLError)

    /// Returns when everything that was enqueued has run.
    /// - Throws: the first failure; what was enqueued after it has not run.
    func complete() throws(SQLError)

    /// Runs several statements separated by semicolons, without parameters, and forgets their results.
    func runScript(_ text: String) throws(SQLError)

    func begin(_ mode: TransactionMode) throws(SQLError)

    /// Makes the transaction's changes last. After a failure ``rollback()`` is still due, and may do nothing.
    func commit() throws(SQLError)

    /// Undoes the transaction. Harmless when the engine has ended it already.
    func rollback() throws(SQLError)

    /// Notices, without asking it, that the engine has gone: ``isLost`` tells. Cheap; not to be called in a transaction.
    func checkHealth()

    /// Whether another instance has told of a change since this was last asked. Cheap, as ``checkHealth()``.
    func takeNews() -> Bool

    /// Gives everything back. The connection must not be used again.
    func close()
}

extension SQLConnection {
    /// An engine in this process costs no round trip.
    public func enqueue(
        _ statement: SQLStatement, _ parameters: borrowing SQLParameters, first: Int, count: Int,
        row: @escaping (any SQLRow) throws(SQLError) -> Void
    ) throws(SQLError) {
        try run(statement, parameters, first: first, count: count, row: row)
    }
    public func complete() throws(SQLError) {}

    /// An engine in this process does not go away.
    public func checkHealth() {}
    /// An engine that only this process uses has nothing to tell.
    public func takeNews() -> Bool { false }
}

/// What a transaction is for.
public enum TransactionMode: Sendable {
    /// Reads one snapshot, for as long as that takes.
    case read
    /// Writes; holds the right to do so from its beginning.
    case write
    /// Writes, and keeps every other writer of the schema out, for as long as that takes.
    case exclusive
}

/// Asks a connection, from any thread, to stop what it is doing.
public protocol SQLInterrupter: Sendable {
    /// The running statement, and those begun until ``lower()``, end with `.interrupted`.
    func raise()
    /// Statements run again.
    func lower()
}

/// What a connection will be used for.
public enum ConnectionRole: Hashable, Sendable {
    case writer
    /// May be opened so that the engine refuses writes.
    case reader
}

/// Makes connections: one engine at one place.
public protocol SQLConnector: Sendable {
    var dialect: Dialect { get }

    /// Whether a connection may be replaced by a new one without losing data. Not so for a database in memory.
    var canReconnect: Bool { get }

    /// Makes a connection for the calling thread. Blocks.
    func connect(_ role: ConnectionRole) throws(SQLError) -> any SQLConnection

    /// Figures known without asking the engine. Called from any thread; does not block for long.
    func statistics() -> [SQLStatistic]

    /// Figures that the engine must be asked for, on a connection made here.
    func statistics(from connection: any SQLConnection) throws(SQLError) -> [SQLStatistic]
}

/// One figure of an engine.
public struct SQLStatistic: Hashable, Sendable {
    /// With its unit, for instance `database_wal_size_bytes`.
    public let name: String
    public let help: String
    /// Whether it only grows while the process lives.
    public let isCounter: Bool
    public let value: Double

    public init(name: String, help: String, isCounter: Bool, value: Double) {
        self.name = name
        self.help = help
        self.isCounter = isCounter
        self.value = value
    }
}
