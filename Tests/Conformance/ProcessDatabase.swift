import ProxyBlackBox
import PostgresDriver
import ProxyConformance
import FaultFixtures
import ProxyFixtures
import SQLDatabase

/// A PostgreSQL database for servers that run as processes.
final class ProcessDatabase: CommandDatabase {
    private let site: PostgresSite
    private let own: EphemeralPostgres?
    private let relay: CuttingRelay?
    private let standby: EphemeralPostgres?
    private let isFailedOver = Shared(false)
    /// The connection of a transaction that is held open.
    private let holder = Shared<ConnectionPool?>(nil)

    private init(
        site: PostgresSite, own: EphemeralPostgres?, standby: EphemeralPostgres? = nil, hasWire: Bool
    ) throws {
        self.site = site
        self.own = own
        self.standby = standby
        relay = hasWire ? try CuttingRelay(to: site.url) : nil
    }

    static func make(hasOwnServer: Bool, hasWire: Bool, hasStandby: Bool) async throws -> ProcessDatabase {
        guard hasOwnServer else {
            return try ProcessDatabase(site: try await .makeEmpty(), own: nil, hasWire: hasWire)
        }
        let (server, name, standby) = try await BlockingThreads.shared.run {
            let server = try EphemeralPostgres.start(.init(isDurable: true))
            let name = try server.createDatabase()
            return (server, name, hasStandby ? try server.startStandby() : nil)
        }
        return try ProcessDatabase(
            site: PostgresSite(server: server, database: name), own: server, standby: standby, hasWire: hasWire)
    }

    var url: String {
        guard let own, let standby else { return relay?.url ?? site.url }
        let host = "127.0.0.1:\(own.port)"
        return site.url.replacing(host, with: "\(host),127.0.0.1:\(standby.port)")
            + "&target_session_attrs=read-write"
    }

    func freeze() async throws {
        guard let relay else { throw TestFailure("this database has no wire") }
        relay.freeze()
    }

    func thaw() async throws { relay?.thaw() }

    @discardableResult
    func run(_ sql: String) async throws -> [[String?]] {
        let (database, server) = (site.database, isFailedOver.value ? standby ?? site.server : site.server)
        return try await BlockingThreads.shared.run { try server.run(sql, in: database) }
    }

    /// The connection must outlive the call, so the driver's own pool lends it: its turns leave transactions alone.
    func hold(_ sql: String) async throws {
        let pool = try await PostgresDatabase.open(
            try PostgresAddress(url), limits: .init(readers: 0),
            options: .init(connectTimeout: .seconds(60), statementTimeout: .seconds(300)))
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

    func failOver() async throws {
        guard let own, let standby else { throw TestFailure("this database has no standby") }
        try await BlockingThreads.shared.run {
            own.halt(.immediate)
            try standby.promote()
        }
        isFailedOver.change { $0 = true }
    }

    func remove() async {
        relay?.stop()
        try? await release()
        guard let own else { return await site.remove() }
        let standby = standby
        try? await BlockingThreads.shared.run {
            standby?.remove()
            own.remove()
        }
    }
}
