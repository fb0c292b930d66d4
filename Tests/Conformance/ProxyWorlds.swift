import ProxyBlackBox
import Foundation
import ProxyConformance
import ProxyServer
import ProxySettings
import ProxyStorage
import SQLStorage

/// The proxy in this process, on each engine.
struct InProcessProxy: ProxyBackend {
    let engine: Engine
    /// Whether what clients send goes to the proxy as HTTP/2.
    var speaksHTTP2 = false
    /// Whether the upstream double stands behind HTTP/2 over TLS.
    var upstreamSpeaksHTTP2 = false

    init(engine: Engine, speaksHTTP2: Bool = false, upstreamSpeaksHTTP2: Bool = false) {
        self.engine = engine
        self.speaksHTTP2 = speaksHTTP2
        self.upstreamSpeaksHTTP2 = upstreamSpeaksHTTP2
    }

    static let all =
        Engine.allCases.map { Self(engine: $0) } + [
            Self(engine: .sqliteMemory, speaksHTTP2: true), Self(engine: .sqliteMemory, upstreamSpeaksHTTP2: true),
        ]

    var name: String { speaksHTTP2 ? "http2" : upstreamSpeaksHTTP2 ? "http2-upstream" : engine.rawValue }
    var capabilities: WorldCapabilities {
        var capabilities = WorldCapabilities.ownData
        if !speaksHTTP2 { capabilities.insert(.rawBytes) }
        if !upstreamSpeaksHTTP2 { capabilities.insert(.rawUpstream) }
        if engine.capabilities.contains(.durable) { capabilities.insert(.durable) }
        return capabilities
    }

    func withWorld(
        settings: [String: String], _ body: @Sendable (any ProxyWorld) async throws -> Void
    ) async throws {
        let storage = try await lend(settings, body)
        // Its threads, connections and memory go with it: what held one server would hold each that a process ever had.
        guard try await eventually({ storage.isGone }) else {
            throw TestFailure("something still holds the server that has stopped")
        }
    }

    private func lend(
        _ settings: [String: String], _ body: @Sendable (any ProxyWorld) async throws -> Void
    ) async throws -> Fate {
        let world = try await InProcessWorld(self, settings)
        let storage: Fate
        do {
            try await body(world)
            storage = try Fate(of: world.storage)
        } catch {
            await world.end()
            throw error
        }
        await world.end()
        return storage
    }
}

/// What becomes of a storage that others own.
private struct Fate: Sendable {
    private weak let storage: SQLStorage?

    init(of storage: any Storage) throws {
        guard let storage = storage as? SQLStorage else { throw TestFailure("a storage of another kind") }
        self.storage = storage
    }

    var isGone: Bool { storage == nil }
}

/// A server in this process, with an upstream of its own.
private final class InProcessWorld: ProxyWorld {
    let upstream: any UpstreamDouble
    let managementToken = "management-token-of-this-world-\(UUID().uuidString)"
    private let folder = TestFolder()
    private let settings: ServerSettings
    private let server: Shared<ProxyServer>
    private let places: WorldPlaces
    /// Before a listener that speaks TLS.
    private let back = Shared<TLSBack?>(nil)
    /// Before a listener that is spoken to as HTTP/2.
    private let http2Back = Shared<HTTP2Back?>(nil)
    private let speaksHTTP2: Bool
    private let site: PostgresSite?

    init(_ backend: InProcessProxy, _ overrides: [String: String]) async throws {
        let engine = backend.engine
        speaksHTTP2 = backend.speaksHTTP2
        upstream = try ScriptedUpstream()
        var environment = [
            "LISTEN_ADDR": "127.0.0.1:0", "EVENT_LOOPS": "2", "MANAGEMENT_TOKEN": managementToken,
            "OPENAI_API_URL": "{upstream}", "LOG_FILE": folder.path + "/proxy.log", "SHUTDOWN_GRACE": "2s",
            // A machine that stalls is not what scenarios are about: those that are about waiting set it themselves.
            "DATABASE_WAIT": "10s", "UPSTREAM_CONNECT_TIMEOUT": "20s",
            "DATABASE_PATH": engine == .sqliteMemory ? ":memory:" : folder.path + "/data/proxy.db",
        ]
        site = engine == .postgres ? try await PostgresSite.make() : nil
        if let site {
            environment["DB_DRIVER"] = "postgres"
            environment["DATABASE_URL"] = site.url
        }
        environment.merge(overrides) { $1 }
        places = try await WorldPlaces(
            for: Array(environment.values), upstreamPort: upstream.port,
            upstreamSpeaksHTTP2: backend.upstreamSpeaksHTTP2)
        environment.merge(places.defaults) { own, _ in own }
        environment = environment.mapValues { [all = places.all] value in
            all.reduce(value) { $0.replacing($1.key, with: $1.value) }
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
        await places.stop()
        await back.value?.stop()
        await http2Back.value?.stop()
        await site?.remove()
        folder.remove()
    }
}
