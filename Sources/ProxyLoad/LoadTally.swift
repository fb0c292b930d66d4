/// What one side of a run came to, as far as one event loop saw it.
struct LoadTally: Sendable {
    /// From the planned instant to the end of the answer: what a client that keeps to its plan waits.
    var corrected = Latencies()
    /// From the instant it was sent to the end of the answer.
    var uncorrected = Latencies()
    /// From the instant it was sent to the first byte of a success.
    var firstByte = Latencies()
    /// From events of a stream to the next that came after them.
    var gaps = Latencies()
    /// Written to a connection, the warm-up included.
    var sent = 0
    /// Answered with 2xx, whole, the warm-up included.
    var acknowledged = 0
    var seconds = LoadSeconds()
    var planned = 0
    var succeeded = 0
    /// Answered with 2xx, whole, within what is measured, whenever they were planned: what was carried in that time.
    var carried = 0
    var failures: [FailureKind: Int] = [:]
    /// Not sent, because every connection was busy.
    var dropped = 0
    /// Sent in the warm-up: counted here alone.
    var warmedUp = 0
    /// Failed or dropped in the warm-up: no part of the verdict, but never hidden.
    var warmUpErrors = 0
    var events = 0
    /// Requests or streams that were open at the same time on all loops, at most, as far as this one looked.
    var mostOpen = 0

    /// Failed or not sent.
    var errors: Int { failures.values.reduce(dropped, +) }

    mutating func add(_ other: LoadTally) {
        corrected.add(other.corrected)
        uncorrected.add(other.uncorrected)
        firstByte.add(other.firstByte)
        gaps.add(other.gaps)
        sent += other.sent
        acknowledged += other.acknowledged
        seconds.add(other.seconds)
        planned += other.planned
        succeeded += other.succeeded
        carried += other.carried
        failures.merge(other.failures, uniquingKeysWith: +)
        dropped += other.dropped
        warmedUp += other.warmedUp
        warmUpErrors += other.warmUpErrors
        events += other.events
        mostOpen = max(mostOpen, other.mostOpen)
    }
}
