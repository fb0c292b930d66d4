public import NIOCore
import ProxyCache
public import ProxyDomain
public import ProxyWire

/// What a token allows and where its requests go, as last read from the database.
///
/// A hint, never an authority: each admission asks the database again.
public final class Grant: Sendable {
    public let tokenID: TokenID
    /// The token as it may be shown.
    let tokenHint: String
    public let projectID: ProjectID
    /// Along the project's own key.
    public let route: UpstreamRoute
    /// All ways that its requests may take, ``route`` first.
    let routes: [UpstreamRoute]
    /// The standing as it was when read; used to refuse early what the database would refuse anyway.
    public let standing: TokenStanding
    /// What of the provider it may use; `nil` for all.
    let scope: GrantScope?
    /// Whose answers from the cache it may be given.
    let cacheScope: CacheScope
    /// Whether its requests are read whole before they are sent, whatever they ask for.
    let readsBodies: Bool

    public init(
        tokenID: TokenID, tokenHint: String, projectID: ProjectID, route: UpstreamRoute, others: [UpstreamRoute] = [],
        standing: TokenStanding, scope: GrantScope? = nil, cacheScope: CacheScope = .project
    ) {
        self.cacheScope = cacheScope
        self.tokenID = tokenID
        self.tokenHint = tokenHint
        self.projectID = projectID
        self.route = route
        routes = [route] + others
        self.standing = standing
        self.scope = scope
        readsBodies =
            standing.reserves || routes.contains { !$0.endpoints.parameters.isEmpty } || scope?.limitsModels ?? false
    }

    /// Whether its requests wait for their admission before the upstream is called.
    var isLimited: Bool { standing.isLimited }
    /// Whether its requests are read before they are admitted, to set aside what they may use.
    var reserves: Bool { standing.reserves }
}

/// Where a project's requests go, and what they carry there.
public final class UpstreamRoute: Sendable {
    public let target: UpstreamTarget
    /// Put before the client's path; empty, or begins with `/` and doesn't end with one.
    let pathPrefix: [UInt8]
    /// `Host`, and the credential where it is a field, ready to be copied into a head.
    let headerLines: [UInt8]
    /// The name of the credential's field in lower case: what a client sends under it stays behind.
    let credentialField: [UInt8]
    /// The credential where it is a parameter of the query.
    let credentialParameter: QueryParameter?
    /// Whether a field of an answer repeats a credential that stands in the query; `nil` when none does.
    var repeatsCredential: ((UnsafeRawBufferPointer) -> Bool)? {
        credentialParameter.map { parameter in { parameter.isRepeated(in: $0) } }
    }
    /// Where it leads, as the cache tells places apart.
    let place: CacheKey.Place
    let endpoints: EndpointRules
    /// What the provider's models cost.
    let prices: PriceList
    let streams: StreamPolicy
    /// Entry of the providers file.
    let provider: String
    /// `nil` for the project's own key.
    let upstream: UpstreamID?
    let priority: Int64
    let weight: Int64
    let retry: RetryRules
    let timeouts: RouteTimeouts
    let breaker: CircuitBreaker
    let retryBudget: RetryBudget
    let rest: KeyRest

    /// - Parameters:
    ///   - credential: the provider's key, and where it wants it.
    ///   - endpoints: what of the provider may be called.
    ///   - breaker: that of the target, which all ways to it share.
    ///   - retryBudget: that of the target too.
    ///   - rest: that of the key.
    public init(
        target: UpstreamTarget, pathPrefix: String, credential: UpstreamCredential, endpoints: EndpointRules,
        prices: PriceList = PriceList(), streams: StreamPolicy = StreamPolicy(), place: RoutePlace,
        retry: RetryRules = RetryRules(), timeouts: RouteTimeouts = RouteTimeouts(), breaker: CircuitBreaker,
        retryBudget: RetryBudget, rest: KeyRest
    ) {
        self.target = target
        self.pathPrefix = Array(pathPrefix.utf8)
        let host = "Host: \(target.authority)\r\n"
        switch credential {
        case .field(let name, let value):
            headerLines = Array("\(host)\(name): \(value)\r\n".utf8)
            credentialField = Array(name.lowercased().utf8)
            credentialParameter = nil
        case .parameter(let name, let value):
            headerLines = Array(host.utf8)
            credentialField = []
            credentialParameter = QueryParameter(name: name, value: value)
        }
        self.place = CacheKey.Place(
            provider: place.provider, authority: "\(target.isTLS ? "https" : "http")://\(target.authority)",
            prefix: self.pathPrefix)
        self.endpoints = endpoints
        self.prices = prices
        self.streams = streams
        provider = place.provider
        upstream = place.upstream
        priority = place.priority
        weight = place.weight
        self.retry = retry
        self.timeouts = timeouts
        self.breaker = breaker
        self.retryBudget = retryBudget
        self.rest = rest
    }

    /// Whether its target is left alone, by the rules of its provider.
    func isLeftAlone(at now: NIODeadline) -> Bool { retry.breaker.failures > 0 && breaker.openFor(at: now) != nil }
}

/// Which of a project's ways one is.
public struct RoutePlace: Hashable, Sendable {
    /// Entry of the providers file.
    public let provider: String
    /// `nil` for the project's own key.
    public let upstream: UpstreamID?
    /// Lower ones are taken first.
    public let priority: Int64
    /// Its share among those of the same priority.
    public let weight: Int64

    public init(
        provider: String, upstream: UpstreamID? = nil, priority: Int64 = Upstream.ownPriority,
        weight: Int64 = Upstream.ownWeight
    ) {
        self.provider = provider
        self.upstream = upstream
        self.priority = priority
        self.weight = weight
    }
}

/// Bounds of one provider; `nil` for those of the relay.
public struct RouteTimeouts: Hashable, Sendable {
    /// From a request sent to the head of its answer.
    public var responseHead: TimeAmount?
    /// From a request sent to the end of an answer that is no stream of events.
    public var whole: TimeAmount?
    /// How long an unused connection is kept.
    public var idleConnection: TimeAmount?
    /// Most connections that are kept unused, over all loops.
    public var mostIdleConnections: Int?

    public init(
        responseHead: TimeAmount? = nil, whole: TimeAmount? = nil, idleConnection: TimeAmount? = nil,
        mostIdleConnections: Int? = nil
    ) {
        self.responseHead = responseHead
        self.whole = whole
        self.idleConnection = idleConnection
        self.mostIdleConnections = mostIdleConnections
    }
}

/// How requests carry a provider's key.
public enum UpstreamCredential: Hashable, Sendable {
    /// As a field, with its whole value.
    case field(name: String, value: String)
    /// As a parameter of the query, which takes the place of those that a client sends under its name.
    case parameter(name: String, value: String)
}

/// The other end of a pooled connection.
public struct UpstreamTarget: Hashable, Sendable {
    public let host: String
    public let port: Int
    public let isTLS: Bool

    public init(host: String, port: Int, isTLS: Bool) {
        self.host = host
        self.port = port
        self.isTLS = isTLS
    }

    /// As in `Host`: without the port where it is the scheme's own (RFC 9110 section 7.2).
    var authority: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == (isTLS ? 443 : 80) ? name : "\(name):\(port)"
    }
}

/// What of a provider may be called.
public final class EndpointRules: Sendable {
    private let allowedMethods: Set<RequestMethod>
    let allowsPath: @Sendable (String) -> Bool
    /// The pages that may call it; `nil` for what the provider says of that itself.
    let origins: OriginPolicy?
    let requiredFields: [RequiredField]
    /// The values that parameters may have; to look at them, bodies are read before they are sent.
    let parameters: ParameterRules
    /// Whether heads are looked at.
    let hasConditions: Bool
    /// The allowed methods as a value for `Allow`.
    let allowField: String

    /// - Parameters:
    ///   - methods: names in upper case; names that HTTP does not define allow nothing.
    ///   - requiredFields: names of fields that requests must have, with a value.
    public init(
        methods: [String], origins: OriginPolicy? = nil, requiredFields: [String] = [],
        parameters: ParameterRules = ParameterRules(), allowsPath: @escaping @Sendable (String) -> Bool
    ) {
        allowedMethods = Set(RequestMethod.allCases.filter { methods.contains($0.name) })
        allowField = methods.joined(separator: ", ")
        self.allowsPath = allowsPath
        self.origins = origins
        self.requiredFields = requiredFields.map { RequiredField($0) }
        self.parameters = parameters
        hasConditions = origins != nil || !requiredFields.isEmpty || !parameters.isEmpty
    }

    func allows(_ method: RequestMethod) -> Bool { allowedMethods.contains(method) }
}

/// Finds what a secret stands for; the only question the relay asks of storage, and only when its cache can't answer.
public protocol GrantSource: Sendable {
    /// - Returns: `nil` when no token has this secret.
    /// - Throws: `GrantSourceError` when it can't be told.
    func grant(for secret: TokenSecret) async throws(GrantSourceError) -> Grant?
}

/// Why a grant can't be told.
public enum GrantSourceError: Error, Hashable, Sendable {
    /// The database is away; the client may try again.
    case unavailable
    /// What is stored can't be used, for instance a key sealed under an encryption key we don't hold.
    case unusable
}
