import Logging
import ProxyDomain
import ProxySecrets
import ProxySettings
import ProxyStorage
import SQLDatabase
import SQLStorage
import SQLiteDriver

/// What must stand before anything serves: the database, open and up to date, and the secrets kept beside it.
final class StorageFoundation: Sendable {
    let storage: any Storage
    let vault: UpstreamKeyVault
    /// Where generated secrets are kept; `nil` in memory.
    private let folder: String?
    /// Held until the database is closed.
    private let lock: ServerLock?

    private init(storage: any Storage, vault: UpstreamKeyVault, folder: String?, lock: ServerLock?) {
        self.storage = storage
        self.vault = vault
        self.folder = folder
        self.lock = lock
    }

    /// Opens the database that the settings name.
    static func lay(
        _ settings: ServerSettings, surroundings: Surroundings, logger: Logger
    ) async throws(StartupError) -> StorageFoundation {
        let place = try DatabasePlace(settings.database)
        let lock = try place.lock()
        let storage = try await place.open(settings.database, now: surroundings.now)
        do throws(StartupError) {
            let vault = try vault(settings, folder: place.folder, surroundings: surroundings)
            try await settleAbandoned(storage, now: surroundings.now, logger: logger)
            return StorageFoundation(storage: storage, vault: vault, folder: place.folder, lock: lock)
        } catch {
            await storage.close()
            throw error
        }
    }

    /// Closes the database and lets another server have it.
    func remove() async {
        await storage.close()
        lock?.release()
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

    /// The key that upstream keys are sealed under: from the settings, or made once and kept beside the database.
    private static func vault(
        _ settings: ServerSettings, folder: String?, surroundings: Surroundings
    ) throws(StartupError) -> UpstreamKeyVault {
        var random = HandedRandomness(source: surroundings.random)
        let made = EncryptionKey(using: &random)
        let text: String
        if let key = settings.encryption.key {
            text = key.revealed()
        } else if let folder {
            text = try SecretFile.readOrMake("\(folder)/encryption-key", for: "ENCRYPTION_KEY") {
                made.revealedBase64()
            }.text
        } else {
            return UpstreamKeyVault(newest: made)
        }
        guard let key = EncryptionKey(base64: text) else {
            throw StartupError(
                "\(folder ?? "")/encryption-key is not base64 of 32 bytes: restore it, or set ENCRYPTION_KEY")
        }
        return UpstreamKeyVault(newest: key)
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
