import ProxyRelay
import Synchronization

/// Lets the metrics page see a relay that is made after it.
final class RelayBox: Sendable {
    private let box = Mutex<Relay?>(nil)

    var relay: Relay? { box.withLock { $0 } }
    func put(_ relay: Relay) { box.withLock { $0 = relay } }
}
