public import ProxyDomain
import SQLDatabase

/// Where a database moves to while servers use it.
public struct MoveRecord: Hashable, Sendable {
    /// How far a move is.
    public enum State: String, Hashable, Sendable {
        /// Another database follows this one, which serves as before.
        case following
        /// The last changes go over: nothing is changed here, and in a moment either of the others holds.
        case closed
        /// The other database serves; nothing will be changed here any more.
        case moved
    }

    public let state: State
    /// The other database, without its password.
    public let target: String
    /// The other database's URL, sealed: for servers that hold the key.
    public let sealedTarget: String
    /// The run of the command that has it in hand. Of two, the later one.
    public let owner: String
    /// When it began; the copy in the target has the same instant, by which servers know it.
    public let beganAt: Timestamp
}

/// Whether a server can follow its database.
public struct MoveAnswer: Hashable, Sendable {
    public let instance: InstanceID
    /// What keeps it from that.
    public let problem: String?
    /// Whether it has done so.
    public var hasMoved = false
}

extension MoveRecord {
    static func read(on connection: any SQLConnection) throws(SQLError) -> MoveRecord? {
        try connection.first(MoveStatements.read) { (row) throws(SQLError) in
            guard let state = State(rawValue: row.text(at: 0)) else {
                throw SQLError(.corrupt, detail: "moves has an unknown state")
            }
            return MoveRecord(
                state: state, target: row.text(at: 1), sealedTarget: row.text(at: 2), owner: row.text(at: 3),
                beganAt: try row.instant(at: 4))
        }
    }

    /// In the transaction that begins to note changes.
    func write(on connection: any SQLConnection) throws(SQLError) {
        try connection.run(
            MoveStatements.write,
            [.text(state.rawValue), .text(target), .text(sealedTarget), .text(owner), .instant(beganAt)])
    }

    /// Has another run of the command go on with a move that has not ended, and all servers answer again.
    static func takeOver(
        by owner: String, sealedTarget: String, on connection: any SQLConnection
    ) throws(SQLError) {
        try connection.run(MoveStatements.takeOver, [.text(owner), .text(sealedTarget)])
        try connection.run(MoveStatements.forgetAnswers)
    }

    /// Opens a database that is closed.
    /// - Returns: whether it was.
    static func reopen(on connection: any SQLConnection) throws(SQLError) -> Bool {
        try connection.run(MoveStatements.reopen) == 1
    }

    /// Goes from one state to the next, for a run that has the move in hand.
    /// - Returns: whether it was in that state.
    static func go(
        from state: State, to next: State, by owner: String, on connection: any SQLConnection
    ) throws(SQLError) -> Bool {
        try connection.run(MoveStatements.go, [.text(state.rawValue), .text(next.rawValue), .text(owner)]) == 1
    }

    /// Whether rows must stay that are to be removed: the one that follows would keep them.
    static func holdsRemoval(on connection: any SQLConnection) throws(SQLError) -> Bool {
        try connection.first(MoveStatements.isThere) { (row) throws(SQLError) in row.integer(at: 0) > 0 } ?? false
    }
}

extension MoveAnswer {
    func write(on connection: any SQLConnection) throws(SQLError) {
        // On a file there is one server: what another one said is over.
        if !connection.dialect.locksRows { try connection.run(MoveStatements.forgetAnswers) }
        try connection.run(MoveStatements.answer, [.id(instance), .optional(problem), .integer(hasMoved ? 1 : 0)])
    }

    static func all(on connection: any SQLConnection) throws(SQLError) -> [MoveAnswer] {
        try connection.all(MoveStatements.answers) { (row) throws(SQLError) in
            MoveAnswer(
                instance: try row.id(at: 0), problem: row.optionalText(at: 1), hasMoved: row.integer(at: 2) == 1)
        }
    }
}

private enum MoveStatements {
    static let read = SQLStatement(
        "SELECT state, target, sealed_target, owner, began_at FROM moves WHERE id = 1")
    static let write = SQLStatement(
        "INSERT INTO moves (id, state, target, sealed_target, owner, began_at) VALUES (1, $1, $2, $3, $4, $5)")
    static let go = SQLStatement("UPDATE moves SET state = $2 WHERE id = 1 AND state = $1 AND owner = $3")
    static let takeOver = SQLStatement(
        "UPDATE moves SET state = 'following', owner = $1, sealed_target = $2 WHERE id = 1 AND state <> 'moved'")
    static let reopen = SQLStatement("UPDATE moves SET state = 'following' WHERE id = 1 AND state = 'closed'")
    static let forgetAnswers = SQLStatement("DELETE FROM move_servers")
    static let isThere = SQLStatement("SELECT count(*) FROM moves")
    static let answer = SQLStatement(
        """
        INSERT INTO move_servers (instance_id, problem, has_moved) VALUES ($1, $2, $3)
        ON CONFLICT (instance_id) DO UPDATE SET problem = excluded.problem, has_moved = excluded.has_moved
        """)
    static let answers = SQLStatement("SELECT instance_id, problem, has_moved FROM move_servers ORDER BY instance_id")
}
