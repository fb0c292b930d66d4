import Foundation
import PostgresDriver
import ProxyDomain
import ProxyStorage
import SQLDatabase
import Testing

@testable import SQLStorage

@Suite("Days of requests on PostgreSQL")
struct DayPartTests {
    private let database: TemporaryDatabase

    init() throws { database = try TemporaryDatabase() }

    /// Of the system's clock, as the migration's.
    private let now = Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))

    @Test("rows of an older schema stay, with all that is open, and the next days have parts of their own")
    func migration() async throws {
        let pool = try await database.pool()
        let older = MigrationRunner(Array(Schema.migrations.prefix(4)))
        _ = try await pool.write { try older.run(on: $0, appliedAt: noon.text) }
        let (ancient, recent) = (RequestID.fresh(at: Timestamp(milliseconds: 1)), RequestID.fresh(at: now))
        try await pool.write { connection in
            for id in [ancient, recent] {
                try connection.runScript(
                    """
                    INSERT INTO requests (id, token_id, project_id, admitted_at, method, path)
                    VALUES ('\(id)', '\(id)', '\(id)', '\(noon)', 'POST', '/')
                    """)
            }
        }
        let storage = try await SQLStorage.open(pool, now: now)
        for id in [ancient, recent] { #expect(try await storage.request(id).admission.requestID == id) }
        for id in [ancient, recent] { #expect(try await part(of: id, pool) == "requests_before") }
        let count = "SELECT count(*)::text FROM pg_inherits WHERE inhparent = 'requests'::regclass"
        #expect(try await pool.value(count) == "10", "before, eight days, other")
        await storage.close()
    }

    @Test("a day's requests are in its part, those of a day without one with the others")
    func routing() async throws {
        let world = try await World.on(try await database.pool())
        let batches = Batches()
        let token = try await world.token()
        try await world.storage.prepareDays(from: noon + .seconds(9000 * 86_400))
        for (days, name) in [
            (9000, "requests_"), (9007, "requests_"), (9008, "requests_other"), (-9000, "requests_before"),
        ] {
            let instant = noon + .seconds(Int64(days) * 86_400)
            let id = RequestID.fresh(at: instant)
            let admission = Admission(
                requestID: id, tokenID: token.id, projectID: world.project.id, admittedAt: instant, method: "GET",
                path: "/")
            _ = try await world.storage.commit(batches.next([admission], now: instant))
            let found = try await part(of: id, world.pool)
            let day = RequestDay(of: instant).text.filter { $0 != "-" }
            #expect(found == (name == "requests_" ? name + day : name), "day \(days)")
        }
        #expect(try await world.broken() == [])
        await world.storage.close()
    }

    @Test("a part that is gone is noticed, and its day goes on elsewhere")
    func lostPart() async throws {
        let world = try await World.on(try await database.pool())
        let batches = Batches()
        let token = try await world.token()
        let admission = {
            Admission(
                requestID: .fresh(at: now), tokenID: token.id, projectID: world.project.id, admittedAt: now,
                method: "GET", path: "/")
        }
        try await world.storage.prepareDays(from: now)
        _ = try await world.storage.commit(batches.next([admission()], now: now))
        try await world.sql(
            "DROP TABLE \(DayParts.name(of: "requests", on: RequestDay(of: now).text)); UPDATE tokens SET request_count = 0"
        )
        let batch = batches.next([admission()], now: now)
        await #expect(throws: StorageError.self) { try await world.storage.commit(batch) }
        #expect(try await world.storage.commit(batch) == [.admitted(remaining: nil)])
        #expect(try await world.broken() == [])
        await world.storage.close()
    }

    private func part(of id: RequestID, _ pool: ConnectionPool) async throws -> String? {
        try await pool.value("SELECT tableoid::regclass::text FROM requests WHERE id = '\(id)'")
    }
}
