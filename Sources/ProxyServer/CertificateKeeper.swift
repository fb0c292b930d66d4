import Logging
import ProxyRelay
import ProxySettings
import Synchronization

/// Has the listener show a new certificate when its files have changed.
final class CertificateKeeper: Sendable {
    let tls: ListenerTLS
    private let files: ListenerCertificate
    private let logger: Logger
    private let task = RecurringTask()
    /// Of the files that were loaded, from before they were.
    private let loaded: Mutex<FileStamps>
    /// Of those that could not be.
    private let refused = Mutex<FileStamps?>(nil)

    /// - Throws: when the files hold no certificate and its key.
    init(_ files: ListenerCertificate, logger: Logger) throws(StartupError) {
        self.files = files
        self.logger = logger
        loaded = Mutex(FileStamps([files.certificate, files.key]))
        do throws(ListenerTLSError) {
            tls = try ListenerTLS(certificateFile: files.certificate, keyFile: files.key)
        } catch {
            throw StartupError(Self.explanation(of: error, files))
        }
    }

    /// Looks at the files once a second.
    func start() {
        task.start { [self] in
            let stamps = FileStamps([files.certificate, files.key])
            if loaded.withLock({ $0 != stamps }) { reload(stamps) }
            return .seconds(1)
        }
    }

    func stop() async { await task.stop() }

    /// Tries again each second until it succeeds, and says once for the same files that it can't.
    private func reload(_ stamps: FileStamps) {
        do throws(ListenerTLSError) {
            try tls.reload()
            loaded.withLock { $0 = stamps }
            logger.notice("new connections get the new certificate", metadata: ["file": "\(files.certificate)"])
        } catch {
            let isNew = refused.withLock { refused in
                defer { refused = stamps }
                return refused != stamps
            }
            guard isNew else { return }
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
