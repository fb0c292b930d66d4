import Foundation
import PostgresDriver
import ProxyFixtures
import ProxyStorage
import SQLDatabase
import SQLStorage
import Testing

/// The troubleshooting guide shows what is really said (G21): each symptom that can be had here is had.
@Suite("The troubleshooting guide", .timeLimit(.minutes(2)))
struct TroubleshootingTests {
    /// How to get each message of the table, on a server without TLS and with a password for TCP.
    private static let provocations: [String: @Sendable (EphemeralPostgres) throws -> String] = [
        "nothing listens there": { _ in "postgres://llmproxy@127.0.0.1:1/llmproxy" },
        "no such host": { _ in "postgres://llmproxy@db.invalid/llmproxy" },
        "no socket": { _ in "postgres://llmproxy@/llmproxy?host=/nowhere" },
        "no such user": { "postgres://llmproxy@/postgres?host=\($0.socketFolder)&port=\($0.port)" },
        "no such database": { "postgres://postgres@/llmproxy?host=\($0.socketFolder)&port=\($0.port)" },
        "wrong password": { "postgres://known:wrong@127.0.0.1:\($0.port)/postgres?sslmode=disable" },
        "no password": { "postgres://known@127.0.0.1:\($0.port)/postgres?sslmode=disable&passfile=/nowhere" },
        "no TLS there": { "postgres://known:right@127.0.0.1:\($0.port)/postgres?sslmode=require" },
        "full for this user": { "postgres://crowded@/postgres?host=\($0.socketFolder)&port=\($0.port)" },
        "full for this database": { "postgres://known@/crowded?host=\($0.socketFolder)&port=\($0.port)" },
        "a standby": {
            "postgres://postgres@/postgres?host=\($0.socketFolder)&port=\($0.port)"
                + "&options=-c%20default_transaction_read_only%3Don"
        },
        "only standbys": {
            "postgres://postgres@/postgres?host=\($0.socketFolder)&port=\($0.port)&target_session_attrs=read-write"
                + "&options=-c%20default_transaction_read_only%3Don"
        },
        "no right to make tables": { "postgres://known@/postgres?host=\($0.socketFolder)&port=\($0.port)" },
        "not UTF8": { "postgres://postgres@/latin?host=\($0.socketFolder)&port=\($0.port)" },
        "misspelt parameter": { "postgres://postgres@/postgres?host=\($0.socketFolder)&nonsense=1" },
    ]

    /// Symptoms that other tests and scenarios provoke, or that need another machine or a server of another version.
    private static let elsewhere: Set<String> = [
        "it doesn't answer", "not a root we trust", "another host's certificate",  // PostgresConnectTests
        "newer schema", "another build's schema",  // migrate.newer.is-refused, schema.rewritten.is-refused
        "it just starts", "not let in", "no root file", "not a root file", "full", "too old", "no libpq",
    ]

    @Test("shows the message that each symptom has")
    func messages() async throws {
        let server = try EphemeralPostgres.start(.init(requiresPassword: true))
        defer { server.remove() }
        for statement in [
            "CREATE ROLE known LOGIN PASSWORD 'right'", "CREATE ROLE crowded LOGIN CONNECTION LIMIT 0",
            "CREATE DATABASE crowded CONNECTION LIMIT 0",
            "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0",
        ] { try server.run(statement, in: nil) }
        let rows = try Self.symptoms()
        #expect(Set(rows.map(\.symptom)) == Self.elsewhere.union(Self.provocations.keys))
        for (symptom, message) in rows {
            guard let provoke = Self.provocations[symptom] else { continue }
            let said = try await Self.words(at: try provoke(server))
            #expect(Self.follows(said, message), "\(symptom): the guide shows '\(message)', said was '\(said)'")
        }
    }

    /// What opening the database says.
    private static func words(at url: String) async throws -> String {
        do {
            let pool = try await PostgresDatabase.open(
                try PostgresAddress(url), limits: .init(readers: 0),
                options: .init(connectTimeout: .seconds(60)))
            do {
                await (try await SQLStorage.open(pool, now: noon)).close()
            } catch MigrationError.database(let error) {
                await pool.close()
                throw error
            }
            return "nothing"
        } catch let error as SQLError {
            return error.detail.isEmpty ? "\(error)" : error.detail
        }
    }

    /// Whether the parts of `message` that are the same everywhere are in `said`, in order; names in quotes differ.
    private static func follows(_ said: String, _ message: String) -> Bool {
        var rest = said[...]
        for part in message.split(whereSeparator: { "\"'".contains($0) }).enumerated() where part.offset % 2 == 0 {
            guard let found = rest.range(of: part.element) else { return false }
            rest = rest[found.upperBound...]
        }
        return true
    }

    /// The rows of the table of what PostgreSQL says at a start.
    private static func symptoms() throws -> [(symptom: String, message: String)] {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../docs/postgresql.md")
        let text = try String(contentsOf: file, encoding: .utf8)
        let from = try #require(text.range(of: "What stands in the middle"))
        let to = try #require(text.range(of: "And after the database was opened"))
        return text[from.upperBound..<to.lowerBound].split(separator: "\n").compactMap { line in
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            guard cells.count == 3, cells[1].hasPrefix("`") else { return nil }
            return (cells[0], cells[1].trimmingCharacters(in: ["`"]))
        }
    }
}
