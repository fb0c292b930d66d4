import ProxyDomain
import ProxyStorage
import Testing

@testable import ProxyServer

@Suite("A census of instances")
struct InstanceCensusTests {
    private static func id(_ number: UInt64) -> InstanceID { InstanceID(Identifier(high: number, low: number)) }
    private static func record(_ number: UInt64, _ progress: Int64) -> InstanceRecord {
        InstanceRecord(instance: id(number), progress: progress)
    }

    private var census = InstanceCensus(own: Self.id(1), lease: .seconds(15))

    /// Looks every two seconds at what stays the same, and gives the seconds at which somebody was first taken for dead.
    private mutating func firstDeath(among records: [InstanceRecord], from start: Int, to end: Int) -> (
        Int, [InstanceID]
    )? {
        for second in stride(from: start, through: end, by: 2) {
            let dead = census.observe(records, now: .seconds(second))
            if !dead.isEmpty { return (second, dead.map(\.instance)) }
        }
        return nil
    }

    @Test("takes for dead who made no progress for a whole lease, never itself")
    mutating func dead() throws {
        let still = [Self.record(1, 5), Self.record(2, 5), Self.record(3, 5)]
        let (second, dead) = try #require(firstDeath(among: still, from: 100, to: 130))
        #expect(second == 116)
        #expect(dead == [Self.id(2), Self.id(3)])
    }

    @Test("gives a new lease with each progress, however small")
    mutating func progress() {
        #expect(firstDeath(among: [Self.record(2, 5)], from: 0, to: 14) == nil)
        #expect(firstDeath(among: [Self.record(2, 6)], from: 16, to: 30) == nil)
        #expect(firstDeath(among: [Self.record(2, 6)], from: 32, to: 32)?.1 == [Self.id(2)])
    }

    @Test("knows nothing of who went and came back")
    mutating func returned() {
        #expect(firstDeath(among: [Self.record(2, 5)], from: 0, to: 14) == nil)
        #expect(firstDeath(among: [], from: 16, to: 16) == nil)
        #expect(firstDeath(among: [Self.record(2, 5)], from: 18, to: 32) == nil)
    }

    @Test("takes nobody for dead because of an outage in which it could not look itself")
    mutating func outage() {
        #expect(firstDeath(among: [Self.record(2, 5)], from: 0, to: 2) == nil)
        #expect(firstDeath(among: [Self.record(2, 5)], from: 60, to: 74) == nil)
        #expect(firstDeath(among: [Self.record(2, 5)], from: 76, to: 76)?.1 == [Self.id(2)])
    }
}
