import WireFixtures
import ProxyWire
import Testing

/// Random and spoiled bytes: no crash, no byte read past the end, and no cut that changes the outcome.
@Suite struct FuzzTests {
    private func cuts(_ count: Int, _ random: inout SeededRandom) -> [Int] {
        (0..<Int.random(in: 1...4, using: &random)).map { _ in Int.random(in: 0...count, using: &random) }.sorted()
    }

    @Test func spoiledRequestsAreReadAlikeHoweverTheyAreCut() {
        let seed = runSeed()
        var maker = MessageMaker(seed: seed)
        let memory = GuardedBytes(capacity: 16384)
        var refused = Set<WireFault>()
        for round in rounds(9000) {
            let bytes = maker.spoiled(maker.request())
            let whole = readRequest(bytes, guarded: memory)
            let cut = readRequest(bytes, cuts: cuts(bytes.count, &maker.random), guarded: memory)
            #expect(whole == cut, "WIRE_SEED=\(seed) round \(round): \(text(bytes).debugDescription)")
            if let fault = whole.fault { refused.insert(fault) }
        }
        #expect(refused.count > 12, "the spoiling has lost its edge: \(refused)")
    }

    @Test func spoiledResponsesAreReadAlikeHoweverTheyAreCut() {
        let seed = runSeed()
        var maker = MessageMaker(seed: seed)
        let memory = GuardedBytes(capacity: 16384)
        for round in rounds(6000) {
            let bytes = maker.spoiled(maker.response())
            let method = maker.pick(RequestMethod.allCases)
            let whole = readResponse(bytes, answering: method, guarded: memory)
            let cut = readResponse(bytes, answering: method, cuts: cuts(bytes.count, &maker.random), guarded: memory)
            #expect(whole == cut, "WIRE_SEED=\(seed) round \(round): \(text(bytes).debugDescription)")
        }
    }

    @Test func spoiledBodiesAreReadAlikeHoweverTheyAreCut() {
        let seed = runSeed()
        var maker = MessageMaker(seed: seed)
        let memory = GuardedBytes(capacity: 16384)
        for round in rounds(6000) {
            let bytes = maker.spoiled(maker.chunked())
            let whole = readChunks([bytes[...]], guarded: memory)
            let cut = readChunks(bytes.pieces(at: cuts(bytes.count, &maker.random)), guarded: memory)
            let isAlike = whole.reading == cut.reading && whole.payload == cut.payload
            #expect(isAlike, "WIRE_SEED=\(seed) round \(round): \(text(bytes).debugDescription)")
        }
    }

    @Test func randomBytesAreRefusedOrUnfinished() {
        let seed = runSeed()
        var random = SeededRandom(seed)
        let memory = GuardedBytes(capacity: 16384)
        for round in rounds(3000) {
            let count = Int.random(in: 0...80, using: &random)
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
            let request = readRequest(bytes, guarded: memory)
            let response = readResponse(bytes, answering: .get, guarded: memory)
            let isBad =
                (request == .unfinished || request.fault != nil) && (response == .unfinished || response.fault != nil)
            #expect(isBad, "WIRE_SEED=\(seed) round \(round)")
            _ = readChunks([bytes[...]], guarded: memory)
        }
    }
}
