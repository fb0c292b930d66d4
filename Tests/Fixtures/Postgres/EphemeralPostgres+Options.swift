import Glibc

extension EphemeralPostgres {
    /// How a server is made.
    public struct Options: Sendable {
        /// What is committed survives a crash of the machine; slower. Off: `fsync`, `synchronous_commit` and
        /// `full_page_writes` are off.
        public var isDurable: Bool
        /// Further server settings by name, stronger than ours; but port, addresses and TLS files stay as they are.
        public var settings: [String: String]
        /// With these, clients may use TLS. The server gets copies.
        public var tls: TLSFiles?
        /// Clients that come over TCP need a password (scram-sha-256). No user has one at first: give them theirs with
        /// `run`, which needs none itself.
        public var requiresPassword: Bool
        /// The port of a server on this machine that this one stands by for, as user `postgres` without a password.
        var primaryPort: Int?

        /// A server that is fast, forgets at a crash of the machine, and lets everybody in.
        public init(
            isDurable: Bool = false, settings: [String: String] = [:], tls: TLSFiles? = nil,
            requiresPassword: Bool = false
        ) {
            self.isDurable = isDurable
            self.settings = settings
            self.tls = tls
            self.requiresPassword = requiresPassword
        }
    }

    /// How a server ends: PostgreSQL manual, 19.5 "Shutting Down the Server".
    public enum StopMode: Sendable {
        /// When all clients have left by themselves; new ones are refused.
        case smart
        /// Clients are cut off, their transactions rolled back, all is written down.
        case fast
        /// As in a crash: nothing more is written; the next start recovers.
        case immediate

        var signal: Int32 {
            switch self {
            case .smart: SIGTERM
            case .fast: SIGINT
            case .immediate: SIGQUIT
            }
        }
    }
}

extension EphemeralPostgres.Options {
    static let certificateName = "server.crt"
    static let keyName = "server.key"

    /// The arguments of `postgres`; where a setting comes twice, the later one wins.
    func arguments(socketFolder: String) -> [String] {
        let usual = [
            "max_connections=200", "shared_buffers=64MB", "jit=off", "timezone=UTC", "log_timezone=UTC",
            "log_min_messages=warning", "log_checkpoints=off",
        ]
        let durable = ["fsync", "synchronous_commit", "full_page_writes"].map { "\($0)=\(isDurable ? "on" : "off")" }
        let own = settings.map { "\($0.key)=\($0.value)" }
        let fixed = ["listen_addresses=127.0.0.1", "unix_socket_directories=\(socketFolder)"]
        let proof = ["ssl=on", "ssl_cert_file=\(Self.certificateName)", "ssl_key_file=\(Self.keyName)"]
        return (usual + durable + own + fixed + (tls == nil ? [] : proof)).flatMap { ["-c", $0] }
    }
}
