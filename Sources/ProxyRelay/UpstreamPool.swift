import NIOCore
import NIOPosix
import NIOSSL
import ProxyWire

/// One event loop's connections to upstreams. Confined to that loop: lending one takes no lock and no hop.
final class UpstreamPool {
    private let eventLoop: any EventLoop
    private let settings: RelaySettings
    private let tls: UpstreamTLS
    private let meter: RelayMeter
    private var shelves: [UpstreamTarget: UpstreamShelf] = [:]
    /// The shelf asked for last: most often the next one too, which spares its look-up.
    private var latest: UpstreamShelf?
    private var connections = Roster<UpstreamConnection>()

    init(eventLoop: any EventLoop, settings: RelaySettings, tls: UpstreamTLS, meter: RelayMeter) {
        self.eventLoop = eventLoop
        self.settings = settings
        self.tls = tls
        self.meter = meter
    }

    /// Lends a connection that has served before and is open still.
    func takeIdle(_ target: UpstreamTarget) -> UpstreamConnection? {
        let shelf = shelf(for: target)
        while let connection = shelf.idle.popLast() {
            // One that has closed in this turn of the loop is taken off only after it.
            if connection.isOpen { return connection }
        }
        return nil
    }

    private func shelf(for target: UpstreamTarget) -> UpstreamShelf {
        if let latest, latest.target == target { return latest }
        let found = shelves[target] ?? UpstreamShelf(target: target)
        shelves[target] = found
        latest = found
        return found
    }

    /// Opens a connection and lends it.
    /// - Parameter ready: called on this loop, with `nil` when no connection could be made.
    func connect(_ target: UpstreamTarget, ready: @escaping (UpstreamConnection?) -> Void) {
        let connection = UpstreamConnection(of: shelf(for: target), pool: self, settings: settings)
        let bound = NIOLoopBound(connection, eventLoop: eventLoop)
        let tls = tls
        ClientBootstrap(group: eventLoop)
            .connectTimeout(settings.connectTimeout)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.maxMessagesPerRead, value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if target.isTLS {
                        let name = isAddress(target.host) ? nil : target.host
                        try channel.pipeline.syncOperations.addHandler(
                            NIOSSLClientHandler(context: tls.context(), serverHostname: name))
                    }
                    try channel.pipeline.syncOperations.addHandler(bound.value)
                }
            }
            .connect(host: target.host, port: target.port)
            .assumeIsolated()
            .whenComplete { result in
                switch result {
                case .success:
                    self.meter.update { $0.upstreamConnectionsOpened += 1 }
                    ready(bound.value.isOpen ? bound.value : nil)
                case .failure: ready(nil)
                }
            }
    }

    func joined(_ connection: UpstreamConnection) -> Int { connections.add(connection) }

    func left(_ connection: UpstreamConnection, slot: Int) {
        connections.remove(slot)
        guard connection.isIdle else { return }
        connection.shelf.idle.removeAll { $0 === connection }
    }

    /// Takes back a connection whose exchange is over and that can serve another.
    func giveBack(_ connection: UpstreamConnection) {
        if let most = connection.mostIdle, connection.shelf.idle.count >= most { return connection.close() }
        connection.rest()
        connection.shelf.idle.append(connection)
    }

    func sweep(at now: NIODeadline) {
        connections.forEach { $0.sweep(at: now) }
    }

    func closeAll() {
        connections.forEach { $0.abandon() }
    }
}

/// The connections to one target that nobody uses. Confined to its loop, as its pool is.
final class UpstreamShelf {
    let target: UpstreamTarget
    /// The one used last is lent first, so that those nobody needs grow old.
    var idle: [UpstreamConnection] = []

    init(target: UpstreamTarget) { self.target = target }
}

/// Whether `host` is a literal address, which has no name to be indicated in a TLS handshake (RFC 6066 section 3).
private func isAddress(_ host: String) -> Bool {
    (try? SocketAddress(ipAddress: host, port: 0)) != nil
}
