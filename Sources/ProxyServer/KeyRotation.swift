import ProxyDomain
import ProxySecrets
public import ProxySettings
import ProxyStorage
import SQLStorage
import SQLiteDriver
import SystemFacts

/// Seals stored upstream keys anew, also beside servers that run.
public enum KeyRotation {
    /// What was found, and what was done.
    public struct Outcome: Sendable {
        /// How many sealed keys there are, of projects and of their further ways.
        public let found: Int
        /// How many of them were sealed anew.
        public let sealed: Int
        /// The id of the key that all are under now: eight digits of its SHA-256.
        public let keyID: String
        /// Where the key that was made is kept; `nil` where it comes from the settings.
        public let file: String?
    }

    /// Seals everything under the newest key: `ENCRYPTION_KEY`, or one that is made now where keys are kept beside the database.
    /// Once that is done the audit tells of it.
    /// - Throws: ``KeyRotationError`` when something is sealed under a key that isn't held; then nothing was changed.
    public static func rotate(_ settings: ServerSettings) async throws -> Outcome {
        try await DatabaseInspection.withStorage(settings) { storage in
            let outcome = try await rotate(storage, settings)
            try await record(outcome, of: .rotateKey, in: storage, settings.audit)
            return outcome
        }
    }

    private static func rotate(_ storage: SQLStorage, _ settings: ServerSettings) async throws -> Outcome {
        let lock = try keyFiles(settings).map { files throws(StartupError) in try files.lock() }
        defer { lock?.release() }
        let (ring, files) = try ring(settings)
        let vault = ring.current
        try await eachKey(of: storage) { key in
            guard (try? vault.open(key.sealed, for: key.project)) != nil else {
                throw KeyRotationError(locked: key, keyID: vault.keyID(of: key.sealed))
            }
        }
        guard let files else { return try await reseal(storage, under: vault, file: nil, where: vault.isOlder) }
        var random = SystemRandomNumberGenerator()
        try files.rotate(to: EncryptionKey(using: &random))
        guard let renewed = files.read() else { throw StartupError("\(files.newest) can't be read again") }
        return try await reseal(storage, under: renewed, file: files.newest, where: renewed.isOlder)
    }

    /// Seals what was stored as it is, for instance by a program that sealed nothing. Once that is done the audit tells of it.
    public static func encrypt(_ settings: ServerSettings) async throws -> Outcome {
        try await DatabaseInspection.withStorage(settings) { storage in
            let vault = try ring(settings).ring.current
            let outcome = try await reseal(storage, under: vault, file: nil) { vault.keyID(of: $0) == nil }
            try await record(outcome, of: .encrypt, in: storage, settings.audit)
            return outcome
        }
    }

    /// Has the audit tell what was changed, after it was: keys are sealed in batches, and only in the end it is known how many.
    private static func record(
        _ outcome: Outcome, of command: AuditedCommand, in storage: SQLStorage, _ settings: AuditSettings
    ) async throws(StorageError) {
        let hasChanged = outcome.sealed > 0 || outcome.file != nil
        let facts = ["found": "\(outcome.found)", "sealed": "\(outcome.sealed)", "key_id": outcome.keyID]
        guard hasChanged, let event = command.event(settings, facts) else { return }
        try await storage.record(event)
    }

    /// Again and again until nothing is left: what a server seals meanwhile may be under the key before.
    private static func reseal(
        _ storage: SQLStorage, under vault: UpstreamKeyVault, file: String?, where isDue: (String) -> Bool
    ) async throws -> Outcome {
        var sealed = 0
        while true {
            var found = 0
            var due: [(StoredKey, SealedKey)] = []
            try await eachKey(of: storage) { key in
                found += 1
                guard isDue(key.sealed) else { return }
                let isPlain = vault.keyID(of: key.sealed) == nil
                let text = isPlain ? key.sealed : try vault.open(key.sealed, for: key.project)
                due.append((key, vault.seal(text, for: key.project)))
            }
            guard !due.isEmpty else {
                return Outcome(found: found, sealed: sealed, keyID: vault.newestKeyID, file: file)
            }
            sealed += try await storage.replace(due.map { (key: $0, by: $1) })
        }
    }

    private static func eachKey(of storage: SQLStorage, _ body: (StoredKey) throws -> Void) async throws {
        for owner in StoredKey.Owner.allCases {
            var last: String?
            while true {
                let page = try await storage.storedKeys(of: owner, after: last, limit: 500)
                for key in page { try body(key) }
                guard let next = page.last?.id else { break }
                last = next
            }
        }
    }

    /// `nil` where keys come from the settings.
    private static func keyFiles(_ settings: ServerSettings) -> KeyFiles? {
        guard settings.encryption.key == nil, settings.database.engine == .sqlite else { return nil }
        return KeyFiles(folder: FilePath.folder(of: settings.database.path))
    }

    private static func ring(_ settings: ServerSettings) throws(StartupError) -> (ring: Keyring, files: KeyFiles?) {
        if let vault = UpstreamKeyVault(settings.encryption) { return (Keyring(vault), nil) }
        guard let files = keyFiles(settings) else {
            throw StartupError("ENCRYPTION_KEY must be set: the key that upstream keys are to be sealed under")
        }
        guard let vault = files.read() else {
            throw StartupError("\(files.newest) is no key: restore it, or set ENCRYPTION_KEY")
        }
        return (Keyring(vault), files)
    }
}

/// Why keys were not sealed anew: one can't be opened. Says which, under which key, and what to do.
public struct KeyRotationError: Error, Sendable, CustomStringConvertible {
    public let description: String

    init(locked key: StoredKey, keyID: String?) {
        let what = "the key of \(key.owner.rawValue) \(key.id)"
        description =
            keyID.map {
                "\(what) is sealed under encryption key \($0), which is not held: name it in ENCRYPTION_KEYS_ACCEPTED"
            } ?? "\(what) is not sealed at all: seal it with llm-proxy db encrypt first"
    }
}

extension UpstreamKeyVault {
    /// Whether what is sealed is not under the key that seals now.
    fileprivate func isOlder(_ sealed: String) -> Bool { keyID(of: sealed) != newestKeyID }

    /// The keys of the settings; `nil` without any.
    init?(_ settings: EncryptionSettings) {
        guard let key = settings.key.flatMap({ EncryptionKey(base64: $0.revealed()) }) else { return nil }
        let others = settings.accepted?.revealed().split(separator: ",") ?? []
        self.init(newest: key, older: others.compactMap { EncryptionKey(base64: $0.filter { $0 != " " }) })
    }
}
