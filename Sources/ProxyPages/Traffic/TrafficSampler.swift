import ProxyDomain
import Synchronization

/// Keeps the last samples of the metrics, taken when somebody looks at the dashboard.
final class TrafficSampler: Sendable {
    private struct State {
        var samples: [TrafficSample] = []
        var askedAt: Timestamp?
    }

    /// Two samples are at least so far apart.
    static let interval = Duration.seconds(2)
    /// Samples are kept so long, and no more than ``bound``.
    static let span = Duration.seconds(300)
    private static let bound = 150

    private let state = Mutex(State())

    /// The samples of the last minutes, the oldest first, with one of now if the last is old enough.
    func samples(of context: PageContext) async -> [TrafficSample] {
        guard isDue(at: context.now) else { return kept(at: context.now) }
        let answer = await context.api.get(context.site.dependencies.metricsPath)
        guard answer.isGood else { return kept(at: context.now) }
        let sample = TrafficSample(answer.document, at: context.now)
        return state.withLock { state in
            // Counters that fell are those of another process: nothing may be subtracted from them.
            if let last = state.samples.last, last.requests > sample.requests { state.samples = [] }
            if state.samples.last.map({ $0.at < sample.at }) ?? true { state.samples.append(sample) }
            Self.trim(&state.samples, at: context.now)
            return state.samples
        }
    }

    private func kept(at now: Timestamp) -> [TrafficSample] {
        state.withLock { state in
            Self.trim(&state.samples, at: now)
            return state.samples
        }
    }

    /// Whoever is told so takes the sample: the others show what there is.
    private func isDue(at now: Timestamp) -> Bool {
        state.withLock { state in
            if let askedAt = state.askedAt, now - askedAt < Self.interval, askedAt <= now { return false }
            state.askedAt = now
            return true
        }
    }

    /// Drops what is too old, but for the last before it: the first rate begins there.
    private static func trim(_ samples: inout [TrafficSample], at now: Timestamp) {
        while samples.count > 2, now - samples[1].at > span { samples.removeFirst() }
        if samples.count > bound { samples.removeFirst(samples.count - bound) }
    }
}
