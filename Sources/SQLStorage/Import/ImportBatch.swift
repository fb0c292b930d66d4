public import ProxyDomain

/// Projects and tokens that another program kept, ready to be written as they are to be here.
public struct ImportBatch: Sendable {
    public var projects: [Project]
    public var tokens: [ImportedToken]

    public init(projects: [Project] = [], tokens: [ImportedToken] = []) {
        self.projects = projects
        self.tokens = tokens
    }
}

/// A token that another program issued, with all that it has counted.
public struct ImportedToken: Sendable {
    public let token: Token
    public let digest: TokenDigest
    /// The digest that gives way to ``digest`` where the token is there already; `nil` for one that keeps its secret.
    public let former: TokenDigest?

    public init(_ token: Token, digest: TokenDigest, replacing former: TokenDigest? = nil) {
        self.token = token
        self.digest = digest
        self.former = former
    }
}

/// What writing a batch does. What is in none of these is there already, and stays as it is.
public struct ImportFindings: Hashable, Sendable {
    public internal(set) var newProjects: Set<ProjectID> = []
    public internal(set) var newTokens: Set<TokenID> = []
    /// Tokens that are there and get another secret.
    public internal(set) var renewedTokens: Set<TokenID> = []
    /// Tokens that are there with another secret than the batch has for them, which stays.
    public internal(set) var otherSecrets: Set<TokenID> = []
    /// What must not be written; nothing is while there is one.
    public internal(set) var clashes: [ImportClash] = []

    /// Whether nothing is to be done.
    public var isEmpty: Bool {
        newProjects.isEmpty && newTokens.isEmpty && renewedTokens.isEmpty && clashes.isEmpty
    }
}

/// Something in the database that has what a part of the batch wants for itself.
public enum ImportClash: Hashable, Sendable {
    /// Another project has the name.
    case projectName(String, holder: String)
    /// Another token has the secret.
    case tokenSecret(TokenID, holder: String)
}
