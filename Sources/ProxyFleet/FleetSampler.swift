import ProxyLoad
import Synchronization

/// Looks at a fleet's processes, and at what their ledgers say, once a second.
final class FleetSampler: Sendable {
    private struct Last {
        var instant = ContinuousClock.now
        var usage: [String: ProcessUsage] = [:]
        var metrics: [String: Double] = [:]
    }

    private let fleet: Fleet
    private let start = ContinuousClock.now
    private let samples = Mutex<[FleetSample]>([])

    init(_ fleet: Fleet) { self.fleet = fleet }

    var all: [FleetSample] { samples.withLock { $0 } }

    /// Looks until it is cancelled.
    func run() async {
        var last = Last()
        look(&last, metrics: await fleet.metrics())
        while !Task.isCancelled {
            try? await Task.sleep(for: .seconds(1))
            // What is left of the last second would be a figure about next to nothing.
            if Task.isCancelled { return }
            look(&last, metrics: await fleet.metrics())
        }
    }

    private func look(_ last: inout Last, metrics: [String: Double]) {
        let now = ContinuousClock.now
        let seconds = max(0.001, (now - last.instant).seconds)
        var sample = FleetSample(second: (now - start).seconds)
        var usage: [String: ProcessUsage] = [:]
        for (name, pid) in fleet.processes {
            let found = ProcessUsage(of: ProcessUsage.family(of: pid, isWhole: name == "PostgreSQL"))
            usage[name] = found
            let before = last.usage[name]?.processorTime ?? found.processorTime
            sample.processes[name] = FleetSample.Process(
                // A process that ended takes its time with it.
                cores: max(0, (found.processorTime - before).seconds) / seconds, residentBytes: found.residentBytes)
        }
        func mean(_ name: String) -> Double? {
            guard !last.metrics.isEmpty else { return nil }
            let count = (metrics["\(name)_count"] ?? 0) - (last.metrics["\(name)_count"] ?? 0)
            let sum = (metrics["\(name)_sum"] ?? 0) - (last.metrics["\(name)_sum"] ?? 0)
            return count > 0 ? sum / count : nil
        }
        sample.poolWaiting = metrics["llm_proxy_database_pool_waiting_calls"] ?? 0
        sample.batchSize = mean("llm_proxy_database_ledger_batch_size")
        sample.commitMilliseconds = mean("llm_proxy_database_commit_seconds").map { $0 * 1000 }
        last = Last(instant: now, usage: usage, metrics: metrics)
        samples.withLock { [sample] in $0.append(sample) }
    }
}

/// What was found in one second of a run.
public struct FleetSample: Hashable, Sendable {
    /// Of one process.
    public struct Process: Hashable, Sendable {
        /// Cores that it computed on: 1 is one core, all of the time.
        public let cores: Double
        public let residentBytes: Int
    }

    /// Since the start.
    public let second: Double
    public internal(set) var processes: [String: Process] = [:]
    /// Requests and ends that shared a commit, on average; `nil` when there was none.
    public internal(set) var batchSize: Double?
    /// Calls that wait for a connection to the database.
    public internal(set) var poolWaiting = 0.0
    /// What a commit took, on average.
    public internal(set) var commitMilliseconds: Double?

    init(second: Double) { self.second = second }
}
