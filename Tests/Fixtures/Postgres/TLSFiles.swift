/// Where a server finds what it proves itself with.
public struct TLSFiles: Sendable {
    /// Path of the certificate, then any intermediate ones, in PEM form.
    public var certificate: String
    /// Path of the certificate's private key, in PEM form, without a pass phrase.
    public var key: String

    /// Names the files; they are read when the server starts.
    public init(certificate: String, key: String) {
        self.certificate = certificate
        self.key = key
    }
}
