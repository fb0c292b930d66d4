import ProxyDomain
import ProxyStorage

/// Tells which other instances are dead: a plain value that is told what was seen and when.
///
/// Nobody's wall clock is compared with another's. An instance is dead when it has made no progress for a whole lease of
/// the observer's own time, in which it looked again and again; one that was just met is given a whole lease too, and all
/// are after a pause of the looks: while the database was away nobody could make progress.
struct InstanceCensus {
    private struct Sighting {
        let progress: Int64
        let since: Duration
    }

    private let own: InstanceID
    private let lease: Duration
    private var sightings: [InstanceID: Sighting] = [:]
    private var lastLook: Duration?

    init(own: InstanceID, lease: Duration) {
        self.own = own
        self.lease = lease
    }

    /// - Parameter now: of a clock that never goes back.
    /// - Returns: those that are dead by now, in the order of their identifiers.
    mutating func observe(_ records: [InstanceRecord], now: Duration) -> [InstanceRecord] {
        if let lastLook, now - lastLook > lease / 3 { sightings = [:] }
        lastLook = now
        var seen: [InstanceID: Sighting] = [:]
        for record in records where record.instance != own {
            let known = sightings[record.instance].flatMap { $0.progress == record.progress ? $0 : nil }
            seen[record.instance] = known ?? Sighting(progress: record.progress, since: now)
        }
        sightings = seen
        return seen.filter { now - $0.value.since >= lease }
            .map { InstanceRecord(instance: $0.key, progress: $0.value.progress) }
            .sorted { $0.instance < $1.instance }
    }
}
