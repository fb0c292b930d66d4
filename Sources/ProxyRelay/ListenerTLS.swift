import NIOCore
import NIOSSL
import Synchronization

/// TLS towards clients: 1.2 and later, with the certificate that was loaded last. From any thread.
///
/// A connection keeps the certificate it was made with; those that come after ``reload()`` get the new one.
public final class ListenerTLS: Sendable {
    private let certificateFile: String
    private let keyFile: String
    private let current: Mutex<NIOSSLContext>

    /// - Parameters:
    ///   - certificateFile: PEM, the server's own certificate first, then those that lead to its authority.
    ///   - keyFile: PEM, the private key of the first, without a passphrase.
    /// - Throws: what is wrong with the files.
    public init(certificateFile: String, keyFile: String) throws(ListenerTLSError) {
        self.certificateFile = certificateFile
        self.keyFile = keyFile
        current = Mutex(try Self.context(certificateFile, keyFile))
    }

    /// Reads both files again. What is wrong with them changes nothing.
    public func reload() throws(ListenerTLSError) {
        let context = try Self.context(certificateFile, keyFile)
        current.withLock { $0 = context }
    }

    func handler() -> NIOSSLServerHandler { NIOSSLServerHandler(context: current.withLock { $0 }) }

    private static func context(_ certificateFile: String, _ keyFile: String) throws(ListenerTLSError) -> NIOSSLContext
    {
        guard let chain = try? NIOSSLCertificate.fromPEMFile(certificateFile), !chain.isEmpty else {
            throw .certificate
        }
        guard let key = try? NIOSSLPrivateKey(file: keyFile, format: .pem) else { throw .key }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["h2", "http/1.1"]
        // How long the client's goodbye is waited for.
        configuration.shutdownTimeout = .milliseconds(500)
        guard let context = try? NIOSSLContext(configuration: configuration) else { throw .mismatch }
        return context
    }
}

/// Why a certificate can't be used.
public enum ListenerTLSError: Error, Hashable, Sendable {
    /// Its file holds none that can be read.
    case certificate
    /// The key's file holds none that can be read without a passphrase.
    case key
    /// The key is another certificate's.
    case mismatch
}
