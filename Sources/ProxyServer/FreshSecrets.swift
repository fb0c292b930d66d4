import ProxyDomain
import ProxySecrets

/// Secrets for a server that has none yet. `random` must be a cryptographic source, such as the system's.
public enum FreshSecrets {
    /// What `MANAGEMENT_TOKEN` takes: 256 random bits.
    public static func managementToken(using random: inout some RandomNumberGenerator) -> String {
        "mgmt-\(TokenSecret(using: &random).revealed().dropFirst(3))"
    }

    /// What `ENCRYPTION_KEY` takes: base64 of 32 random bytes.
    public static func encryptionKey(using random: inout some RandomNumberGenerator) -> String {
        EncryptionKey(using: &random).revealedBase64()
    }
}
