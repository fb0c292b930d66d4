import SQLDatabase
import SQLStorage
import SQLiteDriver
import Testing

/// What released programs say to the database, kept as they said it: a program of one version before goes on working while
/// a newer one has migrated the database (a rolling update), so each must be understood by the newest schema.
@Suite("Programs of one version before")
struct ReleasedProgramTests {
    private static let instant = "2026-11-24T12:00:00.000Z"

    /// The writing statements of the program whose newest schema was 1, with values; run in this order.
    private static let schema1: [(String, [SQLValue], changed: Int)] = [
        (
            """
            INSERT INTO projects (id, name, sealed_key, key_hint, provider, base_url, deactivated_at, created_at, updated_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
            """,
            [
                .text("p"), .text("n"), .text("s"), .text("h"), .text("openai"), .null, .null, .text(instant),
                .text(instant),
            ],
            1
        ),
        (
            """
            INSERT INTO tokens (id, project_id, name, digest, hint, expires_at, revoked_at, max_requests, request_count,
                prompt_tokens, completion_tokens, cost_nano, cache_hit_count, last_used_at, created_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
            """,
            [
                .text("t"), .text("p"), .text("n"), .text("d"), .text("h"), .null, .null, .integer(0), .integer(0),
                .integer(0), .integer(0), .integer(0), .integer(0), .null, .text(instant),
            ], 1
        ),
        (
            """
            INSERT INTO ledger_writers (instance_id, last_sequence, updated_at, oldest_open) VALUES ($1, $2, $3, $4)
            ON CONFLICT (instance_id) DO UPDATE
                SET last_sequence = excluded.last_sequence, updated_at = excluded.updated_at,
                    oldest_open = excluded.oldest_open
                WHERE ledger_writers.last_sequence < excluded.last_sequence
            """, [.text("i"), .integer(1), .text(instant), .null], 1
        ),
        (
            """
            INSERT INTO requests (id, token_id, project_id, admitted_at, method, path, model, outcome, status,
                prompt_tokens, completion_tokens, cost_nano, settled_at, duration_us, first_byte_us)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
            ON CONFLICT (id) DO NOTHING
            """,
            [
                .text("019aa000-0000-7000-8000-000000000001"), .text("t"), .text("p"), .text(instant), .text("POST"),
                .text("/v1"), .null, .null, .null,
                .null, .null, .null, .null, .null, .null,
            ], 1
        ),
        (
            """
            UPDATE requests SET model = $2, outcome = $3, status = $4, prompt_tokens = $5, completion_tokens = $6,
                cost_nano = $7, settled_at = $8, duration_us = $9, first_byte_us = $10
            WHERE id = $1 AND settled_at IS NULL
            """,
            [
                .text("019aa000-0000-7000-8000-000000000001"), .text("m"), .text("completed"), .integer(200),
                .integer(1), .integer(2), .integer(0),
                .text(instant), .integer(5), .integer(4),
            ], 1
        ),
        (
            """
            UPDATE tokens SET request_count = request_count + $2, prompt_tokens = prompt_tokens + $3,
                completion_tokens = completion_tokens + $4, cost_nano = cost_nano + $5
            WHERE id = $1
            """, [.text("t"), .integer(1), .integer(1), .integer(2), .integer(0)], 1
        ),
    ]

    @Test("are understood by the newest schema, and keep its books", arguments: [false, true])
    func understood(onPostgres: Bool) async throws {
        let database = onPostgres ? try TemporaryDatabase() : nil
        let pool: ConnectionPool
        if let database { pool = try await database.pool() } else { pool = try await SQLiteDatabase.open(.memory) }
        let world = try await World.on(pool)
        for (text, values, changed) in Self.schema1 {
            let statement = SQLStatement(text)
            #expect(try await pool.write { try $0.run(statement, values) } == changed, "\(text)")
        }
        #expect(try await world.broken().isEmpty)
        await world.storage.close()
    }
}
