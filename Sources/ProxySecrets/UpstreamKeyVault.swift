import Crypto
public import ProxyDomain

/// Seals upstream keys for storage, and opens them again: AES-256-GCM (NIST SP 800-38D).
///
/// The text form is `v1.<key id>.<base64url of nonce, ciphertext and tag>`. The project's id is authenticated with it,
/// so a ciphertext copied to another project does not open.
public struct UpstreamKeyVault: Sendable {
    private static let version = "v1"

    private let newest: EncryptionKey
    private let byID: [String: EncryptionKey]

    /// Seals under `newest`; opens what was sealed under it or under any of `older`.
    public init(newest: EncryptionKey, older: [EncryptionKey] = []) {
        self.newest = newest
        var byID = [newest.id: newest]
        for key in older where byID[key.id] == nil { byID[key.id] = key }
        self.byID = byID
    }

    /// The id of the key that seals.
    public var newestKeyID: String { newest.id }

    /// Seals `key` for `project`. Sealing twice gives two different texts.
    ///
    /// The nonce is drawn by the cryptographic library and can't be handed in: one that repeats breaks GCM.
    public func seal(_ key: String, for project: ProjectID) -> SealedKey {
        SealedKey(ciphertext: seal(key, boundTo: project.text), hint: Self.hint(of: key))
    }

    /// Seals any text, so that it opens for the same purpose only.
    /// - Parameter purpose: no project's id, which ``seal(_:for:)`` is for.
    public func seal(_ text: String, boundTo purpose: String) -> String {
        let associated = Array(purpose.utf8)
        guard let box = try? AES.GCM.seal(Array(text.utf8), using: newest.symmetric, authenticating: associated),
            let combined = box.combined
        else { preconditionFailure("AES-GCM with a 256-bit key and a 96-bit nonce seals every short text") }
        return "\(Self.version).\(newest.id).\(Base64.encode(combined, as: .urlSafe))"
    }

    /// Opens what ``seal(_:for:)`` gave for the same project.
    public func open(_ sealed: String, for project: ProjectID) throws(SecretsError) -> String {
        try open(sealed, boundTo: project.text)
    }

    /// Opens what ``seal(_:boundTo:)`` gave for the same purpose.
    public func open(_ sealed: String, boundTo purpose: String) throws(SecretsError) -> String {
        let parts = sealed.split(separator: ".", omittingEmptySubsequences: false)
        guard let id = keyID(of: sealed) else { throw .damaged }
        guard let key = byID[id] else { throw .unknownKey(id: id) }
        guard let combined = Base64.decode(parts[2]), let box = try? AES.GCM.SealedBox(combined: combined),
            let opened = try? AES.GCM.open(box, using: key.symmetric, authenticating: Array(purpose.utf8)),
            let text = String(validating: opened, as: UTF8.self)
        else { throw .damaged }
        return text
    }

    /// The id of the key that `sealed` was sealed under; `nil` when the text is not of our form. Opens nothing.
    public func keyID(of sealed: String) -> String? {
        let parts = sealed.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == Self.version else { return nil }
        return parts[1].utf8.count == 8 && parts[1].allSatisfy(\.isHexDigit) ? String(parts[1]) : nil
    }

    /// What may be shown of an upstream key for ever: three characters and the last four, or nothing of a key so
    /// short that seven characters would be a large part of it.
    public static func hint(of key: String) -> String {
        key.count < 20 ? "…" : "\(key.prefix(3))…\(key.suffix(4))"
    }
}
