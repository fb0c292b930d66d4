import WireFixtures
import ProxyWire
import Foundation
import Testing

@Suite struct HeadTests {
    @Test(arguments: goodRequests)
    func aSoundRequestIsReadAsItStands(_ message: GoodMessage) {
        #expect(readRequest(message.bytes) == .complete(message.reading, length: octets(message.text).count))
    }

    @Test(arguments: goodResponses)
    func aSoundResponseIsReadAsItStands(_ message: GoodMessage) {
        let reading = readResponse(message.bytes, answering: message.answering)
        #expect(reading == .complete(message.reading, length: octets(message.text).count))
    }

    @Test(arguments: badRequests)
    func anAmbiguousRequestIsRefusedForItsReason(_ message: BadMessage) {
        #expect(readRequest(message.bytes, limits: message.limits).fault == message.fault)
    }

    @Test(arguments: badResponses)
    func anAmbiguousResponseIsRefusedForItsReason(_ message: BadMessage) {
        let reading = readResponse(message.bytes, answering: message.answering, limits: message.limits)
        #expect(reading.fault == message.fault)
    }

    @Test(arguments: goodRequests)
    func aRequestIsReadAlikeHoweverItIsCut(_ message: GoodMessage) {
        let whole = readRequest(message.bytes)
        for cuts in everyCut(of: message.bytes) { #expect(readRequest(message.bytes, cuts: cuts) == whole) }
    }

    @Test(arguments: goodResponses)
    func aResponseIsReadAlikeHoweverItIsCut(_ message: GoodMessage) {
        let whole = readResponse(message.bytes, answering: message.answering)
        for cuts in everyCut(of: message.bytes) {
            #expect(readResponse(message.bytes, answering: message.answering, cuts: cuts) == whole)
        }
    }

    @Test func aRefusalIsTheSameHoweverTheMessageIsCut() {
        for message in badRequests where message.bytes.count < 1000 {
            for cuts in everyCut(of: message.bytes) {
                let fault = readRequest(message.bytes, cuts: cuts, limits: message.limits).fault
                #expect(fault == message.fault, "\(message) at \(cuts)")
            }
        }
        for message in badResponses {
            for cuts in everyCut(of: message.bytes) {
                let reading = readResponse(
                    message.bytes, answering: message.answering, cuts: cuts, limits: message.limits)
                #expect(reading.fault == message.fault, "\(message) at \(cuts)")
            }
        }
    }

    @Test func everyPrefixOfASoundHeadIsUnfinished() {
        for message in goodRequests {
            let head = octets(message.text)
            for end in 0..<head.count { #expect(readRequest(Array(head[..<end])) == .unfinished) }
        }
    }

    @Test func theHeadLimitIsExact() {
        let head = octets("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        let fits = readRequest(head, limits: WireLimits(maxHeadBytes: head.count))
        #expect(fits.fault == nil)
        #expect(readRequest(head, limits: WireLimits(maxHeadBytes: head.count - 1)).fault == .headTooLarge)
        #expect(readRequest(head, limits: WireLimits(maxFields: 1)).fault == nil)
        #expect(readRequest(head, limits: WireLimits(maxFields: 0)).fault == .tooManyFields)
        #expect(readRequest(head, limits: WireLimits(maxTargetBytes: 1)).fault == nil)
        #expect(readRequest(head, limits: WireLimits(maxTargetBytes: 0)).fault == .targetTooLong)
    }

    @Test func aParserReadsTheNextHeadAfterOneThatIsCompleteOrRefused() throws {
        var parser = RequestHeadParser()
        var head = RequestHead()
        let sound = octets("GET /a HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n")
        for _ in 0..<2 {
            #expect(try sound.withUnsafeBytes { try parser.parse($0, into: &head) })
            #expect(head.fields.count == 2 && head.framing == .length(1))
            let broken = octets("GET /a HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n")
            #expect(throws: WireFault.malformedLength) {
                try broken.withUnsafeBytes { _ = try parser.parse($0, into: &head) }
            }
        }
        let begun = Array(sound.prefix(20))
        #expect(try !begun.withUnsafeBytes { try parser.parse($0, into: &head) })
        parser.reset()
        #expect(try sound.withUnsafeBytes { try parser.parse($0, into: &head) })
        #expect(head.length == sound.count)
    }

    @Test func fieldsKeepTheirStorageFromHeadToHead() throws {
        var parser = RequestHeadParser()
        var head = RequestHead()
        let bytes = octets("GET /a HTTP/1.1\r\nHost: a\r\nx: 1\r\n\r\n")
        let before = head.fields.withUnsafeBytes { $0.baseAddress }
        for _ in 0..<100 { #expect(try bytes.withUnsafeBytes { try parser.parse($0, into: &head) }) }
        #expect(head.fields.withUnsafeBytes { $0.baseAddress } == before)
    }

    @Test func valuesAreFoundByKind() throws {
        var parser = RequestHeadParser()
        var head = RequestHead()
        let bytes = octets("GET / HTTP/1.1\r\nX-Forwarded-For: 1\r\nHost: a\r\nForwarded: 2\r\n\r\n")
        #expect(try bytes.withUnsafeBytes { try parser.parse($0, into: &head) })
        #expect(head.value(of: .clientAddress).map { text(bytes[$0]) } == "1")
        #expect(head.count(of: .clientAddress) == 2)
        #expect(head.value(of: .authorization) == nil && head.count(of: .authorization) == 0)
        #expect(head.present == FieldKinds(.clientAddress, .host))
    }

    @Test func aLongListOfNominationsIsBoundedInWork() {
        let options = (0..<128).map { "x\($0)" }.joined(separator: ",")
        let fields = (0..<126).map { "x\($0 * 2): 1\r\n" }.joined()
        let reading = readRequest(octets("GET / HTTP/1.1\r\nHost: a\r\nConnection: \(options)\r\n\(fields)\r\n"))
        #expect(reading.description.components(separatedBy: "namedByConnection").count - 1 == 64)
    }
}

/// Nowhere, after each byte alone, and after every byte.
func everyCut(of bytes: [UInt8]) -> [[Int]] {
    (0...bytes.count).map { [$0] } + [Array(0...bytes.count)]
}
