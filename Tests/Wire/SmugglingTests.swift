import Foundation
import ProxyWire
import Testing
import WireFixtures

/// What has made two servers disagree about where a request ends is refused, or read in the one way that everybody reads it.
@Suite struct SmugglingTests {
    @Test func aMutatedTransferEncodingIsChunkedOrRefused() throws {
        for mutation in try SmugglingCorpus.load("transfer-encoding", columns: 4) {
            let alone = mutation.columns[3]
            let expected = alone == "chunked" ? "framing chunked" : alone == "other field" ? "framing none" : alone
            mutation.expect(expected, of: Self.outcome(mutation.request()))
            // Beside a length it may only be a field that frames nothing.
            let beside = mutation.columns[2] == "other field" ? "framing length(6)" : "refused"
            mutation.expect(beside, of: Self.outcome(mutation.request(behind: "Content-Length: 6\r\n")))
        }
    }

    @Test func aMutatedContentLengthIsALengthOrRefused() throws {
        for mutation in try SmugglingCorpus.load("content-length", columns: 3) {
            let verdict = mutation.columns[2]
            let expected =
                verdict == "other field"
                ? "framing none"
                : verdict.hasPrefix("length ") ? "framing length(\(verdict.dropFirst(7)))" : verdict
            mutation.expect(expected, of: Self.outcome(mutation.request()))
        }
    }

    @Test func mutatedChunksAreRefusedOrReadAsTheyStand() throws {
        for mutation in try SmugglingCorpus.load("chunks", columns: 3) {
            let bytes = mutation.bytes
            let memory = GuardedBytes(capacity: bytes.count)
            for cut in 0...bytes.count {
                let (payload, reading) = readChunks([bytes[..<cut], bytes[cut...]], guarded: memory)
                let found = reading.fault == nil ? text(payload) : "refused"
                mutation.expect(mutation.columns[2], of: found)
            }
        }
    }

    /// No mutation is read by swift-nio as another request than by us.
    @Test func noMutationIsReadInTwoWays() throws {
        let fields =
            try SmugglingCorpus.load("transfer-encoding", columns: 4)
            + SmugglingCorpus.load("content-length", columns: 3)
        let bodies = ["0\r\n\r\nG", "5\r\nhello\r\n0\r\n\r\n", ""]
        for mutation in fields {
            for length in ["", "Content-Length: 6\r\n"] {
                for body in bodies {
                    let bytes =
                        mutation.request(behind: length) + octets(body + "GET /admin HTTP/1.1\r\nHost: a\r\n\r\n")
                    if case .differs(let found) = Differential.compareRequests(bytes).0 {
                        Issue.record("\(mutation): \(found)")
                    }
                }
            }
        }
    }

    /// What is made of a request's head, however it is cut.
    private static func outcome(_ bytes: [UInt8]) -> String {
        let memory = GuardedBytes(capacity: bytes.count)
        let whole = readRequest(bytes, guarded: memory)
        for cut in 1..<bytes.count where readRequest(bytes, cuts: [cut], guarded: memory) != whole {
            return "read in another way when it is cut at \(cut)"
        }
        guard whole.fault == nil else { return "refused" }
        var parser = RequestHeadParser()
        var head = RequestHead()
        let isWhole = bytes.withUnsafeBytes { (try? parser.parse($0, into: &head)) ?? false }
        return isWhole ? "framing \(head.framing)" : "unfinished"
    }
}

/// One mutation of a file of `Tests/Fixtures/Smuggling`, with one byte in its place.
struct SmugglingMutation: CustomStringConvertible {
    let columns: [String]
    let byte: UInt8?

    var description: String { "\(columns[0])\(byte.map { " with byte \($0)" } ?? "")" }

    /// The lines, unescaped.
    var bytes: [UInt8] { SmugglingCorpus.unescaped(columns[1], byte) }

    func request(behind fields: String = "") -> [UInt8] {
        octets("POST / HTTP/1.1\r\nHost: a\r\n") + bytes + octets("\r\n\(fields)\r\n")
    }

    func expect(_ verdict: String, of found: String) {
        if found != verdict { Issue.record("\(self): \(found) instead of \(verdict)") }
    }
}

enum SmugglingCorpus {
    static func load(_ name: String, columns: Int) throws -> [SmugglingMutation] {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../Fixtures/Smuggling")
        let file = try String(contentsOf: folder.appending(path: "\(name).tsv"), encoding: .utf8)
        var mutations: [SmugglingMutation] = []
        for line in file.split(separator: "\n") {
            let parts = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            try #require(parts.count == columns, "\(name).tsv: \(line)")
            let bytes: [UInt8?] = parts[1].contains("{byte}") ? Array(0x01...0x1F) + Array(0x7F...0xFF) : [nil]
            mutations += bytes.map { SmugglingMutation(columns: parts, byte: $0) }
        }
        try #require(mutations.count > 30)
        return mutations
    }

    static func unescaped(_ text: String, _ byte: UInt8?) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = Substring(text)
        while let character = rest.popFirst() {
            if character == "{", rest.hasPrefix("byte}"), let byte {
                rest.removeFirst(5)
                bytes.append(byte)
                continue
            }
            guard character == "\\", let escape = rest.popFirst() else {
                bytes += character.utf8
                continue
            }
            switch escape {
            case "r": bytes.append(0x0D)
            case "n": bytes.append(0x0A)
            case "t": bytes.append(0x09)
            case "u":
                bytes.append(UInt8(rest.prefix(4), radix: 16) ?? 0)
                rest.removeFirst(4)
            default: bytes += escape.utf8
            }
        }
        return bytes
    }
}
