/// A PostgreSQL server on which tests may make databases: one of their own, or one that is already there.
public protocol PostgresServer: Sendable {
    /// How a client reaches `database`, with the user, and the password if the server's own URL holds one.
    func url(database: String) -> String

    /// Makes a database. Blocks.
    /// - Parameters:
    ///   - name: nil for one that no other call has, in this process or another.
    ///   - template: the database to copy; nobody may be connected to it.
    /// - Returns: its name.
    /// - Throws: when the server can't be reached, or refuses.
    func createDatabase(named name: String?, template: String) throws(FixtureError) -> String

    /// Ends all connections to a database, then drops it. Errors are ignored. Blocks.
    func dropDatabase(_ name: String)

    /// Runs one or more statements, as one simple query on a connection of its own. Blocks.
    /// - Parameter database: nil for the one the server is managed from.
    /// - Returns: the rows of the last statement, all values as text.
    /// - Throws: when the database can't be reached, or a statement fails.
    @discardableResult
    func run(_ sql: String, in database: String?) throws(FixtureError) -> [[String?]]
}

extension PostgresServer {
    /// Makes an empty database. Blocks.
    public func createDatabase(named name: String? = nil) throws(FixtureError) -> String {
        try createDatabase(named: name, template: "template0")
    }

    /// Makes a copy of a database, under a name that no other call has. Blocks.
    public func createDatabase(template: String) throws(FixtureError) -> String {
        try createDatabase(named: nil, template: template)
    }

    /// Runs one or more statements in the database the server is managed from. Blocks.
    @discardableResult
    public func run(_ sql: String) throws(FixtureError) -> [[String?]] { try run(sql, in: nil) }
}
