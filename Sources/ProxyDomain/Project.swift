/// An account at a provider, whose key stays here: what tokens are issued under.
public struct Project: Hashable, Sendable {
    public let id: ProjectID
    /// What people call it. Unique, 1…200 characters.
    public var name: String
    /// The provider's key, sealed; see `ProxySecrets`.
    public var sealedKey: String
    /// What may be shown of the provider's key for ever.
    public var keyHint: String
    /// The entry of the providers file that its requests go to.
    public var provider: String
    /// Where its requests go instead of the provider's own address; `nil` for the provider's own.
    public var baseURL: String?
    /// When it was deactivated; `nil` while its tokens may be used.
    public var deactivatedAt: Timestamp?
    public var limits: ProjectLimits
    public var streams: StreamPolicy
    public var cache: CachePolicy
    /// What its tokens may use at most.
    public var access: AccessScope
    /// What has gone off its budget; `nil` without one. Only the ledger writes it.
    public var budget: BudgetAccount?
    public let createdAt: Timestamp
    public var updatedAt: Timestamp

    public init(
        id: ProjectID, name: String, sealedKey: String, keyHint: String, provider: String, baseURL: String? = nil,
        deactivatedAt: Timestamp? = nil, limits: ProjectLimits = ProjectLimits(),
        streams: StreamPolicy = StreamPolicy(), access: AccessScope = AccessScope(),
        cache: CachePolicy = CachePolicy(), budget: BudgetAccount? = nil,
        createdAt: Timestamp, updatedAt: Timestamp
    ) {
        self.id = id
        self.name = name
        self.sealedKey = sealedKey
        self.keyHint = keyHint
        self.provider = provider
        self.baseURL = baseURL
        self.deactivatedAt = deactivatedAt
        self.limits = limits
        self.streams = streams
        self.access = access
        self.cache = cache
        self.budget = budget
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }
}

/// What to change of a project; `nil` leaves a part as it is.
public struct ProjectChange: Hashable, Sendable {
    public var name: String?
    /// The new key, sealed, and what may be shown of it.
    public var key: SealedKey?
    public var isActive: Bool?
    /// Revoke every token of the project in the same step.
    public var revokesTokens: Bool
    /// Replaces all limits.
    public var limits: ProjectLimits?
    public var streamUsage: StreamUsage?
    public var clientLeaves: ClientLeaves?
    /// The name of another entry of the providers file.
    public var provider: String?
    /// Another address; empty for the provider's own.
    public var baseURL: String?
    /// Replaces the list; empty for all models.
    public var allowedModels: [String]?
    /// Replaces the list; empty for all paths.
    public var allowedPaths: [String]?
    public var cacheScope: CacheScope?
    public var cacheHits: CacheHits?
    /// The project as whoever asks knows it: nothing is changed when its administered state is another by now.
    public var expected: Project?

    public init(
        name: String? = nil, key: SealedKey? = nil, isActive: Bool? = nil, revokesTokens: Bool = false,
        limits: ProjectLimits? = nil, streamUsage: StreamUsage? = nil, clientLeaves: ClientLeaves? = nil,
        provider: String? = nil, baseURL: String? = nil, allowedModels: [String]? = nil, allowedPaths: [String]? = nil,
        cacheScope: CacheScope? = nil, cacheHits: CacheHits? = nil, expected: Project? = nil
    ) {
        self.name = name
        self.key = key
        self.isActive = isActive
        self.revokesTokens = revokesTokens
        self.limits = limits
        self.streamUsage = streamUsage
        self.clientLeaves = clientLeaves
        self.provider = provider
        self.baseURL = baseURL
        self.allowedModels = allowedModels
        self.allowedPaths = allowedPaths
        self.cacheScope = cacheScope
        self.cacheHits = cacheHits
        self.expected = expected
    }
}

extension Project {
    /// What people administer of it, without what requests count.
    public var administered: Project {
        var state = self
        state.budget = nil
        return state
    }
}

/// An upstream key as it is stored: sealed, with a hint that may be shown.
public struct SealedKey: Hashable, Sendable {
    public let ciphertext: String
    public let hint: String

    public init(ciphertext: String, hint: String) {
        self.ciphertext = ciphertext
        self.hint = hint
    }
}
