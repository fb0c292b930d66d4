import WireFixtures
import ProxyWire
import Testing

@Suite struct ChunkScannerTests {
    private let memory = GuardedBytes(capacity: 8192)

    @Test(arguments: goodBodies)
    func aSoundBodyGivesItsPayloadAndItsEndHoweverItIsCut(_ body: GoodBody) {
        let bytes = body.bytes
        for cuts in everyCut(of: bytes) {
            let (payload, reading) = readChunks(bytes.pieces(at: cuts), guarded: memory)
            #expect(reading == .complete("chunks", length: octets(body.text).count), "at \(cuts)")
            #expect(text(payload) == body.payload, "at \(cuts)")
        }
    }

    @Test(arguments: badBodies)
    func anAmbiguousBodyIsRefusedForItsReasonHoweverItIsCut(_ body: BadMessage) {
        for cuts in everyCut(of: body.bytes) {
            let read = readChunks(body.bytes.pieces(at: cuts), limits: body.limits, guarded: memory)
            #expect(read.reading.fault == body.fault, "at \(cuts)")
        }
    }

    @Test func everyPrefixOfASoundBodyIsUnfinished() {
        for body in goodBodies {
            let bytes = octets(body.text)
            for end in 0..<bytes.count {
                #expect(readChunks([bytes[..<end]], guarded: memory).reading == .unfinished)
            }
        }
    }

    @Test func theLargestChunkIsCountedAndNotHeld() throws {
        var scanner = ChunkScanner()
        let bytes = octets("7FFFFFFFFFFFFFFF\r\nabc")
        var ranges: [Range<Int>] = []
        #expect(try bytes.withUnsafeBytes { try scanner.scan($0) { ranges.append($0) } } == 21)
        #expect(ranges == [18..<21])
        #expect(scanner.payloadBytes == 3 && !scanner.isComplete)
    }

    @Test func limitsOfExtensionsAndTrailersAreExact() {
        let body = octets("1;abc\r\nx\r\n0\r\na: b\r\n\r\n")
        let fits = WireLimits(maxChunkExtensionBytes: 4, maxTrailerBytes: 8)
        #expect(readChunks([body[...]], limits: fits, guarded: memory).reading.fault == nil)
        let short = WireLimits(maxChunkExtensionBytes: 3, maxTrailerBytes: 8)
        #expect(readChunks([body[...]], limits: short, guarded: memory).reading.fault == .chunkExtensionTooLong)
    }

    @Test func aScannerReadsTheNextBodyOnlyAfterAReset() throws {
        var scanner = ChunkScanner()
        let bytes = octets("1\r\nx\r\n0\r\nA: b\r\n\r\n")
        for _ in 0..<2 {
            #expect(try bytes.withUnsafeBytes { try scanner.scan($0) { _ in } } == bytes.count)
            #expect(scanner.isComplete && scanner.payloadBytes == 1)
            #expect(try bytes.withUnsafeBytes { try scanner.scan($0) { _ in } } == 0)
            scanner.reset()
            #expect(!scanner.isComplete && scanner.payloadBytes == 0)
        }
    }
}
