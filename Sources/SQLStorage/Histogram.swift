import ProxyStorage
import Synchronization

/// Counts observations in fixed buckets. One short lock each: for things that happen per batch or per management call.
final class Histogram: Sendable {
    private struct State {
        var counts: [Int64]
        var sum = 0.0
        var total: Int64 = 0
    }

    /// From 50 µs, a memory commit, to 10 s.
    static let secondBounds = [
        0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
    ]
    static let sizeBounds: [Double] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000]

    private let upperBounds: [Double]
    private let state: Mutex<State>

    init(upperBounds: [Double]) {
        self.upperBounds = upperBounds
        state = Mutex(State(counts: Array(repeating: 0, count: upperBounds.count)))
    }

    func observe(_ value: Double) {
        let bucket = upperBounds.firstIndex { value <= $0 }
        state.withLock { state in
            if let bucket { state.counts[bucket] += 1 }
            state.sum += value
            state.total += 1
        }
    }

    var count: Int64 { state.withLock(\.total) }

    func figure(_ name: String, _ help: String, labels: [String: String] = [:]) -> DatabaseFigure {
        let (counts, sum, total) = state.withLock { ($0.counts, $0.sum, $0.total) }
        var running: Int64 = 0
        let buckets = zip(upperBounds, counts).map { bound, count in
            running += count
            return DatabaseFigure.HistogramBucket(upperBound: bound, count: running)
        }
        return DatabaseFigure(
            name: name, help: help, kind: .histogram(buckets: buckets, sum: sum), value: Double(total), labels: labels)
    }
}
