import CPostgres
import SQLDatabase

/// Turns SQLSTATEs (PostgreSQL manual, appendix A) into errors that are the same for every engine.
enum PostgresFailure {
    /// What `result` says went wrong.
    static func error(_ result: OpaquePointer) -> SQLError {
        let state = field(result, "C") ?? ""
        let message = field(result, "M") ?? String(cString: PQresultErrorMessage(result))
        let detail = field(result, "D").map { " (\($0))" } ?? ""
        return SQLError(kind(state, result), code: state, detail: message + detail)
    }

    /// What the connection itself says, when there is no result to ask.
    static func connectionLost(_ handle: OpaquePointer?) -> SQLError {
        SQLError(.connectionLost, detail: oneLine(String(cString: PQerrorMessage(handle))))
    }

    /// libpq's messages have a line for each attempt.
    static func oneLine(_ text: String) -> String {
        text.split(whereSeparator: \.isNewline).map { $0.drop { $0 == "\t" || $0 == " " } }.joined(separator: "; ")
    }

    private static func field(_ result: OpaquePointer, _ code: Character) -> String? {
        guard let ascii = code.asciiValue, let text = PQresultErrorField(result, Int32(ascii)) else { return nil }
        return String(cString: text)
    }

    private static func kind(_ state: String, _ result: OpaquePointer) -> SQLError.Kind {
        switch state {
        case "23505": .constraint(.unique(columns: columns(result)))
        case "23503": .constraint(.foreignKey)
        case "23502": .constraint(.notNull(column: field(result, "c") ?? ""))
        case "23514": .constraint(.check(name: field(result, "n") ?? ""))
        default: kind(state)
        }
    }

    static func kind(_ state: String) -> SQLError.Kind {
        switch state {
        case "40001", "40P01": .conflict
        // A lock or the statement took too long.
        case "55P03", "57014": .busy
        case ChangeCapture.movedState: .moved
        case "53100": .full
        case "53200", "58030", "58P01", "58P02": .io
        case "25006", "42501": .readOnly
        case "XX001", "XX002": .corrupt
        // Shut down by the administrator, crash of another session, starting up, idle for too long, too many clients.
        case "57P01", "57P02", "57P03", "57P05", "25P03", "53300": .connectionLost
        case _ where state.hasPrefix("08"): .connectionLost
        case _ where state.hasPrefix("23"): .constraint(.other)
        default: .other
        }
    }

    /// From `Key (project_id, name)=(…) already exists.`, whose shape is the same in every language; from the
    /// constraint's name where the server does not tell.
    private static func columns(_ result: OpaquePointer) -> [String] {
        if let detail = field(result, "D"), let open = detail.firstIndex(of: "(") {
            let inside = detail[detail.index(after: open)...]
            if let end = inside.firstIndex(of: ")") {
                return inside[..<end].split(separator: ",").map { String($0.drop { $0 == " " }) }
            }
        }
        let name = field(result, "n") ?? ""
        let table = field(result, "t").map { $0 + "_" } ?? ""
        return [String(name.dropFirst(name.hasPrefix(table) ? table.count : 0).prefix { $0 != "_" })]
    }
}
