import ProxyDomain
import Testing

@testable import ProxyRelay

/// Texts that are written a word at a time.
@Suite("An identifier")
struct IdentifierTests {
    /// Digit by digit.
    private static func slowly(_ identifier: Identifier) -> String {
        let digits = [identifier.high, identifier.low].map { word -> String in
            let text = String(word, radix: 16)
            return String(repeating: "0", count: 16 - text.count) + text
        }.joined()
        var text = ""
        for (place, digit) in digits.enumerated() {
            if [8, 12, 16, 20].contains(place) { text += "-" }
            text.append(digit)
        }
        return text
    }

    @Test func isWrittenInHexadecimal() {
        let example = Identifier(high: 0x0123_4567_89AB_CDEF, low: 0xFEDC_BA98_7654_3210)
        #expect(example.text == "01234567-89ab-cdef-fedc-ba9876543210")
        var random = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            let identifier = Identifier(high: random.next(), low: random.next() >> UInt64.random(in: 0...63))
            #expect(identifier.text == Self.slowly(identifier))
            #expect(Identifier(identifier.text) == identifier)
        }
    }

    /// Rows keyed by them are appended; in any other order a batch would change pages here and there.
    @Test func ofALoopsRequestsRisesWithinAMillisecondToo() {
        var identifiers = RequestIdentifiers(seed: 7)
        var made: [Identifier] = []
        for millisecond in [5, 6, 9] as [Int64] {
            for _ in 0..<4096 { made.append(identifiers.next(at: Timestamp(milliseconds: millisecond)).identifier) }
        }
        #expect(zip(made, made.dropFirst()).allSatisfy { $0 < $1 })
        #expect(made.allSatisfy { $0.high >> 12 & 0xF == 7 && $0.low >> 62 == 2 })
        // More than a counter of twelve bits can tell apart are of the same millisecond still, and all different.
        let more = (0..<9000).map { _ in identifiers.next(at: Timestamp(milliseconds: 12)).identifier }
        #expect(more.allSatisfy { $0.high >> 16 == 12 } && Set(more).count == more.count)
    }
}
