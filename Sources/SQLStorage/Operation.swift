import SQLDatabase

/// The calls whose durations are shown, as labels of the metric.
enum Operation: String, CaseIterable, Sendable {
    case createProject = "create_project"
    case readProject = "read_project"
    case listProjects = "list_projects"
    case updateProject = "update_project"
    case createUpstream = "create_upstream"
    case readUpstream = "read_upstream"
    case listUpstreams = "list_upstreams"
    case updateUpstream = "update_upstream"
    case removeUpstream = "remove_upstream"
    case createToken = "create_token"
    case readToken = "read_token"
    case listTokens = "list_tokens"
    case updateToken = "update_token"
    case revokeToken = "revoke_token"
    case revokeProjectTokens = "revoke_project_tokens"
    case findGrant = "find_grant"
    case readRequest = "read_request"
    case listRequests = "list_requests"
    case settleAbandoned = "settle_abandoned"
    case instances
    case probe
    case verify
    case drift
    case repair
    case prune
    case sumUsage = "sum_usage"
    case readUsage = "read_usage"
    case readCache = "read_cache"
    case writeCache = "write_cache"
    case purgeCache = "purge_cache"
    case trimCache = "trim_cache"
    case readAnswer = "read_answer"
    case listKeys = "list_keys"
    case replaceKeys = "replace_keys"
    case recordAudit = "record_audit"
    case readAccess = "read_access"
    case writeAccess = "write_access"
    case readAudit = "read_audit"
    case listAudit = "list_audit"
    case prepareDays = "prepare_days"
    case move
    case ledgerCommit = "ledger_commit"
}

/// How long each kind of call took, its wait for a connection included.
final class OperationTimings: Sendable {
    private let histograms: [Histogram]

    init() { histograms = Operation.allCases.map { _ in Histogram(upperBounds: Histogram.secondBounds) } }

    func record(_ operation: Operation, _ duration: Duration) {
        histograms[operation.index].observe(duration.inSeconds)
    }

    /// Those of operations that have happened.
    var observed: [(operation: Operation, histogram: Histogram)] {
        zip(Operation.allCases, histograms).filter { $0.1.count > 0 }.map { ($0.0, $0.1) }
    }
}

extension Operation {
    /// Place in `allCases`.
    var index: Int { Self.places[self] ?? 0 }
    private static let places = Dictionary(uniqueKeysWithValues: allCases.enumerated().map { ($1, $0) })
}

extension Duration {
    var inSeconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) + Double(attoseconds) / 1e18
    }
}
