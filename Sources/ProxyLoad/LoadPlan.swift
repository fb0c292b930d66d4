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

    /// What is sent where.
    public struct Side: Hashable, Sendable {
        /// At least one; several are servers of the same service, asked in turn.
        public let targets: [LoadTarget]
        public let mix: LoadMix

        public init(targets: [LoadTarget], mix: LoadMix) {
            self.targets = targets
            self.mix = mix
        }

        /// - Parameter token: sent as `Authorization: Bearer`; shown nowhere.
        /// - Throws: ``LoadError/refusedHeader(_:)`` when the token holds what no header may.
        public init(target: LoadTarget, request: LoadRequest, token: String? = nil) throws(LoadError) {
            self.init(targets: [target], mix: try LoadMix([LoadMix.Part(request)], tokens: token.map { [$0] } ?? []))
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
    /// A stream of which nothing has come by the end of the run has failed, unless it was asked for later than so long before.
    public let silence: Duration
    /// Event loops that share the work, at least 1.
    public let loops: Int
    /// When the first request is due, in seconds since 1970 in UTC; `nil`, and what is past, for at once. Several generators
    /// that are given instants send as one.
    public let startsAt: Double?
    /// Where each request is sent once before the run: every other answer must have the same content, byte for byte. Only for
    /// what answers the same each time.
    public let contentReference: LoadTarget?
    /// How TLS is spoken; `nil` where no target is `https`.
    public let tls: LoadTLS?

    public init(
        mode: Mode, sides: [Side], warmUp: Duration = .seconds(2), duration: Duration = .seconds(10),
        connections: Int = 256, timeout: Duration = .seconds(30), silence: Duration = .seconds(1),
        loops: Int = 1, startsAt: Double? = nil, contentReference: LoadTarget? = nil, tls: LoadTLS? = nil
    ) {
        self.mode = mode
        self.sides = sides
        self.warmUp = warmUp
        self.duration = duration
        self.connections = connections
        self.timeout = timeout
        self.silence = silence
        self.loops = loops
        self.startsAt = startsAt
        self.contentReference = contentReference
        self.tls = tls
    }

    /// The first instant that isn't part of the run any more.
    var length: Duration { warmUp + duration }

    var schedule: Schedule {
        switch mode {
        case .rate(let schedule): schedule
        case .streams(_, let opening): opening
        }
    }

    /// How many requests the schedule begins at most; with streams, more follow those that end.
    var limit: Int {
        switch mode {
        case .rate: .max
        case .streams(let count, _): count * sides.count  // At most 100,000 of each.
        }
    }

    var holdsStreams: Bool {
        if case .streams = mode { true } else { false }
    }

    /// How many connections one of the loops may have to each of so many targets of a side.
    func connections(ofLanes count: Int) -> Int {
        switch mode {
        // All, since turns may fall unevenly: streams must never be dropped.
        case .streams(let all, _): all
        case .rate: max(1, (connections + loops * count - 1) / (loops * count))
        }
    }
}
