/// An empty PostgreSQL database for servers of a bench.
public protocol CommandDatabase: Sendable {
    /// What goes into `DATABASE_URL`.
    var url: String { get }

    /// Runs SQL behind the servers' backs, as one simple query, and gives the last statement's rows.
    @discardableResult
    func run(_ sql: String) async throws -> [[String?]]

    /// Begins a transaction that runs `sql` and stays open until ``release()``.
    func hold(_ sql: String) async throws
    /// Rolls back what ``hold(_:)`` began.
    func release() async throws

    /// Lets nothing through between servers and database any more, and says so to neither. Only for one made with a wire.
    func freeze() async throws
    /// Lets through again, first what was held back.
    func thaw() async throws

    /// Stops the database's server as a crash would. Only for one made with a server of its own.
    func crash() async throws
    /// Stops it in good order and at once (`pg_ctl stop -m fast`).
    func shutDown() async throws
    /// Starts it again.
    func resume() async throws
    /// Stops it as a crash would, and puts its standby in its place. Only for one made with a standby.
    func failOver() async throws
}

extension CommandBench {
    /// Makes an empty PostgreSQL database whose ``CommandDatabase/url`` leads straight to it.
    func makeDatabase(hasOwnServer: Bool) async throws -> any CommandDatabase {
        try await makeDatabase(hasOwnServer: hasOwnServer, hasWire: false, hasStandby: false)
    }

    /// Starts a server of this bench's on a database; several may share it, and the folder.
    func serve(on database: any CommandDatabase, _ more: [String: String] = [:]) async throws -> CommandServer {
        try await serve(settings(for: database).merging(more) { $1 })
    }

    /// Starts several servers at once.
    func serve(
        _ count: Int, on database: any CommandDatabase, _ more: [String: String] = [:]
    ) async throws -> [CommandServer] {
        try await withThrowingTaskGroup { group in
            for _ in 0..<count { group.addTask { try await serve(on: database, more) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }

    func settings(for database: any CommandDatabase) -> [String: String] {
        FaultFigures.notePostgres()
        return [
            "DB_DRIVER": "postgres", "DATABASE_URL": database.url, "EVENT_LOOPS": "1", "DATABASE_POOL_SIZE": "4",
            "MANAGEMENT_TOKEN": "management-token-of-every-instance", "SHUTDOWN_GRACE": "2s",
            // What a machine may stall: scenarios that are about waiting set it themselves.
            "DATABASE_WAIT": "10s",
        ]
    }

    /// Expects every invariant to hold.
    func expectSound(_ database: any CommandDatabase, _ check: Check) async throws {
        let verified = try await verify(database)
        check.equal(verified.code, 0, "db verify: \(verified.output)")
    }

    /// Every invariant of the database, by the program's own check.
    func verify(_ database: any CommandDatabase) async throws -> (code: Int?, output: String) {
        try await finish(["db", "verify"], environment: settings(for: database))
    }
}
