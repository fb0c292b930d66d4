import Foundation
import ProxyBlackBox
import ProxyDomain
import ProxyServer
import ProxySettings
import ProxySimulator

/// A whole server in this process, its upstream a simulator, with admin pages to be looked at.
final class AdminSite: Sendable {
    /// What its database is.
    enum Engine: String, Sendable, CaseIterable { case sqlite, postgres }

    /// As the server itself knows it: an administrator's credential.
    static let managementToken = "management-token-of-the-browser-tests"
    /// Any provider's key; the simulator asks for none.
    static let apiKey = "sk-provider-0123456789abcdef"

    let port: Int
    private let simulator: Simulator
    let clock: MovableClock
    private let server: ProxyServer
    private let folder: String
    private let database: BrowserDatabase?

    private init(
        _ server: ProxyServer, _ simulator: Simulator, _ clock: MovableClock, folder: String,
        _ database: BrowserDatabase?
    ) {
        port = server.port
        self.server = server
        self.simulator = simulator
        self.clock = clock
        self.folder = folder
        self.database = database
    }

    /// Starts a server on an empty database.
    /// - Parameter speaksTLS: under a certificate that nobody vouches for. Only a browser reaches it then: ``send`` doesn't.
    static func start(on engine: Engine = .sqlite, speaksTLS: Bool = false) async throws -> AdminSite {
        let folder = NSTemporaryDirectory() + "admin-site-\(UUID().uuidString.lowercased())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let simulator = try await Simulator.start()
        var environment = [
            "LISTEN_ADDR": "127.0.0.1:0", "EVENT_LOOPS": "1", "MANAGEMENT_TOKEN": managementToken,
            "OPENAI_API_URL": "http://127.0.0.1:\(simulator.port)", "LOG_FILE": folder + "/proxy.log",
            "SHUTDOWN_GRACE": "2s", "DATABASE_PATH": folder + "/data/proxy.db",
        ]
        let database = engine == .postgres ? try await BrowserDatabase.make() : nil
        if let database {
            environment["DB_DRIVER"] = "postgres"
            environment["DATABASE_URL"] = database.url
        }
        if speaksTLS { environment.merge(try Self.certificate(in: folder)) { $1 } }
        let clock = MovableClock()
        let surroundings = Surroundings(now: { clock.now }, random: Surroundings.system.random)
        let settings = try ServerSettings.read(environment: environment) {
            try? String(contentsOfFile: $0, encoding: .utf8)
        }
        let server = try await ProxyServer.start(settings, surroundings: surroundings)
        return AdminSite(server, simulator, clock, folder: folder, database)
    }

    /// Stops the server and removes what it kept.
    func stop() async {
        await server.stop()
        try? await simulator.stop()
        await database?.remove()
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// The settings for a certificate of 127.0.0.1 that is made now.
    private static func certificate(in folder: String) throws -> [String: String] {
        let (certificate, key) = (folder + "/certificate.pem", folder + "/key.pem")
        let openssl = Process()
        openssl.executableURL = URL(filePath: "/usr/bin/env")
        openssl.arguments = [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
            "2",
            "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate,
        ]
        openssl.standardError = FileHandle.nullDevice
        try openssl.run()
        openssl.waitUntilExit()
        guard openssl.terminationStatus == 0 else { throw TestFailure("openssl makes no certificate") }
        return ["TLS_CERT_FILE": certificate, "TLS_KEY_FILE": key]
    }

    /// As browsers name the site.
    var origin: String { "\(server.speaksTLS ? "https" : "http")://127.0.0.1:\(port)" }

    /// The simulator, for upstreams that are added.
    var upstreamAddress: String { "http://127.0.0.1:\(simulator.port)" }

    /// With what credential the upstream was asked last.
    var lastCredential: String? {
        simulator.received.last?.fields.first { $0.name.lowercased() == "authorization" }?.value
    }

    /// Returns once what was requested so far is counted, and can be read in the database.
    func settle() async { await server.settleAll() }

    /// Lets so much time pass that wrong credentials, of which there may be ten in a minute, stand in no other test's way.
    func forgive() { clock.pass(.seconds(60)) }

    /// One request as a program sends it.
    func send(
        _ method: String, _ target: String, fields: [(name: String, value: String)] = [], body: String? = nil
    ) async throws -> Exchange.Answer {
        try await Exchange(method: method, target: target, fields: fields, body: body).send(to: port)
    }
}

/// The time that a server is told: the machine's, and what tests let pass beside it.
final class MovableClock: Sendable {
    private let ahead = Shared(Duration.zero)

    var now: Timestamp { Surroundings.system.now() + ahead.value }

    func pass(_ duration: Duration) { ahead.change { $0 += duration } }
}
