import PostgresDriver
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
    case server(PostgresAddress)

    init(_ settings: DatabaseSettings) throws(StartupError) {
        switch settings.engine {
        case .sqlite: self = settings.path == ":memory:" ? .memory : .file(settings.path)
        case .postgres:
            do {
                self = .server(try PostgresAddress(settings.url?.revealed() ?? ""))
            } catch {
                throw StartupError("DATABASE_URL \(error)")
            }
        }
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

    /// How messages name it, setting first; without a password.
    var named: String {
        switch self {
        case .memory: "DATABASE_PATH :memory:"
        case .file(let path): "DATABASE_PATH \(path)"
        case .server(let address): "DATABASE_URL \(address)"
        }
    }
}

extension DatabasePlace {
    /// What somebody wants of the database.
    enum Purpose: Equatable {
        /// Serves, as this instance.
        case serving(InstanceID)
        /// Will serve, as this instance, from what is there already.
        case following(InstanceID)
        /// Looks, on one connection, and makes nothing.
        case looking
        /// Writes, on one connection; makes what is missing.
        case filling
    }

    /// Opens the database and leaves its schema as it is.
    func connect(_ settings: DatabaseSettings, for purpose: Purpose) async throws(SQLError) -> ConnectionPool {
        switch self {
        case .memory: try await SQLiteDatabase.open(.memory, limits: limits(settings, purpose))
        case .file(let path):
            try await SQLiteDatabase.open(
                .file(path), limits: limits(settings, purpose),
                synchronous: settings.synchronous == .full ? .full : .normal, busyTimeout: settings.wait,
                mayCreate: purpose.mayCreate)
        case .server(let address):
            try await PostgresDatabase.open(
                address, limits: limits(settings, purpose), options: options(settings, purpose),
                patience: settings.wait)
        }
    }

    /// Opens the database and brings its schema up to date.
    func open(
        _ settings: DatabaseSettings, as instance: InstanceID, now: @escaping @Sendable () -> Timestamp
    ) async throws(StartupError) -> SQLStorage {
        do {
            return try await Self.migrate(try await connect(settings, for: .serving(instance)), now: now())
        } catch {
            throw unusable(error)
        }
    }

    /// What to tell an operator whose database can't be used.
    func unusable(_ error: any Error) -> StartupError {
        var cause = error
        if case .database(let inner) = error as? MigrationError { cause = inner }
        guard case .server = self, let cause = cause as? SQLError else {
            return StartupError("\(named) can't be used: \(error)")
        }
        let remedy =
            switch cause.kind {
            case .connectionLost: "see that the server runs there and takes this user, password, database and sslmode"
            case .readOnly: "name a primary, and a user who owns the database or may create tables in it"
            case .setting: "mend that and start again"
            default: "look at the server's log"
            }
        // PostgreSQL's words of a start hold no stored value; ours of a setting say what is wanted.
        let reason = cause.detail.isEmpty ? "\(cause)" : cause.detail
        return StartupError("\(named) can't be used: \(reason): \(remedy)")
    }

    private static func migrate(_ pool: ConnectionPool, now: Timestamp) async throws -> SQLStorage {
        do {
            return try await SQLStorage.open(pool, now: now)
        } catch {
            await pool.close()
            throw error
        }
    }

    /// Of a server's connections one is the ledger's, which is never closed for lack of work.
    private func limits(_ settings: DatabaseSettings, _ purpose: Purpose) -> ConnectionPool.Limits {
        let isServer = if case .server = self { true } else { false }
        guard purpose.isServing else { return .init(readers: isServer ? 0 : 1, lifetime: nil, wait: settings.wait) }
        let own = isServer ? 1 : 0
        return .init(
            readers: settings.poolSize - own, maxIdle: max(0, settings.maxIdleConnections - own),
            lifetime: settings.connectionLifetime == .zero ? nil : settings.connectionLifetime, wait: settings.wait)
    }

    private func options(_ settings: DatabaseSettings, _ purpose: Purpose) -> PostgresDatabase.Options {
        var name = "llm-proxy"
        if let instance = purpose.instance { name += " \(instance)" }
        return .init(
            applicationName: name, connectTimeout: settings.wait,
            // Long enough for the largest batch on a busy server, or it would be tried for ever.
            writerTimeout: purpose.isServing ? max(settings.wait, .seconds(2)) + .seconds(3) : nil,
            lockTimeout: max(settings.wait, .milliseconds(100)),
            isSynchronous: settings.synchronous == .full)
    }
}

extension DatabasePlace.Purpose {
    var isServing: Bool { instance != nil }

    var instance: InstanceID? {
        switch self {
        case .serving(let instance), .following(let instance): instance
        case .looking, .filling: nil
        }
    }

    var mayCreate: Bool {
        switch self {
        case .serving, .filling: true
        case .looking, .following: false
        }
    }
}
