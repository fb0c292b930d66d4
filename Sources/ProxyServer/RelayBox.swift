import ProxyRelay
import Synchronization

/// Lets the metrics page see a relay that is made after it, and that owns it: so it is not held here.
final class RelayBox: Sendable {
    private struct Place {
        weak var relay: Relay?
    }
    private let place = Mutex(Place())

    var relay: Relay? { place.withLock { $0.relay } }
    func put(_ relay: Relay) { place.withLock { $0.relay = relay } }
}
