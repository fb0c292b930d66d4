import Synchronization

/// What a run has come to so far, for whoever watches it. May be used from any thread.
public final class LiveFigures: Sendable {
    /// The second that is over, of all loops.
    public struct Moment: Sendable {
        /// Answered with success in that second by the first side.
        public let answered: Int
        /// Failed or dropped since the beginning.
        public let errors: Int
        public let p99: Duration
    }

    private struct State {
        var second = -1
        var tallied: [Int: LoadSeconds.Second] = [:]
        var errors: [Int: Int] = [:]
    }

    private let state = Mutex(State())

    public init() {}

    /// The last second that is over; `nil` in the warm-up.
    public var moment: Moment? {
        state.withLock { state in
            guard state.second >= 0, !state.tallied.isEmpty else { return nil }
            var whole = LoadSeconds.Second()
            for part in state.tallied.values { whole.add(part) }
            return Moment(
                answered: whole.answered, errors: state.errors.values.reduce(0, +), p99: whole.latencies.summary.p99)
        }
    }

    /// Told by a loop of what it has counted.
    func note(_ tallies: [LoadTally], second: Int, loop: Int) {
        guard second >= 0, let first = tallies.first else { return }
        state.withLock { state in
            if state.second != second {
                state.second = second
                state.tallied = [:]
            }
            guard state.tallied[loop] == nil else { return }
            state.tallied[loop] = first.seconds[second]
            state.errors[loop] = tallies.reduce(0) { $0 + $1.errors }
        }
    }
}
