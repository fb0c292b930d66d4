import WireFixtures
import NIOHTTP1
import ProxyWire
import Testing

/// Whatever both parsers accept they read alike, and what we accept swift-nio accepts too, but for `KnownDifference`.
@Suite struct DifferentialTests {
    @Test func requestsAreReadAsNIOReadsThem() {
        let seed = runSeed()
        var maker = MessageMaker(seed: seed)
        var accepted = 0
        for round in rounds(4000) {
            let sound = maker.requests()
            let bytes = maker.chance(70) ? maker.spoiled(sound) : sound
            let (verdict, count) = Differential.compareRequests(bytes)
            accepted += count
            guard case .differs(let found) = verdict else { continue }
            Issue.record("WIRE_SEED=\(seed) round \(round): \(text(bytes).debugDescription)\n\(found)")
        }
        #expect(accepted > 2000, "too little was compared")
    }

    @Test func responsesAreReadAsNIOReadsThem() {
        let seed = runSeed()
        var maker = MessageMaker(seed: seed)
        var accepted = 0
        for round in rounds(3000) {
            let sound = maker.response()
            let bytes = maker.chance(70) ? maker.spoiled(sound) : sound
            let (method, theirMethod) = maker.pick([
                (RequestMethod.get, HTTPMethod.GET), (.post, .POST), (.head, .HEAD),
            ])
            let (verdict, count) = Differential.compareResponses(bytes, to: method, theirMethod)
            accepted += count
            guard case .differs(let found) = verdict else { continue }
            Issue.record("WIRE_SEED=\(seed) round \(round) to \(method): \(text(bytes).debugDescription)\n\(found)")
        }
        #expect(accepted > 1000, "too little was compared")
    }

    /// The tables too: every sound message, with what it needs behind it.
    @Test func theTablesAreReadAsNIOReadsThem() {
        for message in goodRequests where !["M-SEARCH!#", "get "].contains(where: message.text.hasPrefix) {
            if case .differs(let found) = Differential.compareRequests(message.bytes).0 {
                Issue.record("\(message): \(found)")
            }
        }
        for body in goodBodies {
            let head = octets("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
            if case .differs(let found) = Differential.compareRequests(head + octets(body.text)).0 {
                Issue.record("\(body): \(found)")
            }
        }
    }

    @Test(arguments: KnownDifference.allCases)
    func aKnownDifferenceIsStillOne(_ difference: KnownDifference) {
        if let request = difference.example.request {
            #expect(Differential.compareRequests(octets(request)).0 == .known(difference))
        }
        if let response = difference.example.response {
            #expect(Differential.compareResponses(octets(response), to: .head, .HEAD).0 == .known(difference))
        }
    }

    @Test func aDifferenceIsSeen() {
        var ours = Exchange(messages: [Message(start: "GET /", body: [1])])
        let theirs = Exchange(messages: [Message(start: "GET /", body: [2])])
        #expect(Differential.compare(ours, theirs, isToHead: false) != .alike)
        ours.messages = []
        #expect(Differential.compare(ours, theirs, isToHead: false) != .alike)
        #expect(Differential.compare(theirs, ours, isToHead: false) != .alike)
    }
}
