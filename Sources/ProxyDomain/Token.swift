/// The right to send requests under a project. The secret itself is not kept, only its digest and a hint.
public struct Token: Hashable, Sendable {
    public let id: TokenID
    public let projectID: ProjectID
    /// What people call it; may be empty.
    public var name: String
    /// What may be shown of the secret for ever.
    public let hint: String
    /// First instant at which it is no longer accepted; `nil` for never.
    public var expiresAt: Timestamp?
    /// When it was revoked; `nil` while it may be used.
    public var revokedAt: Timestamp?
    /// Most requests it may ever send; 0 for no cap.
    public var maxRequests: Int64
    public var limits: TokenLimits
    /// What it may use of what its project may.
    public var access: AccessScope
    /// Requests admitted so far. Only the ledger writes it.
    public var requestCount: Int64
    /// Prompt tokens settled so far. Only the ledger writes it.
    public var promptTokens: Int64
    /// Completion tokens settled so far. Only the ledger writes it.
    public var completionTokens: Int64
    /// Cost settled so far. Only the ledger writes it.
    public var cost: NanoDollars
    /// Responses served from the cache so far.
    public var cacheHitCount: Int64
    /// What has gone off its budget; `nil` without one. Only the ledger writes it.
    public var budget: BudgetAccount?
    /// Requests that a limit in shadow would have refused so far. Only the ledger writes it.
    public var shadowRefusalCount: Int64
    /// What its limit of requests per minute is judged by. Only the ledger writes it.
    public var requestWindow: MinuteWindow
    /// What its limit of tokens per minute is judged by. Only the ledger writes it.
    public var tokenWindow: MinuteWindow
    /// What requests that are answered from the cache take of its cap. Its project says so; it is never stored with a token.
    public var cacheHits: CacheHits
    /// When the last request was admitted. Only the ledger writes it.
    public var lastUsedAt: Timestamp?
    public let createdAt: Timestamp

    public init(
        id: TokenID, projectID: ProjectID, name: String = "", hint: String, expiresAt: Timestamp? = nil,
        revokedAt: Timestamp? = nil, maxRequests: Int64 = 0, limits: TokenLimits = TokenLimits(),
        access: AccessScope = AccessScope(), requestCount: Int64 = 0, promptTokens: Int64 = 0,
        completionTokens: Int64 = 0, cost: NanoDollars = .zero,
        cacheHitCount: Int64 = 0, budget: BudgetAccount? = nil, shadowRefusalCount: Int64 = 0,
        requestWindow: MinuteWindow = MinuteWindow(), tokenWindow: MinuteWindow = MinuteWindow(),
        cacheHits: CacheHits = .count, lastUsedAt: Timestamp? = nil, createdAt: Timestamp
    ) {
        self.id = id
        self.projectID = projectID
        self.name = name
        self.hint = hint
        self.expiresAt = expiresAt
        self.revokedAt = revokedAt
        self.maxRequests = maxRequests
        self.limits = limits
        self.access = access
        self.requestCount = requestCount
        self.promptTokens = promptTokens
        self.completionTokens = completionTokens
        self.cost = cost
        self.cacheHitCount = cacheHitCount
        self.budget = budget
        self.shadowRefusalCount = shadowRefusalCount
        self.requestWindow = requestWindow
        self.tokenWindow = tokenWindow
        self.cacheHits = cacheHits
        self.lastUsedAt = lastUsedAt
        self.createdAt = createdAt
    }
}

/// What to change of a token; `nil` leaves a part as it is. Counters can't be changed.
public struct TokenChange: Hashable, Sendable {
    public var name: String?
    public var isActive: Bool?
    public var maxRequests: Int64?
    public var expiry: Expiry?
    /// Replaces all limits.
    public var limits: TokenLimits?
    /// Replaces the list; empty for all models.
    public var allowedModels: [String]?
    /// Replaces the list; empty for all paths.
    public var allowedPaths: [String]?
    /// The token as whoever asks knows it: nothing is changed when its administered state is another by now.
    public var expected: Token?

    public enum Expiry: Hashable, Sendable {
        case at(Timestamp)
        case never
    }

    public init(
        name: String? = nil, isActive: Bool? = nil, maxRequests: Int64? = nil, expiry: Expiry? = nil,
        limits: TokenLimits? = nil, allowedModels: [String]? = nil, allowedPaths: [String]? = nil,
        expected: Token? = nil
    ) {
        self.name = name
        self.isActive = isActive
        self.maxRequests = maxRequests
        self.expiry = expiry
        self.limits = limits
        self.allowedModels = allowedModels
        self.allowedPaths = allowedPaths
        self.expected = expected
    }
}

extension Token {
    /// What people administer of it, without what requests count.
    public var administered: Token {
        Token(
            id: id, projectID: projectID, name: name, hint: hint, expiresAt: expiresAt, revokedAt: revokedAt,
            maxRequests: maxRequests, limits: limits, access: access, createdAt: createdAt)
    }
}
