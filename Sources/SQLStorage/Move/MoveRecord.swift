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
                state: state, target: row.text(at: 1), sealedTarget: row.text(at: 2), beganAt: try row.instant(at: 3))
        }
    }

    /// In the transaction that begins to note changes.
    func write(on connection: any SQLConnection) throws(SQLError) {
        try connection.run(
            MoveStatements.write, [.text(state.rawValue), .text(target), .text(sealedTarget), .instant(beganAt)])
    }

    /// Goes from one state to the next, unless somebody else has left it already.
    /// - Returns: whether it was in that state.
    static func go(from state: State, to next: State, on connection: any SQLConnection) throws(SQLError) -> Bool {
        try connection.run(MoveStatements.go, [.text(state.rawValue), .text(next.rawValue)]) == 1
    }

    /// Whether rows must stay that are to be removed: the one that follows would keep them.
    static func holdsRemoval(on connection: any SQLConnection) throws(SQLError) -> Bool {
        try connection.first(MoveStatements.isThere) { (row) throws(SQLError) in row.integer(at: 0) > 0 } ?? false
    }
}

extension MoveAnswer {
    func write(on connection: any SQLConnection) throws(SQLError) {
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
    static let read = SQLStatement("SELECT state, target, sealed_target, began_at FROM moves WHERE id = 1")
    static let write = SQLStatement(
        "INSERT INTO moves (id, state, target, sealed_target, began_at) VALUES (1, $1, $2, $3, $4)")
    static let go = SQLStatement("UPDATE moves SET state = $2 WHERE id = 1 AND state = $1")
    static let isThere = SQLStatement("SELECT count(*) FROM moves")
    static let answer = SQLStatement(
        """
        INSERT INTO move_servers (instance_id, problem, has_moved) VALUES ($1, $2, $3)
        ON CONFLICT (instance_id) DO UPDATE SET problem = excluded.problem, has_moved = excluded.has_moved
        """)
    static let answers = SQLStatement("SELECT instance_id, problem, has_moved FROM move_servers ORDER BY instance_id")
}
