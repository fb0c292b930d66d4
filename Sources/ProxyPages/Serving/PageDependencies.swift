public import Logging
public import ProxyDomain
public import ProxyManagement
public import ProxyStorage

/// Everything the admin pages need from outside: they read no clock, no environment and no randomness themselves.
public struct PageDependencies: Sendable {
    /// Answers what the pages ask: they are a client of the management API.
    public var management: Management
    /// Where sign-ins are kept.
    public var sessions: any AdminSessionStore
    public var now: @Sendable () -> Timestamp
    /// 64 random bits from a cryptographic source: sessions are made of them.
    public var random: @Sendable () -> UInt64
    /// A session that is not used for so long ends.
    public var idleTimeout: Duration
    /// A session ends so long after its sign-in, however much it is used.
    public var absoluteTimeout: Duration
    /// Where the metrics are shown (`METRICS_PATH`): the dashboard reads them there.
    public var metricsPath: String
    public var version: String
    public var logger: Logger

    public init(
        management: Management, sessions: any AdminSessionStore, now: @escaping @Sendable () -> Timestamp,
        random: @escaping @Sendable () -> UInt64, idleTimeout: Duration = .seconds(30 * 60),
        absoluteTimeout: Duration = .seconds(12 * 3600), metricsPath: String = "/metrics", version: String,
        logger: Logger
    ) {
        self.management = management
        self.sessions = sessions
        self.now = now
        self.random = random
        self.idleTimeout = idleTimeout
        self.absoluteTimeout = absoluteTimeout
        self.metricsPath = metricsPath
        self.version = version
        self.logger = logger
    }
}

/// Why the pages can't be put together.
public enum PageError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A time-out is not above zero, or the idle one is longer than the absolute one.
    case unusableTimeouts

    public var description: String {
        switch self {
        case .unusableTimeouts:
            "time-outs of admin sessions must be above zero, the idle one not above the absolute one"
        }
    }
}
