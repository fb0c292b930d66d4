import Foundation
import PostgresDriver
import ProxyFixtures
import SQLDatabase
import Testing

/// Every way of the guide to reach a server, for real (G06, G07).
@Suite("Reaching PostgreSQL", .timeLimit(.minutes(3)), .serialized)
struct PostgresConnectTests {
    /// A server with TLS whose certificate is for `localhost` alone, and which wants passwords over TCP.
    private static let secured = Result {
        let certificates = try ServerCertificates()
        let server = try EphemeralPostgres.start(
            .init(
                tls: .init(certificate: certificates.certificate, key: certificates.key), requiresPassword: true))
        for statement in [
            "ALTER ROLE postgres PASSWORD 'p@ss/word:?%'", "CREATE ROLE \"llm@server\" LOGIN PASSWORD 'pass'",
        ] { try server.run(statement, in: nil) }
        return (server: server, certificates: certificates)
    }

    /// A server that has neither.
    private static let plain = Result { try EphemeralPostgres.start() }

    /// What connecting gives: `nil` when it works, otherwise the words of the failure.
    private func failure(_ url: String, roots: String? = nil) async throws -> String? {
        var options = PostgresDatabase.Options(connectTimeout: .seconds(60))
        options.systemRoots = roots
        do {
            let pool = try await PostgresDatabase.open(
                try PostgresAddress(url), limits: .init(readers: 1), options: options)
            _ = try await pool.value("SELECT 1")
            await pool.close()
            return nil
        } catch {
            return String(reflecting: error)
        }
    }

    private func url(_ host: String, _ query: String, port: Int? = nil) throws -> String {
        let server = try Self.secured.get().server
        return "postgres://postgres:p%40ss%2Fword%3A%3F%25@\(host):\(port ?? server.port)/postgres?\(query)"
    }

    @Test("the four TLS modes mean what they say")
    func modes() async throws {
        let (_, certificates) = try Self.secured.get()
        let own = "sslrootcert=\(certificates.authority)"
        let other = "sslrootcert=\(certificates.otherAuthority)"
        #expect(try await failure(url("localhost", "sslmode=disable")) == nil)
        #expect(try await failure(url("localhost", "sslmode=require")) == nil)
        #expect(try await failure(url("127.0.0.1", "sslmode=require")) == nil)
        #expect(try await failure(url("localhost", "sslmode=verify-ca&\(own)")) == nil)
        #expect(try await failure(url("127.0.0.1", "sslmode=verify-ca&\(own)")) == nil)
        #expect(try await failure(url("localhost", "sslmode=verify-full&\(own)")) == nil)
        let wrongName = try await failure(url("127.0.0.1", "sslmode=verify-full&\(own)"))
        #expect(wrongName?.contains("does not match host name") == true, "\(wrongName ?? "connected")")
        for mode in ["verify-ca", "verify-full"] {
            let wrongAuthority = try await failure(url("localhost", "sslmode=\(mode)&\(other)"))
            #expect(wrongAuthority?.contains("certificate verify failed") == true, "\(wrongAuthority ?? "connected")")
        }
    }

    @Test("verification without roots of its own uses the machine's")
    func systemRoots() async throws {
        let (_, certificates) = try Self.secured.get()
        #expect(try await failure(url("localhost", "sslmode=verify-full"), roots: certificates.authority) == nil)
        let refused = try await failure(url("localhost", "sslmode=verify-full"), roots: certificates.otherAuthority)
        #expect(refused?.contains("certificate verify failed") == true)
    }

    @Test(
        "a server without TLS is refused in every mode that asks for it",
        arguments: ["require", "verify-ca", "verify-full"])
    func plain(_ mode: String) async throws {
        let (_, certificates) = try Self.secured.get()
        let plain = try Self.plain.get()
        let said = try await failure(
            "postgres://postgres@localhost:\(plain.port)/postgres?sslmode=\(mode)&sslrootcert=\(certificates.authority)"
        )
        #expect(said?.contains("server does not support SSL") == true, "\(said ?? "connected")")
    }

    @Test("a role with an @ in its name, unescaped, as one provider hands it out")
    func roleWithAt() async throws {
        let server = try Self.secured.get().server
        let pool = try await PostgresDatabase.open(
            try PostgresAddress("postgres://llm@server:pass@127.0.0.1:\(server.port)/postgres?sslmode=require"),
            limits: .init(readers: 1), options: .init(connectTimeout: .seconds(60)))
        #expect(try await pool.value("SELECT current_user") == "llm@server")
        await pool.close()
    }

    @Test("through a Unix socket")
    func socket() async throws {
        let server = try Self.secured.get().server
        let pool = try await PostgresDatabase.open(
            try PostgresAddress("postgres://postgres:pass@/postgres?host=\(server.socketFolder)&port=\(server.port)"),
            limits: .init(readers: 1), options: .init(connectTimeout: .seconds(60)))
        #expect(try await pool.value("SELECT inet_client_addr() IS NULL") == "t")
        await pool.close()
    }

    @Test("of several hosts the first that takes the session asked for")
    func severalHosts() async throws {
        let plain = try Self.plain.get()
        let standby = try EphemeralPostgres.start(.init(settings: ["default_transaction_read_only": "on"]))
        defer { standby.remove() }
        let hosts = "127.0.0.1:1,127.0.0.1:\(standby.port),127.0.0.1:\(plain.port)"
        for (wanted, port) in [("read-write", plain.port), ("any", standby.port)] {
            let pool = try await PostgresDatabase.open(
                try PostgresAddress(
                    "postgres://postgres@\(hosts)/postgres?target_session_attrs=\(wanted)&sslmode=disable"),
                limits: .init(readers: 1), options: .init(connectTimeout: .seconds(60)))
            #expect(try await pool.value("SELECT inet_server_port()") == String(port))
            await pool.close()
        }
    }

    @Test("connect_timeout bounds the wait for a host that says nothing")
    func connectTimeout() async throws {
        // Accepts nothing, refuses nothing: a listener whose backlog is full.
        let silent = SilentListener()
        let clock = ContinuousClock()
        let start = clock.now
        let said = try await failure("postgres://u@127.0.0.1:\(silent.port)/d?connect_timeout=2&sslmode=disable")
        #expect(said?.contains("timeout expired") == true, "\(said ?? "connected")")
        #expect(clock.now - start < .seconds(30))
    }

    @Test("a password is in no failure")
    func secrets() async throws {
        let server = try Self.secured.get().server
        let said = try await failure(
            "postgres://postgres:hunter2-wrong@127.0.0.1:\(server.port)/postgres?sslmode=require")
        #expect(said?.contains("password authentication failed") == true, "\(said ?? "connected")")
        #expect(said?.contains("hunter2") == false)
    }
}

/// An authority, a certificate of its for `localhost`, and another authority.
private final class ServerCertificates: Sendable {
    private let folder = TemporaryFolder()
    var authority: String { folder.path + "/ca.pem" }
    var otherAuthority: String { folder.path + "/other.pem" }
    var certificate: String { folder.path + "/server.pem" }
    var key: String { folder.path + "/server.key" }

    init() throws {
        let script = """
            cd '\(folder.path)'
            for name in ca other; do
                openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=$name" -keyout $name.key -out $name.pem
            done
            openssl req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout server.key -out server.csr
            printf 'subjectAltName=DNS:localhost' > names
            openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out server.pem
            """
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = ["-ec", script]
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "openssl made no certificates")
    }
}

/// A port on which connections are made by the kernel and nobody ever answers.
private final class SilentListener: Sendable {
    let port: Int
    private let descriptor: Int32

    init() {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        port = withUnsafeMutablePointer(to: &address) { [descriptor] pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
                precondition(bind(descriptor, raw, length) == 0 && listen(descriptor, 8) == 0)
                getsockname(descriptor, raw, &length)
            }
            return Int(in_port_t(bigEndian: pointer.pointee.sin_port))
        }
    }

    deinit { close(descriptor) }
}
