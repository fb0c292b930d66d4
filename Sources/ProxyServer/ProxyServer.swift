import Logging
import NIOCore
import NIOPosix
import ProxyDomain
import ProxyLedger
import ProxyManagement
import ProxyRelay
public import ProxySettings
public import ProxyStorage
import SQLDatabase
import Synchronization

/// A running server: storage, ledger, data plane and control plane put together.
public final class ProxyServer: Sendable {
    /// The port that is bound, also where the settings left the choice to the system.
    public let port: Int
    /// Opens the management API.
    public let managementToken: Secret
    /// Where the management token was put because none was set; `nil` when one was.
    public let managementTokenFile: String?
    public let storage: any Storage
    /// Whether clients are to speak TLS.
    public var speaksTLS: Bool { certificate != nil }
    private let relay: Relay
    private let ledger: Ledger
    private let group: MultiThreadedEventLoopGroup
    private let foundation: StorageFoundation
    private let state: ServerState
    private let settings: ServerSettings
    private let logger: Logger
    private let sink: LogSink
    private let keeper: InstanceKeeper
    private let moveKeeper: MoveKeeper
    private let driftWatch: DriftWatch
    private let retention: RetentionKeeper
    private let usage: UsageKeeper
    private let cache: CacheKeeper?
    private let certificate: CertificateKeeper?
    private let providers: ProviderKeeper
    private let spool: SpoolingStore?

    private init(
        port: Int, managementToken: Secret, managementTokenFile: String?, parts: Parts, settings: ServerSettings
    ) {
        self.port = port
        self.managementToken = managementToken
        self.managementTokenFile = managementTokenFile
        storage = parts.foundation.storage
        relay = parts.relay
        ledger = parts.ledger
        group = parts.group
        foundation = parts.foundation
        state = parts.state
        logger = parts.logger
        sink = parts.sink
        keeper = parts.keeper
        moveKeeper = parts.moveKeeper
        driftWatch = parts.driftWatch
        retention = parts.retention
        usage = parts.usage
        cache = parts.cache
        certificate = parts.certificate
        providers = parts.providers
        spool = parts.spool
        self.settings = settings
    }

    /// Opens the database, brings its schema up to date, and serves.
    /// - Throws: `StartupError`; what had been opened is closed again.
    public static func start(
        _ settings: ServerSettings, surroundings: Surroundings = .system
    ) async throws -> ProxyServer {
        let sink = try LogSink(settings.log)
        let logger = Logger.proxy(settings.log, sink: sink, now: surroundings.now)
        let foundation = try await StorageFoundation.lay(settings, surroundings: surroundings, logger: logger)
        do {
            return try await start(on: foundation, settings, surroundings, logger, sink)
        } catch {
            await foundation.remove()
            throw error
        }
    }

    private static func start(
        on foundation: StorageFoundation, _ settings: ServerSettings, _ surroundings: Surroundings, _ logger: Logger,
        _ sink: LogSink
    ) async throws -> ProxyServer {
        let token = try foundation.managementToken(settings, surroundings)
        let threads = settings.eventLoops > 0 ? settings.eventLoops : System.coreCount
        let group = eventLoops(threads)
        do {
            let parts = try await Parts.assemble(
                foundation, token: token.secret, settings, surroundings, logger, sink, group, threads: threads)
            let address = settings.listen
            await parts.cache?.start()
            do {
                let port = try await parts.relay.listen(
                    host: address.host ?? "0.0.0.0", port: address.port, tls: parts.certificate?.tls)
                parts.certificate?.start()
                parts.providers.start()
                parts.keeper.start()
                parts.moveKeeper.start()
                parts.driftWatch.start()
                parts.retention.start()
                parts.usage.start()
                return ProxyServer(
                    port: port, managementToken: token.secret, managementTokenFile: token.file, parts: parts,
                    settings: settings)
            } catch {
                throw StartupError(
                    "LISTEN_ADDR \(address) can't be bound (\(error)): stop what uses it, or name another address")
            }
        } catch {
            try? await group.shutdownGracefully()
            throw error
        }
    }

    /// So many, each with a thread of its own that goes ahead of others: everybody waits for a loop, and it has little to do for each.
    static func eventLoops(_ count: Int) -> MultiThreadedEventLoopGroup {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: count)
        for loop in group.makeIterator() { loop.execute { ThreadSchedule.prompt.apply() } }
        return group
    }

    /// Stops in order: not ready, then no new connections, then open requests end or the grace does, then the ledger is
    /// written out and the database closed.
    /// - Returns: how many connections had to be cut.
    @discardableResult
    public func stop() async -> Int {
        guard state.beginDraining() else { return 0 }
        let deadline = ContinuousClock.now + settings.shutdownGrace
        logger.info("stopping", metadata: ["requests_in_flight": "\(relay.requestsInFlight)"])
        // Load balancers see /ready fail before the listener goes away.
        let notice = min(.milliseconds(500), settings.shutdownGrace / 60)
        try? await Task.sleep(for: notice)
        let cut = await relay.drain(grace: settings.shutdownGrace - notice)
        spool?.prepareToClose()
        await ledger.close()
        await moveKeeper.stop()
        await spool?.close(by: deadline)
        if let left = spool?.backlog.batches, left > 0 {
            logger.warning(
                "the database is away: what it has to be told is in the spool, for the next start",
                metadata: ["batches": "\(left)"])
        }
        await driftWatch.stop()
        await retention.stop()
        await usage.stop()
        await cache?.stop()
        await certificate?.stop()
        await providers.stop()
        await keeper.stop()
        await foundation.remove()
        try? await group.shutdownGracefully()
        logger.info("stopped", metadata: ["connections_cut": "\(cut)"])
        sink.flush()
        return cut
    }

    /// Reads the providers file again, at once instead of when it is seen to have changed. What is wrong in it changes nothing and
    /// is logged.
    public func reload() { providers.reload() }

    /// Returns once everything the ledger was given is in the database.
    public func settleAll() async { await ledger.flush() }
}

/// What is asked of a server from several sides while it runs.
final class ServerState: Sendable {
    private let draining = Atomic<Bool>(false)

    var isDraining: Bool { draining.load(ordering: .acquiring) }

    /// - Returns: whether this call began it.
    func beginDraining() -> Bool { !draining.exchange(true, ordering: .acquiringAndReleasing) }
}

extension Logger {
    /// A logger to `sink` at the level and in the form of the settings.
    static func proxy(_ settings: LogSettings, sink: LogSink, now: @escaping @Sendable () -> Timestamp) -> Logger {
        let level: Logger.Level =
            switch settings.level {
            case .debug: .debug
            case .info: .info
            case .warn: .warning
            case .error: .error
            }
        let handler = SinkLogHandler(sink: sink, format: .init(settings.format), now: now, logLevel: level)
        return Logger(label: "llm-proxy") { _ in handler }
    }
}

extension LogSink {
    /// The file or standard error of the settings. Who says anything of the service says its version too.
    fileprivate convenience init(_ settings: LogSettings) throws(StartupError) {
        var resource = settings.resource
        if !resource.isEmpty, resource["service.version"] == nil { resource["service.version"] = productVersion }
        if let path = settings.file {
            try self.init(path: path, resource: resource)
        } else {
            try self.init(resource: resource)
        }
    }
}

extension LogLine.Format {
    init(_ format: LogSettings.Format) {
        switch format {
        case .json: self = .json
        case .console: self = .console
        }
    }
}
