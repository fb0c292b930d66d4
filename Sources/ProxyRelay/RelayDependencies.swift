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
    public let now: @Sendable () -> Timestamp
    /// Seeds the random part of request identifiers; called once for each event loop.
    public let seed: @Sendable () -> UInt64
    /// For upstreams with TLS.
    public let tls: UpstreamTLS

    /// The pages that any provider allows; `nil` when none is named, and all that is for providers to say. Asked again by each
    /// loop when ``epoch`` advances.
    public let origins: @Sendable () -> OriginPolicy?

    public init(
        ledger: Ledger, grants: any GrantSource, epoch: GrantEpoch, responder: @escaping LocalResponder,
        log: (any RequestLog)?, now: @escaping @Sendable () -> Timestamp, seed: @escaping @Sendable () -> UInt64,
        tls: UpstreamTLS, origins: @escaping @Sendable () -> OriginPolicy? = { nil }
    ) {
        self.ledger = ledger
        self.grants = grants
        self.epoch = epoch
        self.responder = responder
        self.log = log
        self.now = now
        self.seed = seed
        self.tls = tls
        self.origins = origins
    }
}
