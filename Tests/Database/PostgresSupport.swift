import Foundation
import PostgresDriver
import ProxyFixtures
import SQLDatabase
import Testing

/// The PostgreSQL these tests stand on.
enum DatabaseServer {
    static let shared = Result<any PostgresServer, any Error> {
        if let url = ProcessInfo.processInfo.environment["TEST_POSTGRES_URL"] { return try ExistingPostgres(url: url) }
        return try EphemeralPostgres.start()
    }
}

/// A database of its own, dropped with the last reference to it.
final class TemporaryDatabase: Sendable {
    let server: any PostgresServer
    let name: String

    init() throws {
        server = try DatabaseServer.shared.get()
        name = try server.createDatabase()
    }

    deinit { server.dropDatabase(name) }

    var url: String { server.url(database: name) }

    func pool(
        readers: Int = 2, options: PostgresDatabase.Options = .init(), wait: Duration = .seconds(5)
    ) async throws -> ConnectionPool {
        var options = options
        options.connectTimeout = .seconds(60)
        return try await PostgresDatabase.open(
            try PostgresAddress(url), limits: .init(readers: readers, wait: wait), options: options)
    }
}

extension ConnectionPool {
    /// The error that `body` throws on a reader.
    func failure(_ body: @escaping @Sendable (any SQLConnection) throws -> Void) async -> SQLError? {
        do {
            try await read(body)
            return nil
        } catch {
            return error as? SQLError
        }
    }

    /// The first column of the first row.
    func value(_ text: String) async throws -> String? {
        let statement = SQLStatement(text)
        return try await read { try $0.first(statement) { (row) throws(SQLError) in row.text(at: 0) } }
    }
}
