/// Another way that a project's requests may take: another key, another address, another provider.
///
/// The project's own key is a way too, with ``ownPriority`` and ``ownWeight``.
public struct Upstream: Hashable, Sendable {
    public let id: UpstreamID
    public let projectID: ProjectID
    /// The entry of the providers file that requests go to.
    public var provider: String
    /// The provider's key, sealed for the project; see `ProxySecrets`.
    public var sealedKey: String
    /// What may be shown of the provider's key for ever.
    public var keyHint: String
    /// Where requests go instead of the provider's own address; `nil` for the provider's own.
    public var baseURL: String?
    /// Lower ones are taken first, 0…1000.
    public var priority: Int64
    /// Its share among those of the same priority, 1…1000.
    public var weight: Int64
    /// When it was deactivated; `nil` while it may be taken.
    public var deactivatedAt: Timestamp?
    public let createdAt: Timestamp
    public var updatedAt: Timestamp

    /// The priority of a project's own key.
    public static let ownPriority: Int64 = 0
    /// The weight of a project's own key.
    public static let ownWeight: Int64 = 100
    /// The priority where none is said: after the project's own.
    public static let usualPriority: Int64 = 1

    public init(
        id: UpstreamID, projectID: ProjectID, provider: String, sealedKey: String, keyHint: String,
        baseURL: String? = nil, priority: Int64 = usualPriority, weight: Int64 = ownWeight,
        deactivatedAt: Timestamp? = nil, createdAt: Timestamp, updatedAt: Timestamp
    ) {
        self.id = id
        self.projectID = projectID
        self.provider = provider
        self.sealedKey = sealedKey
        self.keyHint = keyHint
        self.baseURL = baseURL
        self.priority = priority
        self.weight = weight
        self.deactivatedAt = deactivatedAt
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }
}

/// What to change of an upstream; `nil` leaves a part as it is.
public struct UpstreamChange: Hashable, Sendable {
    public var provider: String?
    /// The new key, sealed, and what may be shown of it.
    public var key: SealedKey?
    /// Another address; empty for the provider's own.
    public var baseURL: String?
    public var priority: Int64?
    public var weight: Int64?
    public var isActive: Bool?
    /// The upstream as whoever asks knows it: nothing is changed when it is another by now.
    public var expected: Upstream?

    public init(
        provider: String? = nil, key: SealedKey? = nil, baseURL: String? = nil, priority: Int64? = nil,
        weight: Int64? = nil, isActive: Bool? = nil, expected: Upstream? = nil
    ) {
        self.provider = provider
        self.key = key
        self.baseURL = baseURL
        self.priority = priority
        self.weight = weight
        self.isActive = isActive
        self.expected = expected
    }
}
