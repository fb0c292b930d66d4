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
    }

    private let shelf: UpstreamShelf
    private let pool: UpstreamPool
    private let settings: RelaySettings
    private let tls: UpstreamTLS
    private let eventLoop: any EventLoop
    /// Whether HTTP/2 may come of it.
    private let offersHTTP2: Bool
    private var ended: ((Outcome) -> Void)?
    private var outcome = Outcome.none
    private var target: UpstreamTarget { shelf.target }

    init(
        to shelf: UpstreamShelf, pool: UpstreamPool, settings: RelaySettings, tls: UpstreamTLS,
        eventLoop: any EventLoop, offersHTTP2: Bool
    ) {
        self.shelf = shelf
        self.pool = pool
        self.settings = settings
        self.tls = tls
        self.eventLoop = eventLoop
        self.offersHTTP2 = offersHTTP2 && shelf.target.isTLS
    }

    /// - Parameter ended: called once, on the event loop.
    func begin(_ ended: @escaping (Outcome) -> Void) {
        self.ended = ended
        let proxy = settings.outboundProxy.flatMap { $0.isFor(target) ? $0 : nil }
        let opened = proxy.map { _ in eventLoop.makePromise(of: Void.self) }
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        ClientBootstrap(group: eventLoop)
            .connectTimeout(settings.connectTimeout)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.maxMessagesPerRead, value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let dial = bound.value
                    guard let proxy, let opened else { return try dial.speak(on: channel) }
                    let tunnel = OutboundTunnel(
                        to: dial.target, through: proxy, limits: dial.settings.wireLimits, opened: opened)
                    try channel.pipeline.syncOperations.addHandler(tunnel)
                }
            }
            .connect(host: proxy?.host ?? target.host, port: proxy?.port ?? target.port)
            .assumeIsolated()
            .whenComplete { result in
                switch (result, opened) {
                case (.success(let channel), let opened?): self.await(opened, on: channel)
                case (.success(let channel), nil): self.connected(channel)
                case (.failure(let error), let opened):
                    opened?.fail(error)
                    self.end(.none)
                }
            }
    }

    private func end(_ outcome: Outcome) {
        let ended = ended
        self.ended = nil
        ended?(outcome)
    }

    /// Connected to a proxy, which may take as long again to open the tunnel.
    private func await(_ opened: EventLoopPromise<Void>, on channel: any Channel) {
        let timeout = eventLoop.scheduleTask(in: settings.connectTimeout) { channel.close(promise: nil) }
        opened.futureResult.assumeIsolated().whenComplete { result in
            timeout.cancel()
            do {
                try result.get()
                try self.speak(on: channel)
                self.connected(channel)
            } catch {
                channel.close(promise: nil)
                self.end(.none)
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
        let choice = NIOTypedApplicationProtocolNegotiationHandler<Void> { agreed, channel in
            channel.eventLoop.makeCompletedFuture {
                if case .negotiated("h2") = agreed {
                    try bound.value.speakHTTP2(on: channel)
                } else {
                    try bound.value.speakHTTP1(on: channel, isEstablished: true)
                }
            }
        }
        try channel.pipeline.syncOperations.addHandler(choice)
        choice.protocolNegotiationResult.assumeIsolated().whenComplete { result in
            if case .failure = result { channel.close(promise: nil) }
            self.end(self.outcome)
        }
    }

    private func speakHTTP1(on channel: any Channel, isEstablished: Bool) throws {
        let connection = UpstreamConnection(of: shelf, pool: pool, settings: settings, isEstablished: isEstablished)
        try channel.pipeline.syncOperations.addHandler(UpstreamChannel(for: connection))
        outcome = .http1(connection)
    }

    private func speakHTTP2(on channel: any Channel) throws {
        let connection = UpstreamHTTP2Connection(of: shelf, pool: pool, settings: settings, eventLoop: eventLoop)
        try channel.pipeline.syncOperations.addHandler(connection)
        outcome = .http2(connection)
    }

    /// Bytes can pass. Without a choice of protocols nothing more is waited for; with one, no longer than for the connection.
    private func connected(_ channel: any Channel) {
        guard offersHTTP2 else { return end(outcome) }
        let timeout = eventLoop.scheduleTask(in: settings.connectTimeout) { channel.close(promise: nil) }
        let ended = ended
        self.ended = { outcome in
            timeout.cancel()
            ended?(outcome)
        }
        // It may have ended before it was waited for.
        if !channel.isActive { end(.none) }
    }
}

/// Whether `host` is a literal address, which has no name to be indicated in a TLS handshake (RFC 6066 section 3).
private func isAddress(_ host: String) -> Bool {
    (try? SocketAddress(ipAddress: host, port: 0)) != nil
}
