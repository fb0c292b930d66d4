import Crypto
public import ProxyDomain

/// Who acts at the management API: the actor of the audit, and what it may do.
public struct Principal: Hashable, Sendable {
    public let name: String
    public let role: ManagementRole

    public init(name: String, role: ManagementRole) {
        self.name = name
        self.role = role
    }

    /// Who acts with the management token of the settings.
    public static let root = Principal(name: "management-token", role: .admin)

    /// The actor of commands that change a database by themselves, without a server.
    public static let commandLine = "command-line"

    /// Names that the audit uses itself.
    static let reservedNames = [root.name, "unknown", commandLine]
}

extension TokenDigest {
    /// SHA-256 of a credential's text.
    package static func ofCredential(_ text: String) -> TokenDigest {
        TokenDigest(text: Hexadecimal.text(SHA256.hash(data: Array(text.utf8))))
    }
}
