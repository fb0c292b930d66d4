/// What came of the requests that were planned for each second of what is measured.
struct LoadSeconds: Sendable {
    /// One second.
    struct Second: Sendable {
        var planned = 0
        var succeeded = 0
        /// Failed or dropped.
        var failed = 0
        /// From the planned instant to the answer's end.
        var latencies = Latencies(isCoarse: true)

        mutating func add(_ other: Second) {
            planned += other.planned
            succeeded += other.succeeded
            failed += other.failed
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
