public import ProxyDomain
import ProxyWire

/// What a token allows and where its requests go, as last read from the database.
///
/// A hint, never an authority: each admission asks the database again.
public final class Grant: Sendable {
    public let tokenID: TokenID
    public let projectID: ProjectID
    public let route: UpstreamRoute
    /// The standing as it was when read; used to refuse early what the database would refuse anyway.
    public let standing: TokenStanding

    public init(tokenID: TokenID, projectID: ProjectID, route: UpstreamRoute, standing: TokenStanding) {
        self.tokenID = tokenID
        self.projectID = projectID
        self.route = route
        self.standing = standing
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
    /// `Host` and credential lines, ready to be copied into a head.
    let headerLines: [UInt8]
    let endpoints: EndpointRules
    /// What the provider's models cost.
    let prices: PriceList
    let streams: StreamPolicy

    /// - Parameters:
    ///   - credential: the header line with the provider's key, name first.
    ///   - endpoints: what of the provider may be called.
    public init(
        target: UpstreamTarget, pathPrefix: String, credential: (name: String, value: String), endpoints: EndpointRules,
        prices: PriceList = PriceList(), streams: StreamPolicy = StreamPolicy()
    ) {
        self.target = target
        self.pathPrefix = Array(pathPrefix.utf8)
        self.headerLines = Array("Host: \(target.authority)\r\n\(credential.name): \(credential.value)\r\n".utf8)
        self.endpoints = endpoints
        self.prices = prices
        self.streams = streams
    }
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
    /// The allowed methods as a value for `Allow`.
    let allowField: String

    /// - Parameter methods: names in upper case; names that HTTP does not define allow nothing.
    public init(methods: [String], allowsPath: @escaping @Sendable (String) -> Bool) {
        allowedMethods = Set(RequestMethod.allCases.filter { methods.contains($0.name) })
        allowField = methods.joined(separator: ", ")
        self.allowsPath = allowsPath
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
