import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// Connections to a server, for one exchange each.
extension ManagementAddress {
    /// Connects over TCP, or TLS, and puts `handlers` behind what reads and writes HTTP/1.1.
    func connect(
        on loops: any EventLoopGroup, within patience: Duration,
        _ handlers: @escaping @Sendable () -> [any ChannelHandler]
    ) async throws -> any Channel {
        let tls = try isTLS ? Self.makeTLS() : nil
        // A literal address is no server name (RFC 6066 section 3): its certificate is compared with the address.
        let name = (try? SocketAddress(ipAddress: host, port: 0)) == nil ? host : nil
        return try await ClientBootstrap(group: loops)
            .connectTimeout(TimeAmount(patience))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let tls { try pipeline.addHandler(NIOSSLClientHandler(context: tls, serverHostname: name)) }
                    try pipeline.addHTTPClientHandlers()
                    try pipeline.addHandlers(handlers())
                }
            }
            .connect(host: host, port: port).get()
    }

    /// Full verification against the system's roots.
    private static func makeTLS() throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.applicationProtocols = ["http/1.1"]
        configuration.minimumTLSVersion = .tlsv12
        return try NIOSSLContext(configuration: configuration)
    }

    /// What to tell of an exchange that failed.
    /// - Parameter lateness: what is said of a connection that did not come in time.
    func failure(_ error: any Error, lateness: Silence) -> ManageError {
        switch error {
        case let error as ManageError: error
        case is HTTPParserError: .failed("\(authority) answered with something that is not HTTP")
        default: .unreachable("\(authority) can't be reached: \(Self.reason(error, lateness))")
        }
    }

    private static func reason(_ error: any Error, _ lateness: Silence) -> String {
        switch error {
        case let error as Silence: error.rawValue
        case ChannelError.connectTimeout(_): lateness.rawValue
        case let error as NIOConnectionError:
            error.connectionErrors.first.map { reason($0.error, lateness) } ?? "there is no such host"
        case let error as IOError: String(cString: strerror(error.errnoCode))
        default: "\(error)"
        }
    }
}

/// Why an answer did not come to its end, though nothing was said.
enum Silence: String, Error {
    case tooLong = "no answer came in time"
    case nothing = "nothing came in time"
    case cut = "the connection ended before the answer did"
}
