import Foundation
import NIOSSL

/// An authority and a certificate for `localhost`, made with the openssl command; the shared one once per run.
struct TestAuthority: Sendable {
    let authority: String
    let certificate: String
    let key: String
    private let folder: TestFolder

    static let shared = Result { try TestAuthority() }

    init() throws {
        folder = TestFolder()
        authority = folder.path + "/authority.pem"
        certificate = folder.path + "/server.pem"
        key = folder.path + "/server.key"
        let newKey = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
        try Self.run(
            "req -x509 \(newKey) -keyout authority.key -out authority.pem -days 2 -subj /CN=authority", in: folder.path)
        try Self.run(
            "req \(newKey) -keyout server.key -out server.csr -subj /CN=server -addext subjectAltName=DNS:localhost",
            in: folder.path)
        try Self.run(
            "x509 -req -in server.csr -CA authority.pem -CAkey authority.key -days 2 -copy_extensions copy -out server.pem",
            in: folder.path)
    }

    /// For a server with this certificate.
    /// - Parameter protocols: which of them ALPN may agree on (RFC 7301).
    func serverContext(protocols: [String] = []) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMFile(certificate).map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(file: key, format: .pem)))
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = protocols
        return try NIOSSLContext(configuration: configuration)
    }

    private static func run(_ arguments: String, in folder: String) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["openssl"] + arguments.split(separator: " ").map(String.init)
        process.currentDirectoryURL = URL(filePath: folder)
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw TestFailure("openssl \(arguments) failed") }
    }
}
