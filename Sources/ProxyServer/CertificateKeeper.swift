import Logging
import ProxyRelay
import ProxySettings

/// Has the listener show a new certificate when its files have changed.
final class CertificateKeeper: Sendable {
    let tls: ListenerTLS
    private let files: ListenerCertificate
    private let logger: Logger
    private let watch: FileWatch

    /// - Throws: when the files hold no certificate and its key.
    init(_ files: ListenerCertificate, logger: Logger) throws(StartupError) {
        self.files = files
        self.logger = logger
        watch = FileWatch([files.certificate, files.key])
        do throws(ListenerTLSError) {
            tls = try ListenerTLS(certificateFile: files.certificate, keyFile: files.key)
        } catch {
            throw StartupError(Self.explanation(of: error, files))
        }
    }

    /// Looks at the files once a second.
    func start() { watch.start { [self] in reload() } }

    func stop() async { await watch.stop() }

    private func reload() {
        watch.reading { () throws(ListenerTLSError) in
            try tls.reload()
            logger.notice("new connections get the new certificate", metadata: ["file": "\(files.certificate)"])
        } refuse: { error in
            // One of two files may have been replaced before the other.
            logger.error(
                "the certificate was changed to one that can't be used; the one before stays in use",
                metadata: ["detail": "\(Self.explanation(of: error, files))"])
        }
    }

    private static func explanation(of error: ListenerTLSError, _ files: ListenerCertificate) -> String {
        switch error {
        case .certificate:
            "TLS_CERT_FILE \(files.certificate) holds no readable certificate: name a PEM file with the server's certificate first"
        case .key:
            "TLS_KEY_FILE \(files.key) holds no readable key: name a PEM file with a private key without a passphrase"
        case .mismatch:
            "TLS_KEY_FILE \(files.key) is not the key of the certificate in TLS_CERT_FILE \(files.certificate): name the two that belong together"
        }
    }
}
