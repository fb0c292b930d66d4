import SQLDatabase
import Synchronization

/// What goes wrong next, once.
final class Faults: Sendable {
    enum Kind { case commitRefused, commitLost }
    private let planned = Mutex<Kind?>(nil)

    var next: Kind? {
        get { planned.withLock { $0 } }
        set { planned.withLock { $0 = newValue } }
    }

    func take() -> Kind? {
        planned.withLock { planned in
            defer { planned = nil }
            return planned
        }
    }
}

/// Connections that work as another's do, but for the faults asked for.
struct FaultyConnector: SQLConnector {
    let inner: any SQLConnector
    let faults: Faults

    init(_ inner: any SQLConnector, _ faults: Faults) {
        self.inner = inner
        self.faults = faults
    }

    var dialect: Dialect { inner.dialect }
    var canReconnect: Bool { false }
    func connect(_ role: ConnectionRole) throws(SQLError) -> any SQLConnection {
        FaultyConnection(try inner.connect(role), faults)
    }
    func statistics() -> [SQLStatistic] { inner.statistics() }
    func statistics(from connection: any SQLConnection) throws(SQLError) -> [SQLStatistic] { [] }
}

private final class FaultyConnection: SQLConnection {
    let inner: any SQLConnection
    let faults: Faults

    init(_ inner: any SQLConnection, _ faults: Faults) {
        self.inner = inner
        self.faults = faults
    }

    var dialect: Dialect { inner.dialect }
    var interrupter: any SQLInterrupter { inner.interrupter }
    var isInTransaction: Bool { inner.isInTransaction }
    var isLost: Bool { false }

    func run(
        _ statement: SQLStatement, _ parameters: borrowing SQLParameters, first: Int, count: Int,
        row: (any SQLRow) throws(SQLError) -> Void
    ) throws(SQLError) -> Int {
        try inner.run(statement, parameters, first: first, count: count, row: row)
    }
    func runScript(_ text: String) throws(SQLError) { try inner.runScript(text) }
    func begin(_ mode: TransactionMode) throws(SQLError) { try inner.begin(mode) }
    func rollback() throws(SQLError) { try inner.rollback() }
    func close() { inner.close() }

    func commit() throws(SQLError) {
        switch faults.take() {
        case .commitRefused: throw SQLError(.io)
        case .commitLost:
            try inner.commit()
            throw SQLError(.connectionLost)
        case nil: try inner.commit()
        }
    }
}
