/// Why a sealed key could not be opened. Holds no part of any key or ciphertext.
public enum SecretsError: Error, Hashable, Sendable, CustomStringConvertible {
    /// It was sealed under a key that is not held. The id is public: eight digits of the key's SHA-256.
    case unknownKey(id: String)
    /// It is not of the form this product writes, was changed, or was sealed for another project.
    case damaged

    public var description: String {
        switch self {
        case .unknownKey(let id):
            "the upstream key was sealed under encryption key \(id), which is not held; start with that ENCRYPTION_KEY"
        case .damaged:
            "the sealed upstream key is damaged or belongs to another project; set the project's key again"
        }
    }
}
