/// Each second of what is measured.
struct LoadSeconds: Sendable {
    /// One second.
    struct Second: Sendable {
        var planned = 0
        /// Answered with success in this second, whenever they were planned.
        var answered = 0
        /// Planned for this second, and failed or dropped; of streams that are held, those that broke in it.
        var failed = 0
        /// Planned for this second, and dropped.
        var dropped = 0
        /// Events of streams that came in this second.
        var events = 0
        /// Streams that were open at the same time in this second on all loops, at most.
        var open = 0
        /// From the planned instant to the answer's end, of those that were planned for this second.
        var latencies = Latencies(isCoarse: true)

        mutating func add(_ other: Second) {
            planned += other.planned
            answered += other.answered
            failed += other.failed
            dropped += other.dropped
            events += other.events
            open = max(open, other.open)
            latencies.add(other.latencies)
        }
    }

    private(set) var all: [Second] = []

    subscript(second: Int) -> Second {
        get { all.indices.contains(second) ? all[second] : Second() }
        _modify {
            while all.count <= second { all.append(Second()) }
            yield &all[second]
        }
    }

    mutating func add(_ other: LoadSeconds) {
        for (index, second) in other.all.enumerated() { self[index].add(second) }
    }
}
