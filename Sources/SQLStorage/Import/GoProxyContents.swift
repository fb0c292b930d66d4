public import ProxyDomain

/// What the database of the Go proxy (github.com/sofatutor/llm-proxy) holds that can be carried over.
public struct GoProxyContents: Sendable {
    public var projects: [GoProxyProject] = []
    public var tokens: [GoProxyToken] = []
    /// How many events its audit has, which stay where they are.
    public var auditEventCount: Int64 = 0
}

/// One of its projects. Holds an upstream key: shown by its identifier alone.
public struct GoProxyProject: Sendable, CustomStringConvertible {
    /// A UUID, unless somebody wrote it by hand.
    public let id: String
    public let name: String
    /// The upstream key as it is stored: plain, or as ``GoProxyCipher`` has it.
    public let key: String
    public let isActive: Bool
    public let deactivatedAt: Timestamp?
    public let createdAt: Timestamp
    public let updatedAt: Timestamp

    public var description: String { "project \(id)" }
}

/// One of its tokens. May hold the secret: never shown whole.
public struct GoProxyToken: Sendable, CustomStringConvertible {
    /// A UUID; `nil` in databases of versions that knew tokens by their secret alone.
    public let id: String?
    public let projectID: String
    /// The secret, or its SHA-256 as 64 hexadecimal characters.
    public let text: String
    public let isActive: Bool
    public let deactivatedAt: Timestamp?
    public let expiresAt: Timestamp?
    /// 0 for no cap.
    public let maxRequests: Int64
    public let requestCount: Int64
    /// At most ``requestCount``.
    public let cacheHitCount: Int64
    public let createdAt: Timestamp
    public let lastUsedAt: Timestamp?
    /// Whether somebody has noted something about it, which stays where it is.
    public let hasMetadata: Bool

    public var description: String { "token \(id ?? "without identifier")" }
}
