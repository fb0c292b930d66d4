import Foundation
import NIOCore
import NIOPosix
import NIOSSL

/// TLS before an upstream double: takes it off, and passes bytes on both ways. Its certificate is for `localhost`.
final class TLSFront: Sendable {
    let port: Int
    /// PEM file of the authority that issued the certificate.
    let authority: String
    private let listener: any Channel

    private init(port: Int, authority: String, listener: any Channel) {
        self.port = port
        self.authority = authority
        self.listener = listener
    }

    static func start(before upstreamPort: Int) async throws -> TLSFront {
        let issued = try Authority.shared.get()
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMFile(issued.certificate).map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(file: issued.key, format: .pem)))
        configuration.minimumTLSVersion = .tlsv12
        let context = try NIOSSLContext(configuration: configuration)
        let listener = try await ServerBootstrap(group: NIOSingletons.posixEventLoopGroup)
            .childChannelInitializer { channel in
                // Accepted only once there is somewhere to pass its bytes on to.
                ClientBootstrap(group: channel.eventLoop).connect(host: "127.0.0.1", port: upstreamPort)
                    .flatMapThrowing { upstream in
                        let front = Glue()
                        try channel.pipeline.syncOperations.addHandlers([NIOSSLServerHandler(context: context), front])
                        try upstream.pipeline.syncOperations.addHandler(Glue(to: front))
                    }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return TLSFront(port: listener.localAddress?.port ?? 0, authority: issued.authority, listener: listener)
    }

    func stop() async { try? await listener.close() }
}

/// One of two handlers that write what the other reads.
private final class Glue: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private var partner: Glue?
    private var context: ChannelHandlerContext?

    init(to partner: Glue? = nil) {
        self.partner = partner
        partner?.partner = self
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        partner = nil
    }
    func channelRead(context: ChannelHandlerContext, data: NIOAny) { partner?.context?.write(data, promise: nil) }
    func channelReadComplete(context: ChannelHandlerContext) { partner?.context?.flush() }
    func channelInactive(context: ChannelHandlerContext) { partner?.context?.close(promise: nil) }
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

/// An authority and a certificate for `localhost`, made once per run with the openssl command.
private struct Authority: Sendable {
    let authority: String
    let certificate: String
    let key: String
    private let folder: TestFolder

    static let shared = Result { try Authority() }

    private init() throws {
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
