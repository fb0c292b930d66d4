import Logging
import ProxyDomain
import ProxyStorage
import Synchronization

/// Tells other servers on the database that this one lives, and ends what dead ones left open.
final class InstanceKeeper: Sendable {
    private let storage: any Storage
    private let instance: InstanceID
    private let lease: Duration
    private let now: @Sendable () -> Timestamp
    private let logger: Logger
    private let task = RecurringTask()
    private let census: Mutex<InstanceCensus>

    /// - Parameter lease: how long an instance may make no progress before it counts as dead.
    init(
        _ storage: any Storage, instance: InstanceID, lease: Duration = .seconds(15),
        now: @escaping @Sendable () -> Timestamp, logger: Logger
    ) {
        self.storage = storage
        self.instance = instance
        self.lease = lease
        self.now = now
        self.logger = logger
        census = Mutex(InstanceCensus(own: instance, lease: lease))
    }

    /// Begins, unless the storage is this server's alone.
    func start() {
        guard storage.isShared else { return }
        let start = ContinuousClock.now
        task.start { [self] in
            await look(at: start.duration(to: .now))
            return lease / 7
        }
    }

    /// Ends, and takes this instance off the list.
    func stop() async {
        guard await task.stop() else { return }
        try? await storage.forget(instance)
    }

    private func look(at instant: Duration) async {
        do {
            try await storage.beat(instance, at: now())
            let living = try await storage.instances()
            for dead in census.withLock({ $0.observe(living, now: instant) }) {
                let settled = try await storage.settleAbandoned(of: dead, by: instance, at: now())
                logger.warning(
                    "an instance is gone; its open requests were settled as in doubt",
                    metadata: ["instance": "\(dead.instance)", "count": "\(settled)"])
            }
        } catch {
            // The next look may find the database back; requests tell of it meanwhile.
            logger.debug("the instances can't be looked at", metadata: ["detail": "\(String(reflecting: error))"])
        }
    }
}
