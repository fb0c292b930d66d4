public import ProxyDomain
import Synchronization

/// Counts how long something took, in buckets that Prometheus can add up over instances.
public struct LatencyHistogram: Sendable {
    /// Upper bounds in microseconds; one more bucket holds what is above the last.
    public static let bounds: [Int64] = [
        50, 100, 250, 500, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000,
        5_000_000, 10_000_000, 30_000_000, 60_000_000,
    ]

    /// Observations in each bucket, not cumulative.
    public private(set) var counts = [Int64](repeating: 0, count: bounds.count + 1)
    /// Sum of all observations in microseconds.
    public private(set) var sum: Int64 = 0

    public init() {}

    mutating func observe(_ microseconds: Int64) {
        var bucket = 0
        while bucket < Self.bounds.count, microseconds > Self.bounds[bucket] { bucket += 1 }
        counts[bucket] += 1
        sum += microseconds
    }

    mutating func add(_ other: Self) {
        for index in counts.indices { counts[index] += other.counts[index] }
        sum += other.sum
    }
}

/// What one project's requests came to.
public struct ProjectCounters: Sendable {
    /// As ``RelayCounters/answers``.
    public internal(set) var answers = [Int64](repeating: 0, count: 6)
    public internal(set) var promptTokens: Int64 = 0
    public internal(set) var completionTokens: Int64 = 0

    mutating func count(_ statusClass: Int, _ usage: TokenUsage?) {
        answers[statusClass] += 1
        promptTokens += usage?.promptTokens ?? 0
        completionTokens += usage?.completionTokens ?? 0
    }

    mutating func add(_ other: Self) {
        for index in answers.indices { answers[index] += other.answers[index] }
        promptTokens += other.promptTokens
        completionTokens += other.completionTokens
    }
}

/// The projects that are counted by themselves: the first hundred that any loop meets, so that metrics stay bounded and no project changes
/// its place.
final class ProjectPlaces: Sendable {
    private static let most = 100
    private let taken = Mutex<Set<ProjectID>>([])

    /// Gives a project a place, if there is one left.
    func has(_ project: ProjectID) -> Bool {
        taken.withLock { taken in
            if taken.contains(project) { return true }
            guard taken.count < Self.most else { return false }
            taken.insert(project)
            return true
        }
    }
}

/// What the data plane has counted since its start.
public struct RelayCounters: Sendable {
    /// Answers by status class: index 2 for 2xx, …; index 0 for requests that got none.
    public internal(set) var answers = [Int64](repeating: 0, count: 6)
    /// Of them those of known projects, by project; what those came to that have no place of their own is under `nil`.
    public internal(set) var projects: [ProjectID?: ProjectCounters] = [:]
    /// Our own refusals by code, and HTTP/2 connections that were ended for what their clients did.
    public internal(set) var refusals: [String: Int64] = [:]
    /// Requests that limits in shadow would have refused, by limit.
    public internal(set) var shadowRefusals: [String: Int64] = [:]
    /// Time that we, not the upstream, added before the head of an answer.
    public internal(set) var overhead = LatencyHistogram()
    /// From the request sent to the first byte of its answer.
    public internal(set) var upstreamFirstByte = LatencyHistogram()
    /// From the request sent to the end of its answer.
    public internal(set) var upstreamDuration = LatencyHistogram()
    /// From a request's head to the first byte of its answer.
    public internal(set) var firstByte = LatencyHistogram()
    /// From a request's head to its end.
    public internal(set) var duration = LatencyHistogram()
    public internal(set) var requestBytes: Int64 = 0
    public internal(set) var responseBytes: Int64 = 0
    public internal(set) var promptTokens: Int64 = 0
    public internal(set) var completionTokens: Int64 = 0
    public internal(set) var upstreamConnectionsOpened: Int64 = 0
    public internal(set) var upstreamRetries: Int64 = 0
    public internal(set) var upstreamFallbacks: Int64 = 0
    public internal(set) var circuitsOpened: Int64 = 0
    public internal(set) var clientsLeft: Int64 = 0
    /// Requests to the management side.
    public internal(set) var localRequests: Int64 = 0

    public init() {}

    /// Where answers of a status are counted.
    static func statusClass(of status: Int) -> Int { min(max(status / 100, 0), 5) }

    mutating func count(
        _ project: ProjectID, _ places: ProjectPlaces, _ statusClass: Int, _ usage: TokenUsage?
    ) {
        if let known = projects.index(forKey: project) { return projects.values[known].count(statusClass, usage) }
        let place = places.has(project) ? project : nil
        projects[place, default: ProjectCounters()].count(statusClass, usage)
    }

    mutating func add(_ other: Self) {
        for index in answers.indices { answers[index] += other.answers[index] }
        for (project, counted) in other.projects {
            projects[project, default: ProjectCounters()].add(counted)
        }
        refusals.merge(other.refusals, uniquingKeysWith: +)
        shadowRefusals.merge(other.shadowRefusals, uniquingKeysWith: +)
        overhead.add(other.overhead)
        upstreamFirstByte.add(other.upstreamFirstByte)
        upstreamDuration.add(other.upstreamDuration)
        firstByte.add(other.firstByte)
        duration.add(other.duration)
        requestBytes += other.requestBytes
        responseBytes += other.responseBytes
        promptTokens += other.promptTokens
        completionTokens += other.completionTokens
        upstreamConnectionsOpened += other.upstreamConnectionsOpened
        upstreamRetries += other.upstreamRetries
        upstreamFallbacks += other.upstreamFallbacks
        circuitsOpened += other.circuitsOpened
        clientsLeft += other.clientsLeft
        localRequests += other.localRequests
    }
}

/// One loop's counters: written by that loop, once a request, and read by whoever asks for metrics.
final class RelayMeter: Sendable {
    private let counters = Mutex(RelayCounters())

    func update(_ change: (inout RelayCounters) -> Void) { counters.withLock { change(&$0) } }
    var snapshot: RelayCounters { counters.withLock { $0 } }
}
