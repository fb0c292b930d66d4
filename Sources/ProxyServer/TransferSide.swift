import ProxyDomain
import ProxySettings
import SQLDatabase
import SQLStorage
import SQLiteDriver

/// One side of a transfer: a database that is open here and that no server uses, unless it is followed.
struct TransferSide: Sendable {
    enum Role {
        case source
        /// A source that servers may go on using.
        case followed
        /// What is missing of it is made.
        case target
        /// A target of which nothing is made.
        case looked
    }

    let place: DatabasePlace
    let pool: ConnectionPool
    /// Whether there is a database with this program's schema.
    let isMade: Bool
    /// Keeps servers from a file; `nil` where one may have it, or there is no file.
    let lock: ServerLock?

    /// Whether a server has the file now.
    func isFileInUse() throws -> Bool {
        guard case .file(let path) = place else { return false }
        do throws(ServerLockError) {
            try ServerLock(forDatabaseAt: path).release()
            return false
        } catch {
            guard case .held = error else { throw TransferError.inUse("\(error)") }
            return true
        }
    }

    /// Opens the database, keeps servers from it where that can be done, and closes it after `body`.
    static func with<Value: Sendable>(
        _ place: DatabasePlace, _ settings: DatabaseSettings, as role: Role,
        _ body: (TransferSide) async throws -> Value
    ) async throws(TransferError) -> Value {
        guard let pool = try await connect(place, settings, role) else {
            // A file that is not there yet: an empty database stands for it.
            return try await with(.memory, settings, as: .target) { empty in
                try await body(TransferSide(place: place, pool: empty.pool, isMade: false, lock: nil))
            }
        }
        do {
            return try await pool.closing {
                let lock = try lock(place, role)
                defer { lock?.release() }
                try await claim(pool, place)
                let isMade = try await prepare(place, pool, role)
                if isMade, role != .followed { try await expectNoServer(on: pool, place) }
                return try await body(TransferSide(place: place, pool: pool, isMade: isMade, lock: lock))
            }
        } catch {
            throw TransferError(wrapping: error, at: place)
        }
    }

    private static func connect(
        _ place: DatabasePlace, _ settings: DatabaseSettings, _ role: Role
    ) async throws(TransferError) -> ConnectionPool? {
        if role == .looked, case .file(let path) = place, !SecretFile.exists(path) { return nil }
        do {
            return try await place.connect(settings, for: role == .target ? .filling : .looking)
        } catch {
            throw TransferError(wrapping: error, at: place)
        }
    }

    private static func lock(_ place: DatabasePlace, _ role: Role) throws(TransferError) -> ServerLock? {
        // A followed one is left to servers.
        guard case .file(let path) = place, role != .followed else { return nil }
        do {
            return try ServerLock(forDatabaseAt: path)
        } catch {
            throw .inUse("\(error)")
        }
    }

    /// Two sides on one database, and two copies at once, get in each other's way here, whatever they call it.
    private static func claim(_ pool: ConnectionPool, _ place: DatabasePlace) async throws {
        guard let claim = pool.connector.dialect.transferClaim else { return }
        let isOurs = try await pool.write { connection in
            try connection.first(claim) { (row) throws(SQLError) in row.integer(at: 0) == 1 } ?? false
        }
        guard isOurs else {
            throw TransferError.inUse(
                "\(place.address) is the other side of this copy, or one that is under way: name another, or wait")
        }
    }

    /// - Returns: whether there is a schema now.
    private static func prepare(
        _ place: DatabasePlace, _ pool: ConnectionPool, _ role: Role
    ) async throws(MigrationError) -> Bool {
        do throws(MigrationError) {
            if role == .target {
                _ = try await SQLStorage.open(pool, now: .wallClock)
            } else {
                _ = try await SQLStorage.inspect(pool)
            }
            return true
        } catch {
            guard role == .looked, case .olderSchema(found: 0, _) = error else { throw error }
            return false
        }
    }

    /// Servers on a file are kept out by its lock; those on PostgreSQL show that they live every two seconds.
    private static func expectNoServer(on pool: ConnectionPool, _ place: DatabasePlace) async throws {
        guard case .server = place else { return }
        let storage = try await SQLStorage.inspect(pool)
        let before = try await storage.instances()
        guard !before.isEmpty else { return }
        for _ in 0..<20 {
            try await Task.sleep(for: .milliseconds(250))
            let living = Set(try await storage.instances()).subtracting(before)
            guard living.isEmpty else {
                throw TransferError.inUse("\(place.address) is in use by \(living.count) servers: stop them first")
            }
        }
    }
}

extension TransferError {
    /// Whatever goes wrong on one side; an error that is one of these already stays as it is.
    init(wrapping error: any Error, at place: DatabasePlace) {
        switch error {
        case let error as TransferError: self = error
        case let error as DatabaseCopyError: self = TransferError(error)
        case MigrationError.olderSchema(let found, let known):
            self = .refused(
                "\(place.address) has schema \(found), this program knows \(known): migrate it first, with "
                    + "llm-proxy db migrate")
        case let error as TransactionError<SQLError>:
            self = .unreachable("\(place.address): \(error.first.debugDescription)")
        case let error as SQLError: self = .unreachable("\(place.address): \(error.debugDescription)")
        default: self = .unreachable("\(place.address): \(error)")
        }
    }
}
