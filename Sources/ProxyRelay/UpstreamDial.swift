import NIOCore
import NIOPosix
import NIOSSL
import NIOTLS
import ProxyWire

/// Makes a connection to an upstream: perhaps through a proxy, perhaps with TLS, and then of what that agrees on. Confined to its event
/// loop.
final class UpstreamDial {
    /// What came of it: HTTP/2, or one connection of HTTP/1.1.
    enum Outcome {
        case http1(UpstreamConnection)
        case http2(UpstreamHTTP2Connection)
        case none

        var isHTTP2: Bool { if case .http2 = self { true } else { false } }
    }

    private typealias Choice = NIOTypedApplicationProtocolNegotiationHandler<Void>

    private let shelf: UpstreamShelf
    private let pool: UpstreamPool
    private let settings: RelaySettings
    private let tls: UpstreamTLS
    private let eventLoop: any EventLoop
    /// Whether HTTP/2 may come of it.
    private let offersHTTP2: Bool
    /// Who tells the addresses of a name; `nil` for the system.
    private let resolver: (any Resolver & Sendable)?
    private var ended: ((Outcome) -> Void)?
    private var target: UpstreamTarget { shelf.target }

    init(
        to shelf: UpstreamShelf, pool: UpstreamPool, settings: RelaySettings, tls: UpstreamTLS,
        eventLoop: any EventLoop, offersHTTP2: Bool, resolver: (any Resolver & Sendable)? = nil
    ) {
        self.shelf = shelf
        self.pool = pool
        self.settings = settings
        self.tls = tls
        self.eventLoop = eventLoop
        self.offersHTTP2 = offersHTTP2
        self.resolver = resolver
    }

    /// - Parameter ended: called once, on the event loop.
    func begin(_ ended: @escaping (Outcome) -> Void) {
        self.ended = ended
        let proxy = settings.outboundProxy.flatMap { $0.isFor(target) ? $0 : nil }
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        ClientBootstrap(group: eventLoop)
            .resolver(resolver)
            .connectTimeout(settings.connectTimeout)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.maxMessagesPerRead, value: 1)
            // Once for each address that is tried: nothing may be concluded from a channel before it is the one that was connected.
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let dial = bound.value
                    guard let proxy else { return try dial.speak(on: channel) }
                    let tunnel = OutboundTunnel(
                        to: dial.target, through: proxy, limits: dial.settings.wireLimits,
                        opened: channel.eventLoop.makePromise())
                    try channel.pipeline.syncOperations.addHandler(tunnel)
                }
            }
            .connect(host: proxy?.host ?? target.host, port: proxy?.port ?? target.port)
            .assumeIsolated()
            .whenComplete { result in
                guard case .success(let channel) = result else { return self.end(.none) }
                if proxy == nil { self.connected(channel) } else { self.awaitTunnel(on: channel) }
            }
    }

    private func end(_ outcome: Outcome) {
        let ended = ended
        self.ended = nil
        ended?(outcome)
    }

    private func fail(_ channel: any Channel) {
        channel.close(promise: nil)
        end(.none)
    }

    /// Connected to a proxy, which may take as long again to open the tunnel.
    private func awaitTunnel(on channel: any Channel) {
        guard let tunnel = try? channel.pipeline.syncOperations.handler(type: OutboundTunnel.self) else {
            return fail(channel)
        }
        let timeout = eventLoop.scheduleTask(in: settings.connectTimeout) { channel.close(promise: nil) }
        tunnel.opened.futureResult.assumeIsolated().whenComplete { result in
            timeout.cancel()
            do {
                try result.get()
                try self.speak(on: channel)
                self.connected(channel)
            } catch {
                self.fail(channel)
            }
        }
    }

    // MARK: Protocols

    private func speak(on channel: any Channel) throws {
        if target.isTLS {
            let name = isAddress(target.host) ? nil : target.host
            let handler = try NIOSSLClientHandler(context: tls.context(offersHTTP2: offersHTTP2), serverHostname: name)
            try channel.pipeline.syncOperations.addHandler(handler)
        }
        guard offersHTTP2 else { return try speakHTTP1(on: channel, isEstablished: !target.isTLS) }
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        let choice = Choice { agreed, channel in
            channel.eventLoop.makeCompletedFuture {
                if case .negotiated("h2") = agreed {
                    try bound.value.speakHTTP2(on: channel)
                } else {
                    try bound.value.speakHTTP1(on: channel, isEstablished: true)
                }
            }
        }
        try channel.pipeline.syncOperations.addHandler(choice)
    }

    private func speakHTTP1(on channel: any Channel, isEstablished: Bool) throws {
        let connection = UpstreamConnection(of: shelf, pool: pool, settings: settings, isEstablished: isEstablished)
        try channel.pipeline.syncOperations.addHandler(UpstreamChannel(for: connection))
    }

    private func speakHTTP2(on channel: any Channel) throws {
        let connection = UpstreamHTTP2Connection(of: shelf, pool: pool, settings: settings, eventLoop: eventLoop)
        try channel.pipeline.syncOperations.addHandler(connection)
    }

    /// Bytes can pass. Without a choice of protocols nothing more is waited for; with one, no longer than for the connection.
    private func connected(_ channel: any Channel) {
        guard let choice = try? channel.pipeline.syncOperations.handler(type: Choice.self) else {
            return end(outcome(on: channel))
        }
        let timeout = eventLoop.scheduleTask(in: settings.connectTimeout) { channel.close(promise: nil) }
        choice.protocolNegotiationResult.assumeIsolated().whenComplete { result in
            timeout.cancel()
            guard case .success = result else { return self.fail(channel) }
            self.end(self.outcome(on: channel))
        }
    }

    /// What is spoken on a channel.
    private func outcome(on channel: any Channel) -> Outcome {
        let pipeline = channel.pipeline.syncOperations
        if let connection = try? pipeline.handler(type: UpstreamHTTP2Connection.self) { return .http2(connection) }
        if let link = try? pipeline.handler(type: UpstreamChannel.self) { return .http1(link.connection) }
        return .none
    }
}

/// Whether `host` is a literal address, which has no name to be indicated in a TLS handshake (RFC 6066 section 3).
private func isAddress(_ host: String) -> Bool {
    (try? SocketAddress(ipAddress: host, port: 0)) != nil
}
