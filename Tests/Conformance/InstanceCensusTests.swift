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

    @Test("takes for dead who made no progress for a whole lease, never itself")
    mutating func dead() {
        let still = [Self.record(1, 5), Self.record(2, 5), Self.record(3, 5)]
        #expect(census.observe(still, now: .seconds(100)) == [])
        #expect(census.observe(still, now: .milliseconds(114_999)) == [])
        #expect(census.observe(still, now: .seconds(115)) == [Self.id(2), Self.id(3)])
    }

    @Test("gives a new lease with each progress, however small")
    mutating func progress() {
        _ = census.observe([Self.record(2, 5)], now: .zero)
        #expect(census.observe([Self.record(2, 6)], now: .seconds(14)) == [])
        #expect(census.observe([Self.record(2, 6)], now: .seconds(28)) == [])
        #expect(census.observe([Self.record(2, 6)], now: .seconds(29)) == [Self.id(2)])
    }

    @Test("knows nothing of who went and came back")
    mutating func returned() {
        _ = census.observe([Self.record(2, 5)], now: .zero)
        #expect(census.observe([], now: .seconds(20)) == [])
        #expect(census.observe([Self.record(2, 5)], now: .seconds(21)) == [])
    }
}
