import Logging
import ProxyDomain
import ProxyStorage

/// Removes what is older than it is to be kept (requests, events of the audit, answers that won't be given again), a little at a
/// time, and makes room for the days to come.
final class RetentionKeeper: Sendable {
    private let storage: any Storage
    private let days: Int
    private let auditDays: Int
    private let now: @Sendable () -> Timestamp
    private let logger: Logger
    private let task = RecurringTask()

    /// Most rows removed in one step, which others wait for: about a millisecond.
    private static let stepSize = 100
    /// How many times as long as a step took is rested after it.
    private static let restPerStep = 15

    /// - Parameters:
    ///   - days: how many whole days (UTC) requests are kept for; 0 for ever.
    ///   - auditDays: how many days events of the audit are kept for; 0 for ever.
    init(
        _ storage: any Storage, keepingDays days: Int, auditDays: Int = 0, now: @escaping @Sendable () -> Timestamp,
        logger: Logger
    ) {
        self.storage = storage
        self.days = days
        self.auditDays = auditDays
        self.now = now
        self.logger = logger
    }

    func start() {
        task.start { [self] in
            do {
                try await storage.prepareDays(from: now())
                // The API looks back for a day.
                try await storage.forgetAnswers(before: now() + .seconds(-86_400))
                if days > 0 { try await prune() }
                if auditDays > 0 { try await pruneAudit() }
                return .seconds(600)
            } catch {
                // The next time may find the database back, or nobody in the way.
                logger.warning(
                    "old requests can't be removed now; it is tried again",
                    metadata: ["detail": "\(String(reflecting: error))"])
                return .seconds(30)
            }
        }
    }

    func stop() async { await task.stop() }

    private func pruneAudit() async throws {
        let limit = now() + .seconds(-86_400 * Int64(auditDays))
        while try await storage.pruneAudit(before: limit, atMost: Self.stepSize) == Self.stepSize {
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    private func prune() async throws {
        let clock = ContinuousClock()
        let limit = now() + .seconds(-86_400 * Int64(days))
        var removed = 0
        while !Task.isCancelled {
            let start = clock.now
            guard let step = try await storage.prune(before: limit, atMost: Self.stepSize) else { break }
            removed += step
            try? await clock.sleep(for: max(.milliseconds(10), start.duration(to: clock.now) * Self.restPerStep))
        }
        guard removed > 0 else { return }
        logger.info(
            "old requests were removed; what they count is kept",
            metadata: ["requests": "\(removed)", "retention_days": "\(days)"])
    }
}
