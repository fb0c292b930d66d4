import Logging
import ProxyStorage
import Synchronization

/// Asks the database for a sign of life, within a bounded wait and never twice at once.
///
/// A probe that hangs is left alone and shared by all who ask meanwhile, so that asking often adds no load to a
/// database in trouble.
final class DatabaseProbe: Sendable {
    enum Finding: Hashable, Sendable {
        case well(latency: Duration)
        case unreachable
        case silent

        var isWell: Bool { latency != nil }

        var latency: Duration? {
            if case .well(let latency) = self { latency } else { nil }
        }

        var word: String {
            switch self {
            case .well: "ok"
            case .unreachable: "unavailable"
            case .silent: "not answering"
            }
        }
    }

    private struct Waiting {
        let continuation: CheckedContinuation<Finding, Never>
        var limit: Task<Void, Never>?
    }

    private struct State {
        var isUnderWay = false
        var nextTicket = 0
        var waiting: [Int: Waiting] = [:]
    }

    private let storage: any Storage
    private let clock: any Clock<Duration>
    private let limit: Duration
    private let logger: Logger
    private let state = Mutex(State())

    init(_ dependencies: ManagementDependencies) {
        storage = dependencies.storage
        clock = dependencies.clock
        limit = dependencies.probeLimit
        logger = dependencies.logger
    }

    /// What the database answers, or that it did not within the limit.
    func finding() async -> Finding {
        await withCheckedContinuation { wait(with: $0) }
    }

    private func wait(with continuation: CheckedContinuation<Finding, Never>) {
        let (ticket, begins) = state.withLock { state in
            state.nextTicket += 1
            state.waiting[state.nextTicket] = Waiting(continuation: continuation)
            let begins = !state.isUnderWay
            state.isUnderWay = true
            return (state.nextTicket, begins)
        }
        let limit = Task {
            try? await clock.sleep(for: self.limit)
            if !Task.isCancelled { giveUp(ticket) }
        }
        let isStillWaiting = state.withLock { state in
            state.waiting[ticket]?.limit = limit
            return state.waiting[ticket] != nil
        }
        if !isStillWaiting { limit.cancel() }
        // Not a child of the asker: it goes on when the asker has given up.
        if begins { Task { finish(await ask(clock)) } }
    }

    private func ask(_ clock: some Clock<Duration>) async -> Finding {
        let start = clock.now
        do {
            try await storage.probe()
            return .well(latency: start.duration(to: clock.now))
        } catch {
            logger.error("database probe failed", metadata: ["error": "\(String(reflecting: error))"])
            return .unreachable
        }
    }

    private func finish(_ finding: Finding) {
        let waiting = state.withLock { state in
            defer { state.waiting = [:] }
            state.isUnderWay = false
            return Array(state.waiting.values)
        }
        for each in waiting {
            each.limit?.cancel()
            each.continuation.resume(returning: finding)
        }
    }

    private func giveUp(_ ticket: Int) {
        let waiting = state.withLock { $0.waiting.removeValue(forKey: ticket) }
        waiting?.continuation.resume(returning: .silent)
    }
}
