import Glibc
import Synchronization

/// A lane's connection: made when first needed, replaced when lost or worn. Confined to the lane's thread.
public final class ConnectionSlot {
    private let connector: any SQLConnector
    private let role: ConnectionRole
    private let reconnection: Reconnection
    private let lifetime: Duration?
    private var connection: (any SQLConnection)?
    private var connectedAt = Duration.zero
    private var isClosed = false
    /// How many connections were made.
    private(set) var made = 0
    private var told = (made: 0, isOpen: false)

    /// Whether a connection came or went since this was last asked.
    var hasChanged: Bool {
        defer { told = (made, isOpen) }
        return told != (made, isOpen)
    }

    var isOpen: Bool { connection != nil }
    /// Whether a lost connection may be replaced.
    var canReconnect: Bool { connector.canReconnect }

    /// Something a user of the lane keeps between its turns, on the lane's thread.
    public var companion: AnyObject?

    /// - Parameter lifetime: how long a connection lives, for a slot that nobody else replaces.
    init(_ connector: any SQLConnector, _ role: ConnectionRole, _ reconnection: Reconnection, lifetime: Duration? = nil)
    {
        self.connector = connector
        self.role = role
        self.reconnection = reconnection
        self.lifetime = connector.canReconnect ? lifetime : nil
    }

    deinit { connection?.close() }

    /// The connection, made if need be. Blocks the lane's thread.
    /// - Parameter patience: how long to try while the engine is away.
    /// - Throws: `.noConnection` after the pool was closed; whatever making one throws.
    public func connected(patience: Duration = .zero) throws(SQLError) -> any SQLConnection {
        if let connection {
            if !connection.isInTransaction { refresh(connection) }
            if let connection = self.connection { return connection }
        }
        guard !isClosed else { throw SQLError(.noConnection, detail: "the pool is closed") }
        let deadline = Monotonic.now() + patience
        while true {
            do throws(SQLError) {
                return try connect(until: deadline)
            } catch {
                guard error.kind == .connectionLost, Monotonic.now() < deadline else { throw error }
            }
        }
    }

    /// Drops a connection that the engine has given up meanwhile, or that is too old.
    private func refresh(_ connection: any SQLConnection) {
        connection.checkHealth()
        let isWorn = lifetime.map { Monotonic.now() - connectedAt >= $0 } ?? false
        if isWorn || connection.isLost, connector.canReconnect { drop() }
    }

    private func connect(until deadline: Duration) throws(SQLError) -> any SQLConnection {
        try reconnection.waitForTurn(until: deadline)
        do throws(SQLError) {
            let fresh = try connector.connect(role)
            reconnection.succeeded()
            connection = fresh
            made += 1
            connectedAt = Monotonic.now()
            return fresh
        } catch {
            reconnection.failed(error)
            throw error
        }
    }

    /// Undoes what was left open, and drops a connection that can't be used again. The pool does so after each turn; a
    /// turn that goes on after a failure does so itself.
    /// - Returns: `false` when the connection was dropped or should have been.
    @discardableResult
    public func tidy() -> Bool {
        guard let connection else { return true }
        var isSound = !connection.isLost
        if isSound, connection.isInTransaction {
            isSound = (try? connection.rollback()) != nil && !connection.isInTransaction
        }
        if !isSound, connector.canReconnect { drop() }
        return isSound
    }

    /// Closes it for good.
    func close() {
        isClosed = true
        companion = nil
        drop()
    }

    private func drop() {
        connection?.close()
        connection = nil
    }
}

/// What the slots of a pool know of their engine together.
final class Reconnection: Sendable {
    private let decisions = Mutex(ReconnectDecisions())
    private let lastFailure = Mutex<SQLError?>(nil)
    private let chance: @Sendable () -> Double

    init(chance: @escaping @Sendable () -> Double = { Double.random(in: 0..<1) }) { self.chance = chance }

    /// Blocks until a connection may be tried.
    /// - Throws: `.connectionLost`, with the words of the last failure, when that is not before the deadline.
    func waitForTurn(until deadline: Duration) throws(SQLError) {
        while true {
            let now = Monotonic.now()
            switch decisions.withLock({ $0.ask(now: now) }) {
            case .connect: return
            case .wait(let until):
                guard now < deadline else {
                    throw lastFailure.withLock { $0 } ?? SQLError(.connectionLost, detail: "the database is away")
                }
                var pause = Monotonic.timespec(min(until, deadline) - now)
                nanosleep(&pause, nil)
            }
        }
    }

    func succeeded() { decisions.withLock { $0.succeeded() } }

    func failed(_ error: SQLError) {
        lastFailure.withLock { $0 = error }
        let (now, chance) = (Monotonic.now(), chance())
        decisions.withLock { $0.failed(now: now, chance: chance) }
    }
}
