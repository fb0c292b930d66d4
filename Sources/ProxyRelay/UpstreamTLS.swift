public import NIOSSL
import Synchronization

/// TLS towards upstreams: full verification against the system's roots and those handed in.
///
/// Made at the first connection that needs it: reading the system's roots takes memory that plain upstreams don't need.
public final class UpstreamTLS: Sendable {
    private let additionalRoots: [NIOSSLCertificate]
    private let made = Mutex<NIOSSLContext?>(nil)

    public init(additionalRoots: [NIOSSLCertificate] = []) { self.additionalRoots = additionalRoots }

    /// - Throws: when the roots can't be read.
    public func context() throws -> NIOSSLContext {
        try made.withLock { made in
            if let made { return made }
            var configuration = TLSConfiguration.makeClientConfiguration()
            configuration.additionalTrustRoots = additionalRoots.isEmpty ? [] : [.certificates(additionalRoots)]
            configuration.applicationProtocols = ["http/1.1"]
            configuration.minimumTLSVersion = .tlsv12
            let context = try NIOSSLContext(configuration: configuration)
            made = context
            return context
        }
    }
}
