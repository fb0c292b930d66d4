import WireFixtures
import ProxyWire
import Testing

@Suite struct FaultTests {
    @Test func everyFaultIsProvokedByAMessageInTheTables() {
        let provoked = Set((badRequests + badResponses + badBodies).map(\.fault))
        #expect(Set(WireFault.allCases).subtracting(provoked).isEmpty)
        #expect(WireFault.allCases.count == 27)
    }

    @Test(arguments: WireFault.allCases)
    func aFaultIsExplainedInOneSentence(_ fault: WireFault) {
        let words = fault.explanation
        #expect(words.hasSuffix(".") && words.count(where: { $0 == "." && words.last != $0 }) == 0)
        #expect(words.first?.isUppercase == true && words.count < 120)
        #expect(WireFault.allCases.filter { $0.explanation == words } == [fault])
    }
}
