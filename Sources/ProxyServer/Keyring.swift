import Glibc
import ProxyDomain
import ProxySecrets
import ProxySettings
import SQLiteDriver
import Synchronization

/// The keys that upstream keys are sealed under: from the settings, or in files beside the database, where `llm-proxy db rotate-key`
/// may change them while servers run.
final class Keyring: Sendable {
    private let vault: Mutex<UpstreamKeyVault>
    /// Reads the files again; `nil` where keys are not in files.
    private let reload: (@Sendable () -> UpstreamKeyVault?)?

    init(_ vault: UpstreamKeyVault, reload: (@Sendable () -> UpstreamKeyVault?)? = nil) {
        self.vault = Mutex(vault)
        self.reload = reload
    }

    /// What holds the keys now.
    var current: UpstreamKeyVault { vault.withLock { $0 } }

    func seal(_ key: String, for project: ProjectID) -> SealedKey {
        // Or what is made now would be under a key that is to go.
        if let reload, let newer = reload() { vault.withLock { $0 = newer } }
        return current.seal(key, for: project)
    }

    /// Opens a sealed key. One under a key that isn't known may be under one that came since.
    func open(_ sealed: String, for project: ProjectID) throws(SecretsError) -> String {
        try open(sealed, boundTo: project.text)
    }

    /// Opens what was sealed for a purpose; see ``open(_:for:)``.
    func open(_ sealed: String, boundTo purpose: String) throws(SecretsError) -> String {
        do throws(SecretsError) {
            return try current.open(sealed, boundTo: purpose)
        } catch {
            guard case .unknownKey = error, let reload, let newer = reload() else { throw error }
            vault.withLock { $0 = newer }
            return try newer.open(sealed, boundTo: purpose)
        }
    }
}

/// Where generated encryption keys are kept beside a database.
struct KeyFiles: Sendable {
    let folder: String

    /// The key that seals.
    var newest: String { "\(folder)/encryption-key" }
    /// Those before it, one a line, the latest first.
    var former: String { "\(folder)/encryption-key.former" }

    /// Reads them; `nil` when there is no usable key.
    func read() -> UpstreamKeyVault? {
        guard let text = try? SystemFile.read(newest), let key = Self.keys(in: text).first else { return nil }
        let older = (try? SystemFile.read(former)).map { Self.keys(in: $0) } ?? []
        return UpstreamKeyVault(newest: key, older: older)
    }

    /// The right to change them: of two at once, one would lose the key of the other.
    func lock() throws(StartupError) -> ServerLock {
        do {
            return try ServerLock(forDatabaseAt: newest)
        } catch {
            throw StartupError(
                "\(newest) is being changed by another llm-proxy db rotate-key (\(error)): wait for that")
        }
    }

    /// Makes a new key the one that seals. Servers find it once they meet something sealed under it.
    func rotate(to key: EncryptionKey) throws(StartupError) {
        guard let old = try? SystemFile.read(newest), !Self.keys(in: old).isEmpty else {
            throw StartupError("\(newest) is no key: restore it, or set ENCRYPTION_KEY")
        }
        let older = (try? SystemFile.read(former)) ?? ""
        // The old one is kept before it is replaced: at no moment is there something that nobody can open.
        try SecretFile.replace(former, with: Self.keys(in: old).map { $0.revealedBase64() + "\n" }.joined() + older)
        try SecretFile.replace(newest, with: key.revealedBase64() + "\n")
    }

    private static func keys(in text: String) -> [EncryptionKey] {
        text.split(whereSeparator: \.isNewline).compactMap { EncryptionKey(base64: $0.filter { !$0.isWhitespace }) }
    }
}
