/// When to try again to reach an engine that is away: events in, answers out. Knows no thread, no clock and no chance.
///
/// While the engine is away one caller at a time tries, after a delay that doubles with each failure; the others wait for
/// what comes of it.
public struct ReconnectDecisions: Sendable {
    public struct Limits: Sendable {
        /// The delay after the first failure.
        public var shortest: Duration
        /// The longest delay; the engine's return is noticed within it.
        public var longest: Duration

        public init(shortest: Duration = .milliseconds(20), longest: Duration = .seconds(1)) {
            self.shortest = shortest
            self.longest = longest
        }
    }

    public enum Answer: Hashable, Sendable {
        /// Try now, and tell what came of it.
        case connect
        /// Ask again then.
        case wait(until: Duration)
    }

    private enum State {
        case reachable
        /// Becomes trying when somebody asks after `until`, reachable when a connection is made meanwhile.
        case away(failures: Int, until: Duration)
        /// Becomes away or reachable, whatever the try tells.
        case trying(failures: Int)
    }

    private let limits: Limits
    private var state = State.reachable

    public init(limits: Limits = Limits()) { self.limits = limits }

    /// Somebody needs a connection.
    public mutating func ask(now: Duration) -> Answer {
        switch state {
        case .reachable: return .connect
        case .away(_, let until) where now < until: return .wait(until: until)
        case .away(let failures, _):
            state = .trying(failures: failures)
            return .connect
        case .trying: return .wait(until: now + limits.shortest)
        }
    }

    public mutating func succeeded() { state = .reachable }

    /// A try has failed.
    /// - Parameter chance: 0 ..< 1; spreads the tries of many instances over the second half of the delay.
    public mutating func failed(now: Duration, chance: Double) {
        let failures: Int
        switch state {
        case .reachable: failures = 0
        case .trying(let before): failures = before
        // One of several that failed together: the delay has been set.
        case .away: return
        }
        let full = min(limits.shortest * (1 << min(failures, 20)), limits.longest)
        state = .away(failures: failures + 1, until: now + full * (0.5 + chance / 2))
    }
}
