import NIOCore
import NIOPosix
import NIOSSL
@testable import ProxyRelay
import Testing

/// Connections to a name with two addresses, the first of which leads nowhere.
@Suite struct UpstreamDialTests {
    /// An address of version 6 where nobody listens, and one of version 4.
    private struct TwoAddresses: Resolver, Sendable {
        let eventLoop: any EventLoop

        func initiateAQuery(host: String, port: Int) -> EventLoopFuture<[SocketAddress]> {
            eventLoop.makeCompletedFuture { [try SocketAddress(ipAddress: "127.0.0.1", port: port)] }
        }

        func initiateAAAAQuery(host: String, port: Int) -> EventLoopFuture<[SocketAddress]> {
            eventLoop.makeCompletedFuture { [try SocketAddress(ipAddress: "::1", port: port)] }
        }

        func cancelQueries() {}
    }

    private func dial(port: Int, isTLS: Bool, offersHTTP2: Bool, authority: String? = nil) async throws -> String {
        let eventLoop = NIOSingletons.posixEventLoopGroup.next()
        let roots = try authority.map { try NIOSSLCertificate.fromPEMFile($0) } ?? []
        let outcome = eventLoop.makePromise(of: String.self)
        try await eventLoop.submit {
            let settings = RelaySettings()
            let tls = UpstreamTLS(additionalRoots: roots)
            let pool = UpstreamPool(eventLoop: eventLoop, settings: settings, tls: tls, meter: RelayMeter())
            let dial = UpstreamDial(
                to: UpstreamShelf(target: UpstreamTarget(host: "localhost", port: port, isTLS: isTLS)), pool: pool,
                settings: settings, tls: tls, eventLoop: eventLoop, offersHTTP2: offersHTTP2,
                resolver: TwoAddresses(eventLoop: eventLoop))
            dial.begin { found in
                switch found {
                case .none: outcome.succeed("none")
                case .http1(let connection): outcome.succeed(connection.isOpen ? "HTTP/1.1" : "closed")
                case .http2(let connection): outcome.succeed(connection.hasRoom ? "HTTP/2" : "closed")
                }
                pool.closeAll()
            }
        }.get()
        return try await outcome.futureResult.get()
    }

    @Test(.timeLimit(.minutes(1))) func theAddressThatAnswersIsTaken() async throws {
        let listener = try await ServerBootstrap(group: NIOSingletons.posixEventLoopGroup)
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(listener.localAddress?.port)
        #expect(try await dial(port: port, isTLS: false, offersHTTP2: false) == "HTTP/1.1")
        for (protocols, agreed) in [(["h2"], "HTTP/2"), (["http/1.1"], "HTTP/1.1"), ([], "HTTP/1.1")] {
            let front = try await TLSFront.start(before: port, protocols: protocols)
            #expect(
                try await dial(port: front.port, isTLS: true, offersHTTP2: true, authority: front.authority) == agreed)
            #expect(try await dial(port: front.port, isTLS: true, offersHTTP2: true) == "none", "nobody is trusted")
            await front.stop()
        }
        try await listener.close()
    }

    @Test(.timeLimit(.minutes(1))) func noAddressThatAnswersIsNone() async throws {
        let listener = try await ServerBootstrap(group: NIOSingletons.posixEventLoopGroup)
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(listener.localAddress?.port)
        try await listener.close()
        for isTLS in [false, true] {
            #expect(try await dial(port: port, isTLS: isTLS, offersHTTP2: isTLS) == "none")
        }
    }
}
