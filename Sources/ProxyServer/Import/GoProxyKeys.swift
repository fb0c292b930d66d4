import ProxySecrets
import ProxySettings
import SQLStorage

/// The upstream keys of the Go proxy's projects, opened.
struct GoProxyKeys {
    /// By the project's identifier there.
    private var keys: [String: String] = [:]

    /// - Throws: `.usage` for what is no key, `.refused` when keys are encrypted under another, or when there is none.
    init(_ projects: [GoProxyProject], sourceKey: Secret?) throws(TransferError) {
        var key: [UInt8]?
        if let sourceKey { key = try Self.bytes(of: sourceKey) }
        var locked: [String] = []
        for project in projects {
            guard let opened = Self.open(project.key, under: key) else {
                locked.append(project.name.shown)
                continue
            }
            keys[project.id] = opened
        }
        guard !locked.isEmpty else { return }
        let names = locked.prefix(5).joined(separator: ", ") + (locked.count > 5 ? ", …" : "")
        throw .refused(
            key == nil
                ? "--source-encryption-key-file must be given: the keys of \(locked.count) projects are encrypted "
                    + "(\(names)); name a file with the Go proxy's ENCRYPTION_KEY"
                : "--source-encryption-key-file (secret) is not what the keys of \(locked.count) projects "
                    + "are encrypted under (\(names)): give the Go proxy's ENCRYPTION_KEY")
    }

    /// The key of the project with this identifier.
    subscript(project: String) -> String { keys[project] ?? "" }

    private static func bytes(of secret: Secret) throws(TransferError) -> [UInt8] {
        guard let bytes = Base64.decode(secret.revealed()), bytes.count == GoProxyCipher.keyLength else {
            throw .usage(
                "--source-encryption-key-file (secret) must hold base64 of 32 bytes: give the Go proxy's ENCRYPTION_KEY"
            )
        }
        return bytes
    }

    /// - Returns: `nil` when it can't be opened.
    private static func open(_ stored: String, under key: [UInt8]?) -> String? {
        guard stored.hasPrefix(GoProxyCipher.prefix) else { return stored }
        guard let key, let sealed = Base64.decode(stored.dropFirst(GoProxyCipher.prefix.count)) else { return nil }
        return GoProxyCipher.open(sealed, under: key)
    }
}
