import CPostgres
import CPostgresLoader
import Glibc

/// One connection to one database; ends with its value. Used by one thread at a time.
struct Session: ~Copyable {
    private let connection: OpaquePointer

    /// Connects. Blocks, for 10 s at most unless `parameters` say otherwise.
    /// - Parameters:
    ///   - parameters: libpq's words, in order; a later one wins. Words left out are taken from the environment.
    ///   - isURL: `dbname` holds a URL.
    init(_ parameters: [(word: String, value: String)], isURL: Bool = false) throws(FixtureError) {
        connection = try Self.connect([("connect_timeout", "10"), ("client_encoding", "UTF8")] + parameters, isURL)
        PQsetNoticeProcessor(connection, { _, _ in }, nil)
        // One line, without an excerpt of the statement: it may hold a password.
        PQsetErrorVerbosity(connection, PQERRORS_TERSE)
    }

    deinit { PQfinish(connection) }

    /// As libpq counts: 15.3 is 150003.
    var serverVersion: Int { Int(PQserverVersion(connection)) }

    /// Runs statements as one simple query; gives the rows of the last one. Blocks.
    func run(_ sql: String) throws(FixtureError) -> [[String?]] {
        let result = PQexec(connection, sql)
        defer { PQclear(result) }
        switch PQresultStatus(result) {
        case PGRES_TUPLES_OK: return Self.rows(of: result)
        case PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: return []
        case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
            throw FixtureError("COPY to or from the client is not known here: use INSERT or SELECT")
        default: throw FixtureError(Self.complaint(of: connection))
        }
    }

    private static func connect(
        _ parameters: [(word: String, value: String)], _ isURL: Bool
    ) throws(FixtureError) -> OpaquePointer {
        if let failure = postgres_library_failure() { throw FixtureError(String(cString: failure)) }
        let words = parameters.map { strdup($0.word) }
        let values = parameters.map { strdup($0.value) }
        defer { for pointer in words + values { free(pointer) } }
        let made = PQconnectdbParams(
            words.map { UnsafePointer($0) } + [nil], values.map { UnsafePointer($0) } + [nil], isURL ? 1 : 0)
        guard let made else { throw FixtureError("libpq has no memory for a connection") }
        if PQstatus(made) == CONNECTION_OK { return made }
        defer { PQfinish(made) }
        throw FixtureError(complaint(of: made))
    }

    private static func rows(of result: OpaquePointer?) -> [[String?]] {
        (0..<PQntuples(result)).map { row in
            (0..<PQnfields(result)).map { column in
                if PQgetisnull(result, row, column) == 1 { return nil }
                return PQgetvalue(result, row, column).map { String(cString: $0) }
            }
        }
    }

    private static func complaint(of connection: OpaquePointer) -> String {
        "PostgreSQL: " + (PQerrorMessage(connection).map { String(cString: $0) } ?? "no reason given")
    }
}
