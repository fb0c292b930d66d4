import PostgresDriver
import ProxyConformance
import ProxyFixtures
import SQLDatabase

/// A PostgreSQL database for servers that run as processes.
final class ProcessDatabase: CommandDatabase {
    private let site: PostgresSite
    private let own: EphemeralPostgres?
    private let relay: CuttingRelay?
    /// The connection of a transaction that is held open.
    private let holder = Shared<ConnectionPool?>(nil)

    private init(site: PostgresSite, own: EphemeralPostgres?, hasWire: Bool) throws {
        self.site = site
        self.own = own
        relay = hasWire ? try CuttingRelay(to: site.url) : nil
    }

    static func make(hasOwnServer: Bool, hasWire: Bool) async throws -> ProcessDatabase {
        guard hasOwnServer else {
            return try ProcessDatabase(site: try await .makeEmpty(), own: nil, hasWire: hasWire)
        }
        let (server, name) = try await BlockingThreads.shared.run {
            let server = try EphemeralPostgres.start(.init(isDurable: true))
            return (server, try server.createDatabase())
        }
        return try ProcessDatabase(site: PostgresSite(server: server, database: name), own: server, hasWire: hasWire)
    }

    var url: String { relay?.url ?? site.url }

    func freeze() async throws {
        guard let relay else { throw TestFailure("this database has no wire") }
        relay.freeze()
    }

    func thaw() async throws { relay?.thaw() }

    @discardableResult
    func run(_ sql: String) async throws -> [[String?]] {
        let site = site
        return try await BlockingThreads.shared.run { try site.server.run(sql, in: site.database) }
    }

    /// The connection must outlive the call, so the driver's own pool lends it: its turns leave transactions alone.
    func hold(_ sql: String) async throws {
        let pool = try await PostgresDatabase.open(
            try PostgresAddress(url), limits: .init(readers: 0), options: .init(statementTimeout: .seconds(300)))
        holder.change { $0 = pool }
        let begun = Shared(false)
        let task = Task {
            try await pool.write { connection in
                try connection.runScript("BEGIN; \(sql)")
                begun.change { $0 = true }
                try connection.runScript("SELECT pg_sleep(120)")
            }
        }
        guard try await eventually({ begun.value || task.isCancelled }) else { throw TestFailure("nothing is held") }
    }

    func release() async throws {
        guard
            let pool = holder.change({ pool in
                defer { pool = nil }
                return pool
            })
        else { return }
        try await run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(120)' "
                + "AND pid <> pg_backend_pid() AND datname = current_database()")
        await pool.close()
    }

    func crash() async throws {
        guard let own else { throw TestFailure("the server is not this database's own") }
        try await BlockingThreads.shared.run { own.halt(.immediate) }
    }

    func shutDown() async throws {
        guard let own else { throw TestFailure("the server is not this database's own") }
        try await BlockingThreads.shared.run { own.halt(.fast) }
    }

    func resume() async throws {
        guard let own else { throw TestFailure("the server is not this database's own") }
        try await BlockingThreads.shared.run { try own.resume() }
    }

    func remove() async {
        relay?.stop()
        try? await release()
        guard let own else { return await site.remove() }
        try? await BlockingThreads.shared.run { own.remove() }
    }
}
