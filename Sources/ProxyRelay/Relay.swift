public import NIOCore
import NIOPosix
import ProxyLedger
import Synchronization

/// The data plane: one listener, and on each event loop the client connections, grants and upstream connections of its
/// own.
public final class Relay: Sendable {
    private let settings: RelaySettings
    private let dependencies: RelayDependencies
    private let census = RelayCensus()
    private let loops: [Loop]
    private let listener = Mutex<(any Channel)?>(nil)

    private struct Loop: Sendable {
        let eventLoop: any EventLoop
        let relay: NIOLoopBound<RelayLoop>
        let meter: RelayMeter
    }

    /// Makes the state of each event loop of `group`. Nothing is bound yet.
    public init(group: any EventLoopGroup, settings: RelaySettings, dependencies: RelayDependencies) async throws {
        self.settings = settings
        self.dependencies = dependencies
        var loops: [Loop] = []
        let projects = ProjectPlaces()
        for eventLoop in group.makeIterator() {
            let census = census
            let meter = RelayMeter()
            let relay = try await eventLoop.submit {
                let relay = RelayLoop(
                    eventLoop: eventLoop, settings: settings, dependencies: dependencies, census: census, meter: meter,
                    projects: projects)
                relay.startSweeping()
                return NIOLoopBound(relay, eventLoop: eventLoop)
            }.get()
            let receiver = dependencies.ledger.register(LoopMailbox(eventLoop: eventLoop, relay: relay))
            try await eventLoop.submit { relay.value.receiver = receiver }.get()
            loops.append(Loop(eventLoop: eventLoop, relay: relay, meter: meter))
        }
        self.loops = loops
        self.group = group
    }

    private let group: any EventLoopGroup

    /// Binds and accepts.
    /// - Parameter tls: what connections speak; `nil` for plain HTTP.
    /// - Returns: the port, which the system chose if `port` is 0.
    /// - Throws: the system's reason why the address can't be bound.
    public func listen(host: String, port: Int, tls: ListenerTLS? = nil) async throws -> Int {
        let readsClientAddress = settings.readsClientAddress
        let relays = Dictionary(uniqueKeysWithValues: loops.map { (ObjectIdentifier($0.eventLoop), $0.relay) })
        let channel = try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 4096)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard let relay = relays[ObjectIdentifier(channel.eventLoop)] else { return }
                    if readsClientAddress { try channel.pipeline.syncOperations.addHandler(ClientAddress()) }
                    if let tls { try channel.pipeline.syncOperations.addHandler(tls.handler()) }
                    try channel.pipeline.syncOperations.addHandler(DownstreamConnection(relay: relay.value))
                }
            }
            .bind(host: host, port: port).get()
        listener.withLock { $0 = channel }
        return channel.localAddress?.port ?? port
    }

    /// Accepts no more, lets what is under way finish, and cuts what has not finished after `grace`.
    /// - Returns: how many connections were cut.
    public func drain(grace: Duration) async -> Int {
        let channel = listener.withLock { listener in
            defer { listener = nil }
            return listener
        }
        try? await channel?.close()
        for loop in loops { loop.eventLoop.execute { loop.relay.value.drain() } }
        let deadline = ContinuousClock.now + grace
        while census.connections.load(ordering: .relaxed) > 0, ContinuousClock.now < deadline {
            try? await Task.sleep(for: .milliseconds(10))
        }
        let left = census.connections.load(ordering: .relaxed)
        for loop in loops { try? await loop.eventLoop.submit { loop.relay.value.abandon() }.get() }
        return left
    }

    /// Requests whose end has not come.
    public var requestsInFlight: Int { census.requests.load(ordering: .relaxed) }

    /// Client connections that are open.
    public var openConnections: Int { census.connections.load(ordering: .relaxed) }

    /// What has been counted since the start, over all event loops.
    public var counters: RelayCounters {
        loops.reduce(into: RelayCounters()) { $0.add($1.meter.snapshot) }
    }
}

/// Carries the ledger's verdicts to the event loop that waits for them: one hop for each batch.
private struct LoopMailbox: AdmissionReceiver {
    let eventLoop: any EventLoop
    let relay: NIOLoopBound<RelayLoop>

    func admissionsDecided(_ decisions: [AdmissionDecision]) {
        eventLoop.execute { relay.value.deliver(decisions) }
    }
}
