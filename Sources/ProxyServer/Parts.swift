import Logging
import NIOCore
import NIOPosix
import NIOSSL
import ProxyCache
import ProxyDomain
import ProxyLedger
import ProxyManagement
import ProxyRelay
import ProxySecrets
import ProxySettings
import ProxyStorage
import SQLStorage

/// What a server is made of, put together in the order of dependence.
struct Parts: Sendable {
    let foundation: StorageFoundation
    let ledger: Ledger
    let relay: Relay
    let group: MultiThreadedEventLoopGroup
    let state: ServerState
    let logger: Logger
    let sink: LogSink
    let keeper: InstanceKeeper
    let moveKeeper: MoveKeeper
    let driftWatch: DriftWatch
    let retention: RetentionKeeper
    let usage: UsageKeeper
    let certificate: CertificateKeeper?
    let providers: ProviderKeeper
    let spool: SpoolingStore?
    /// `nil` where no answer is given twice.
    let cache: CacheKeeper?

    static func assemble(
        _ foundation: StorageFoundation, token: Secret, _ settings: ServerSettings, _ surroundings: Surroundings,
        _ logger: Logger, _ sink: LogSink, _ group: MultiThreadedEventLoopGroup, threads: Int
    ) async throws -> Parts {
        let state = ServerState()
        let epoch = GrantEpoch()
        let spool = foundation.journal.map {
            SpoolingStore(foundation, $0, settings.database, now: surroundings.now, logger: logger)
        }
        let cache = settings.cache.isEnabled ? CacheKeeper(foundation, settings.cache, surroundings, logger) : nil
        let ledger = ledger(on: spool ?? foundation.storage, foundation.instance, settings, surroundings, logger) {
            if epoch.advance(to: $0) { cache?.databaseChanged() }
        }
        foundation.storage.watchChanges { if epoch.advance(to: $0) { cache?.databaseChanged() } }
        let providers = ProviderKeeper(settings, readFile: surroundings.readFile, logger: logger) { epoch.advance() }
        let relayBox = RelayBox()
        let driftWatch = DriftWatch(
            foundation.storage, every: settings.database.driftCheckInterval, now: surroundings.now, logger: logger)
        let audit = try AuditSinks(settings.audit, logger)
        let keeper = InstanceKeeper(foundation, surroundings, logger)
        let moveKeeper = MoveKeeper(foundation, settings.database, surroundings, logger: logger) {
            epoch.advance()
            await cache?.databaseMoved()
            // There may be other servers on it.
            keeper.start()
        }
        let management = try Management(
            dependencies(
                foundation, settings, surroundings, logger, audit: audit, state: state, epoch: epoch, token: token,
                spool: spool, providers: providers, cache: cache,
                warnings: { foundation.warnings + moveKeeper.warnings },
                metrics: {
                    let driver = foundation.storage.driver
                    let relay = relayBox.relay.map { RelayMetrics.families(relay: $0, ledger: ledger, driver: driver) }
                    return (relay ?? []) + driftWatch.families + providers.families + (spool?.families ?? [])
                        + (cache?.families ?? [])
                }))
        let controlPlane = try ControlPlane(management, foundation.storage, settings, surroundings, logger)
        let isLogged = settings.log.level == .info || settings.log.level == .debug
        let relay = try await Relay(
            group: group, settings: ProxyRelay.RelaySettings(settings, eventLoops: threads),
            dependencies: RelayDependencies(
                ledger: ledger,
                grants: GrantReader(
                    storage: foundation.storage, keyring: foundation.keyring, providers: providers,
                    health: UpstreamHealth(), logger: logger),
                epoch: epoch, responder: { await controlPlane.respond(to: $0) },
                log: isLogged ? RequestLogWriter(sink: sink, format: .init(settings.log.format)) : nil,
                credentialRefused: settings.audit.isEnabled ? controlPlane.record : nil,
                now: surroundings.now, seed: surroundings.random,
                tls: try upstreamTLS(settings.relay.upstreamCAFile), cache: cache?.setup(settings.cache),
                providers: { providers.table.overview }))
        relayBox.put(relay)
        return Parts(
            foundation: foundation, ledger: ledger, relay: relay, group: group, state: state, logger: logger,
            sink: sink, keeper: keeper, moveKeeper: moveKeeper, driftWatch: driftWatch,
            retention: RetentionKeeper(foundation, settings, surroundings, logger),
            usage: UsageKeeper(foundation.storage, now: surroundings.now, logger: logger),
            certificate: try certificate(settings, logger), providers: providers, spool: spool, cache: cache)
    }

    private static func certificate(
        _ settings: ServerSettings, _ logger: Logger
    ) throws(StartupError) -> CertificateKeeper? {
        guard let files = settings.certificate else { return nil }
        return try CertificateKeeper(files, logger: logger)
    }

    private static func ledger(
        on store: any LedgerStore, _ instance: InstanceID, _ settings: ServerSettings, _ surroundings: Surroundings,
        _ logger: Logger, changesSeen: @escaping @Sendable (Int64) -> Void
    ) -> Ledger {
        Ledger(
            store: store, instance: instance, limits: LedgerLimits(wait: settings.database.wait), now: surroundings.now,
            report: { error in
                logger.error("a ledger batch failed", metadata: ["detail": "\(String(reflecting: error))"])
            }, changesSeen: changesSeen)
    }

    private static func dependencies(
        _ foundation: StorageFoundation, _ settings: ServerSettings, _ surroundings: Surroundings, _ logger: Logger,
        audit: AuditSinks, state: ServerState, epoch: GrantEpoch, token: Secret, spool: SpoolingStore?,
        providers: ProviderKeeper,
        cache: CacheKeeper?,
        warnings: @escaping @Sendable () -> [String],
        metrics: @escaping @Sendable () async -> [MetricFamily]
    ) -> ManagementDependencies {
        let expected = ExpectedCredential(token.revealed())
        let keyring = foundation.keyring
        return ManagementDependencies(
            storage: foundation.storage, seal: { key, project in keyring.seal(key, for: project) },
            open: { try? keyring.open($0, for: $1) },
            isManagementToken: { expected.matches($0) }, rootCredential: .ofCredential(token.revealed()),
            digest: { TokenDigest.of($0) }, now: surroundings.now,
            random: surroundings.random,
            providers: {
                let providers = providers.table.providers
                return ProviderNames(all: Set(providers.all.keys), usual: providers.defaultName)
            }, isBaseURL: { BaseURL($0) != nil }, version: productVersion,
            readiness: {
                Readiness(
                    isDraining: state.isDraining, hasMigrated: true,
                    servesWithoutDatabase: spool?.hasRoom ?? false)
            }, metrics: metrics,
            grantsChanged: { epoch.advance() },
            purgeCache: { [storage = foundation.storage] purge, event throws(StorageError) in
                if let cache { return try await cache.purge(purge, recordedAs: event) }
                if let event { try await storage.record(event) }
                return 0
            }, audit: audit, retentionDays: settings.database.requestRetentionDays, warnings: warnings,
            readReport: { [folder = settings.reportsFolder] name in
                (try? surroundings.readFile("\(folder)/\(name)")) ?? nil
            },
            metricsPath: settings.metrics.path,
            metricsEnabled: settings.metrics.isEnabled, logger: logger)
    }

    private static func upstreamTLS(_ file: String?) throws -> UpstreamTLS {
        guard let file else { return UpstreamTLS() }
        do {
            return UpstreamTLS(additionalRoots: try NIOSSLCertificate.fromPEMFile(file))
        } catch {
            throw StartupError("UPSTREAM_CA_FILE \(file) holds no readable certificates: name a PEM file")
        }
    }
}

extension InstanceKeeper {
    fileprivate convenience init(_ foundation: StorageFoundation, _ surroundings: Surroundings, _ logger: Logger) {
        self.init(foundation.storage, instance: foundation.instance, now: surroundings.now, logger: logger)
    }
}

extension RetentionKeeper {
    fileprivate convenience init(
        _ foundation: StorageFoundation, _ settings: ServerSettings, _ surroundings: Surroundings, _ logger: Logger
    ) {
        self.init(
            foundation.storage, keepingDays: settings.database.requestRetentionDays,
            auditDays: settings.audit.retentionDays, now: surroundings.now, logger: logger)
    }
}

extension AuditSinks {
    fileprivate init(_ settings: AuditSettings, _ logger: Logger) throws(StartupError) {
        self.init(storesInDatabase: settings.isEnabled && settings.storesInDatabase)
        guard settings.isEnabled, let path = settings.file else { return }
        let file = try AuditFile(path: path, largest: settings.largestFile, logger: logger)
        log = { file.write($0.jsonText) }
    }
}

extension CacheKeeper {
    convenience init(
        _ foundation: StorageFoundation, _ settings: CacheSettings, _ surroundings: Surroundings, _ logger: Logger
    ) {
        self.init(
            ResponseCache(maxBytes: settings.maxBytes, notesUses: settings.backend == .database), foundation.storage,
            sharesAnswers: settings.backend == .database, maxBytes: settings.maxBytes, now: surroundings.now,
            logger: logger)
    }

    func setup(_ settings: CacheSettings) -> CacheSetup {
        CacheSetup(
            cache: cache, shared: shared, usualLifetime: settings.defaultTTL.components.seconds,
            maxObjectBytes: settings.maxObjectBytes, keepsStreams: settings.streams)
    }
}

extension ProxyRelay.RelaySettings {
    init(_ settings: ServerSettings, eventLoops: Int) {
        let relay = settings.relay
        self.init(
            eventLoops: eventLoops, headTimeout: TimeAmount(relay.clientHeadTimeout),
            keepAliveTimeout: TimeAmount(relay.clientIdleTimeout),
            bodyTimeout: TimeAmount(relay.clientBodyTimeout),
            databaseTimeout: TimeAmount(settings.database.wait + .milliseconds(500)),
            connectTimeout: TimeAmount(relay.upstreamConnectTimeout),
            responseHeadTimeout: TimeAmount(relay.requestTimeout),
            streamIdleTimeout: TimeAmount(relay.streamIdleTimeout), drainTimeout: TimeAmount(relay.drainTimeout),
            upstreamIdleTimeout: TimeAmount(relay.upstreamIdleTimeout), maxRequestBytes: UInt64(relay.maxRequestSize),
            maxConcurrentRequests: relay.maxConcurrentRequests,
            defaultReservedTokens: Int64(relay.defaultReservedTokens),
            readsClientAddress: settings.readsClientAddress,
            outboundProxy: relay.outboundProxy.flatMap {
                OutboundProxy($0, exceptions: relay.outboundProxyExceptions)
            },
            offersHTTP2: relay.offersHTTP2)
    }
}

extension OutboundProxy {
    /// `nil` for what is no address of a proxy.
    fileprivate init?(_ text: Secret, exceptions: [String]) {
        guard let address = OutboundProxyAddress(text.revealed()) else { return nil }
        self.init(
            host: address.host, port: address.port,
            authorization: address.credential.map { "Basic \(Base64.encode(Array($0.revealed().utf8)))" },
            exceptions: exceptions)
    }
}
