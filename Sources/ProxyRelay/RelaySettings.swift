public import NIOCore
public import ProxyWire

/// Bounds of the data plane. All are fixed while a relay runs.
public struct RelaySettings: Sendable {
    /// Event loops that carry connections, 1 or more.
    public var eventLoops: Int
    /// From a request's first byte to the end of its head.
    public var headTimeout: TimeAmount
    /// Silence between two requests on one connection.
    public var keepAliveTimeout: TimeAmount
    /// Silence within a request's body.
    public var bodyTimeout: TimeAmount
    /// How long a request waits for what only the database can tell, before its client is sent away: somewhat longer than the
    /// ledger and the storage themselves wait, so that their answer comes first unless they are stuck.
    public var databaseTimeout: TimeAmount
    /// To a new connection to an upstream, TLS handshake included.
    public var connectTimeout: TimeAmount
    /// From a request sent to the head of its answer (`REQUEST_TIMEOUT`).
    public var responseHeadTimeout: TimeAmount
    /// Silence within an answer (`STREAM_IDLE_TIMEOUT`). There is no limit on a whole answer.
    public var streamIdleTimeout: TimeAmount
    /// How long an answer is read on when its client has left, where the project wants that (`DRAIN_TIMEOUT`).
    public var drainTimeout: TimeAmount
    /// How long an unused upstream connection is kept.
    public var upstreamIdleTimeout: TimeAmount
    /// Largest request body in bytes (`MAX_REQUEST_SIZE`).
    public var maxRequestBytes: UInt64
    /// Requests in flight over all loops (`MAX_CONCURRENT_REQUESTS`); more are refused.
    public var maxConcurrentRequests: Int
    /// Completion tokens set aside for a request that doesn't bound them itself (`DEFAULT_RESERVED_TOKENS`).
    public var defaultReservedTokens: Int64
    public var wireLimits: WireLimits
    /// Whether each client's connection begins with whose it is (`PROXY_PROTOCOL`).
    public var readsClientAddress: Bool
    /// On the way to upstreams that speak TLS; `nil` for none (`HTTPS_PROXY`).
    public var outboundProxy: OutboundProxy?
    /// Whether upstreams that speak TLS may choose HTTP/2 (`UPSTREAM_HTTP2`).
    public var offersHTTP2: Bool

    public init(
        eventLoops: Int = 1, headTimeout: TimeAmount = .seconds(10), keepAliveTimeout: TimeAmount = .seconds(75),
        bodyTimeout: TimeAmount = .seconds(60), databaseTimeout: TimeAmount = .milliseconds(2500),
        connectTimeout: TimeAmount = .seconds(5),
        responseHeadTimeout: TimeAmount = .seconds(30), streamIdleTimeout: TimeAmount = .minutes(5),
        drainTimeout: TimeAmount = .seconds(30),
        upstreamIdleTimeout: TimeAmount = .seconds(60), maxRequestBytes: UInt64 = 10 << 20,
        maxConcurrentRequests: Int = 10_000, defaultReservedTokens: Int64 = 1000, wireLimits: WireLimits = WireLimits(),
        readsClientAddress: Bool = false, outboundProxy: OutboundProxy? = nil, offersHTTP2: Bool = true
    ) {
        self.eventLoops = eventLoops
        self.headTimeout = headTimeout
        self.keepAliveTimeout = keepAliveTimeout
        self.bodyTimeout = bodyTimeout
        self.databaseTimeout = databaseTimeout
        self.connectTimeout = connectTimeout
        self.responseHeadTimeout = responseHeadTimeout
        self.streamIdleTimeout = streamIdleTimeout
        self.drainTimeout = drainTimeout
        self.upstreamIdleTimeout = upstreamIdleTimeout
        self.maxRequestBytes = maxRequestBytes
        self.maxConcurrentRequests = maxConcurrentRequests
        self.defaultReservedTokens = defaultReservedTokens
        self.wireLimits = wireLimits
        self.readsClientAddress = readsClientAddress
        self.outboundProxy = outboundProxy
        self.offersHTTP2 = offersHTTP2
    }

    /// How often deadlines are looked at: an eighth of the shortest, within 10 ms and 250 ms.
    var sweepInterval: TimeAmount {
        let shortest =
            [
                headTimeout, keepAliveTimeout, bodyTimeout, databaseTimeout, responseHeadTimeout, streamIdleTimeout,
                drainTimeout,
                upstreamIdleTimeout,
            ].min() ?? .seconds(1)
        return min(max(.nanoseconds(shortest.nanoseconds / 8), .milliseconds(10)), .milliseconds(250))
    }
}

/// Bytes held back on one connection before its other side is told to stop sending.
enum Holding {
    /// Of an answer that waits for its admission.
    static let response = 64 << 10
    /// Of a request that waits for its grant, its admission or its upstream.
    static let request = 256 << 10
    /// Of a request's head and body together, kept so that it can be sent again on another connection.
    static let replay = 64 << 10
    /// The same where there are other ways, or further attempts.
    static let replayElsewhere = 1 << 20
    /// Heads of an answer that come before the last one (RFC 9110 section 15.2), and their bytes.
    static let interims = 16
    static let interimBytes = 64 << 10
    /// Of a request for the management side.
    static let local = 1 << 20
}
