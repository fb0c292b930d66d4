import ProxyBlackBox
import Foundation
import ProxyConformance
import ProxyServer
import ProxySettings
import ProxySimulator
import ProxyStorage

/// The proxy in this process, on each engine.
struct InProcessProxy: ProxyBackend {
    let engine: Engine
    /// Whether what clients send goes to the proxy as HTTP/2.
    var speaksHTTP2 = false

    init(engine: Engine, speaksHTTP2: Bool = false) {
        self.engine = engine
        self.speaksHTTP2 = speaksHTTP2
    }

    static let all = Engine.allCases.map { Self(engine: $0) } + [Self(engine: .sqliteMemory, speaksHTTP2: true)]

    var name: String { speaksHTTP2 ? "http2" : engine.rawValue }
    var capabilities: WorldCapabilities {
        var capabilities: WorldCapabilities = speaksHTTP2 ? .ownData : [.ownData, .rawBytes]
        if engine.capabilities.contains(.durable) { capabilities.insert(.durable) }
        return capabilities
    }

    func withWorld(
        settings: [String: String], _ body: @Sendable (any ProxyWorld) async throws -> Void
    ) async throws {
        let world = try await InProcessWorld(engine, settings, speaksHTTP2: speaksHTTP2)
        do { try await body(world) } catch {
            await world.end()
            throw error
        }
        await world.end()
    }
}

/// A server in this process, with an upstream of its own.
private final class InProcessWorld: ProxyWorld {
    let upstream: any UpstreamDouble
    let managementToken = "management-token-of-this-world-\(UUID().uuidString)"
    private let folder = TestFolder()
    private let settings: ServerSettings
    private let server: Shared<ProxyServer>
    private let simulator: Simulator?
    private let front: TLSFront?
    private let connectFront: ConnectFront?
    /// Before a listener that speaks TLS.
    private let back = Shared<TLSBack?>(nil)
    /// Before a listener that is spoken to as HTTP/2.
    private let http2Back = Shared<HTTP2Back?>(nil)
    private let speaksHTTP2: Bool
    private let site: PostgresSite?

    init(_ engine: Engine, _ overrides: [String: String], speaksHTTP2: Bool) async throws {
        self.speaksHTTP2 = speaksHTTP2
        upstream = try ScriptedUpstream()
        simulator = overrides.values.contains { $0.contains("{simulator}") } ? try await Simulator.start() : nil
        var environment = [
            "LISTEN_ADDR": "127.0.0.1:0", "EVENT_LOOPS": "2", "MANAGEMENT_TOKEN": managementToken,
            "OPENAI_API_URL": "{upstream}", "LOG_FILE": folder.path + "/proxy.log", "SHUTDOWN_GRACE": "2s",
            "DATABASE_PATH": engine == .sqliteMemory ? ":memory:" : folder.path + "/data/proxy.db",
        ]
        site = engine == .postgres ? try await PostgresSite.make() : nil
        if let site {
            environment["DB_DRIVER"] = "postgres"
            environment["DATABASE_URL"] = site.url
        }
        environment.merge(overrides) { $1 }
        front =
            overrides.values.contains { $0.contains("{tls-") || $0.contains("{connect-") }
            ? try await TLSFront.start(before: upstream.port) : nil
        connectFront =
            overrides.values.contains { $0.contains("{connect-") }
            ? try await ConnectFront.start(before: front?.port ?? upstream.port) : nil
        let wantsAuthority = overrides.values.contains { $0.contains("{authority}") || $0.contains("{certificate") }
        let issued = wantsAuthority ? try TestAuthority.shared.get() : nil
        let places = [
            "{upstream}": "http://127.0.0.1:\(upstream.port)",
            "{simulator}": "http://127.0.0.1:\(simulator?.port ?? 0)",
            "{connect-proxy}": "http://\(ConnectFront.credential)@127.0.0.1:\(connectFront?.port ?? 0)",
            "{connect-place}": "127.0.0.1:\(connectFront?.port ?? 0)",
            "{tls-by-name}": "https://localhost:\(front?.port ?? 0)",
            "{tls-by-address}": "https://127.0.0.1:\(front?.port ?? 0)", "{authority}": issued?.authority ?? "",
            "{certificate}": issued?.certificate ?? "", "{certificate-key}": issued?.key ?? "",
        ]
        environment = environment.mapValues { value in
            places.reduce(value) { $0.replacing($1.key, with: $1.value) }
        }
        for (name, value) in environment where value.hasPrefix("{file}") {
            let path = "\(folder.path)/\(name)"
            try value.dropFirst("{file}".count).write(toFile: path, atomically: true, encoding: .utf8)
            environment[name] = path
        }
        settings = try ServerSettings.read(environment: environment) {
            try? String(contentsOfFile: $0, encoding: .utf8)
        }
        server = Shared(try await ProxyServer.start(settings))
        try await putBefore()
    }

    /// Puts before the server what its clients can't speak themselves.
    private func putBefore() async throws {
        let authority = settings.certificate == nil ? nil : try TestAuthority.shared.get().authority
        if speaksHTTP2 {
            let next = try await HTTP2Back.start(to: server.value.port, trusting: authority)
            let last = http2Back.change { back in
                defer { back = next }
                return back
            }
            await last?.stop()
        } else if let authority {
            let next = try await TLSBack.start(to: server.value.port, trusting: authority)
            let last = back.change { back in
                defer { back = next }
                return back
            }
            await last?.stop()
        }
    }

    var storage: any Storage { server.value.storage }

    var log: String { (try? String(contentsOfFile: folder.path + "/proxy.log", encoding: .utf8)) ?? "" }

    func connect() async throws -> any RawConnection {
        try await SocketConnection.connect(port: back.value?.port ?? http2Back.value?.port ?? server.value.port)
    }

    func restart() async throws {
        await server.value.stop()
        let next = try await ProxyServer.start(settings)
        server.change { $0 = next }
        try await putBefore()
    }

    func end() async {
        await server.value.stop()
        upstream.stop()
        try? await simulator?.stop()
        await front?.stop()
        await connectFront?.stop()
        await back.value?.stop()
        await http2Back.value?.stop()
        await site?.remove()
        folder.remove()
    }
}
