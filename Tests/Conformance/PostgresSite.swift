import ProxyBlackBox
import Foundation
import PostgresDriver
import ProxyConformance
import ProxyDomain
import FaultFixtures
import ProxyFixtures
import ProxyStorage
import SQLDatabase
import SQLStorage

/// The PostgreSQL that tests run on: one of this process's own, or the one that `TEST_POSTGRES_URL` names.
enum TestPostgres {
    static func server() async throws -> any PostgresServer {
        try await BlockingThreads.shared.run { try shared.get() }
    }

    /// A database with this program's schema, to be copied.
    static func template() async throws -> String { try await made.value }

    private static let shared: Result<any PostgresServer, any Error> = Result {
        if let url = ProcessInfo.processInfo.environment["TEST_POSTGRES_URL"] { return try ExistingPostgres(url: url) }
        return try EphemeralPostgres.start()
    }

    private static let made = Task {
        let server = try await Self.server()
        let name = try await BlockingThreads.shared.run { try server.createDatabase(named: nil) }
        let storage = try await PostgresSite(server: server, database: name).open()
        await storage.close()
        return name
    }

    /// Runs SQL as the server's superuser.
    @discardableResult
    static func run(_ sql: String, in database: String? = nil) async throws -> [[String?]] {
        let server = try await Self.server()
        return try await BlockingThreads.shared.run { try server.run(sql, in: database) }
    }
}

/// A database of its own on the tests' server. Given back it is emptied and lent again: that is cheaper than a new one.
struct PostgresSite: StorageSite {
    let server: any PostgresServer
    let database: String
    private let isHarmed = Shared(false)

    private static let free = Shared<[String]>([])

    var url: String { server.url(database: database) }

    init(server: any PostgresServer, database: String) {
        self.server = server
        self.database = database
    }

    /// A database with this program's schema and nothing in it.
    static func make() async throws -> PostgresSite {
        let server = try await TestPostgres.server()
        if let name = free.change({ $0.popLast() }) { return PostgresSite(server: server, database: name) }
        let template = try await TestPostgres.template()
        let name = try await BlockingThreads.shared.run { try server.createDatabase(template: template) }
        return PostgresSite(server: server, database: name)
    }

    /// A database that no program has migrated.
    static func makeEmpty() async throws -> PostgresSite {
        let server = try await TestPostgres.server()
        let name = try await BlockingThreads.shared.run { try server.createDatabase() }
        let site = PostgresSite(server: server, database: name)
        site.isHarmed.change { $0 = true }
        return site
    }

    func open() async throws -> any Storage {
        try await open(
            at: url, wait: .seconds(60), options: .init(connectTimeout: .seconds(60), lockTimeout: .seconds(25)))
    }

    private func open(
        at url: String, wait: Duration = .seconds(2),
        options: PostgresDatabase.Options = .init(connectTimeout: .seconds(60))
    ) async throws -> any Storage {
        try await SQLStorage.opened(
            on: try await PostgresDatabase.open(
                try PostgresAddress(url), limits: .init(readers: 3, wait: wait), options: options))
    }

    func openOverWire() async throws -> (storage: any Storage, wire: any CuttableWire) {
        let relay = try CuttingRelay(to: url)
        return (try await open(at: relay.url), RelayedWire(relay: relay))
    }

    func harm(_ harm: StorageHarm) async throws {
        isHarmed.change { $0 = true }
        try await TestPostgres.run(harm.statement, in: database)
    }

    /// Cuts whatever is still connected, and empties the database for the next; one that was harmed is dropped.
    func remove() async {
        if !isHarmed.value, (try? await TestPostgres.run(Self.emptying, in: database)) != nil {
            return Self.free.change { $0.append(database) }
        }
        try? await BlockingThreads.shared.run { server.dropDatabase(database) }
    }

    /// In the order of their references. To truncate a table is to make its files and those of its indexes anew, which costs more than all
    /// that a scenario does; so that is done only to one that has grown.
    private static let emptying = """
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid();
        DO $$
        DECLARE
            names constant text[] := '{tokens, projects, upstreams, requests, usage_daily, ledger_writers, cached_responses, cache_uses,
                cache_purges, copies, audit_events, audit_chain, remembered_answers, management_tokens, admin_sessions, usage_sums,
                usage_stale, usage_horizon}';
            place regclass;
        BEGIN
            -- One that was about to commit does so.
            WHILE EXISTS (
                SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
                    AND backend_type = 'client backend')
            LOOP
                PERFORM pg_sleep(0.001), pg_stat_clear_snapshot();
            END LOOP;
            FOR place IN
                SELECT pg_class.oid FROM pg_class LEFT JOIN pg_inherits ON inhrelid = pg_class.oid
                WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
                    AND (relname = ANY (names) OR inhparent = 'requests'::regclass)
                ORDER BY array_position(names, relname::text)
            LOOP
                IF pg_relation_size(place) > 1048576 THEN
                    EXECUTE format('TRUNCATE %s CASCADE', place);
                ELSIF pg_relation_size(place) > 0 THEN
                    EXECUTE format('DELETE FROM %s', place);
                END IF;
            END LOOP;
        END $$;
        UPDATE grant_changes SET count = 0
        """
}

private struct RelayedWire: CuttableWire {
    let relay: CuttingRelay

    func cut(afterPassing count: Int, from speaker: WireSpeaker) {
        relay.cut(afterPassing: count, from: speaker == .storage ? .client : .server)
    }

    func heal() -> Bool { relay.heal() }
    func stop() { relay.stop() }
}
