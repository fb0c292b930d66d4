public import ProxyDomain

/// Where a provider wants its key.
public enum ProviderAuth: Hashable, Sendable {
    /// In `Authorization: Bearer …` (RFC 6750 section 2.1).
    case bearer
    /// As the whole value of a field.
    case header(String)
    /// As a parameter of the query.
    case query(String)
}

/// How long a provider may take; `nil` for what the server's settings say.
public struct ProviderTimeouts: Hashable, Sendable {
    /// From a request sent to the end of an answer that is no stream of events.
    public var request: Duration?
    /// From a request sent to the head of its answer.
    public var responseHead: Duration?
    /// How long an unused connection is kept.
    public var idleConnection: Duration?

    public init(request: Duration? = nil, responseHead: Duration? = nil, idleConnection: Duration? = nil) {
        self.request = request
        self.responseHead = responseHead
        self.idleConnection = idleConnection
    }
}

/// An upstream service, and what of it may be used.
public struct Provider: Hashable, Sendable {
    /// Its name in the providers file.
    public let name: String
    /// Where its requests go.
    public let baseURL: BaseURL
    /// Path prefixes that may be used, matched by whole segments. Plain, without a slash at the end; `/` is all.
    public let allowedEndpoints: [String]
    /// Methods that may be used, in the file's order, for the `Allow` field of a 405.
    public let allowedMethods: [String]
    /// What its models cost.
    public let prices: PriceList
    /// Where it wants its key.
    public let auth: ProviderAuth

    /// Origins of the web pages that may call it, in lower case, `*` for all; empty when the file does not say.
    public let allowedOrigins: [String]
    /// Fields that requests must have.
    public let requiredHeaders: [String]
    /// Values that parameters of requests may have, by parameter, with `*` for any text.
    public let allowedValues: [String: [String]]

    /// When requests are sent again.
    public let retry: RetryRules
    /// What takes the place of the server's own settings.
    public let timeouts: ProviderTimeouts
    /// Most idle connections that are kept to it; `nil` for no bound.
    public let mostIdleConnections: Int?

    public init(
        name: String, baseURL: BaseURL, allowedEndpoints: [String], allowedMethods: [String],
        prices: PriceList = PriceList(), auth: ProviderAuth = .bearer,
        allowedOrigins: [String] = [], requiredHeaders: [String] = [],
        allowedValues: [String: [String]] = [:], retry: RetryRules = RetryRules(),
        timeouts: ProviderTimeouts = ProviderTimeouts(), mostIdleConnections: Int? = nil
    ) {
        self.name = name
        self.baseURL = baseURL
        self.allowedEndpoints = allowedEndpoints
        self.allowedMethods = allowedMethods
        self.prices = prices
        self.auth = auth
        self.allowedOrigins = allowedOrigins
        self.requiredHeaders = requiredHeaders
        self.allowedValues = allowedValues
        self.retry = retry
        self.timeouts = timeouts
        self.mostIdleConnections = mostIdleConnections
    }

    /// What is allowed where the file does not say.
    public static let usualEndpoints = ["/v1"]
    /// What is allowed where the file does not say.
    public static let usualMethods = ["GET", "POST", "DELETE", "HEAD"]

    /// The provider that is there without a file: everything under `/v1` of OpenAI or of what speaks like it.
    public static func openAI(at baseURL: BaseURL) -> Provider {
        Provider(
            name: "openai", baseURL: baseURL, allowedEndpoints: usualEndpoints, allowedMethods: usualMethods)
    }

    /// Where connections to it go.
    public var origin: UpstreamOrigin { baseURL.origin }
    /// What is put before each request's path; empty for nothing.
    public var pathPrefix: String { baseURL.pathPrefix }

    /// Whether a request for `path`, with or without its query, may be sent: below an allowed endpoint by whole
    /// segments, and plain (see ``RequestPath/isPlain(_:)``).
    public func allows(path: some Collection<UInt8>) -> Bool {
        RequestPath.isPlain(path) && allowedEndpoints.contains { RequestPath.covers($0.utf8, path) }
    }

    /// Whether a request for `path` may be sent.
    public func allows(path: String) -> Bool { allows(path: path.utf8) }

    /// Whether `method` may be used. Methods are case-sensitive (RFC 9110 section 9.1).
    public func allows(method: String) -> Bool { allowedMethods.contains(method) }
}
