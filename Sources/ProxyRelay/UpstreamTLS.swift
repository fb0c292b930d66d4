public import NIOSSL
import Synchronization

/// TLS towards upstreams: full verification against the system's roots and those handed in.
///
/// Made at the first connection that needs it: reading the system's roots takes memory that plain upstreams don't need.
public final class UpstreamTLS: Sendable {
    private let additionalRoots: [NIOSSLCertificate]
    private let made = Mutex<[Bool: NIOSSLContext]>([:])

    public init(additionalRoots: [NIOSSLCertificate] = []) { self.additionalRoots = additionalRoots }

    /// - Parameter offersHTTP2: whether the upstream may choose HTTP/2.
    /// - Throws: when the roots can't be read.
    public func context(offersHTTP2: Bool) throws -> NIOSSLContext {
        try made.withLock { made in
            if let context = made[offersHTTP2] { return context }
            var configuration = TLSConfiguration.makeClientConfiguration()
            configuration.additionalTrustRoots = additionalRoots.isEmpty ? [] : [.certificates(additionalRoots)]
            configuration.applicationProtocols = offersHTTP2 ? ["h2", "http/1.1"] : ["http/1.1"]
            configuration.minimumTLSVersion = .tlsv12
            let context = try NIOSSLContext(configuration: configuration)
            made[offersHTTP2] = context
            return context
        }
    }
}
