/// What a run came to.
public struct LoadReport: Sendable {
    /// One second of what was measured.
    public struct Second: Sendable {
        public let planned: Int
        /// Answered with success in this second, whenever they were planned.
        public let answered: Int
        /// Planned for this second, and failed or dropped; of streams that are held, those that broke in it.
        public let failed: Int
        /// Planned for this second, and dropped.
        public let dropped: Int
        /// Events of streams that came in this second.
        public let events: Int
        /// Streams that were open at the same time, at most; 0 where none are held.
        public let open: Int
        /// From the planned instant to the answer's end, of those that were planned for this second.
        public let latency: Percentiles

        init(_ second: LoadSeconds.Second) {
            (planned, answered, failed, dropped) = (second.planned, second.answered, second.failed, second.dropped)
            (events, open) = (second.events, second.open)
            latency = second.latencies.summary
        }
    }

    /// What one side came to. Leaves the warm-up out but where it says otherwise.
    public struct Side: Sendable {
        /// Without query, which may hold a key.
        public let url: String
        /// Written to a connection, the warm-up included.
        public let sent: Int
        /// Answered with 2xx, whole, the warm-up included.
        public let acknowledged: Int
        /// Second by second of what is measured.
        public let seconds: [Second]
        /// Requests that the schedule began.
        public let planned: Int
        /// Answered with 2xx, whole.
        public let succeeded: Int
        /// Answered with 2xx, whole, within what was measured, whenever they were planned: what the side carried in that time.
        public let carried: Int
        public let failures: [FailureKind: Int]
        /// Not sent, because every connection was busy.
        public let dropped: Int
        /// Answered in the warm-up.
        public let warmedUp: Int
        /// Failed or dropped in the warm-up: no part of ``errors``.
        public let warmUpErrors: Int
        /// From the planned instant to the answer's end.
        public let corrected: Percentiles
        /// All of ``corrected``, so that several runs can be put together.
        public let distribution: [LatencyCount]
        /// From the instant it was sent to the answer's end.
        public let uncorrected: Percentiles
        /// From the instant it was sent to the first byte of a success.
        public let firstByte: Percentiles
        /// All of ``firstByte``.
        public let firstByteDistribution: [LatencyCount]
        /// Events of streams.
        public let events: Int
        /// From events of a stream to the next that came after them.
        public let gaps: Percentiles
        /// All of ``gaps``.
        public let gapDistribution: [LatencyCount]
        /// Requests or streams that were under way at the same time, at most.
        public let mostOpen: Int

        /// ``failures`` in the order of their names.
        public var namedFailures: [(name: String, count: Int)] {
            failures.map { ($0.key.rawValue, $0.value) }.sorted { $0.name < $1.name }
        }

        /// Failed or not sent.
        public var errors: Int { failures.values.reduce(dropped, +) }

        /// Whether anything came that a figure could be about: an answer, or an event of a stream.
        public var hasFigures: Bool { succeeded > 0 || events > 0 }
    }

    public let sides: [Side]
    /// How late the generator itself began requests, the warm-up's left out. When this is large, the run tells of the generator.
    public let lag: Percentiles
    /// What the generator's own threads computed for, over the whole run.
    public let processorTime: Duration
    /// Requests per second and side that were planned, on average; `nil` for held streams.
    public let rate: Double?
    /// What was measured, without the warm-up.
    public let duration: Duration
    public let cores: Int

    init(_ plan: LoadPlan, tallies: [LoadTally], lag: Latencies, processorTime: Duration, cores: Int) {
        sides = zip(plan.sides, tallies).map { side, tally in
            Side(
                url: side.targets.map(\.displayed).joined(separator: " "), sent: tally.sent,
                acknowledged: tally.acknowledged,
                seconds: tally.seconds.all.map(Second.init), planned: tally.planned, succeeded: tally.succeeded,
                carried: tally.carried, failures: tally.failures, dropped: tally.dropped, warmedUp: tally.warmedUp,
                warmUpErrors: tally.warmUpErrors,
                corrected: tally.corrected.summary, distribution: tally.corrected.distribution,
                uncorrected: tally.uncorrected.summary,
                firstByte: tally.firstByte.summary, firstByteDistribution: tally.firstByte.distribution,
                events: tally.events, gaps: tally.gaps.summary, gapDistribution: tally.gaps.distribution,
                mostOpen: tally.mostOpen)
        }
        self.lag = lag.summary
        self.processorTime = processorTime
        duration = plan.duration
        let planned = tallies.reduce(0) { $0 + $1.planned }
        rate = plan.holdsStreams ? nil : Double(planned) / Double(plan.sides.count) / plan.duration.seconds
        self.cores = cores
    }

    /// Requests per second that a side carried.
    public func carriedRate(_ side: Side) -> Double { Double(side.carried) / duration.seconds }

    /// Requests that the generator sent per second of its own computing: how many one core of it could send.
    public var requestsPerCore: Double {
        processorTime > .zero ? Double(sides.reduce(0) { $0 + $1.sent }) / processorTime.seconds : 0
    }

    /// What the first side takes longer than the second, at a percentile of each: the added latency. `nil` where one of them has measured
    /// nothing.
    /// - Parameter series: what of it: from plan to end, unless it is named.
    public func added(
        _ percentile: KeyPath<Percentiles, Duration>, of series: KeyPath<Side, Percentiles> = \.corrected
    ) -> Duration? {
        guard sides.count == 2, sides.allSatisfy({ $0[keyPath: series].count > 0 }) else { return nil }
        return sides[0][keyPath: series][keyPath: percentile] - sides[1][keyPath: series][keyPath: percentile]
    }
}

extension [LatencyCount] {
    /// What so many percent of them don't exceed; `nil` when there are none.
    /// - Parameter share: 0…100.
    public func latency(ofShare share: Double) -> Duration? {
        var left = Double(reduce(0) { $0 + $1.count }) * share / 100
        for each in self {
            left -= Double(each.count)
            if left <= 0 { return each.latency }
        }
        return last?.latency
    }
}
