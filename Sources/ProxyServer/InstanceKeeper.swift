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
    private let task = Mutex<Task<Void, Never>?>(nil)

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
    }

    /// Begins, unless the storage is this server's alone.
    func start() {
        guard storage.isShared else { return }
        task.withLock { task in
            task = Task { [self] in
                var census = InstanceCensus(own: instance, lease: lease)
                let clock = ContinuousClock()
                let start = clock.now
                while !Task.isCancelled {
                    await look(&census, at: start.duration(to: clock.now))
                    try? await clock.sleep(for: lease / 7)
                }
            }
        }
    }

    /// Ends, and takes this instance off the list.
    func stop() async {
        guard let task = task.withLock({ $0 }) else { return }
        task.cancel()
        await task.value
        try? await storage.forget(instance)
    }

    private func look(_ census: inout InstanceCensus, at instant: Duration) async {
        do {
            try await storage.beat(instance, at: now())
            for dead in census.observe(try await storage.instances(), now: instant) {
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
