import Logging
import ProxyDomain
import ProxyManagement
import ProxyStorage
import Synchronization

/// Compares tokens' counters with their rows, again and again, and shows the difference as a metric that must read 0.
final class DriftWatch: Sendable {
    private struct Finding {
        let drift: Int64
        let checkedAt: Timestamp
    }

    private let storage: any Storage
    private let interval: Duration
    private let now: @Sendable () -> Timestamp
    private let logger: Logger
    private let finding = Mutex<Finding?>(nil)
    private let task = RecurringTask()
    /// How many times as long as a check took is rested after it: checks walk over all rows.
    private static let restPerCheck = 50

    /// - Parameter interval: between two checks, at least; 0 for none. A check that takes long is followed by a longer rest.
    init(_ storage: any Storage, every interval: Duration, now: @escaping @Sendable () -> Timestamp, logger: Logger) {
        self.storage = storage
        self.interval = interval
        self.now = now
        self.logger = logger
    }

    func start() {
        guard interval > .zero else { return }
        task.start { [self] in
            let start = ContinuousClock.now
            await check()
            return max(interval, start.duration(to: .now) * Self.restPerCheck)
        }
    }

    func stop() async { await task.stop() }

    private func check() async {
        do {
            let found = Finding(drift: try await storage.drift(), checkedAt: now())
            finding.withLock { $0 = found }
            guard found.drift != 0 else { return }
            logger.error(
                "tokens' counters differ from their rows: look with llm-proxy db verify, set right with llm-proxy db repair",
                metadata: ["requests": "\(found.drift)"])
        } catch {
            // The next check may find the database back; requests tell of it meanwhile.
            logger.debug("drift can't be looked at", metadata: ["detail": "\(String(reflecting: error))"])
        }
    }

    /// What the last check found; nothing before the first.
    var families: [MetricFamily] {
        guard let found = finding.withLock({ $0 }) else { return [] }
        func gauge(_ name: String, _ help: String, _ value: Double) -> MetricFamily {
            MetricFamily(
                name: "llm_proxy_database_\(name)", help: help, kind: .gauge,
                samples: [.init(labels: ["driver": storage.driver], value: .number(value))])
        }
        return [
            gauge("drift_requests", "Requests by which tokens' counters differ from their rows.", Double(found.drift)),
            gauge(
                "drift_checked_timestamp_seconds", "When that was looked at last.",
                Double(found.checkedAt.milliseconds) / 1000),
        ]
    }
}
