import Glibc
public import ProxyConformance

/// A proxy that somebody runs somewhere, which forwards to an upstream double of ours.
public final class BlackBoxProxy: ProxyAccess {
    /// How tokens are issued there.
    public enum Issuer: Sendable {
        /// Our own management API, opened by a management token.
        case ours(managementToken: String)
        /// LiteLLM's `/key/generate`, opened by its master key.
        case liteLLM(masterKey: String)
        /// One token for all.
        case fixed(token: String)
    }

    public let upstream: any UpstreamDouble
    private let double: ScriptedUpstream
    private let addresses: [SocketAddress]
    private let issuer: Issuer
    private let run: String
    /// Counts scenarios: projects of one must not meet those of another.
    private let scenario = Shared(0)

    /// - Parameters:
    ///   - host: a name or an address.
    ///   - upstreamAddress: of this machine, IPv4, where the proxy forwards to.
    ///   - upstreamPort: of that address.
    ///   - run: tells this run's projects from those of others.
    /// - Throws: ``BlackBoxError``.
    public init(
        host: String, port: Int, upstreamAddress: String = "127.0.0.1", upstreamPort: Int, issuer: Issuer,
        run: String
    ) throws {
        let addresses = SocketAddress.all(host: host, port: port)
        guard !addresses.isEmpty else { throw BlackBoxError("'\(host)' has no address") }
        guard let double = try? ScriptedUpstream(address: upstreamAddress, port: upstreamPort) else {
            throw BlackBoxError(
                "\(upstreamAddress):\(upstreamPort) can't be listened on: stop what uses it, or name another")
        }
        self.addresses = addresses
        self.double = double
        self.issuer = issuer
        upstream = double
        self.run = run
    }

    /// Makes ready for the next scenario.
    public func clear() {
        double.clear()
        scenario.change { $0 += 1 }
    }

    public var nameSuffix: String { "-\(run)-\(scenario.value)" }

    public func stop() { double.stop() }

    public var managementToken: String {
        if case .ours(let token) = issuer { token } else { "" }
    }

    public var hasManagement: Bool {
        if case .ours = issuer { true } else { false }
    }

    public func connect() async throws -> any RawConnection { try await SocketConnection.connect(to: addresses) }

    public func issue(_ order: TokenOrder) async throws -> IssuedToken {
        switch issuer {
        case .ours: return try await issueByManagement(order)
        case .fixed(let token):
            guard order.cap == 0, order.limits == nil else { throw NotOffered("tokens with limits") }
            return IssuedToken(secret: token)
        case .liteLLM(let key):
            guard order.cap == 0 else { throw NotOffered("a cap on all requests of a token") }
            return IssuedToken(secret: try await LiteLLMKeys(masterKey: key).issue(order, through: self))
        }
    }
}

/// Why a proxy can't be looked at.
public struct BlackBoxError: Error, Sendable, CustomStringConvertible {
    public let description: String

    init(_ description: String) { self.description = description }
}
