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
        let proxy = settings.outboundProxy.flatMap { $0.isFor(target) ? $0 : nil }
        let opened = proxy.map { _ in eventLoop.makePromise(of: Void.self) }
        let (tls, limits) = (tls, settings.wireLimits)
        ClientBootstrap(group: eventLoop)
            .connectTimeout(settings.connectTimeout)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.maxMessagesPerRead, value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let proxy, let opened {
                        let tunnel = OutboundTunnel(to: target, through: proxy, limits: limits, opened: opened)
                        try channel.pipeline.syncOperations.addHandler(tunnel)
                    } else {
                        try Self.speak(to: target, on: channel, tls, bound.value)
                    }
                }
            }
            .connect(host: proxy?.host ?? target.host, port: proxy?.port ?? target.port)
            .assumeIsolated()
            .whenComplete { result in
                switch (result, opened) {
                case (.success(let channel), let opened?): self.await(opened, on: channel, target, bound, ready)
                case (.success, nil): self.lend(bound.value, ready)
                case (.failure(let error), let opened):
                    opened?.fail(error)
                    ready(nil)
                }
            }
    }

    /// Connected to a proxy, which may take as long again to open the tunnel.
    private func await(
        _ opened: EventLoopPromise<Void>, on channel: any Channel, _ target: UpstreamTarget,
        _ connection: NIOLoopBound<UpstreamConnection>, _ ready: @escaping (UpstreamConnection?) -> Void
    ) {
        let tls = tls
        let timeout = eventLoop.scheduleTask(in: settings.connectTimeout) { channel.close(promise: nil) }
        opened.futureResult.assumeIsolated().whenComplete { result in
            timeout.cancel()
            do {
                try result.get()
                try Self.speak(to: target, on: channel, tls, connection.value)
                self.lend(connection.value, ready)
            } catch {
                channel.close(promise: nil)
                ready(nil)
            }
        }
    }

    private static func speak(
        to target: UpstreamTarget, on channel: any Channel, _ tls: UpstreamTLS, _ connection: UpstreamConnection
    ) throws {
        if target.isTLS {
            let name = isAddress(target.host) ? nil : target.host
            let handler = try NIOSSLClientHandler(context: tls.context(), serverHostname: name)
            try channel.pipeline.syncOperations.addHandler(handler)
        }
        try channel.pipeline.syncOperations.addHandler(connection)
    }

    private func lend(_ connection: UpstreamConnection, _ ready: (UpstreamConnection?) -> Void) {
        meter.update { $0.upstreamConnectionsOpened += 1 }
        ready(connection.isOpen ? connection : nil)
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
