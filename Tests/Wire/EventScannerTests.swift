import WireFixtures
import ProxyWire
import Testing

struct EventScannerTests {
    /// Three with LF, CR LF and CR, and one that has not ended.
    @Test func countsEventsHoweverTheyAreCut() {
        let text = Array("data: 1\n\n\ndata: 2\r\n\r\n: note\rdata: 3\r\rdata: 4\n".utf8)
        for cut in 0...text.count {
            var scanner = EventScanner()
            let count =
                text[..<cut].withUnsafeBytes { scanner.count($0) } + text[cut...].withUnsafeBytes { scanner.count($0) }
            #expect(count == 3, "cut at \(cut)")
        }
    }

    @Test func agreesWithAPlainReader() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<3000 {
            let bytes: [UInt8] = (0..<40).map { _ in
                [0x0A, 0x0D, 0x0A, 0x78, 0x78, 0x78].randomElement(using: &random) ?? 0x78
            }
            var scanner = EventScanner()
            var ends: [Int] = []
            let cut = Int.random(in: 0...bytes.count, using: &random)
            for (start, piece) in [(0, bytes[..<cut]), (cut, bytes[cut...])] {
                piece.withUnsafeBytes { piece in
                    var position = 0
                    while let end = scanner.nextEnd(in: piece, from: position) {
                        ends.append(start + end)
                        position = end
                    }
                }
            }
            #expect(ends == Self.ends(in: bytes), "\(bytes) cut at \(cut)")
        }
    }

    private static func ends(in bytes: [UInt8]) -> [Int] {
        var (ends, lineLength, hasLine): ([Int], Int, Bool) = ([], 0, false)
        for (index, byte) in bytes.enumerated() {
            if byte == 0x0A, index > 0, bytes[index - 1] == 0x0D { continue }
            guard byte == 0x0A || byte == 0x0D else {
                lineLength += 1
                continue
            }
            if lineLength == 0, hasLine { ends.append(index + 1) }
            hasLine = lineLength > 0
            lineLength = 0
        }
        return ends
    }
}
