import ProxyBlackBox
import Foundation
import ProxyConformance
import ProxyDomain
import ProxyStorage
import SQLDatabase
import SQLStorage
import SQLiteDriver
import Testing

/// The engines we ship. Every scenario runs on each of them.
enum Engine: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case sqliteMemory = "sqlite-memory"
    case sqliteFile = "sqlite-file"
    case postgres

    var testDescription: String { rawValue }
}

extension Engine: StorageBackend {
    var name: String { rawValue }

    var capabilities: StorageCapabilities {
        switch self {
        case .sqliteMemory: []
        case .sqliteFile: [.durable, .tampering]
        case .postgres: [.durable, .manyInstances, .tampering, .wire]
        }
    }

    func withSite(_ body: @Sendable (any StorageSite) async throws -> Void) async throws {
        switch self {
        case .sqliteMemory:
            let site = MemorySite()
            defer { Task { await site.close() } }
            try await body(site)
        case .sqliteFile:
            let folder = TestFolder()
            try await body(FileSite(path: folder.path + "/proxy.db"))
            folder.remove()
        case .postgres:
            let site = try await PostgresSite.make()
            do { try await body(site) } catch {
                await site.remove()
                throw error
            }
            await site.remove()
        }
    }
}

/// A database in memory: a new one each time it is opened.
private final class MemorySite: StorageSite {
    private let opened = Shared<[any Storage]>([])

    func open() async throws -> any Storage {
        let storage = try await SQLStorage.open(
            try await SQLiteDatabase.open(.memory, limits: .patient), now: Timestamp.testNow)
        opened.change { $0.append(storage) }
        return storage
    }

    func harm(_ harm: StorageHarm) async throws { throw TestFailure("memory can't be harmed from outside") }

    func close() async {
        for storage in opened.value { await storage.close() }
    }
}

/// A database in a file.
struct FileSite: StorageSite {
    let path: String

    func open() async throws -> any Storage {
        try await SQLStorage.opened(on: try await SQLiteDatabase.open(.file(path), limits: .patient))
    }

    func harm(_ harm: StorageHarm) async throws {
        let pool = try await SQLiteDatabase.open(.file(path), mayCreate: false)
        try await pool.write { connection in try connection.runScript(harm.statement) }
        await pool.close()
    }
}

extension ConnectionPool.Limits {
    /// Of tests that are not about waiting: a turn comes late on a machine that stalls.
    static let patient = Self(readers: 2, wait: .seconds(60))
}

extension SQLStorage {
    /// A migrated storage on a pool, which is closed when it can't be had.
    static func opened(on pool: ConnectionPool) async throws -> SQLStorage {
        do {
            return try await SQLStorage.open(pool, now: Timestamp.testNow)
        } catch {
            await pool.close()
            throw error
        }
    }
}

extension StorageHarm {
    /// The harm in SQL. Identifiers hold nothing that SQL would have to escape.
    var statement: String {
        switch self {
        case .countsOneTooMany(let id): "UPDATE tokens SET request_count = request_count + 1 WHERE id = '\(id.text)'"
        case .changesEvent(let id): "UPDATE audit_events SET actor = 'nobody' WHERE id = '\(id.text)'"
        case .losesEvent(let id): "DELETE FROM audit_events WHERE id = '\(id.text)'"
        case .isSwept(let dead, let sweeper):
            "UPDATE ledger_writers SET swept_by = '\(sweeper.text)' WHERE instance_id = '\(dead.text)'"
        case .losesRequest(let id): "DELETE FROM requests WHERE id = '\(id.text)'"
        case .countsOnePromptTokenTooMany(let id):
            "UPDATE tokens SET prompt_tokens = prompt_tokens + 1 WHERE id = '\(id.text)'"
        case .claimsNewerSchema:
            "INSERT INTO schema_migrations SELECT 9999, 'from the future', checksum, applied_at FROM schema_migrations LIMIT 1"
        case .migratesFurther:
            """
            ALTER TABLE projects ADD COLUMN later TEXT; ALTER TABLE tokens ADD COLUMN later INTEGER NOT NULL DEFAULT 0;
            ALTER TABLE requests ADD COLUMN later TEXT; ALTER TABLE ledger_writers ADD COLUMN later TEXT;
            CREATE TABLE later (id TEXT); CREATE INDEX requests_later ON requests (token_id, id);
            INSERT INTO schema_migrations SELECT 9999, 'from the future', checksum, applied_at FROM schema_migrations
                LIMIT 1
            """
        case .rewritesFirstMigration: "UPDATE schema_migrations SET checksum = 'another' WHERE version = 1"
        }
    }
}

extension Timestamp {
    /// What migrations are dated with.
    static let testNow = Timestamp(milliseconds: 1_795_435_200_000)
}
