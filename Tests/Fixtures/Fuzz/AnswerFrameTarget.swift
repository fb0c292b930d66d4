import NIOCore
import ProxyHTTP2
import ProxyWire
import WireFixtures

extension FuzzTarget {
    /// What an upstream of HTTP/2 sends: read alike however it is cut and within its bounds. An answer among it is one answer of
    /// HTTP/1.1, or none.
    static let answerFrames = FuzzTarget(
        binary: "answer-frames",
        words: [
            "000000040000000000", "000000040100000000", "0000060400000000000003 00000064",
            "0000060400000000000002 00000001",
            "000001010400000001 88", "000001010500000001 88", "000001010000000001 88", "000001090400000001 84",
            "000001000100000001 61", "000004080000000001 00000001", "0000040300000000 0100000007",
            "00000807000000000000000000 00000000", "000004050400000001 00000002", "000000", "00000000", "00000001",
            "ff",
            "88", "89", "8a", "8b", "8d", "8e", "08 03 313033", "08 03 313031", "08 03 323034", "48 03 353939",
            "0803 303939",
            "be", "20", "3fe11f", "40", "00", "0d0a", "0a", "0d0a0d0a", "0f0d0131", "0f0d023132",
            "000a636f6e6e656374696f6e05636c6f7365", "00117472616e736665722d656e636f64696e67076368756e6b6564",
            "0f10 10 746578742f6576656e742d73747265616d", "00013a00", "41016203", "0178 0379203a",
        ]
    ) { input, random in
        let limits = WireLimits(maxHeadBytes: 512, maxFields: 12)
        let whole = FramesRead([input[...]], of: .server, limits: limits)
        let cuts = (0..<4).map { _ in Int.random(in: 0...input.count, using: &random) }.sorted()
        let cut = FramesRead(input.pieces(at: cuts), of: .server, limits: limits)
        guard cut == whole else { return "cut at \(cuts) it is \(cut), else \(whole)" }
        let dribbled = FramesRead(input.map { [$0][...] }, of: .server, limits: limits)
        guard dribbled == whole else { return "byte by byte it is \(dribbled), else \(whole)" }
        guard whole.mostWaiting < FrameOutline.mostBytes, cut.mostWaiting < FrameOutline.mostBytes else {
            return "it lets a frame wait that is longer than one may be"
        }
        for section in whole.sections {
            if let finding = SectionFinding.bounds(section, limits) ?? AnswerFinding.answer(section)
                ?? SectionFinding.trailers(section)
            {
                return finding
            }
        }
        return nil
    }
}

/// What doesn't hold of an answer, whatever it says.
private enum AnswerFinding {
    static func answer(_ section: FieldSectionLines) -> String? {
        for method in [RequestMethod.get, .head] {
            for endsStream in [false, true] {
                guard let answer = try? AnswerText(section, answering: method, endsStream: endsStream) else { continue }
                let bytes = Array(answer.head.readableBytesView)
                if let finding = SectionFinding.letter(bytes) ?? reading(bytes, answer, method) {
                    return "\(finding): \(text(bytes).debugDescription)"
                }
            }
        }
        return nil
    }

    private static func reading(_ bytes: [UInt8], _ answer: AnswerText, _ method: RequestMethod) -> String? {
        guard bytes.starts(with: octets("HTTP/1.1 \(answer.status) \r\n")) else { return "no status line" }
        var parser = ResponseHeadParser()
        var head = ResponseHead()
        let memory = GuardedBytes(capacity: bytes.count)
        do throws(WireFault) {
            let isWhole = try memory.with(bytes[...]) { (bytes) throws(WireFault) in
                try parser.parse(bytes, answering: method, into: &head)
            }
            guard isWhole, head.length == bytes.count else { return "not one head" }
        } catch {
            return nil
        }
        guard head.status == answer.status, head.framing == answer.framing, head.isInterim == answer.isInterim else {
            return "another answer than it was"
        }
        return head.isInterim || head.keepsAlive ? nil : "it says more than it may"
    }
}
