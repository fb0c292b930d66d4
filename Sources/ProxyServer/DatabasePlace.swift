import ProxyDomain
import ProxySettings
import ProxyStorage
import SQLDatabase
import SQLStorage
import SQLiteDriver

/// Where the settings put the database.
enum DatabasePlace {
    case memory
    case file(String)

    init(_ settings: DatabaseSettings) throws(StartupError) {
        switch settings.engine {
        case .sqlite: self = settings.path == ":memory:" ? .memory : .file(settings.path)
        case .postgres:
            throw StartupError("DB_DRIVER postgres is not in this build: set DB_DRIVER=sqlite")
        }
    }

    /// The folder of the database's file; `nil` in memory.
    var folder: String? {
        guard case .file(let path) = self else { return nil }
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// The right to be the one server on the file.
    func lock() throws(StartupError) -> ServerLock? {
        guard case .file(let path) = self else { return nil }
        do {
            return try ServerLock(forDatabaseAt: path)
        } catch {
            throw StartupError("DATABASE_PATH: \(error)")
        }
    }
}

extension DatabasePlace {
    /// Opens the database and brings its schema up to date.
    func open(
        _ settings: DatabaseSettings, now: @escaping @Sendable () -> Timestamp
    ) async throws(StartupError) -> any Storage {
        let place: SQLiteDatabase.Place =
            switch self {
            case .memory: .memory
            case .file(let path): .file(path)
            }
        do {
            let pool = try await SQLiteDatabase.open(
                place,
                limits: .init(
                    readers: settings.poolSize, maxIdle: settings.maxIdleConnections,
                    lifetime: settings.connectionLifetime == .zero ? nil : settings.connectionLifetime,
                    wait: settings.wait),
                synchronous: settings.synchronous == .full ? .full : .normal, busyTimeout: settings.wait)
            return try await Self.migrate(pool, now: now())
        } catch {
            throw StartupError("DATABASE_PATH \(settings.path) can't be used: \(error)")
        }
    }

    private static func migrate(_ pool: ConnectionPool, now: Timestamp) async throws -> any Storage {
        do {
            return try await SQLStorage.open(pool, now: now)
        } catch {
            await pool.close()
            throw error
        }
    }
}
