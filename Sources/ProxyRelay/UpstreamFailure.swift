import ProxyDomain
import ProxyWire

/// How an upstream let an exchange down.
enum UpstreamFailure {
    case unreachable
    case closed(hadAnswered: Bool)
    case timedOut
    case malformed(WireFault)

    /// Whether it tells that the upstream is not well, rather than that one request took long or was not understood.
    func isOfTheUpstream(wasSent: Bool) -> Bool {
        switch self {
        case .unreachable: true
        case .closed: wasSent
        case .timedOut, .malformed: false
        }
    }

    /// The same as what is written down of an attempt.
    var result: AttemptResult {
        switch self {
        case .unreachable: .connect
        case .closed, .malformed: .reset
        case .timedOut: .timeout
        }
    }
}
