import ProxySecrets
import ProxySettings
import ProxyStorage
import SQLStorage
import SystemFacts

extension ServerDoctor {
    /// Stored keys of each kind that are opened at most.
    private static let mostTried = 100

    /// Where the key is that upstream keys are sealed under, and whether it opens those that are stored.
    /// - Parameter storage: `nil` where there is none to look into.
    func encryptionKey(_ storage: SQLStorage?) async -> DoctorFinding {
        let name = "encryption key"
        let stored: [StoredKey]
        do {
            stored = try await Self.storedKeys(in: storage)
        } catch {
            return .failed(name, "stored keys can't be read: \(error)", remedy: "look at the database's log")
        }
        guard let (vault, place) = heldKey() else { return missingKey(needed: !stored.isEmpty) }
        let held = "\(vault.newestKeyID) \(place)"
        if let plain = stored.first(where: { vault.keyID(of: $0.sealed) == nil }) {
            return .failed(
                name, "the key of \(plain.owner.rawValue) \(plain.id) is not sealed at all",
                remedy: "seal it with llm-proxy db encrypt")
        }
        if let locked = stored.first(where: { (try? vault.open($0.sealed, for: $0.project)) == nil }) {
            let other = vault.keyID(of: locked.sealed) ?? "another"
            return .failed(
                name, "\(held) does not open the key of \(locked.owner.rawValue) \(locked.id), sealed under \(other)",
                remedy: "set the ENCRYPTION_KEY it was made with, or name that in ENCRYPTION_KEYS_ACCEPTED")
        }
        let opened =
            storage == nil
            ? "there is nothing to try it on"
            : stored.isEmpty ? "nothing is sealed yet" : "it opens the \(stored.count) stored keys that were tried"
        if settings.encryption.key == nil, settings.database.engine == .postgres {
            return .warning(
                name, "\(held), made on this machine; \(opened)",
                remedy: "give every server on the database the same ENCRYPTION_KEY")
        }
        return .ok(name, "\(held); \(opened)")
    }

    private func heldKey() -> (vault: UpstreamKeyVault, place: String)? {
        if let vault = UpstreamKeyVault(settings.encryption) { return (vault, "from ENCRYPTION_KEY") }
        guard let files = keyFiles, let vault = files.read() else { return nil }
        return (vault, "in \(files.newest)")
    }

    /// Beside the SQLite file, or where one would be; `nil` in memory.
    private var keyFiles: KeyFiles? {
        let path = settings.database.path
        return path == ":memory:" ? nil : KeyFiles(folder: FilePath.folder(of: path))
    }

    private func missingKey(needed: Bool) -> DoctorFinding {
        let name = "encryption key"
        let file = keyFiles?.newest
        if let file, SecretFile.exists(file) {
            return .failed(name, "\(file) is no key", remedy: "restore it, or set ENCRYPTION_KEY")
        }
        if needed {
            return .failed(
                name, "is missing, and upstream keys are sealed under it",
                remedy: "set ENCRYPTION_KEY, or restore \(file ?? "encryption-key")")
        }
        let place = file.map { ", in \($0)" } ?? " for itself alone"
        return .ok(name, "is not there: the first start makes one\(place)")
    }

    private static func storedKeys(in storage: SQLStorage?) async throws(StorageError) -> [StoredKey] {
        guard let storage else { return [] }
        var keys: [StoredKey] = []
        for owner in StoredKey.Owner.allCases {
            keys += try await storage.storedKeys(of: owner, after: nil, limit: mostTried)
        }
        return keys
    }
}
