import WireFixtures
import ProxyCodings
import Testing

struct ContentDecoderTests {
    /// `{"a":1}`, packed.
    private static let packed: [(ContentCoding, [UInt8])] = [
        (.gzip, [31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 171, 86, 74, 84, 178, 50, 172, 5, 0, 175, 172, 27, 86, 7, 0, 0, 0]),
        (.deflate, [120, 218, 171, 86, 74, 84, 178, 50, 172, 5, 0, 8, 42, 2, 9]),
        (.brotli, [0x0B, 0x03, 0x80, 0x7B, 0x22, 0x61, 0x22, 0x3A, 0x31, 0x7D, 0x03]),
    ]

    @Test func unpacksHoweverItIsCut() {
        for (coding, bytes) in Self.packed {
            for cut in 0...bytes.count {
                #expect(Self.unpack(coding, [bytes[..<cut], bytes[cut...]]) == #"{"a":1}"#, "\(coding) cut at \(cut)")
            }
        }
    }

    @Test func readsMembersThatFollowOneAnother() {
        let member = Self.packed[0].1
        #expect(Self.unpack(.gzip, [(member + member)[...]]) == #"{"a":1}{"a":1}"#)
        #expect(Self.unpack(.gzip, [member[...], member[...]]) == #"{"a":1}{"a":1}"#)
    }

    @Test func endsAtWhatIsBroken() {
        for coding in ContentCoding.allCases {
            #expect(Self.unpack(coding, [Array("<html>".utf8)[...], Array("more".utf8)[...]]) == "")
            #expect(Self.unpack(coding, []) == "")
        }
    }

    @Test func endsAtItsLimit() {
        let decoder = ContentDecoder(.brotli, limit: 6)
        var count = 0
        Self.packed[2].1.withUnsafeBytes { decoder.decode($0) { count += $0.count } }
        #expect(count == 0)
    }

    @Test(
        arguments: [
            ("gzip", ContentCoding.gzip), ("X-GZip", .gzip), ("deflate", .deflate), ("BR", .brotli), ("identity", nil),
            ("gzip, br", nil), ("", nil),
        ] as [(String, ContentCoding?)])
    func knowsNames(name: String, coding: ContentCoding?) {
        #expect(Array(name.utf8).withUnsafeBytes { ContentCoding($0) } == coding)
    }

    private static func unpack(_ coding: ContentCoding, _ pieces: [ArraySlice<UInt8>]) -> String {
        let decoder = ContentDecoder(coding)
        var unpacked: [UInt8] = []
        for piece in pieces { piece.withUnsafeBytes { decoder.decode($0) { unpacked.append(contentsOf: $0) } } }
        return String(decoding: unpacked, as: UTF8.self)
    }
}
