import Crypto
import ProxyDomain

/// 256 bits that seal upstream keys. Its description is dull; its id may be shown.
public struct EncryptionKey: Sendable {
    /// Bytes of a key.
    public static let byteCount = 32

    /// The first eight hexadecimal digits of the SHA-256 of the key's bytes: tells keys apart without giving any away.
    public let id: String
    let symmetric: SymmetricKey

    /// Reads `ENCRYPTION_KEY`: base64 of 32 bytes, in either alphabet. Gives `nil` for anything else.
    public init?(base64 text: String) {
        guard let bytes = Base64.decode(text), bytes.count == Self.byteCount else { return nil }
        self.init(bytes: bytes)
    }

    /// Makes a new key. `random` must be a cryptographic source, such as the system's.
    public init(using random: inout some RandomNumberGenerator) {
        self.init(bytes: (0..<Self.byteCount).map { _ in UInt8.random(in: .min ... .max, using: &random) })
    }

    private init(bytes: [UInt8]) {
        id = Hexadecimal.text(sha256(bytes).prefix(4))
        symmetric = SymmetricKey(data: bytes)
    }

    /// The key as `ENCRYPTION_KEY` takes it, for the one place that stores a generated key.
    public func revealedBase64() -> String {
        Base64.encode(symmetric.withUnsafeBytes { Array($0) })
    }
}

extension EncryptionKey: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "(encryption key \(id))" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
