public import ProxyDomain

/// Everything the server is told at start. Read once; never changes while it runs.
///
/// ``keys`` lists every setting with its default; ``read(environment:dotEnv:flags:files:)`` is the way to one.
public struct ServerSettings: Hashable, Sendable {
    /// Opens the management API. `nil` when it is not set.
    public var managementToken: Secret?
    public var listen = ListenAddress(host: nil, port: 0)
    /// What clients are shown over TLS; `nil` for plain HTTP.
    public var certificate: ListenerCertificate? {
        guard let certificateFile, let keyFile else { return nil }
        return ListenerCertificate(certificate: certificateFile, key: keyFile)
    }
    var certificateFile: String?
    var keyFile: String?
    /// Whether each client's connection begins with the PROXY protocol, which tells whose it is.
    public var readsClientAddress = false
    /// Who is believed whose a request is, and how it came.
    public var trustedProxies: [AddressRange] = []
    /// Where reports of load and conformance are looked for.
    public var reportsFolder = ""
    /// Event loops of the data plane; 0 for one per core.
    public var eventLoops = 0
    /// How long open requests may go on after SIGTERM; 0 ends them at once.
    public var shutdownGrace = Duration.zero
    public var database = DatabaseSettings()
    public var encryption = EncryptionSettings()
    public var relay = RelaySettings()
    public var pages = PageSettings()
    public var cache = CacheSettings()
    public var log = LogSettings()
    public var audit = AuditSettings()
    public var metrics = MetricsSettings()
    /// From the providers file, or OpenAI alone when there is none.
    public var providers = Providers(only: .openAI(at: BaseURL.publicOpenAI))

    /// Where ``providers`` come from.
    public internal(set) var providerSource = ProviderSource()

    // All stored values above are placeholders: each is set from ``keys``, which alone holds the defaults.
    init() {}
}

/// The listener's certificate: PEM files.
public struct ListenerCertificate: Hashable, Sendable {
    /// The server's certificate first, then those that lead to its authority.
    public let certificate: String
    /// Its private key, without a passphrase.
    public let key: String
}

/// Which engine keeps the data, and how.
public struct DatabaseSettings: Hashable, Sendable {
    public enum Engine: String, Hashable, Sendable, CaseIterable {
        case sqlite
        case postgres
    }

    /// What a commit waits for (https://www.sqlite.org/pragma.html#pragma_synchronous).
    public enum Synchronous: String, Hashable, Sendable, CaseIterable {
        /// Survives a power loss.
        case full
        /// Survives a crash of the process; the last commits may be lost with the power.
        case normal
    }

    /// What becomes of requests while the database is away.
    public enum Outage: String, Hashable, Sendable, CaseIterable {
        /// They wait, and are refused.
        case wait
        /// Those of tokens without limits are served, and written to the database when it is back.
        case spool
    }

    public var engine = Engine.sqlite
    /// The SQLite file; `:memory:` for none.
    public var path = ""
    /// Where PostgreSQL is; set whenever ``engine`` is `postgres`.
    public var url: Secret?
    /// Readers of a SQLite file, or connections to PostgreSQL: 1…1000.
    public var poolSize = 0
    /// Most connections kept open without work: 0…1000.
    public var maxIdleConnections = 0
    /// After this long a connection is replaced; 0 for never.
    public var connectionLifetime = Duration.zero
    public var synchronous = Synchronous.full
    /// How long a request waits for a database that is away; 0 for not at all.
    public var wait = Duration.zero
    /// How often counters are compared with rows; 0 for never.
    public var driftCheckInterval = Duration.zero
    public var outage = Outage.wait
    /// The folder of the spool.
    public var spoolPath = ""
    /// Most bytes of the spool.
    public var spoolMaxSize = 0
    /// Whole days (UTC) that a request is kept for; 0 for ever.
    public var requestRetentionDays = 90
}

/// What upstream keys are sealed with.
public struct EncryptionSettings: Hashable, Sendable {
    /// Base64 of 32 bytes, looked through when it was read; `nil` when it is not set.
    public var key: Secret?
    /// Further keys that may have sealed what is stored, with commas between them.
    public var accepted: Secret?
    /// Whether the server refuses to start without ``key``.
    public var isRequired = false
}

/// Bounds and patience of the data plane.
public struct RelaySettings: Hashable, Sendable {
    /// From the end of a request to the head of its answer.
    public var requestTimeout = Duration.zero
    /// Longest silence inside an answer.
    public var streamIdleTimeout = Duration.zero
    /// Reading on an answer whose client has left (`DRAIN_TIMEOUT`).
    public var drainTimeout = Duration.zero
    /// From the first byte of a client's request head to its last.
    public var clientHeadTimeout = Duration.zero
    /// Longest silence inside a request's body.
    public var clientBodyTimeout = Duration.zero
    /// How long a client's connection stays open between requests.
    public var clientIdleTimeout = Duration.zero
    /// Until a connection to the upstream stands, TLS included.
    public var upstreamConnectTimeout = Duration.zero
    /// How long a connection to the upstream is kept for the next request.
    public var upstreamIdleTimeout = Duration.zero
    /// Largest request body, in bytes.
    public var maxRequestSize = 0
    /// Most requests in flight at once.
    public var maxConcurrentRequests = 0
    /// Completion tokens set aside for a request that doesn't bound them.
    public var defaultReservedTokens = 0
    /// PEM file of roots to trust besides the system's; `nil` for none.
    public var upstreamCAFile: String?
    /// Whether upstreams that speak TLS may choose HTTP/2.
    public var offersHTTP2 = false
    /// The proxy on the way to upstreams that speak TLS, as ``OutboundProxyAddress`` reads it.
    public var outboundProxy: Secret?
    /// Hosts that are reached without it.
    public var outboundProxyExceptions: [String] = []
}

/// Answers that are given again.
public struct CacheSettings: Hashable, Sendable {
    /// Where they are held.
    public enum Backend: String, Hashable, Sendable, CaseIterable {
        /// By each server for itself.
        case memory
        /// In the database too, by all servers together.
        case database
    }

    public var isEnabled = false
    public var backend = Backend.memory
    /// How long one is fresh that may be kept and doesn't say how long, in whole seconds.
    public var defaultTTL = Duration.zero
    /// Largest one, in bytes.
    public var maxObjectBytes = 0
    /// Most bytes of all in each place.
    public var maxBytes = 0
    /// Whether streams of events are held.
    public var streams = false
}

/// What is logged, how and where.
public struct LogSettings: Hashable, Sendable {
    public enum Level: String, Hashable, Sendable, CaseIterable {
        case debug, info, warn, error
    }

    public enum Format: String, Hashable, Sendable, CaseIterable {
        /// One JSON object per line.
        case json
        /// For people.
        case console
    }

    public var level = Level.info
    public var format = Format.json
    /// Where lines go; `nil` for standard error.
    public var file: String?
    /// What each line says of the service that writes it, by OpenTelemetry's names.
    public var resource: [String: String] = [:]
}

/// What is written down of who changed what.
public struct AuditSettings: Hashable, Sendable {
    public var isEnabled = false
    public var storesInDatabase = false
    /// A file for it too; `nil` for none.
    public var file: String?
    /// Bytes.
    public var largestFile = 0
    /// Whole days; 0 for ever.
    public var retentionDays = 0
}

/// Whether and where metrics are served.
public struct MetricsSettings: Hashable, Sendable {
    public var isEnabled = false
    /// Begins with `/`.
    public var path = ""
}

extension BaseURL {
    /// Where OpenAI itself answers.
    static let publicOpenAI = BaseURL(origin: UpstreamOrigin(isTLS: true, host: "api.openai.com", port: 443))
}
