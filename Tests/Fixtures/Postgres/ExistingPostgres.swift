import CPostgres
import CPostgresLoader

/// A server that is already there, as `TEST_POSTGRES_URL` may name one. Its user must be allowed to make databases.
public struct ExistingPostgres: PostgresServer {
    /// As given; names the database the server is managed from. May hold a password.
    private let given: String
    private let parts: PostgresURL

    /// Checks the form of `url`; does not connect.
    /// - Throws: when it is not a `postgres://` URL that libpq understands. The error does not repeat it.
    public init(url: String) throws(FixtureError) {
        guard let parts = PostgresURL(url), Self.isUnderstood(url) else {
            throw FixtureError(
                "the URL of the existing server is not understood: give postgres://user:password@host:port/database")
        }
        given = url
        self.parts = parts
    }

    /// The URL as given, with another database in it.
    public func url(database: String) -> String { parts.naming(database) }

    /// Makes a database as a copy of `template`; a nil name is one that no other call has. Blocks.
    /// - Throws: when the server can't be reached, or refuses.
    public func createDatabase(named name: String?, template: String) throws(FixtureError) -> String {
        let name = name ?? DatabaseStatement.uniqueName()
        try run(DatabaseStatement.create(name, template: template))
        return name
    }

    /// Ends all connections to a database, then drops it. Errors are ignored. Blocks.
    public func dropDatabase(_ name: String) { _ = try? run(DatabaseStatement.drop(name)) }

    /// Runs statements as one simple query on a connection of its own. Blocks.
    /// - Parameter database: nil for the one the URL names.
    /// - Returns: the rows of the last statement, all values as text.
    /// - Throws: when the database can't be reached, or a statement fails.
    @discardableResult
    public func run(_ sql: String, in database: String?) throws(FixtureError) -> [[String?]] {
        let url = database.map { parts.naming($0) } ?? given
        return try Session([("dbname", url)], isURL: true).run(sql)
    }

    /// libpq repeats a URL it can't read, with its password, so it gets none when connecting.
    private static func isUnderstood(_ url: String) -> Bool {
        guard postgres_library_failure() == nil, let options = PQconninfoParse(url, nil) else { return false }
        PQconninfoFree(options)
        return true
    }
}
