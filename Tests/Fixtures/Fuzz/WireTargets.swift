import Foundation
import NIOCore
import ProxyWire
import WireFixtures

extension FuzzTarget {
    /// Heads and bodies of HTTP/1.1: read alike however they are cut.
    static let framing = FuzzTarget(
        "framing",
        words: [
            "\r\n", "\n", "\r\n\r\n", "0\r\n\r\n", "Transfer-Encoding: chunked\r\n", "Content-Length: 5\r\n",
            "HTTP/1.1", ":",
            "Host: a\r\n", "chunked, chunked", "Connection: close, x\r\n", "ffffffffffffffff", "+1", "\0", "\t",
        ]
    ) { input, random in
        let cuts = (0..<4).map { _ in Int.random(in: 0...input.count, using: &random) }.sorted()
        let memory = GuardedBytes(capacity: 16_384)
        guard input.count < 8000 else { return nil }
        if readRequest(input, guarded: memory) != readRequest(input, cuts: cuts, guarded: memory) {
            return "a request cut at \(cuts) reads differently"
        }
        if readResponse(input, answering: .post, guarded: memory)
            != readResponse(input, answering: .post, cuts: cuts, guarded: memory)
        {
            return "a response cut at \(cuts) reads differently"
        }
        for method in [nil, RequestMethod.post] where !Differential.readsCutBodiesAlike(input, answering: method) {
            return "a body reads differently byte by byte"
        }
        return nil
    }

    /// What is read of answers as they pass: usage and events are the same however they are cut, and so is what is left of a stream.
    static let serverSentEvents = FuzzTarget(
        "sse",
        words: [
            "\n\n", "\r\n\r\n", "\r", "data: ", "data:", "data: [DONE]\n\n", ": comment\n", "event: x\n",
            #""usage":null"#,
            #""usage":{"prompt_tokens":1,"completion_tokens":2}"#, #""choices":[]"#, #""model":"m""#, "\\\"", "}", "{",
            "\u{FEFF}",
        ]
    ) { input, random in
        let whole = Passing([input])
        var rest = input[...]
        var pieces: [[UInt8]] = []
        while !rest.isEmpty {
            let count = Int.random(in: 1...max(1, min(rest.count, 40)), using: &random)
            pieces.append(Array(rest.prefix(count)))
            rest = rest.dropFirst(count)
        }
        return whole == Passing(pieces) ? nil : "cut into \(pieces.map(\.count)) it reads differently"
    }

    /// What came of a stream that passed.
    private struct Passing: Equatable {
        var usage: ReportedUsage?
        var model: String?
        var events = 0
        var left: [UInt8] = []

        init(_ pieces: [[UInt8]]) {
            var tap = UsageTap()
            var scanner = EventScanner()
            var remover = UsageRemover()
            var out = ByteBuffer()
            for piece in pieces {
                piece.withUnsafeBytes {
                    tap.observe($0)
                    events += scanner.count($0)
                    remover.pass($0, into: &out)
                }
            }
            remover.finish(into: &out)
            (usage, model, left) = (tap.usage, tap.model, Array(out.readableBytesView))
        }
    }

    /// JSON bodies: whatever Foundation reads in them is what we read in them.
    static let json = FuzzTarget(
        "json",
        words: [
            "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u0061", "null", "true", "1e9", "-0", #""model""#,
            #""model":"gpt-4o""#,
            #""model":"other","#, #""stream_options":{"#, #""n":3"#, " ", "\n", "\u{E9}", #""mod\u0065l":"x","#,
        ]
    ) { input, _ in
        input.withUnsafeBytes { bytes in
            var canonical: [UInt8] = []
            let isOurs = CanonicalJSON.append(bytes, to: &canonical)
            if isOurs {
                var again: [UInt8] = []
                guard canonical.withUnsafeBytes({ CanonicalJSON.append($0, to: &again) }), again == canonical else {
                    return "its canonical form is not canonical"
                }
            }
            _ = RequestOutline(of: bytes)
            // UTF-16 and marks of byte order are Foundation's alone.
            guard !input.contains(0), input.first.map({ $0 < 0x80 }) ?? false,
                let theirs = try? JSONSerialization.jsonObject(with: Data(input), options: .fragmentsAllowed)
                    as? NSObject
            else { return nil }
            // Foundation takes a comma before a bracket that closes for nothing.
            guard isOurs else {
                let text = String(decoding: input, as: UTF8.self)
                return text.contains(/,\s*[}\]]/) ? nil : "Foundation reads it, and we don't"
            }
            guard
                let same = try? JSONSerialization.jsonObject(with: Data(canonical), options: .fragmentsAllowed)
                    as? NSObject,
                same == theirs
            else { return "its canonical form says something else" }
            return modelFinding(theirs, bytes)
        }
    }

    /// A model that the rules let pass is one of theirs, whoever reads it.
    private static func modelFinding(_ theirs: NSObject, _ bytes: UnsafeRawBufferPointer) -> String? {
        guard let object = theirs as? [String: Any], let model = object["model"] else { return nil }
        let rules = ParameterRules(["model": ["gpt-*"]])
        guard rules.violation(inJSON: bytes) == nil else { return nil }
        guard let name = model as? String, name.utf8.starts(with: "gpt-".utf8) else {
            return "the model \(model) passes for gpt-*"
        }
        return RequestOutline(of: bytes)?.model == name ? nil : "the outline doesn't name \(name)"
    }
}
