import Foundation
import NIOSSL
import ProxyBlackBox
import ProxyConformance
import ProxyServer
import ProxySettings
import Synchronization
import Testing

/// The listener's certificate, from its files to the handshake.
@Suite struct ListenerTLSTests {
    private let folder = TestFolder()
    private var files: [String: String] {
        ["TLS_CERT_FILE": folder.path + "/a.pem", "TLS_KEY_FILE": folder.path + "/a.key"]
    }

    private func put(_ issued: TestAuthority) throws {
        for (from, to) in [(issued.certificate, "a.pem"), (issued.key, "a.key")] {
            try Data(contentsOf: URL(filePath: from)).write(to: URL(filePath: "\(folder.path)/\(to)"), options: .atomic)
        }
    }

    private func start(_ more: [String: String] = [:]) async throws -> ProxyServer {
        let own = [
            "LISTEN_ADDR": "127.0.0.1:0", "EVENT_LOOPS": "1", "DATABASE_PATH": ":memory:", "SHUTDOWN_GRACE": "1s",
            "MANAGEMENT_TOKEN": "management-token-of-this-test", "LOG_FILE": folder.path + "/log",
        ]
        let environment = own.merging(files) { $1 }.merging(more) { $1 }
        return try await ProxyServer.start(
            try ServerSettings.read(environment: environment) { try? String(contentsOfFile: $0, encoding: .utf8) })
    }

    private func live(over port: Int) async throws -> Int {
        var conversation = HTTPConversation(try await SocketConnection.connect(port: port))
        try await conversation.send("GET /live HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        return try await conversation.response(to: "GET").status
    }

    @Test func anotherCertificateIsShownWithoutARestart() async throws {
        let (first, second) = (try TestAuthority(), try TestAuthority())
        try put(first)
        let server = try await start()
        let shown = Mutex<[[UInt8]]>([])
        let toFirst = try await TLSBack.start(to: server.port, trusting: first.authority) { certificate in
            shown.withLock { $0.append(certificate) }
        }
        let toSecond = try await TLSBack.start(to: server.port, trusting: second.authority) { certificate in
            shown.withLock { $0.append(certificate) }
        }
        #expect(try await live(over: toFirst.port) == 200)
        // What can't be used changes nothing.
        try Data("no certificate".utf8).write(to: URL(filePath: folder.path + "/a.pem"), options: .atomic)
        let isSaid = try await eventually {
            (try? String(contentsOfFile: folder.path + "/log", encoding: .utf8))?.contains("stays in use") ?? false
        }
        #expect(isSaid)
        #expect(try await live(over: toFirst.port) == 200)
        try put(second)
        let isServed = try await eventually { (try? await live(over: toSecond.port)) == 200 }
        #expect(isServed)
        #expect(Set(shown.withLock { $0 }).count == 2)
        await toFirst.stop()
        await toSecond.stop()
        await server.stop()
        folder.remove()
    }

    @Test func plainHTTPGetsNoAnswer() async throws {
        try put(try TestAuthority.shared.get())
        let server = try await start()
        await #expect(throws: (any Error).self) { try await live(over: server.port) }
        await server.stop()
        folder.remove()
    }

    /// RFC 8996: TLS 1.0 and 1.1 must not be used.
    @Test(arguments: [(TLSVersion.tlsv1, false), (.tlsv11, false), (.tlsv12, true), (.tlsv13, true)])
    func versionsBefore12AreRefused(_ newest: TLSVersion, isServed: Bool) async throws {
        let issued = try TestAuthority.shared.get()
        try put(issued)
        let server = try await start()
        let back = try await TLSBack.start(to: server.port, trusting: issued.authority, newest: newest)
        let status = try? await live(over: back.port)
        #expect(status == (isServed ? 200 : nil))
        await back.stop()
        await server.stop()
        folder.remove()
    }

    @Test func aLoadBalancerTellsWhoseAConnectionIsBeforeTLSBegins() async throws {
        let issued = try TestAuthority.shared.get()
        try put(issued)
        let server = try await start(["PROXY_PROTOCOL": "true"])
        let preface = "PROXY TCP4 203.0.113.7 198.51.100.1 51000 443\r\n"
        let told = try await TLSBack.start(to: server.port, trusting: issued.authority, preface: preface)
        let untold = try await TLSBack.start(to: server.port, trusting: issued.authority)
        for (token, status) in [("wrong-token-of-this-test", 401), ("management-token-of-this-test", 200)] {
            var conversation = HTTPConversation(try await SocketConnection.connect(port: told.port))
            try await conversation.send(
                "GET /manage/audit?client_ip=203.0.113.7 HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \(token)\r\n"
                    + "Connection: close\r\n\r\n")
            let answer = try await conversation.response(to: "GET")
            #expect(answer.status == status)
            if status == 200 { #expect(answer.json["pagination"]["total_count"].integer == 1) }
        }
        await #expect(throws: (any Error).self) { try await live(over: untold.port) }
        await told.stop()
        await untold.stop()
        await server.stop()
        folder.remove()
    }

    @Test func filesThatHoldNoCertificateStopTheStart() async throws {
        let (first, second) = (try TestAuthority.shared.get(), try TestAuthority())
        for (change, words) in [
            (["TLS_CERT_FILE": first.key], "TLS_CERT_FILE \(first.key) holds no readable certificate"),
            (["TLS_KEY_FILE": first.certificate], "TLS_KEY_FILE \(first.certificate) holds no readable key"),
            (["TLS_CERT_FILE": folder.path + "/none"], "TLS_CERT_FILE"),
            (["TLS_KEY_FILE": second.key], "is not the key of the certificate"),
        ] {
            let whole = ["TLS_CERT_FILE": first.certificate, "TLS_KEY_FILE": first.key].merging(change) { $1 }
            let error = await #expect(throws: StartupError.self) { try await start(whole) }
            #expect(error.map { "\($0)" }?.contains(words) ?? false, "\(error.map { "\($0)" } ?? "")")
        }
        folder.remove()
    }

    @Test(arguments: ["TLS_CERT_FILE", "TLS_KEY_FILE"])
    func oneFileWithoutTheOtherIsRefused(name: String) throws {
        let error = #expect(throws: SettingsError.self) {
            try ServerSettings.read(environment: [name: "./a.pem"]) { _ in nil }
        }
        #expect(error?.faults.first.map(\.description)?.contains("must be set with \(name)") ?? false)
    }
}
