import ProxyDomain
import ProxyManagement
import ProxySettings

/// A command that changes a database by itself, without a server: what the audit calls it.
enum AuditedCommand: String {
    case copy = "database.copy"
    case move = "database.move"
    case stay = "database.stay"
    case repair = "database.repair"
    case rotateKey = "database.rotate_key"
    case encrypt = "database.encrypt"
    case importGoProxy = "import.go_proxy"
    case importLiteLLM = "import.litellm"

    /// What stands where a request has its method.
    private static let method = "COMMAND"

    /// What was typed, without its options, which may hold anything.
    private var path: String {
        switch self {
        case .copy: "llm-proxy db copy"
        case .move: "llm-proxy db copy --live"
        case .stay: "llm-proxy db copy --abandon"
        case .repair: "llm-proxy db repair"
        case .rotateKey: "llm-proxy db rotate-key"
        case .encrypt: "llm-proxy db encrypt"
        case .importGoProxy: "llm-proxy import go-proxy"
        case .importLiteLLM: "llm-proxy import litellm"
        }
    }

    /// An event that says it was done now. It belongs to no request, and comes from no address.
    /// - Parameter metadata: what it did, in counts; no secrets.
    /// - Returns: `nil` where the settings keep no events in the database.
    func event(_ settings: AuditSettings, _ metadata: [String: String] = [:]) -> AuditEvent? {
        guard settings.isEnabled, settings.storesInDatabase else { return nil }
        var random = SystemRandomNumberGenerator()
        let now = Timestamp.wallClock
        return AuditEvent(
            id: AuditEventID(at: now, using: &random), at: now, action: rawValue, actor: Principal.commandLine,
            outcome: .success, method: Self.method, path: path, requestID: "", clientAddress: "", metadata: metadata)
    }
}
