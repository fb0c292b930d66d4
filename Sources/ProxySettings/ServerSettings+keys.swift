import ProxyDomain

extension ServerSettings {
    /// Every setting there is, in the order of documentation. Reading walks this list, so none is without effect, and
    /// no default stands anywhere else.
    public static let keys: [SettingDescription] = serving + storing + sealing + relaying + paging + caching + observing

    /// What a wait may last: long enough for a test, short enough to be a bound.
    private static let patience = Duration.milliseconds(1)...Duration.seconds(86_400)
    /// As ``patience``, and 0 for none.
    private static let patienceOrNone = Duration.zero...Duration.seconds(86_400)

    private static let serving: [SettingDescription] = [
        .secret(
            "MANAGEMENT_TOKEN", at: \.managementToken,
            "opens the management API; made at the first start when not set; with several servers the same for all",
            example: "a-long-and-random-text"
        ) { text in
            let isVisible = text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
            return isVisible && text.utf8.count >= 16
                ? nil : "must be at least 16 characters, without spaces and all ASCII"
        },
        SettingDescription(
            "LISTEN_ADDR", .address, ":8080", "where clients connect; port 0 lets the system choose",
            example: "127.0.0.1:9090", parse: { ListenAddress($0) }, put: { $1.listen = $0 }),
        .optionalPath(
            "TLS_CERT_FILE", at: \.certificateFile,
            "PEM file of the certificate for clients, its chain behind it; read again when it changes; none for plain HTTP",
            example: "./server.pem"),
        .optionalPath(
            "TLS_KEY_FILE", at: \.keyFile, "PEM file of its private key; needed with TLS_CERT_FILE",
            example: "./server.key"),
        .boolean(
            "PROXY_PROTOCOL", "false", at: \.readsClientAddress,
            "whether a load balancer tells whose each connection is, by the PROXY protocol (version 1 or 2); others are then closed"
        ),
        SettingDescription(
            "TRUSTED_PROXIES", .text, nil,
            "proxies before this server that are believed who a request is from (X-Forwarded-For) and whether it came over TLS; "
                + "addresses or ranges, parted by commas",
            example: "10.0.0.0/8,fd00::/8",
            parse: { text in
                let ranges = text.split(separator: ",").map { AddressRange(String($0.trimmed)) }
                return ranges.contains(nil) ? nil : ranges.compactMap { $0 }
            }, put: { $1.trustedProxies = $0 }),
        .integer("EVENT_LOOPS", "0", 0...1024, at: \.eventLoops, "threads that carry requests; 0 is one per core"),
        .duration(
            "SHUTDOWN_GRACE", "30s", patienceOrNone, at: \.shutdownGrace,
            "how long open requests may go on after SIGTERM"),
    ]

    private static let storing: [SettingDescription] = [
        .choice("DB_DRIVER", "sqlite", at: \.database.engine, "the engine that keeps the data"),
        .path(
            "DATABASE_PATH", "./data/llm-proxy.db", at: \.database.path, "the SQLite file; :memory: for none",
            example: ":memory:"),
        .secret(
            "DATABASE_URL", at: \.database.url, "where PostgreSQL is; needed with DB_DRIVER=postgres",
            example: "postgres://user:password@localhost:5432/llmproxy"
        ) { text in
            ["postgres://", "postgresql://"].contains(where: text.hasPrefix)
                ? nil : "must begin with postgres:// or postgresql://"
        },
        .integer(
            "DATABASE_POOL_SIZE", "10", 1...1000, at: \.database.poolSize,
            "connections to PostgreSQL, or readers of a SQLite file"),
        .integer(
            "DATABASE_MAX_IDLE_CONNS", "5", 0...1000, at: \.database.maxIdleConnections,
            "most connections kept open without work"),
        .duration(
            "DATABASE_CONN_MAX_LIFETIME", "1h", .zero ... .seconds(86_400 * 365), at: \.database.connectionLifetime,
            "after this long a connection is replaced; 0 for never"),
        .choice(
            "DATABASE_SYNCHRONOUS", "full", at: \.database.synchronous,
            "what a commit survives: full a power loss; normal a crash of the process, or what PostgreSQL is set to"),
        .duration(
            "DATABASE_WAIT", "2s", patienceOrNone, at: \.database.wait,
            "how long a request waits for a database that is away"),
        .choice(
            "DATABASE_OUTAGE", "wait", at: \.database.outage,
            "while PostgreSQL is away: wait and refuse, or spool requests of tokens without limits to a file"),
        .path(
            "SPOOL_PATH", "./data/spool", at: \.database.spoolPath, "the folder of the spool",
            example: "/var/spool/llm-proxy"),
        .size("SPOOL_MAX_SIZE", "256MiB", 65_536...(1 << 40), at: \.database.spoolMaxSize, "largest spool"),
        .duration(
            "DRIFT_CHECK_INTERVAL", "5m", patienceOrNone, at: \.database.driftCheckInterval,
            "how often tokens' counters are compared with all their rows, for the metric; 0 for never"),
        .integer(
            "REQUEST_RETENTION_DAYS", "90", 0...36_500, at: \.database.requestRetentionDays,
            "how many whole days (UTC) a request's row is kept for; what it counts stays; 0 for ever"),
        .days(
            "USAGE_RETENTION", at: \.database.requestRetentionDays,
            "the same as a duration of whole days; one of the two may be set"),
    ]

    private static let sealing: [SettingDescription] = [
        .secret(
            "ENCRYPTION_KEY", at: \.encryption.key, "seals upstream keys: base64 of 32 random bytes",
            example: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
        ) { text in
            KeyText.isKey(text) ? nil : "must be base64 of 32 bytes; make one with: openssl rand -base64 32"
        },
        .secret(
            "ENCRYPTION_KEYS_ACCEPTED", at: \.encryption.accepted,
            "further keys that may have sealed what is stored, with commas between them; for a change of ENCRYPTION_KEY",
            example: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
        ) { text in
            let keys = text.split(separator: ",", omittingEmptySubsequences: false)
            return keys.allSatisfy { KeyText.isKey($0.filter { $0 != " " }) }
                ? nil : "must be base64 of 32 bytes each, with commas between them"
        },
        .boolean(
            "REQUIRE_ENCRYPTION_KEY", "false", at: \.encryption.isRequired,
            "whether the server refuses to start without ENCRYPTION_KEY"),
        SettingDescription(
            "API_CONFIG_PATH", .path, "./config/api_providers.yaml",
            "the providers file; without one there is OpenAI alone",
            example: "./providers.yaml", parse: { $0 }, put: { $1.providerSource.file = $0 }),
        SettingDescription(
            "DEFAULT_API_PROVIDER", .text, "openai", "the provider of projects that name none",
            example: "other", parse: { $0 }, put: { $1.providerSource.defaultName = $0 }),
        SettingDescription(
            "OPENAI_API_URL", .url, "https://api.openai.com", "where the provider openai is",
            example: "http://127.0.0.1:9000",
            parse: { BaseURLRule.broken(by: $0) == nil ? BaseURL($0) : nil },
            put: { $1.providerSource.openAIURL = $0 }),
        .optionalPath(
            "UPSTREAM_CA_FILE", at: \.relay.upstreamCAFile, "PEM file of roots to trust besides the system's",
            example: "./ca.pem"),
        .boolean(
            "UPSTREAM_HTTP2", "true", at: \.relay.offersHTTP2,
            "whether upstreams that speak TLS may choose HTTP/2; WebSockets have connections of their own"),
        .secret(
            "HTTPS_PROXY", at: \.relay.outboundProxy, "an HTTP proxy on the way to upstreams that speak TLS",
            example: "http://user:password@proxy.example:3128"
        ) { text in
            OutboundProxyAddress(text) == nil
                ? "must be an address such as http://host:port or http://user:password@host:port" : nil
        },
        .list(
            "NO_PROXY", at: \.relay.outboundProxyExceptions,
            "hosts that are reached without it: names, with all below them, addresses, or *; parted by commas",
            example: "localhost,.internal.example",
            rule: "must be names of hosts or addresses, without ports and ranges",
            parse: OutboundProxyAddress.exception),
    ]

    private static let relaying: [SettingDescription] = [
        .duration(
            "REQUEST_TIMEOUT", "30s", patience, at: \.relay.requestTimeout,
            "longest wait for the head of the upstream's answer"),
        .duration(
            "STREAM_IDLE_TIMEOUT", "5m", patience, at: \.relay.streamIdleTimeout,
            "longest silence inside an answer; there is no limit to its whole length"),
        .duration(
            "DRAIN_TIMEOUT", "30s", patience, at: \.relay.drainTimeout,
            "longest reading on of an answer whose client has left, for projects with client_leaves drain"),
        .duration(
            "CLIENT_HEAD_TIMEOUT", "10s", patience, at: \.relay.clientHeadTimeout,
            "longest time a client may take over the head of a request"),
        .duration(
            "CLIENT_BODY_TIMEOUT", "60s", patience, at: \.relay.clientBodyTimeout,
            "longest silence inside a request's body"),
        .duration(
            "CLIENT_IDLE_TIMEOUT", "75s", patience, at: \.relay.clientIdleTimeout,
            "how long a client's connection stays open between requests"),
        .duration(
            "UPSTREAM_CONNECT_TIMEOUT", "5s", patience, at: \.relay.upstreamConnectTimeout,
            "longest wait for a connection to the upstream"),
        .duration(
            "UPSTREAM_IDLE_TIMEOUT", "60s", patience, at: \.relay.upstreamIdleTimeout,
            "how long a connection to the upstream is kept for the next request"),
        .size("MAX_REQUEST_SIZE", "10MiB", 1...(1 << 40), at: \.relay.maxRequestSize, "largest request body"),
        .integer(
            "MAX_CONCURRENT_REQUESTS", "10000", 1...1_000_000, at: \.relay.maxConcurrentRequests,
            "most requests in flight at once; further ones get 503"),
        .integer(
            "DEFAULT_RESERVED_TOKENS", "1000", 0...1_000_000_000, at: \.relay.defaultReservedTokens,
            "completion tokens set aside, where tokens or money are limited, for a request without max_tokens"),
    ]

    private static let paging: [SettingDescription] = [
        .list(
            "CORS_ALLOWED_ORIGINS", at: \.pages.allowedOrigins,
            "origins of web pages that may call providers without allowed_origins, parted by commas; * for all",
            example: "https://app.example,http://localhost:3000",
            rule: "must hold origins such as https://app.example, or *",
            parse: PageOrigin.normalised),
        .list(
            "CORS_ALLOWED_METHODS", at: \.pages.allowedMethods,
            "of the methods that those providers allow, the ones that browsers are told of, parted by commas; all when not set",
            example: "GET,POST", rule: "must hold methods such as GET and POST, in capital letters"
        ) { text in ProvidersFile.methods.contains(text) ? text : nil },
        .list(
            "CORS_ALLOWED_HEADERS", at: \.pages.allowedHeaders,
            "fields that browsers are told they may send, parted by commas; those that they ask for when not set",
            example: "Authorization,Content-Type", rule: "must hold names of header fields"
        ) { text in ProvidersFile.isName(text) ? text : nil },
        .duration(
            "CORS_MAX_AGE", "10m", patienceOrNone, at: \.pages.maxAge,
            "how long browsers may remember what they were told"),
    ]

    private static let caching: [SettingDescription] = [
        .boolean(
            "HTTP_CACHE_ENABLED", "true", at: \.cache.isEnabled,
            "whether answers are given again that their upstream, or their client, says may be"),
        .choice(
            "HTTP_CACHE_BACKEND", "memory", at: \.cache.backend,
            "where they are held: in each server's memory, or in the database too, for all servers on it"),
        SettingDescription(
            "HTTP_CACHE_DEFAULT_TTL", .duration(patienceOrNone), "5m",
            "how long one may be given that doesn't say how long; a bare number is seconds; 0 for never",
            example: "90m",
            parse: { text in
                let isPlain = !text.isEmpty && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
                return (isPlain ? Int64(text).map { .seconds($0) } : DurationText.parse(text)).flatMap {
                    patienceOrNone.contains($0) ? $0 : nil
                }
            }, put: { $1.cache.defaultTTL = $0 }),
        .size("HTTP_CACHE_MAX_OBJECT_BYTES", "1MiB", 1024...(64 << 20), at: \.cache.maxObjectBytes, "largest one"),
        .size(
            "HTTP_CACHE_MAX_BYTES", "64MiB", 65_536...(1 << 40), at: \.cache.maxBytes,
            "most bytes of all in memory, and as many again in the database; those go first that nobody asked for longest"
        ),
        .boolean(
            "HTTP_CACHE_STREAM_RESPONSES", "false", at: \.cache.streams,
            "whether streams of events are held too, and given again as streams"),
    ]

    private static let observing: [SettingDescription] = [
        .choice("LOG_LEVEL", "info", at: \.log.level, "the least that is logged"),
        .choice("LOG_FORMAT", "json", at: \.log.format, "one JSON object per line, or text for people"),
        .optionalPath(
            "LOG_FILE", at: \.log.file, "where log lines go instead of standard error", example: "./proxy.log"),
        SettingDescription(
            "OTEL_SERVICE_NAME", .text, nil,
            "the name of this service in each JSON line of the log (resource.service.name)",
            example: "llm-proxy-eu",
            parse: { $0 }, put: { $1.log.resource["service.name"] = $0 }),
        SettingDescription(
            "OTEL_RESOURCE_ATTRIBUTES", .text, nil,
            "what else each JSON line says of this service, as OpenTelemetry has it: name=value, parted by commas, values percent-encoded",
            example: "deployment.environment=production,service.namespace=models",
            parse: { ResourceAttributes.parse($0) },
            put: { given, settings in settings.log.resource.merge(given) { known, _ in known } }),
        .boolean(
            "AUDIT_ENABLED", "true", at: \.audit.isEnabled,
            "whether changes and refused management credentials are written down, with who made them"),
        .boolean(
            "AUDIT_STORE_IN_DB", "true", at: \.audit.storesInDatabase,
            "whether they are kept in the database, each in the transaction of its change"),
        .optionalPath(
            "AUDIT_LOG_FILE", at: \.audit.file, "a file for them too, one JSON object per line",
            example: "./audit.log"),
        .size(
            "AUDIT_LOG_MAX_SIZE", "64MiB", 4096...(1 << 40), at: \.audit.largestFile,
            "how large it grows before it is put aside, as .1 to .5"),
        .integer(
            "AUDIT_RETENTION_DAYS", "0", 0...36_500, at: \.audit.retentionDays,
            "how many days they are kept in the database; 0 for ever"),
        .boolean("ENABLE_METRICS", "true", at: \.metrics.isEnabled, "whether metrics are served"),
        .path(
            "METRICS_PATH", "/metrics", at: \.metrics.path, "where metrics are served", example: "/internal/metrics"
        ) { text in
            RequestPath.isPlain(text.utf8) && text.count > 1 && !text.contains("?")
                && !["/v1", "/manage", "/admin"].contains { RequestPath.covers($0.utf8, text.utf8) }
        },
        .path(
            "REPORTS_PATH", "./reports", at: \.reportsFolder,
            "a folder with claims.md and conformance.md of the last runs, for the admin pages",
            example: "/var/lib/reports"),
    ]
}

/// The shape of an encryption key. What it seals is for `ProxySecrets`; here a bad one is only named early.
enum KeyText {
    /// Whether `text` is base64 (either alphabet) of 32 bytes: 43 characters that carry 256 bits, and maybe one `=`.
    static func isKey(_ text: String) -> Bool {
        var bytes = Array(text.utf8)
        if bytes.count == 44, bytes.last == UInt8(ascii: "=") { bytes.removeLast() }
        guard bytes.count == 43, bytes.allSatisfy(isSextet), let last = bytes.last else { return false }
        // 43 sextets are 258 bits: the last two must be zero, which leaves every fourth character.
        return "AEIMQUYcgkosw048".utf8.contains(last)
    }

    private static func isSextet(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "/"),
            UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
