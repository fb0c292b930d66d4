import Synchronization

/// How many requests or streams of one side are open now, over all event loops of a run. Any thread may count.
final class OpenGauge: Sendable {
    private let open = Atomic<Int>(0)

    var count: Int { open.load(ordering: .relaxed) }

    /// One more is open.
    /// - Returns: how many are.
    func rise() -> Int { open.add(1, ordering: .relaxed).newValue }

    /// One has ended.
    func fall() { open.subtract(1, ordering: .relaxed) }
}
