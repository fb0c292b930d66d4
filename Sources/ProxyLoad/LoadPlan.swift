/// A whole run, decided before it begins.
public struct LoadPlan: Sendable {
    /// What is kept going.
    public enum Mode: Hashable, Sendable {
        /// Requests at the instants of the schedule, whatever becomes of those before.
        case rate(Schedule)
        /// So many responses kept open at once by each side, opened at the instants of the schedule. One that ends is
        /// followed by another at once; those open at the end of the run are cut.
        case streams(Int, opening: Schedule)
    }

    /// One target with what is sent to it.
    public struct Side: Hashable, Sendable {
        public let target: LoadTarget
        public let request: LoadRequest

        public init(target: LoadTarget, request: LoadRequest) {
            self.target = target
            self.request = request
        }
    }

    public let mode: Mode
    /// One, or two that are compared: the first is the one of interest, the second what it is measured against.
    public let sides: [Side]
    /// At the beginning of the run: driven like the rest, but counted apart and in no percentile.
    public let warmUp: Duration
    /// What is measured, after the warm-up.
    public let duration: Duration
    /// Connections of each side, at least 1: a request that finds all of them busy is dropped and counted.
    public let connections: Int
    /// From sending a request to the end of its answer; for streams from one read to the next.
    public let timeout: Duration
    /// Event loops that share the work, at least 1.
    public let loops: Int
    /// When the first request is due, in seconds since 1970 in UTC; `nil`, and what is past, for at once. Several generators
    /// that are given instants send as one.
    public let startsAt: Double?

    public init(
        mode: Mode, sides: [Side], warmUp: Duration = .seconds(2), duration: Duration = .seconds(10),
        connections: Int = 256, timeout: Duration = .seconds(30), loops: Int = 1, startsAt: Double? = nil
    ) {
        self.mode = mode
        self.sides = sides
        self.warmUp = warmUp
        self.duration = duration
        self.connections = connections
        self.timeout = timeout
        self.loops = loops
        self.startsAt = startsAt
    }

    /// The first instant that isn't part of the run any more.
    var length: Duration { warmUp + duration }

    var schedule: Schedule {
        switch mode {
        case .rate(let schedule): schedule
        case .streams(_, let opening): opening
        }
    }

    /// How many requests the schedule begins; with streams, more follow those that end.
    var planned: Int {
        switch mode {
        case .rate(let schedule): schedule.count(in: length)
        case .streams(let count, let opening): min(count * sides.count, opening.count(in: length))
        }
    }

    var holdsStreams: Bool {
        if case .streams = mode { true } else { false }
    }

    /// How many connections of a side one of the loops may have.
    var connectionsPerLoop: Int {
        switch mode {
        // Rounded up, since the turns of two sides fall unevenly on the loops: streams must never be dropped.
        case .streams(let count, _): count
        case .rate: max(1, connections / loops)
        }
    }
}
