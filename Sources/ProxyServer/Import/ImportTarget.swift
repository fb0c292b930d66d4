import ProxyDomain
import ProxySecrets
import ProxySettings
import ProxyStorage
import SQLDatabase
import SQLStorage
import SQLiteDriver
import SystemFacts

/// The database of the settings, open to take what another program kept. Servers may run on it, and hear of it.
struct ImportTarget: Sendable {
    let place: DatabasePlace
    let storage: SQLStorage
    /// What seals upstream keys there.
    let vault: UpstreamKeyVault
    let audit: AuditSettings

    /// Opens the database and closes it after `body`.
    /// - Parameter isDryRun: whether nothing is made; an empty database stands for one that is not there.
    static func with<Value: Sendable>(
        _ settings: ServerSettings, isDryRun: Bool, _ body: (ImportTarget) async throws -> Value
    ) async throws(TransferError) -> Value {
        let place = try place(settings)
        let isThere = if case .file(let path) = place { SecretFile.exists(path) } else { true }
        let target: ImportTarget
        do {
            target = try await open(
                isThere || !isDryRun ? place : .memory, named: place, settings, isDryRun: isDryRun)
        } catch {
            throw told(error, at: place)
        }
        let result: Result<Value, any Error>
        do { result = .success(try await body(target)) } catch { result = .failure(error) }
        await target.storage.close()
        switch result {
        case .success(let value): return value
        case .failure(let error): throw told(error, at: place)
        }
    }

    /// The storage, where the next change tells that a command made it.
    /// - Parameter facts: what more the event tells, besides how many projects and tokens are new.
    func recorded(
        as command: AuditedCommand, _ findings: ImportFindings, _ facts: [String: String]
    ) -> SQLStorage {
        let counts = ["projects": "\(findings.newProjects.count)", "tokens": "\(findings.newTokens.count)"]
        return storage.recorded(as: command.event(audit, counts.merging(facts) { count, _ in count }))
    }

    private static func place(_ settings: ServerSettings) throws(TransferError) -> DatabasePlace {
        do throws(StartupError) {
            let place = try DatabasePlace(settings.database)
            guard case .memory = place else { return place }
        } catch {
            throw .usage(error.description)
        }
        throw .usage("DATABASE_PATH :memory: is in no other process's reach: name a file")
    }

    private static func open(
        _ opened: DatabasePlace, named place: DatabasePlace, _ settings: ServerSettings, isDryRun: Bool
    ) async throws -> ImportTarget {
        let pool = try await opened.connect(settings.database, for: isDryRun ? .looking : .filling)
        do {
            guard let storage = try await storage(on: pool, opened, isDryRun: isDryRun) else {
                await pool.close()
                return try await open(.memory, named: place, settings, isDryRun: isDryRun)
            }
            try await refuseUnfinishedCopy(storage, place)
            let vault = try await vault(settings, storage, isDryRun: isDryRun)
            return ImportTarget(place: place, storage: storage, vault: vault, audit: settings.audit)
        } catch {
            await pool.close()
            throw error
        }
    }

    /// - Returns: `nil` where there is no schema and none may be made.
    private static func storage(
        on pool: ConnectionPool, _ place: DatabasePlace, isDryRun: Bool
    ) async throws -> SQLStorage? {
        do throws(MigrationError) {
            return try await SQLStorage.inspect(pool)
        } catch {
            guard case .olderSchema(let found, _) = error else { throw error }
            if case .memory = place { return try await SQLStorage.open(pool, now: .wallClock) }
            guard !isDryRun else {
                guard found == 0 else { throw error }
                return nil
            }
            // As a server that starts does.
            let lock = try place.lock()
            defer { lock?.release() }
            return try await SQLStorage.open(pool, now: .wallClock)
        }
    }

    private static func refuseUnfinishedCopy(_ storage: SQLStorage, _ place: DatabasePlace) async throws {
        guard let copy = try await storage.unfinishedCopy() else { return }
        throw TransferError.refused(
            "\(place.named) holds a copy of \(copy.source) that did not end: run the same llm-proxy db copy again first"
        )
    }

    private static func told(_ error: any Error, at place: DatabasePlace) -> TransferError {
        switch error {
        case let error as StartupError: .refused(error.description)
        case let error as StorageError where error.kind == .changedMeanwhile:
            .failed("\(place.named) was changed meanwhile, and nothing was written: run the same command again")
        case let error as StorageError where !error.isTransient:
            .failed("\(place.named) can't be written (\(error)): nothing was; look at llm-proxy db verify")
        default: TransferError(wrapping: error, at: place)
        }
    }
}

// MARK: - Keys

extension ImportTarget {
    private static func vault(
        _ settings: ServerSettings, _ storage: SQLStorage, isDryRun: Bool
    ) async throws -> UpstreamKeyVault {
        let first = try await storage.projects(after: nil, limit: 1).first
        let vault = try heldVault(settings, mayMake: first == nil, isDryRun: isDryRun)
        guard let first, (try? vault.open(first.sealedKey, for: first.id)) == nil else { return vault }
        throw TransferError.refused(
            "ENCRYPTION_KEY is not the key that the database's projects are sealed under: set the one they were made with"
        )
    }

    /// From the settings, or from beside the database, where it is made if there are no projects, as by a first server.
    private static func heldVault(
        _ settings: ServerSettings, mayMake: Bool, isDryRun: Bool
    ) throws(StartupError) -> UpstreamKeyVault {
        if let vault = UpstreamKeyVault(settings.encryption) { return vault }
        let files = KeyFiles(folder: FilePath.folder(of: settings.database.path))
        if let vault = files.read() { return vault }
        guard mayMake, settings.database.engine == .sqlite else {
            throw StartupError("ENCRYPTION_KEY must be set: the key that upstream keys are sealed under")
        }
        var random = SystemRandomNumberGenerator()
        let made = EncryptionKey(using: &random)
        if isDryRun { return UpstreamKeyVault(newest: made) }
        _ = try SecretFile.readOrMake(files.newest, for: "ENCRYPTION_KEY") { made.revealedBase64() }
        guard let vault = files.read() else {
            throw StartupError("\(files.newest) is not base64 of 32 bytes: restore it, or set ENCRYPTION_KEY")
        }
        return vault
    }
}
