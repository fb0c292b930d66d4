import Foundation
import ProxyBlackBox
import ProxyFixtures

/// An empty PostgreSQL database of a site's own, on a server of this run's own or the one that `TEST_POSTGRES_URL` names.
struct BrowserDatabase: Sendable {
    private let server: any PostgresServer
    private let name: String

    var url: String { server.url(database: name) }

    static func make() async throws -> BrowserDatabase {
        try await BlockingThreads.shared.run {
            let server = try shared.get()
            return BrowserDatabase(server: server, name: try server.createDatabase())
        }
    }

    /// Drops it.
    func remove() async { try? await BlockingThreads.shared.run { server.dropDatabase(name) } }

    private static let shared: Result<any PostgresServer, any Error> = Result {
        if let url = ProcessInfo.processInfo.environment["TEST_POSTGRES_URL"] { return try ExistingPostgres(url: url) }
        return try EphemeralPostgres.start()
    }
}
