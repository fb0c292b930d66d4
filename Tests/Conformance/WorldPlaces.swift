import ProxyConformance
import ProxySimulator

/// What stands around a proxy under test, and the addresses that settings name by a placeholder.
final class WorldPlaces: Sendable {
    private let upstreamPort: Int
    private let simulator: Simulator?
    private let tlsFront: TLSFront?
    /// Agrees on HTTP/2 alone, and passes its bytes on as they are.
    private let bareFront: TLSFront?
    private let connectFront: ConnectFront?
    /// Leads to ``bareFront``.
    private let bareConnectFront: ConnectFront?
    /// Before the double, in worlds whose upstream speaks HTTP/2.
    private let http2Front: HTTP2Front?
    private let issued: TestAuthority?
    private let fullListener: FullListener?

    /// Starts what the values of settings name.
    init(for values: [String], upstreamPort: Int, upstreamSpeaksHTTP2: Bool) async throws {
        func name(_ places: String...) -> Bool { values.contains { value in places.contains { value.contains($0) } } }
        self.upstreamPort = upstreamPort
        simulator = name("{simulator}") ? try await Simulator.start() : nil
        let namesProxy = name("{connect-proxy}", "{connect-place}")
        tlsFront = name("{tls-by-") || namesProxy ? try await TLSFront.start(before: upstreamPort) : nil
        bareFront =
            name("{tls-http2}", "{connect-http2}")
            ? try await TLSFront.start(before: upstreamPort, protocols: ["h2"]) : nil
        connectFront = namesProxy ? try await ConnectFront.start(before: tlsFront?.port ?? upstreamPort) : nil
        bareConnectFront =
            name("{connect-http2}") ? try await ConnectFront.start(before: bareFront?.port ?? upstreamPort) : nil
        http2Front =
            upstreamSpeaksHTTP2 && name("{upstream}") ? try await HTTP2Front.start(before: upstreamPort) : nil
        issued = name("{authority}", "{certificate") ? try TestAuthority.shared.get() : nil
        fullListener = name("{full}") ? try FullListener() : nil
    }

    /// Settings of a world whose upstream speaks HTTP/2.
    var defaults: [String: String] {
        http2Front.map { ["UPSTREAM_CA_FILE": $0.authority, "UPSTREAM_HTTP2": "true"] } ?? [:]
    }

    /// What each placeholder stands for.
    var all: [String: String] {
        [
            "{upstream}": http2Front.map { "https://localhost:\($0.port)" } ?? "http://127.0.0.1:\(upstreamPort)",
            "{simulator}": "http://127.0.0.1:\(simulator?.port ?? 0)",
            "{connect-proxy}": "http://\(ConnectFront.credential)@127.0.0.1:\(connectFront?.port ?? 0)",
            "{connect-http2}": "http://\(ConnectFront.credential)@127.0.0.1:\(bareConnectFront?.port ?? 0)",
            "{connect-place}": "127.0.0.1:\(connectFront?.port ?? 0)",
            "{tls-by-name}": "https://localhost:\(tlsFront?.port ?? 0)",
            "{tls-by-address}": "https://127.0.0.1:\(tlsFront?.port ?? 0)",
            "{tls-http2}": "https://localhost:\(bareFront?.port ?? 0)", "{authority}": issued?.authority ?? "",
            "{certificate}": issued?.certificate ?? "", "{certificate-key}": issued?.key ?? "",
            "{full}": "http://127.0.0.1:\(fullListener?.port ?? 0)",
        ]
    }

    func stop() async {
        try? await simulator?.stop()
        await tlsFront?.stop()
        await bareFront?.stop()
        await connectFront?.stop()
        await bareConnectFront?.stop()
        await http2Front?.stop()
    }
}
