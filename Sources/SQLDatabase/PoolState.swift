/// What a connection pool keeps under its lock.
struct PoolState {
    /// Runs a call on a slot; the place is `nil` on the writer.
    typealias Job = @Sendable (ConnectionSlot, Int?) -> Void

    struct Read {
        let call: PendingCall
        let job: Job
    }

    struct Write {
        let call: PendingCall
        let deadline: Duration
        /// Its deadline came while it ran: nothing is left to do about it.
        var isLate = false
    }

    var readers: PoolDecisions
    /// The readers' lanes, by place.
    var lanes: [Int: Lane<ConnectionSlot>] = [:]
    /// Reads that wait for a place.
    var reads: [UInt64: Read] = [:]
    /// Writes that wait or run.
    var writes: [UInt64: Write] = [:]
    /// Runs ticks; started when first needed.
    var clock: Lane<Void>?
    var tickDue: Duration?
    var isClosed = false
    var isWriterOpen = false
    var writersOpened = 0
    /// Readers that are closing their connections.
    var closing = 0
    /// Told when a closed pool has no reader left.
    var onEmpty: [@Sendable () -> Void] = []
    private var lastNumber: UInt64 = 0

    init(limits: ConnectionPool.Limits) {
        readers = PoolDecisions(
            limits: .init(
                maxOpen: limits.readers, maxIdle: limits.maxIdle, lifetime: limits.lifetime, wait: limits.wait,
                maxWaiting: limits.maxWaiting))
    }

    /// Whether no reader has a connection any more, or will have.
    var hasNoReader: Bool { isClosed && readers.isEmpty && closing == 0 }

    mutating func nextNumber() -> UInt64 {
        lastNumber += 1
        return lastNumber
    }

    mutating func noteWriter(made: Int, isOpen: Bool) {
        writersOpened = made
        isWriterOpen = isOpen
    }

    /// When a deadline or a lifetime ends next.
    var nextTick: Duration? {
        let write = writes.values.lazy.filter { !$0.isLate }.map(\.deadline).min()
        guard let read = readers.nextTick else { return write }
        return write.map { min($0, read) } ?? read
    }
}
