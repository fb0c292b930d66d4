import Crypto

/// Upstream keys as the Go proxy stores them when it is given an `ENCRYPTION_KEY`: a prefix, then base64 of an
/// AES-256-GCM nonce, ciphertext and tag (its `internal/encryption`). Nothing else is authenticated with them.
public enum GoProxyCipher {
    /// How a key begins that is not stored as it is.
    public static let prefix = "enc:v1:"
    /// Bytes of its `ENCRYPTION_KEY`.
    public static let keyLength = 32

    /// Opens what stands after the prefix, decoded. Gives `nil` under another key, and for what was damaged.
    public static func open(_ sealed: [UInt8], under key: [UInt8]) -> String? {
        guard key.count == keyLength, let box = try? AES.GCM.SealedBox(combined: sealed),
            let opened = try? AES.GCM.open(box, using: SymmetricKey(data: key))
        else { return nil }
        return String(validating: opened, as: UTF8.self)
    }
}
