import Logging
import ProxyDomain
import ProxyStorage

/// Has what requests used summed up, and forgets sessions that have ended.
final class UsageKeeper: Sendable {
    private let storage: any Storage
    private let now: @Sendable () -> Timestamp
    private let logger: Logger
    private let task = RecurringTask()

    /// Between two looks: a minute's sums are of use once it has passed. What is not summed up yet is counted from its rows.
    private static let rest = Duration.seconds(60)
    /// Sessions of the admin pages that have ended for long.
    private static let idleTimeout = Duration.seconds(-86_400)
    private static let absoluteTimeout = Duration.seconds(-2 * 86_400)

    init(_ storage: any Storage, now: @escaping @Sendable () -> Timestamp, logger: Logger) {
        self.storage = storage
        self.now = now
        self.logger = logger
    }

    func start() {
        task.start { [self] in
            try? await storage.forgetSessions(
                seenBefore: now() + Self.idleTimeout, begunBefore: now() + Self.absoluteTimeout)
            do {
                while try await storage.sumUsage(at: now()), !Task.isCancelled {
                    // Serving goes first.
                    try await Task.sleep(for: .milliseconds(20))
                }
            } catch {
                logger.debug(
                    "usage can't be summed up now; it is tried again",
                    metadata: ["detail": "\(String(reflecting: error))"])
            }
            return Self.rest
        }
    }

    func stop() async { await task.stop() }
}
