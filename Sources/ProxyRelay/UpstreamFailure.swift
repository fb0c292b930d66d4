import ProxyDomain
import ProxyWire

/// How an upstream let an exchange down.
enum UpstreamFailure {
    case unreachable
    /// - Parameter isOneOfMany: whether the same is told to others, one of whom stands for all.
    case closed(hadAnswered: Bool, isOneOfMany: Bool = false)
    /// Nothing was done with the request (RFC 9113 section 8.7).
    case refused
    case timedOut
    case malformed(WireFault)

    /// Whether it tells that the upstream is not well, rather than that one request took long or was not understood.
    func isOfTheUpstream(wasSent: Bool) -> Bool {
        switch self {
        case .unreachable: true
        case .closed(_, let isOneOfMany): wasSent && !isOneOfMany
        case .timedOut, .malformed, .refused: false
        }
    }

    /// The same as what is written down of an attempt.
    var result: AttemptResult {
        switch self {
        case .unreachable: .connect
        case .closed, .malformed, .refused: .reset
        case .timedOut: .timeout
        }
    }
}
