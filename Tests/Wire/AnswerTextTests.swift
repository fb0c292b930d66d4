import NIOCore
import ProxyHTTP2
import ProxyWire
import Testing
import WireFixtures

/// What an upstream answers over HTTP/2, as HTTP/1.1 has it.
@Suite struct AnswerTextTests {
    typealias Lines = [(name: String, value: String)]

    struct Example: Sendable {
        let lines: Lines
        var method = RequestMethod.post
        var endsStream = false
        let text: String
        let framing: BodyFraming
    }

    static let sound: [Example] = [
        Example(
            lines: [(":status", "200"), ("content-type", "text/event-stream")],
            text: "HTTP/1.1 200 \ncontent-type: text/event-stream\ntransfer-encoding: chunked\n\n", framing: .chunked),
        Example(
            lines: [(":status", "200"), ("content-length", "12")], text: "HTTP/1.1 200 \ncontent-length: 12\n\n",
            framing: .length(12)),
        Example(
            lines: [(":status", "599"), ("x", ""), ("x", "a: b\u{E9}")], endsStream: true,
            text: "HTTP/1.1 599 \nx: \nx: a: b\u{E9}\ncontent-length: 0\n\n", framing: .length(0)),
        Example(
            lines: [(":status", "200"), ("content-length", "0")], endsStream: true,
            text: "HTTP/1.1 200 \ncontent-length: 0\n\n", framing: .length(0)),
        Example(lines: [(":status", "103"), ("link", "</a>")], text: "HTTP/1.1 103 \nlink: </a>\n\n", framing: .none),
        Example(lines: [(":status", "204")], endsStream: true, text: "HTTP/1.1 204 \n\n", framing: .none),
        Example(lines: [(":status", "204")], text: "HTTP/1.1 204 \n\n", framing: .none),
        Example(
            lines: [(":status", "304"), ("content-length", "7")], method: .get, endsStream: true,
            text: "HTTP/1.1 304 \ncontent-length: 7\n\n", framing: .none),
        Example(
            lines: [(":status", "200"), ("content-length", "7")], method: .head, endsStream: true,
            text: "HTTP/1.1 200 \ncontent-length: 7\n\n", framing: .none),
        Example(lines: [(":status", "200")], method: .head, text: "HTTP/1.1 200 \n\n", framing: .none),
    ]

    @Test func aSoundSectionIsWrittenAsHTTP1HasIt() throws {
        for example in Self.sound {
            let answer = try AnswerText(
                try section(example.lines), answering: example.method, endsStream: example.endsStream)
            let written = Array(answer.head.readableBytesView)
            #expect(text(written) == example.text.replacing("\n", with: "\r\n"))
            #expect(answer.framing == example.framing, "\(example.lines)")
            #expect(answer.isInterim == (answer.status < 200))
        }
    }

    @Test func whoeverReadsTheTextFindsTheSameAnswer() throws {
        for example in Self.sound {
            let answer = try AnswerText(
                try section(example.lines), answering: example.method, endsStream: example.endsStream)
            let bytes = Array(answer.head.readableBytesView)
            var parser = ResponseHeadParser()
            var head = ResponseHead()
            let isWhole = try bytes[...].seen { (bytes) throws(WireFault) in
                try parser.parse(bytes, answering: example.method, into: &head)
            }
            #expect(isWhole && head.length == bytes.count && head.status == answer.status, "\(example.lines)")
            #expect(head.framing == answer.framing && head.isInterim == answer.isInterim, "\(example.lines)")
        }
    }

    static let malformed: [(lines: Lines, endsStream: Bool, fault: WireFault)] = [
        ([], false, .malformedStatusLine), ([("x", "1")], false, .malformedStatusLine),
        ([(":status", "200"), (":status", "200")], false, .malformedStatusLine),
        ([("x", "1"), (":status", "200")], false, .malformedStatusLine),
        ([(":status", "200"), (":path", "/")], false, .malformedStatusLine),
        ([(":status", "20")], false, .malformedStatusLine), ([(":status", "0200")], false, .malformedStatusLine),
        ([(":status", "2x0")], false, .malformedStatusLine), ([(":status", "099")], false, .malformedStatusLine),
        ([(":status", "600")], false, .malformedStatusLine), ([(":status", "")], false, .malformedStatusLine),
        ([(":status", "101")], false, .malformedStatusLine), ([(":status", "103")], true, .malformedStatusLine),
        ([(":status", "200"), ("X", "1")], false, .malformedFieldName),
        ([(":status", "200"), ("", "1")], false, .malformedFieldName),
        ([(":status", "200"), ("x y", "1")], false, .malformedFieldName),
        ([(":status", "200"), ("x", "1\r\ny: 2")], false, .malformedFieldName),
        ([(":status", "200"), ("x", " 1")], false, .malformedFieldName),
        ([(":status", "200"), ("connection", "close")], false, .malformedFieldName),
        ([(":status", "200"), ("keep-alive", "1")], false, .malformedFieldName),
        ([(":status", "200"), ("proxy-connection", "close")], false, .malformedFieldName),
        ([(":status", "200"), ("transfer-encoding", "chunked")], false, .malformedFieldName),
        ([(":status", "200"), ("upgrade", "websocket")], false, .malformedFieldName),
        ([(":status", "200"), ("content-length", "x")], false, .malformedLength),
        ([(":status", "200"), ("content-length", "-1")], false, .malformedLength),
        ([(":status", "200"), ("content-length", "5")], true, .malformedLength),
        ([(":status", "200"), ("content-length", "5"), ("content-length", "5")], false, .conflictingLength),
    ]

    @Test func aMalformedSectionIsNoAnswer() throws {
        for (lines, endsStream, fault) in Self.malformed {
            let section = try section(lines)
            #expect(throws: fault, "\(lines)") {
                try AnswerText(section, answering: .post, endsStream: endsStream)
            }
        }
    }
}
