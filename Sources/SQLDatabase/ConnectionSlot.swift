/// A lane's connection: made when first needed, replaced when lost. Confined to the lane's thread.
public final class ConnectionSlot {
    private let connector: any SQLConnector
    private let role: ConnectionRole
    private var connection: (any SQLConnection)?
    private var isClosed = false

    var isOpen: Bool { connection != nil }

    /// Something a user of the lane keeps between its turns, on the lane's thread.
    public var companion: AnyObject?

    init(_ connector: any SQLConnector, _ role: ConnectionRole) {
        self.connector = connector
        self.role = role
    }

    deinit { connection?.close() }

    /// The connection, made if need be.
    /// - Throws: `.noConnection` after the pool was closed; whatever making one throws.
    public func connected() throws(SQLError) -> any SQLConnection {
        if let connection { return connection }
        guard !isClosed else { throw SQLError(.noConnection, detail: "the pool is closed") }
        let made = try connector.connect(role)
        connection = made
        return made
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
