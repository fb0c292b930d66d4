import NIOCore
import ProxyHTTP2
import ProxyWire
import Testing
import WireFixtures

@Suite struct RequestTextTests {
    @Test(arguments: RequestExample.sound)
    func aSoundSectionIsWrittenAsHTTP1HasIt(_ example: RequestExample) throws {
        let request = try #require(RequestText(try section(example.lines)))
        #expect(head(request) == example.text?.replacing("\n", with: "\r\n"))
    }

    @Test func aMalformedSectionIsNoRequest() throws {
        #expect(RequestExample.malformed.count > 500)
        for example in RequestExample.malformed {
            #expect(RequestText(try section(example.lines)) == nil, "\(example)")
        }
    }

    /// What the base of those examples is, so that each of them is malformed for the reason it says.
    @Test func whatTheMalformedAreMadeOfIsSound() throws {
        let request = try #require(RequestText(try section(RequestExample.get("x", "v"))))
        #expect(head(request) == RequestExample.getText.replacing("\n", with: "\r\n") + "x: v\r\n")
    }

    @Test func whoeverReadsTheTextFindsOneRequest() throws {
        for example in RequestExample.sound {
            let request = try #require(RequestText(try section(example.lines)))
            for isChunked in [true, false] where !isChunked || request.contentLength == nil {
                let bytes = Array(request.head(isChunked: isChunked).readableBytesView)
                let reading = readRequest(bytes)
                guard example.lines.contains(where: { [":authority", "host"].contains($0.name) }) else {
                    #expect(reading == .refused(.missingHost))
                    continue
                }
                guard case .complete(let summary, bytes.count) = reading else {
                    Issue.record("\(example): \(reading)")
                    continue
                }
                let framing = isChunked ? "chunked" : request.contentLength.map { "length(\($0))" } ?? "none"
                #expect(summary.contains(" 1.1 \(framing) keeps "), "\(example): \(summary)")
            }
        }
    }

    static let refused: [([(name: String, value: String)], WireFault)] = [
        ([(":method", "G(T"), (":scheme", "http"), (":path", "/"), (":authority", "a")], .malformedRequestLine),
        ([(":method", "GET"), (":scheme", "http"), (":path", "/a#b"), (":authority", "a")], .malformedTarget),
        ([(":method", "GET"), (":scheme", "http"), (":path", "*"), (":authority", "a")], .malformedTarget),
        ([(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "")], .malformedHost),
        ([(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "u@a")], .malformedHost),
        ([(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "a,b")], .malformedHost),
        ([(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "a:99999")], .malformedHost),
        (RequestExample.get("content-length", "007"), .malformedLength),
        (RequestExample.get("x(y", "1"), .malformedFieldName),
        (RequestExample.get("x\"", "1"), .malformedFieldName),
    ]

    /// What both versions forbid is left to whoever reads HTTP/1.1.
    @Test func whatIsRefusedOfHTTP1IsRefusedOfTheText() throws {
        for (lines, fault) in Self.refused {
            let request = try #require(RequestText(try section(lines)), "\(lines)")
            #expect(readRequest(Array(request.head(isChunked: false).readableBytesView)).fault == fault, "\(lines)")
        }
    }

    @Test func whatItIsIsKnown() throws {
        let known: [(String, [(name: String, value: String)], RequestMethod, UInt64?, Bool)] = [
            ("GET", [], .get, nil, true), ("HEAD", [], .head, nil, true), ("DELETE", [], .delete, nil, true),
            ("OPTIONS", [], .options, nil, true), ("TRACE", [], .trace, nil, true), ("get", [], .other, nil, true),
            ("POST", [], .post, nil, false), ("PUT", [], .put, nil, false), ("PATCH", [], .patch, nil, false),
            ("GET", [("content-length", "0")], .get, 0, false), ("GET", [("content-length", "12")], .get, 12, false),
            ("POST", [("content-length", "0012")], .post, 12, false),
            ("GET", [("expect", "100-continue")], .get, nil, false),
        ]
        for (method, fields, wanted, length, mayBeWithoutBody) in known {
            let lines = [(":method", method), (":scheme", "https"), (":path", "/"), (":authority", "a")] + fields
            let request = try #require(RequestText(try section(lines)))
            #expect(request.method == wanted && request.contentLength == length, "\(method) \(fields)")
            #expect(request.mayBeWithoutBody == mayBeWithoutBody, "\(method) \(fields)")
        }
    }

    // MARK: Trailers

    @Test func trailersAreWrittenAsAChunkedBodyEndsWithThem() throws {
        #expect(try section([]).trailerText() == ByteBuffer())
        let lines = try section([("x-checksum", "a: b"), ("x", ""), ("x", "\u{E9}")])
        let trailers = try #require(lines.trailerText())
        #expect(text(trailers.readableBytesView) == "x-checksum: a: b\r\nx: \r\nx: \u{E9}\r\n")
    }

    @Test func malformedTrailersAreNone() throws {
        for name in [":path", ":status", ":", "", "X", "x y", "x:", "x\r\n", "x\0", "\u{E9}"] {
            #expect(try section([("a", "b"), (name, "/")]).trailerText() == nil, "\(name.debugDescription)")
        }
        for value in [" v", "v ", "\t", "v\r\n", "a\nb", "a\rb", "a\0b", "a\u{7F}b", "v\r\n\r\nGET / HTTP/1.1"] {
            #expect(try section([("a", value)]).trailerText() == nil, "\(value.debugDescription)")
        }
    }

    /// Fields that come too late are left to whoever reads the body.
    @Test func trailersThatComeTooLateAreRefusedOfTheBody() throws {
        let memory = GuardedBytes(capacity: 4096)
        for name in ["content-length", "transfer-encoding", "host", "te", "connection", "authorization", "trailer"] {
            let lines = try #require(try section([(name, "1")]).trailerText())
            let body = octets("0\r\n") + Array(lines.readableBytesView) + octets("\r\n")
            #expect(readChunks([body[...]], guarded: memory).reading == .refused(.forbiddenTrailer), "\(name)")
        }
    }

    // MARK: What a client sends

    private func head(_ request: RequestText) -> String {
        let whole = text(request.head(isChunked: false).readableBytesView)
        #expect(
            text(request.head(isChunked: true).readableBytesView) == whole.dropLast(1)
                + "transfer-encoding: chunked\r\n\r\n")
        return String(whole.dropLast(1))
    }
}
