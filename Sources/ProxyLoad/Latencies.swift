import Histogram

/// Durations counted with three significant digits, from a nanosecond to an hour.
struct Latencies: Sendable {
    private static let limit: UInt64 = 3_600_000_000_000
    private var histogram: Histogram<UInt64>

    /// - Parameter isCoarse: counts with two digits, in a tenth of the memory.
    init(isCoarse: Bool = false) {
        histogram = Histogram(
            highestTrackableValue: Self.limit, numberOfSignificantValueDigits: isCoarse ? .two : .three)
    }

    /// Counts one duration, in nanoseconds. Below zero is taken as zero, above an hour as an hour.
    mutating func record(nanoseconds: Int64) {
        _ = histogram.record(min(UInt64(max(nanoseconds, 0)), Self.limit))
    }

    mutating func add(_ other: Latencies) { histogram.add(other.histogram) }

    /// What was counted, the shortest first.
    var distribution: [LatencyCount] {
        histogram.recordedValues().map {
            LatencyCount(latency: .nanoseconds(Int64(clamping: $0.value)), count: Int($0.count))
        }
    }

    var summary: Percentiles {
        func value(_ percentile: Double) -> Duration {
            .nanoseconds(Int64(clamping: min(histogram.valueAtPercentile(percentile), histogram.max)))
        }
        return Percentiles(
            count: Int(histogram.totalCount),
            mean: histogram.totalCount == 0 ? .zero : .nanoseconds(Int64(histogram.mean)), p50: value(50),
            p90: value(90), p99: value(99), p999: value(99.9), max: .nanoseconds(Int64(clamping: histogram.max)))
    }
}

/// How many durations were about so long.
public struct LatencyCount: Hashable, Sendable {
    public let latency: Duration
    public let count: Int
}

/// What is told of many durations. All zero when there were none.
public struct Percentiles: Hashable, Sendable {
    public let count: Int
    public let mean, p50, p90, p99, p999, max: Duration
}
