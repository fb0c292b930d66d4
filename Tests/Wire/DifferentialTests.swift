import NIOHTTP1
import ProxyWire
import Testing

/// Whatever both parsers accept they read alike, and what we accept swift-nio accepts too, but for `KnownDifference`.
@Suite struct DifferentialTests {
    private enum Verdict: Equatable {
        case alike
        case known(KnownDifference)
        case differs(String)
    }

    /// What separates two readings of the same bytes, if it isn't that we are the stricter.
    private func compare(_ ours: Exchange, _ theirs: Exchange, isToHead: Bool) -> Verdict {
        for (index, mine) in ours.messages.enumerated() {
            let other = theirs.messages.indices.contains(index) ? theirs.messages[index] : nil
            if index > 0, let known = KnownDifference.after(ours.messages[index - 1]) { return .known(known) }
            if mine == other { continue }
            if let known = KnownDifference.between(mine, other, refusal: theirs.refusal, isToHead: isToHead) {
                return .known(known)
            }
            let reading = other.map(\.description) ?? theirs.refusal ?? "unfinished"
            return .differs("ours: \(mine)\ntheirs: \(reading)")
        }
        if ours.refusal != nil || ours.isOver { return .alike }
        if theirs.messages.count > ours.messages.count {
            return .differs("we wait, they are done: \(theirs.messages[ours.messages.count])")
        }
        guard let refusal = theirs.refusal, ours.hasBegun, !theirs.hasBegun else { return .alike }
        if let known = KnownDifference.between(nil, nil, refusal: refusal, isToHead: isToHead) { return .known(known) }
        return .differs("only we accept the head, theirs: \(refusal)")
    }

    private func compareRequests(_ bytes: [UInt8]) -> (Verdict, accepted: Int) {
        var reader = OurReader(bytes)
        let ours = reader.requests()
        return (compare(ours, NIOReader.requests(bytes), isToHead: false), ours.messages.count)
    }

    private func compareResponses(
        _ bytes: [UInt8], to method: RequestMethod, _ theirMethod: HTTPMethod
    ) -> (Verdict, accepted: Int) {
        var reader = OurReader(bytes)
        let ours = reader.responses(to: method)
        let theirs = NIOReader.responses(bytes, to: theirMethod)
        return (compare(ours, theirs, isToHead: method == .head), ours.messages.count)
    }

    @Test func requestsAreReadAsNIOReadsThem() {
        let seed = runSeed()
        var maker = MessageMaker(seed: seed)
        var accepted = 0
        for round in rounds(4000) {
            let sound = maker.requests()
            let bytes = maker.chance(70) ? maker.spoiled(sound) : sound
            let (verdict, count) = compareRequests(bytes)
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
            let (verdict, count) = compareResponses(bytes, to: method, theirMethod)
            accepted += count
            guard case .differs(let found) = verdict else { continue }
            Issue.record("WIRE_SEED=\(seed) round \(round) to \(method): \(text(bytes).debugDescription)\n\(found)")
        }
        #expect(accepted > 1000, "too little was compared")
    }

    /// The tables too: every sound message, with what it needs behind it.
    @Test func theTablesAreReadAsNIOReadsThem() {
        for message in goodRequests where !["M-SEARCH!#", "get "].contains(where: message.text.hasPrefix) {
            if case .differs(let found) = compareRequests(message.bytes).0 { Issue.record("\(message): \(found)") }
        }
        for body in goodBodies {
            let head = octets("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
            if case .differs(let found) = compareRequests(head + octets(body.text)).0 {
                Issue.record("\(body): \(found)")
            }
        }
    }

    @Test(arguments: KnownDifference.allCases)
    func aKnownDifferenceIsStillOne(_ difference: KnownDifference) {
        if let request = difference.example.request {
            #expect(compareRequests(octets(request)).0 == .known(difference))
        }
        if let response = difference.example.response {
            #expect(compareResponses(octets(response), to: .head, .HEAD).0 == .known(difference))
        }
    }

    @Test func aDifferenceIsSeen() {
        var ours = Exchange(messages: [Message(start: "GET /", body: [1])])
        let theirs = Exchange(messages: [Message(start: "GET /", body: [2])])
        #expect(compare(ours, theirs, isToHead: false) != .alike)
        ours.messages = []
        #expect(compare(ours, theirs, isToHead: false) != .alike)
        #expect(compare(theirs, ours, isToHead: false) != .alike)
    }
}
