import CSQLite
import SQLDatabase

/// Turns SQLite's result codes (sqlite.org/rescode.html) into errors that are the same for every engine.
enum SQLiteFailure {
    static func error(_ code: Int32, on database: OpaquePointer?) -> SQLError {
        let message = database.map { String(cString: sqlite3_errmsg($0)) } ?? String(cString: sqlite3_errstr(code))
        let extended = database.map { sqlite3_extended_errcode($0) } ?? code
        return error(extended & 0xFF == code & 0xFF ? extended : code, message)
    }

    static func error(_ code: Int32, _ message: String) -> SQLError {
        SQLError(kind(code, message), code: String(code), detail: message)
    }

    static func kind(_ code: Int32, _ message: String) -> SQLError.Kind {
        switch code & 0xFF {
        case SQLITE_BUSY, SQLITE_LOCKED: .busy
        case SQLITE_FULL: .full
        case SQLITE_IOERR, SQLITE_CANTOPEN, SQLITE_NOMEM, SQLITE_PROTOCOL: .io
        case SQLITE_CORRUPT: .corrupt
        case SQLITE_NOTADB: .notADatabase
        case SQLITE_READONLY, SQLITE_PERM, SQLITE_AUTH: .readOnly
        case SQLITE_INTERRUPT: .interrupted
        // A trigger's RAISE.
        case SQLITE_CONSTRAINT where code >> 8 == 7 && message == ChangeCapture.refusal: .moved
        case SQLITE_CONSTRAINT: .constraint(constraint(code, message))
        default: .other
        }
    }

    /// SQLite tells the columns in its message only: `UNIQUE constraint failed: tokens.digest`.
    private static func constraint(_ code: Int32, _ message: String) -> SQLError.Constraint {
        // The extended codes are macros that Swift does not import: SQLITE_CONSTRAINT | (n << 8).
        switch code >> 8 {
        case 6, 8, 10: .unique(columns: columns(message))
        case 3: .foreignKey
        case 5: .notNull(column: columns(message).first ?? "")
        case 1: .check(name: subject(message))
        default: .other
        }
    }

    private static func columns(_ message: String) -> [String] {
        subject(message).split(separator: ",").map { part in
            let name = part.drop { $0 == " " }
            return String(name.lastIndex(of: ".").map { name[name.index(after: $0)...] } ?? name)
        }
    }

    private static func subject(_ message: String) -> String {
        guard let colon = message.firstIndex(of: ":") else { return "" }
        return String(message[message.index(after: colon)...].drop { $0 == " " })
    }
}
