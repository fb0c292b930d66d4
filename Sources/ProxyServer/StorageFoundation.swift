import Logging
import ProxyDomain
import ProxyLedger
import ProxySecrets
import ProxySettings
import ProxyStorage
import SQLStorage
import SQLiteDriver
import Synchronization
import SystemFacts

/// What must stand before anything serves: the database, open and up to date, and the secrets kept beside it.
final class StorageFoundation: Sendable {
    let storage: SQLStorage
    let instance: InstanceID
    let keyring: Keyring
    /// Where generated secrets are kept; `nil` in memory.
    private let folder: String?
    /// Where requests are kept while the database is away; `nil` when they wait for it.
    let journal: SpoolJournal?
    /// What the operator should know and change.
    let warnings: [String]
    /// Held until the database is closed.
    private let lock: Mutex<ServerLock?>

    private init(
        storage: SQLStorage, instance: InstanceID, keyring: Keyring, folder: String?, journal: SpoolJournal?,
        warnings: [String], lock: ServerLock?
    ) {
        self.storage = storage
        self.instance = instance
        self.keyring = keyring
        self.folder = folder
        self.journal = journal
        self.warnings = warnings
        self.lock = Mutex(lock)
    }

    /// Opens the database that the settings name.
    static func lay(
        _ settings: ServerSettings, surroundings: Surroundings, logger: Logger
    ) async throws(StartupError) -> StorageFoundation {
        let place = try DatabasePlace(settings.database)
        let lock = try place.lock()
        var random = HandedRandomness(source: surroundings.random)
        let instance = InstanceID(at: surroundings.now(), using: &random)
        let storage = try await place.open(settings.database, as: instance, now: surroundings.now)
        do throws(StartupError) {
            let folder = settings.database.folder
            try await refuseUnfinishedCopy(storage, place)
            try await waitUntilOpen(storage, logger)
            try await refuseMoved(storage, place)
            if storage.isShared { warnOfGenerated(settings, folder: folder, logger) }
            let first = try await firstProject(in: storage)
            let keyring = try keyring(settings, folder: folder, mayMake: first == nil, surroundings: surroundings)
            try check(keyring, opens: first)
            // Where there may be others, whoever lives looks after the dead (``InstanceKeeper``).
            if !storage.isShared { try await settleAbandoned(storage, now: surroundings.now, logger: logger) }
            return StorageFoundation(
                storage: storage, instance: instance, keyring: keyring, folder: folder,
                journal: try await journal(settings, place, instance, surroundings, logger),
                warnings: storage.isShared
                    ? generated(settings).map {
                        "\($0) was made on this machine: give every server on the database the same"
                    }
                    : [], lock: lock)
        } catch {
            await storage.close()
            throw error
        }
    }

    /// Closes the database and lets another server have it.
    func remove() async {
        await storage.close()
        exchangeLock(for: nil)
    }

    /// Gives the former database's file to whoever comes next.
    /// - Parameter other: the right to the one that is served from now, if it is a file.
    func exchangeLock(for other: ServerLock?) {
        let former = lock.withLock { lock in
            defer { lock = other }
            return lock
        }
        former?.release()
    }

    /// Writes what servers before left in the spool, and makes this server's journal.
    private static func journal(
        _ settings: ServerSettings, _ place: DatabasePlace, _ instance: InstanceID, _ surroundings: Surroundings,
        _ logger: Logger
    ) async throws(StartupError) -> SpoolJournal? {
        guard let spool = SpoolFolder(settings.database) else { return nil }
        guard case .server = place else {
            throw StartupError("DATABASE_OUTAGE is 'spool', which needs DB_DRIVER=postgres: set it to wait")
        }
        if !spool.isEmpty {
            // Of its own: what is written is others', and its writer remembers whose requests are open.
            let storage = try await place.open(settings.database, as: instance, now: surroundings.now)
            do throws(StartupError) {
                try await spool.recover(to: storage, now: surroundings.now, logger: logger)
            } catch {
                await storage.close()
                throw error
            }
            await storage.close()
        }
        return try spool.makeJournal(for: instance)
    }

    private static func settleAbandoned(
        _ storage: any Storage, now: @Sendable () -> Timestamp, logger: Logger
    ) async throws(StartupError) {
        do {
            let count = try await storage.settleAbandoned(at: now())
            guard count > 0 else { return }
            logger.warning(
                "requests of a server that was killed were settled as in doubt", metadata: ["count": "\(count)"])
        } catch {
            throw StartupError("the database can't be written (\(error)): see DATABASE_PATH and its folder")
        }
    }

    /// What every instance must have alike, and was made by this one for itself.
    private static func generated(_ settings: ServerSettings) -> [String] {
        [
            settings.encryption.key == nil ? "ENCRYPTION_KEY" : nil,
            settings.managementToken == nil ? "MANAGEMENT_TOKEN" : nil,
        ].compactMap { $0 }
    }

    private static func warnOfGenerated(_ settings: ServerSettings, folder: String?, _ logger: Logger) {
        let missing = generated(settings)
        guard !missing.isEmpty else { return }
        logger.warning(
            "made on this machine for lack of a setting: give every instance on the database the same",
            metadata: ["settings": "\(missing.joined(separator: ", "))", "folder": "\(folder ?? "none")"])
    }

    /// What is there is only a part of another database.
    private static func refuseUnfinishedCopy(
        _ storage: any Storage, _ place: DatabasePlace
    ) async throws(StartupError) {
        let found: CopyRecord?
        do {
            found = try await storage.unfinishedCopy()
        } catch {
            throw StartupError("the database can't be read (\(error)): look at its log")
        }
        guard let copy = found else { return }
        throw StartupError(
            "\(place.named) holds a copy of \(copy.source) that did not end: run the same llm-proxy db copy again, "
                + "which goes on where it was")
    }

    /// A move may be about to end, or the command that closed the database be dead.
    private static func waitUntilOpen(_ storage: SQLStorage, _ logger: Logger) async throws(StartupError) {
        let since = ContinuousClock.now
        do {
            while try await storage.move()?.state == .closed {
                if since.duration(to: .now) > MoveKeeper.longestPause, try await storage.reopen() {
                    logger.warning("the database was closed for a move that did not end, and is open again")
                }
                try await Task.sleep(for: .milliseconds(50))
            }
        } catch {
            throw StartupError("the database can't be read (\(error)): look at its log")
        }
    }

    /// What is there is how things stood when servers went to another database.
    private static func refuseMoved(_ storage: SQLStorage, _ place: DatabasePlace) async throws(StartupError) {
        let found: MoveRecord?
        do {
            found = try await storage.move()
        } catch {
            throw StartupError("the database can't be read (\(error)): look at its log")
        }
        guard let move = found, move.state == .moved else { return }
        throw StartupError(
            "\(place.named) has moved to \(move.target): serve from there; what was counted since is missing here (to serve from "
                + "here all the same, llm-proxy db copy --abandon --from \(place.address))")
    }

    private static func firstProject(in storage: any Storage) async throws(StartupError) -> Project? {
        do {
            return try await storage.projects(after: nil, limit: 1).first
        } catch {
            throw StartupError("the database can't be read (\(error)): look at its log")
        }
    }

    /// Keys sealed under another key would show only when a request needs them.
    private static func check(_ keyring: Keyring, opens first: Project?) throws(StartupError) {
        guard let first, (try? keyring.open(first.sealedKey, for: first.id)) == nil else { return }
        throw otherKey
    }

    private static let otherKey = StartupError(
        "ENCRYPTION_KEY is not the key that the database's projects are sealed under: set the one they were made with "
            + "(the first server kept it in encryption-key beside its DATABASE_PATH)")

    /// The keys that upstream keys are sealed under: from the settings, or one made once and kept beside the database.
    private static func keyring(
        _ settings: ServerSettings, folder: String?, mayMake: Bool, surroundings: Surroundings
    ) throws(StartupError) -> Keyring {
        if let vault = UpstreamKeyVault(settings.encryption) { return Keyring(vault) }
        var random = HandedRandomness(source: surroundings.random)
        let made = EncryptionKey(using: &random)
        guard let folder else { return Keyring(UpstreamKeyVault(newest: made)) }
        let files = KeyFiles(folder: folder)
        guard mayMake || SecretFile.exists(files.newest) else { throw otherKey }
        _ = try SecretFile.readOrMake(files.newest, for: "ENCRYPTION_KEY") { made.revealedBase64() }
        guard let vault = files.read() else {
            throw StartupError("\(files.newest) is not base64 of 32 bytes: restore it, or set ENCRYPTION_KEY")
        }
        return Keyring(vault) { files.read() }
    }

    /// The management token of the settings, or one made once and kept beside the database.
    func managementToken(
        _ settings: ServerSettings, _ surroundings: Surroundings
    ) throws(StartupError) -> (secret: Secret, file: String?) {
        if let token = settings.managementToken { return (token, nil) }
        var random = HandedRandomness(source: surroundings.random)
        let made = "mgmt-" + TokenSecret(using: &random).revealed().dropFirst(3)
        guard let folder else { return (Secret(made), nil) }
        let path = "\(folder)/management-token"
        let kept = try SecretFile.readOrMake(path, for: "MANAGEMENT_TOKEN") { made }
        return (Secret(kept.text), path)
    }
}

extension DatabaseSettings {
    /// Where generated secrets are kept: beside the file, or where a file would be; `nil` in memory.
    fileprivate var folder: String? {
        path == ":memory:" ? nil : FilePath.folder(of: path)
    }
}
