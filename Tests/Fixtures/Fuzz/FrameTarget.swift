import NIOCore
import ProxyHTTP2
import ProxyWire
import WireFixtures

extension FuzzTarget {
    /// What a client of HTTP/2 sends: read alike however it is cut and within its bounds. A request among it is one request of
    /// HTTP/1.1, or none.
    static let frames = FuzzTarget(
        binary: "frames",
        words: [
            "505249202a20485454502f322e300d0a0d0a534d0d0a0d0a", "000000040000000000", "000000040100000000",
            "0000060400000000000004 00010000", "00000601050000000182848641 0161", "000001010000000001 82",
            "000001090400000001 84", "000000090000000001", "000001000100000001 61", "000004080000000001 00000001",
            "0000080600000000000102030405060708", "00000403000000000100000008", "0000050200000000010000000310",
            "0000080700000000000000000000000000", "000000", "00000000", "00000001", "80000003", "ff", "04", "05", "2d",
            "82", "84", "87", "be", "c0", "20", "3fe11f", "40", "00", "0d0a", "0a", "0d0a0d0a", "00047061746800",
            "41016203",
            "0f0d0131", "0f0d023132", "66046761 6775", "000274 65 08747261696c657273",
            "000a636f6e6e656374696f6e05636c6f7365",
            "00117472616e736665722d656e636f64696e67076368756e6b6564", "60 03613d62", "0178 0379203a",
            "053a70617468 022f61",
            "00013a00", "0758",
        ]
    ) { input, random in
        let limits = WireLimits(maxHeadBytes: 512, maxFields: 12)
        let whole = FramesRead([input[...]], limits: limits)
        let cuts = (0..<4).map { _ in Int.random(in: 0...input.count, using: &random) }.sorted()
        let cut = FramesRead(input.pieces(at: cuts), limits: limits)
        guard cut == whole else { return "cut at \(cuts) it is \(cut), else \(whole)" }
        let dribbled = FramesRead(input.map { [$0][...] }, limits: limits)
        guard dribbled == whole else { return "byte by byte it is \(dribbled), else \(whole)" }
        guard whole.mostWaiting < FrameOutline.mostBytes, cut.mostWaiting < FrameOutline.mostBytes else {
            return "it lets a frame wait that is longer than one may be"
        }
        if whole.fault == nil, let finding = FrameOutline.finding(in: input, whole.left, limits) { return finding }
        for section in whole.sections {
            if let finding = SectionFinding.bounds(section, limits) ?? SectionFinding.request(section)
                ?? SectionFinding.trailers(section)
            {
                return finding
            }
        }
        return nil
    }
}

/// Walks over frames that are known to be sound, and looks at what their headers say alone.
enum FrameOutline {
    static let mostBytes = 9 + 16_384

    /// What is kept of a section that has not all come, beyond what may be.
    static func finding(in input: [UInt8], _ left: Int, _ limits: WireLimits) -> String? {
        var rest = input.dropFirst(24)
        var (frames, bytes) = (0, 0)
        while rest.count >= 9 {
            let header = Array(rest.prefix(9))
            let length = Int(header[0]) << 16 | Int(header[1]) << 8 | Int(header[2])
            guard rest.count >= 9 + length else { break }
            rest = rest.dropFirst(9 + length)
            guard header[3] == 1 || header[3] == 9 else { continue }
            (frames, bytes) = header[3] == 1 ? (1, length) : (frames + 1, bytes + length)
            guard frames <= 64 else { return "a section of \(frames) frames" }
            // What a first frame holds beside lines is no part of them.
            guard frames == 1 || bytes <= 2 * limits.maxHeadBytes + 261 else { return "a section of \(bytes) bytes" }
        }
        guard input.count > 24, rest.count != left else { return nil }
        return "\(left) bytes are left, not \(rest.count)"
    }
}

/// What doesn't hold of a field section, whatever it says.
enum SectionFinding {
    static func bounds(_ section: FieldSectionLines, _ limits: WireLimits) -> String? {
        let (bytes, lines) = (section.bytes.count + 32 * section.lines.count, section.lines.count)
        guard bytes <= 2 * limits.maxHeadBytes, lines <= 2 * limits.maxFields + 8 else {
            return "a section of \(bytes) bytes in \(lines) lines"
        }
        return nil
    }

    static func request(_ section: FieldSectionLines) -> String? {
        guard let request = RequestText(section) else { return nil }
        for isChunked in [false, true] where !isChunked || request.contentLength == nil {
            let bytes = Array(request.head(isChunked: isChunked).readableBytesView)
            if let finding = headFinding(bytes) ?? ours(bytes, request, isChunked) ?? theirs(bytes, isChunked) {
                return "\(finding): \(text(bytes).debugDescription)"
            }
        }
        return nil
    }

    private static func headFinding(_ bytes: [UInt8]) -> String? {
        if let finding = letter(bytes) { return finding }
        let start = bytes.prefix { $0 != 0x0A }
        guard start.count(where: { $0 == 0x20 }) == 2, start.dropLast().suffix(9).elementsEqual(octets(" HTTP/1.1"))
        else { return "no request line" }
        return nil
    }

    /// By the letter alone: lines that end in CRLF, of which the last alone is empty.
    static func letter(_ bytes: [UInt8]) -> String? {
        let lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
        guard lines.count >= 3, lines[lines.count - 1].isEmpty, lines[lines.count - 2].elementsEqual([0x0D]) else {
            return "no empty line at its end"
        }
        for line in lines.dropLast(2) {
            guard line.last == 0x0D, line.count > 1, !line.dropLast().contains(0x0D), !line.contains(0) else {
                return "a line that another reader may cut elsewhere"
            }
        }
        return nil
    }

    private static func ours(_ bytes: [UInt8], _ request: RequestText, _ isChunked: Bool) -> String? {
        var parser = RequestHeadParser()
        var head = RequestHead()
        let memory = GuardedBytes(capacity: bytes.count)
        do throws(WireFault) {
            let isWhole = try memory.with(bytes[...]) { (bytes) throws(WireFault) in
                try parser.parse(bytes, into: &head)
            }
            guard isWhole, head.length == bytes.count else { return "not one head" }
        } catch {
            return nil
        }
        let framing: BodyFraming = isChunked ? .chunked : request.contentLength.map { .length($0) } ?? .none
        guard head.framing == framing, head.method == request.method else { return "another request than it was" }
        guard head.keepsAlive, !head.wantsUpgrade, head.count(of: .host) == 1 else { return "it says more than it may" }
        return nil
    }

    /// What llhttp makes of it with a body of its own and a request behind it: those two, or a refusal.
    private static func theirs(_ head: [UInt8], _ isChunked: Bool) -> String? {
        guard isChunked else { return nil }
        let behind = "DELETE /behind HTTP/1.1\r\nhost: b\r\n\r\n"
        let exchange = NIOReader.requests(head + octets("0\r\n\r\n" + behind))
        guard exchange.refusal == nil else { return nil }
        let isSame = exchange.messages.count == 2 && exchange.messages[1].start == "DELETE /behind"
        return isSame ? nil : "not one request to NIO"
    }

    static func trailers(_ section: FieldSectionLines) -> String? {
        guard let lines = section.trailerText() else { return nil }
        let bytes = octets("0\r\n") + Array(lines.readableBytesView) + octets("\r\n")
        let memory = GuardedBytes(capacity: bytes.count)
        switch readChunks([bytes[...]], guarded: memory).reading {
        case .complete(_, bytes.count), .refused: return nil
        case let reading: return "trailers are \(reading): \(text(bytes).debugDescription)"
        }
    }
}
