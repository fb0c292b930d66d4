/// Why an engine did not do what was asked, in words that are the same for every engine.
public struct SQLError: Error, Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        /// Another connection held what was needed for longer than we wait. The same transaction may succeed when run
        /// again.
        case busy
        /// A deadlock or serialization conflict was resolved against us; as ``busy``, but at once.
        case conflict
        /// No room left on the disk, or a size limit was reached.
        case full
        /// The operating system failed to read or write.
        case io
        /// The database contradicts itself, or holds what this program never wrote.
        case corrupt
        /// The file is something else.
        case notADatabase
        case readOnly
        /// Stopped at the caller's wish.
        case interrupted
        /// The connection is gone, or could not be made.
        case connectionLost
        /// No connection became free in time, or the pool is closed.
        case noConnection
        case constraint(Constraint)
        /// A setting that must hold does not: what was asked for and what is in force.
        case setting(name: String, wanted: String, found: String)
        /// The database has moved to another place, or is about to: nothing may be changed in it.
        case moved
        /// Anything else: a bug here, or an engine we do not know.
        case other
    }

    public enum Constraint: Hashable, Sendable {
        /// Another row has the same value in these columns (without their table's name).
        case unique(columns: [String])
        case foreignKey
        case notNull(column: String)
        case check(name: String)
        case other
    }

    public let kind: Kind
    /// The engine's own code: an extended result code or a SQLSTATE; empty when the error is ours.
    public let code: String
    /// The engine's own words, for the log. May repeat stored values.
    public let detail: String

    public init(_ kind: Kind, code: String = "", detail: String = "") {
        self.kind = kind
        self.code = code
        self.detail = detail
    }
}

extension SQLError: CustomStringConvertible, CustomDebugStringConvertible {
    /// Repeats no stored value.
    public var description: String {
        if case .setting(let name, let wanted, let found) = kind {
            return "database setting \(name) is '\(found)' where '\(wanted)' is needed"
        }
        return code.isEmpty ? "database error: \(kind)" : "database error: \(kind) (\(code))"
    }

    public var debugDescription: String { detail.isEmpty ? description : "\(description): \(detail)" }
}
