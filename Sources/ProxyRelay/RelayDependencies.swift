public import ProxyCache
public import ProxyDomain
public import ProxyLedger

/// What a relay is given from outside: it reads no clock, environment or randomness of its own but NIO's deadlines.
public struct RelayDependencies: Sendable {
    public let ledger: Ledger
    public let grants: any GrantSource
    public let epoch: GrantEpoch
    public let responder: LocalResponder
    /// `nil` when requests are not logged one by one.
    public let log: (any RequestLog)?
    /// Told of each credential that is refused; `nil` when nobody listens. Called on event loops: must not block.
    public let credentialRefused: (@Sendable (RefusedCredential) -> Void)?
    public let now: @Sendable () -> Timestamp
    /// Seeds the random part of request identifiers; called once for each event loop.
    public let seed: @Sendable () -> UInt64
    /// For upstreams with TLS.
    public let tls: UpstreamTLS
    /// `nil` where no answer is given twice.
    public let cache: CacheSetup?

    /// What all providers say together. Asked again by each loop when ``epoch`` advances.
    public let providers: @Sendable () -> ProviderOverview

    public init(
        ledger: Ledger, grants: any GrantSource, epoch: GrantEpoch, responder: @escaping LocalResponder,
        log: (any RequestLog)?, credentialRefused: (@Sendable (RefusedCredential) -> Void)? = nil,
        now: @escaping @Sendable () -> Timestamp, seed: @escaping @Sendable () -> UInt64,
        tls: UpstreamTLS, cache: CacheSetup? = nil,
        providers: @escaping @Sendable () -> ProviderOverview = { ProviderOverview() }
    ) {
        self.ledger = ledger
        self.grants = grants
        self.epoch = epoch
        self.responder = responder
        self.log = log
        self.credentialRefused = credentialRefused
        self.now = now
        self.seed = seed
        self.tls = tls
        self.cache = cache
        self.providers = providers
    }
}

/// What all providers say together.
public struct ProviderOverview: Sendable {
    /// The pages that any provider allows; `nil` when none is named, and all that is for providers to say.
    public let origins: OriginPolicy?
    /// Providers that a path may name before its own, as in `/openai/v1/models`.
    private let names: [(bytes: [UInt8], name: String)]

    public init(origins: OriginPolicy? = nil, names: [String] = []) {
        self.origins = origins
        self.names = names.map { (Array($0.utf8), $0) }
    }

    /// The provider that a path begins with; `nil` when it begins with none.
    func provider(in path: UnsafeRawBufferPointer) -> String? {
        guard path.first == UInt8(ascii: "/") else { return nil }
        let segment = path.dropFirst().prefix { $0 != UInt8(ascii: "/") }
        guard segment.count + 1 < path.count else { return nil }
        return names.first { $0.bytes.elementsEqual(segment) }?.name
    }
}
