public import Logging
public import ProxyDomain
public import ProxyStorage

/// Everything the control plane needs from outside: it reads no clock, no environment and no randomness itself.
public struct ManagementDependencies: Sendable {
    public var storage: any Storage
    /// Seals a provider's key for one project.
    public var seal: @Sendable (_ key: String, ProjectID) throws -> SealedKey
    /// Opens what was sealed for one project; `nil` for what can't be opened.
    public var open: @Sendable (_ sealed: String, ProjectID) -> String?
    /// Whether a presented credential is the management token. Must take the same time whatever is presented.
    public var isManagementToken: @Sendable (String) -> Bool
    /// SHA-256 of the management token of the settings: sessions that were begun with it hold this.
    public var rootCredential: TokenDigest
    /// Under which digest a new token is stored.
    public var digest: @Sendable (TokenSecret) -> TokenDigest
    public var now: @Sendable () -> Timestamp
    /// Times the database probe and bounds its wait.
    public var clock: any Clock<Duration>
    /// 64 random bits from a cryptographic source: identifiers and secrets are made of them.
    public var random: @Sendable () -> UInt64
    /// The providers as they are now.
    public var providers: @Sendable () -> ProviderNames
    /// Whether requests can be sent to an address.
    public var isBaseURL: @Sendable (String) -> Bool
    public var version: String
    public var readiness: @Sendable () -> Readiness
    /// Figures of everything but the database, whose figures come from `storage`.
    public var metrics: @Sendable () async -> [MetricFamily]
    /// Called after a change that what is remembered of tokens and projects may contradict has been committed, and
    /// before it is answered. Not called for something new, of which nothing can be remembered.
    public var grantsChanged: @Sendable () -> Void
    /// Forgets answers that would be given again, on all servers; gives how many.
    public var purgeCache: @Sendable (CachePurge, _ recordedAs: AuditEvent?) async throws(StorageError) -> Int
    /// Where events of the audit go.
    public var audit: AuditSinks
    /// How many days requests are kept for; 0 for ever.
    public var retentionDays: Int
    /// What the operator should know and change: shown by `/health`, the metrics and `/manage/database`.
    public var warnings: @Sendable () -> [String]
    /// A report of the last runs of load or conformance, by the name of its file; `nil` where there is none.
    public var readReport: @Sendable (String) -> String?
    /// Where the metrics are shown (`METRICS_PATH`).
    public var metricsPath: String
    /// Whether they are shown at all (`ENABLE_METRICS`).
    public var metricsEnabled: Bool
    /// Longest wait for the database in `/health` and `/ready`.
    public var probeLimit: Duration
    public var logger: Logger

    public init(
        storage: any Storage, seal: @escaping @Sendable (_ key: String, ProjectID) throws -> SealedKey,
        open: @escaping @Sendable (_ sealed: String, ProjectID) -> String? = { _, _ in nil },
        isManagementToken: @escaping @Sendable (String) -> Bool, rootCredential: TokenDigest,
        digest: @escaping @Sendable (TokenSecret) -> TokenDigest, now: @escaping @Sendable () -> Timestamp,
        clock: any Clock<Duration> = ContinuousClock(), random: @escaping @Sendable () -> UInt64,
        providers: @escaping @Sendable () -> ProviderNames, isBaseURL: @escaping @Sendable (String) -> Bool,
        version: String,
        readiness: @escaping @Sendable () -> Readiness, metrics: @escaping @Sendable () async -> [MetricFamily],
        grantsChanged: @escaping @Sendable () -> Void,
        purgeCache: @escaping @Sendable (CachePurge, AuditEvent?) async throws(StorageError) -> Int = { _, _ in 0 },
        audit: AuditSinks = AuditSinks(), retentionDays: Int = 0, warnings: @escaping @Sendable () -> [String] = { [] },
        readReport: @escaping @Sendable (String) -> String? = { _ in nil },
        metricsPath: String = "/metrics", metricsEnabled: Bool = true,
        probeLimit: Duration = .seconds(2), logger: Logger
    ) {
        self.storage = storage
        self.seal = seal
        self.open = open
        self.isManagementToken = isManagementToken
        self.rootCredential = rootCredential
        self.digest = digest
        self.now = now
        self.clock = clock
        self.random = random
        self.providers = providers
        self.isBaseURL = isBaseURL
        self.version = version
        self.readiness = readiness
        self.metrics = metrics
        self.grantsChanged = grantsChanged
        self.purgeCache = purgeCache
        self.audit = audit
        self.retentionDays = retentionDays
        self.warnings = warnings
        self.readReport = readReport
        self.metricsPath = metricsPath
        self.metricsEnabled = metricsEnabled
        self.probeLimit = probeLimit
        self.logger = logger
    }
}

/// The providers that a project may choose.
public struct ProviderNames: Hashable, Sendable {
    public let all: Set<String>
    /// That of a project that names none.
    public let usual: String

    public init(all: Set<String>, usual: String) {
        self.all = all
        self.usual = usual
    }
}

/// What decides whether traffic should come here, besides the database.
public struct Readiness: Hashable, Sendable {
    /// The server has been asked to stop.
    public var isDraining: Bool
    /// The schema is the one this program knows.
    public var hasMigrated: Bool
    /// The database is away, and requests are served all the same.
    public var servesWithoutDatabase: Bool

    public init(isDraining: Bool, hasMigrated: Bool, servesWithoutDatabase: Bool = false) {
        self.isDraining = isDraining
        self.hasMigrated = hasMigrated
        self.servesWithoutDatabase = servesWithoutDatabase
    }
}

/// Draws from a closure, so that identifiers and secrets can be made from a source that was handed in.
struct HandedRandom: RandomNumberGenerator {
    let source: @Sendable () -> UInt64
    mutating func next() -> UInt64 { source() }
}

extension ManagementDependencies {
    /// Makes a new identifier whose order follows `instant`.
    func newIdentifier<ID: TypedIdentifier>(_: ID.Type = ID.self, at instant: Timestamp) -> ID {
        var random = HandedRandom(source: random)
        return ID(at: instant, using: &random)
    }

    func newManagementSecret() -> ManagementSecret {
        var random = HandedRandom(source: random)
        return ManagementSecret(using: &random)
    }

    func newSecret() -> TokenSecret {
        var random = HandedRandom(source: random)
        return TokenSecret(using: &random)
    }
}
