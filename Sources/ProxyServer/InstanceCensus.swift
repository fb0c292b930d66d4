import ProxyDomain
import ProxyStorage

/// Tells which other instances are dead: a plain value that is told what was seen and when.
///
/// Nobody's wall clock is compared with another's. An instance is dead when it has made no progress for a whole lease of
/// the observer's own time; one that was just met is given a whole lease too.
struct InstanceCensus {
    private struct Sighting {
        let progress: Int64
        let since: Duration
    }

    private let own: InstanceID
    private let lease: Duration
    private var sightings: [InstanceID: Sighting] = [:]

    init(own: InstanceID, lease: Duration) {
        self.own = own
        self.lease = lease
    }

    /// - Parameter now: of a clock that never goes back.
    /// - Returns: those that are dead by now, in the order of their identifiers.
    mutating func observe(_ records: [InstanceRecord], now: Duration) -> [InstanceID] {
        var seen: [InstanceID: Sighting] = [:]
        for record in records where record.instance != own {
            let known = sightings[record.instance].flatMap { $0.progress == record.progress ? $0 : nil }
            seen[record.instance] = known ?? Sighting(progress: record.progress, since: now)
        }
        sightings = seen
        return seen.filter { now - $0.value.since >= lease }.keys.sorted()
    }
}
