/// What somebody may do at the management API. Each may do what those before it may.
public enum ManagementRole: String, Hashable, Sendable, CaseIterable, Comparable {
    /// Looks at projects, tokens, requests and what they used.
    case viewer
    /// Makes, changes and revokes tokens, empties the cache, and reads the audit.
    case `operator`
    /// Everything, the keys of providers and other people's access included.
    case admin

    private var rank: Int {
        switch self {
        case .viewer: 0
        case .operator: 1
        case .admin: 2
        }
    }

    public static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }
}

/// Names one credential of the management API.
public struct ManagementTokenID: TypedIdentifier {
    public let identifier: Identifier
    public init(_ identifier: Identifier) { self.identifier = identifier }
}

/// A named credential of the management API. The secret itself is not in it, only its digest is kept.
public struct ManagementToken: Hashable, Sendable {
    public let id: ManagementTokenID
    /// Whose it is, 1…100 characters: the actor of what is done with it.
    public let name: String
    public let role: ManagementRole
    /// What may be shown of the secret for ever.
    public let hint: String
    public let createdAt: Timestamp
    /// From when on it is refused; `nil` for never.
    public let expiresAt: Timestamp?
    public var revokedAt: Timestamp?

    public init(
        id: ManagementTokenID, name: String, role: ManagementRole, hint: String, createdAt: Timestamp,
        expiresAt: Timestamp? = nil, revokedAt: Timestamp? = nil
    ) {
        self.id = id
        self.name = name
        self.role = role
        self.hint = hint
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        self.revokedAt = revokedAt
    }

    /// Whether it opens anything at `instant`.
    public func isActive(at instant: Timestamp) -> Bool {
        revokedAt == nil && expiresAt.map { $0 > instant } ?? true
    }
}

/// The secret of a management token: `mk-` and 43 characters of URL-safe base64 that carry 32 random bytes, so that nobody takes it for
/// a client's token.
public struct ManagementSecret: Sendable {
    private let secret: TokenSecret

    /// Makes a new secret. `random` must be a cryptographic source, such as the system's.
    public init(using random: inout some RandomNumberGenerator) { secret = TokenSecret(using: &random) }

    /// The text itself, for the one answer that shows it and for the one hash that is stored.
    public func revealed() -> String { "mk-\(secret.revealed().dropFirst(3))" }

    /// Whether a text may be one: anything else needs no look into the database.
    public static func isWellFormed(_ text: String) -> Bool {
        text.hasPrefix("mk-") && TokenSecret("sk-\(text.dropFirst(3))") != nil
    }

    /// What may be shown for ever: the first four characters after `mk-` and the last four.
    public var hint: String { "mk-\(secret.hint.dropFirst(3))" }
}

extension ManagementSecret: CustomStringConvertible, CustomReflectable {
    public var description: String { "(secret)" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
