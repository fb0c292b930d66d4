import ProxyDomain
import ProxyWire

/// How an upstream let an exchange down.
enum UpstreamFailure {
    case unreachable(ConnectionLoss = ConnectionLoss())
    case closed(hadAnswered: Bool, ConnectionLoss = ConnectionLoss())
    /// Nothing was done with the request (RFC 9113 section 8.7).
    case refused
    case timedOut
    case malformed(WireFault)

    /// Whether it tells that the upstream is not well, rather than that one request was not understood; and nobody has said so of the same
    /// connection. One that takes long may only be slow: then others are answered meanwhile (``CircuitBreaker``).
    func isOfTheUpstream(wasSent: Bool) -> Bool {
        switch self {
        case .unreachable(let loss): loss.count()
        case .closed(_, let loss): wasSent && loss.count()
        case .timedOut: wasSent
        case .malformed, .refused: false
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

/// That one connection was lost, or could not be made, told to each request that needed it: counted once. Confined to its event loop.
final class ConnectionLoss {
    private var isCounted = false

    /// - Returns: whether it was not counted before.
    func count() -> Bool {
        defer { isCounted = true }
        return !isCounted
    }
}
