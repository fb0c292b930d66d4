import Glibc
import NIOCore
import NIOPosix
import ProxySettings

extension ServerDoctor {
    /// Longest wait for a connection.
    private static let patience = TimeAmount.seconds(3)

    /// Whether clients could connect where the settings say.
    func listenAddress() async -> DoctorFinding {
        let (name, address) = ("listen address", settings.listen)
        do {
            let group = MultiThreadedEventLoopGroup.singleton
            let channel = try await ServerBootstrap(group: group)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .bind(host: address.host ?? "0.0.0.0", port: address.port).get()
            try? await channel.close()
            return .ok(name, address.port == 0 ? "\(address): the system chooses a free port" : "\(address) is free")
        } catch {
            if await isServed(address) { return .ok(name, "\(address) is served by a proxy that runs") }
            return .failed(
                name, "\(address) can't be bound: \(Self.reason(error))",
                remedy: "stop what uses it, or name another with LISTEN_ADDR")
        }
    }

    /// Whether a server of this kind answers there. One that speaks TLS is not asked.
    private func isServed(_ address: ListenAddress) async -> Bool {
        let host =
            switch address.host {
            case nil, "0.0.0.0": "127.0.0.1"
            case "::": "::1"
            case let name?: name
            }
        return await LivenessProbe.isAlive(host: host, port: address.port, patience: Self.patience)
    }

    /// Whether a connection can be made to the default provider, or to what is asked for one.
    func upstream() async -> DoctorFinding {
        let name = "upstream"
        guard let provider = settings.providers[settings.providers.defaultName] else {
            return .failed(name, "there is no default provider", remedy: "set DEFAULT_API_PROVIDER")
        }
        let origin = provider.origin
        let proxy = outboundProxy(for: origin)
        let place = proxy.map { "the proxy \($0.host):\($0.port) on the way to \(origin)" } ?? "\(origin)"
        do {
            let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connectTimeout(Self.patience)
                .connect(host: proxy?.host ?? origin.host, port: proxy?.port ?? origin.port).get()
            try? await channel.close()
            return .ok(name, "\(place) takes connections")
        } catch {
            return .failed(
                name, "\(place) can't be reached: \(Self.reason(error))",
                remedy: "see the address, the network's way out and HTTPS_PROXY; --offline leaves this out")
        }
    }

    /// As the data plane has it: for TLS, but for the hosts that are excepted.
    private func outboundProxy(for origin: UpstreamOrigin) -> OutboundProxyAddress? {
        guard origin.isTLS, let text = settings.relay.outboundProxy else { return nil }
        let isExcepted = settings.relay.outboundProxyExceptions.contains { exception in
            let lowered = exception.lowercased()
            let name = lowered.hasPrefix(".") ? String(lowered.dropFirst()) : lowered
            return name == "*" || origin.host == name || origin.host.hasSuffix(".\(name)")
        }
        return isExcepted ? nil : OutboundProxyAddress(text.revealed())
    }

    private static func reason(_ error: any Error) -> String {
        switch error {
        case ChannelError.connectTimeout(_): "nothing answered in time"
        case let error as NIOConnectionError:
            error.connectionErrors.first.map { reason($0.error) } ?? "there is no such host"
        case let error as IOError: String(cString: strerror(error.errnoCode))
        default: "\(error)"
        }
    }
}
