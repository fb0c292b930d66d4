import NIOCore
import NIOEmbedded
import NIOHPACK
import NIOHTTP2
import ProxyHTTP2
import ProxyWire
import Testing
import WireFixtures

/// Answers as swift-nio-http2 reads them for a client.
@Suite struct AnswerSectionTests {
    static let heads: [(head: String, lines: [String])] = [
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", [":status: 200", "content-length: 0"]),
        ("HTTP/1.1 204 \r\nServer: x\r\nDate: y\r\n\r\n", [":status: 204", "server: x", "date: y"]),
        (
            "HTTP/1.1 418 I'm a teapot\r\nX-A:\r\nx-a: 2\r\nX-A:  3 \r\n\r\n",
            [":status: 418", "x-a: ", "x-a: 2", "x-a: 3"]
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive, X-Hop\r\nKeep-Alive: timeout=5\r\n"
                + "X-Hop: 1\r\nX-End: 2\r\nUpgrade: h2c\r\nProxy-Connection: close\r\nTrailer: x-sum\r\nTE: trailers\r\n"
                + "Proxy-Authenticate: Basic\r\nContent-Type: text/event-stream\r\n\r\n",
            [":status: 200", "x-end: 2", "trailer: x-sum", "content-type: text/event-stream"]
        ),
        ("HTTP/1.1 103 Early\r\nLink: </a>\r\n\r\n", [":status: 103", "link: </a>"]),
        (
            "HTTP/1.1 503 \r\nRetry-After: 1\r\nWWW-Authenticate: Bearer\r\n\r\n",
            [":status: 503", "retry-after: 1", "www-authenticate: Bearer"]
        ),
    ]

    @Test func aHeadIsWrittenWithoutWhatConcernsOneConnection() throws {
        for (head, lines) in Self.heads {
            var block = ByteBuffer()
            try writeSection(head, to: &block)
            var ours = OurHPACKDecoder(tableBytes: 0)
            #expect(try ours.read(Array(block.readableBytesView)) == lines, "\(head)")
            var decoder = NIOHPACK.HPACKDecoder(allocator: ByteBufferAllocator(), maxDynamicTableSize: 0)
            #expect(theirs(try decoder.decodeHeaders(from: &block)) == lines, "\(head)")
        }
    }

    static let trailers: [(written: String, lines: [String])] = [
        ("\r\n", []),
        ("X-Sum: 1\r\n\r\n", ["x-sum: 1"]),
        (
            "x-sum:1\r\nServer:  a b \t\r\nX-Empty:\r\nX-Blank: \t \r\n\r\n",
            ["x-sum: 1", "server: a b", "x-empty: ", "x-blank: "]
        ),
        ("x: a:b:c\r\nx: \u{E9}\r\n\r\n", ["x: a:b:c", "x: \u{E9}"]),
    ]

    @Test func trailersAreWrittenLineByLine() throws {
        for (written, lines) in Self.trailers {
            var block = ByteBuffer()
            octets(written).withUnsafeBytes { block.writeTrailerSection($0) }
            var ours = OurHPACKDecoder(tableBytes: 0)
            #expect(try ours.read(Array(block.readableBytesView)) == lines, "\(written)")
        }
    }

    @Test func aClientOfAnotherMakeReadsWhatWeWrite() throws {
        let client = try OtherClient()
        let value = String(repeating: "v", count: 60_000)
        try client.receive { server in
            server.writeServerHello(streams: 9, streamWindow: 100_000, connectionWindow: 1 << 20, headBytes: 65_536)
            server.writeSettingsAcknowledgement()
        }
        try client.ask(1)
        try client.ask(3)
        try client.receive { server in
            try writeHead("HTTP/1.1 100 Continue\r\n\r\n", endsStream: false, stream: 1, to: &server)
            try writeHead(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Large: \(value)\r\n\r\n", endsStream: false,
                stream: 1, to: &server)
            var content = ByteBuffer(repeating: 0x61, count: 20_000)
            server.writeData(&content, atMost: .max, endsStream: false, stream: 1)
            server.writeData(&content, atMost: .max, endsStream: false, stream: 1)
            server.writeHeaders(endsStream: true, stream: 1) { block in
                octets("X-Sum: 1\r\nX-Large: \(value)\r\n\r\n").withUnsafeBytes { block.writeTrailerSection($0) }
            }
            try writeHead("HTTP/1.1 204 \r\n\r\n", endsStream: true, stream: 3, to: &server)
        }
        try client.ask(5)
        try client.receive { server in
            server.writeWindowUpdate(77, stream: 5)
            server.writeReset(.enhanceYourCalm, stream: 5)
            server.writeGoAway(.noError, lastStream: 5)
        }
        #expect(
            try client.read() == [
                "0 settings 3=9 4=100000 6=65536", "0 window 983041", "0 acknowledged",
                "1 head [:status: 100]", "1 head [:status: 200, x-large: \(value)]", "1 content 16384",
                "1 content 3616", "1 last head [x-sum: 1, x-large: \(value)]", "3 last head [:status: 204]",
                "5 window 77", "5 reset 11", "0 farewell 5 0",
            ])
    }

    /// What the same client sends is read by us.
    @Test func weReadWhatAClientOfAnotherMakeWrites() throws {
        let client = try OtherClient()
        try client.receive { $0.writeServerHello(streams: 9, streamWindow: 9, connectionWindow: 65_535, headBytes: 9) }
        try client.ask(1)
        let read = FramesRead([try client.sent()[...]])
        #expect(read.frames.last == .headers(stream: 1, endsStream: true))
        #expect(read.frames.contains(.settingsAcknowledged) && read.fault == nil && read.left == 0)
        #expect(read.lines == [[":method: GET", ":scheme: https", ":path: /", ":authority: a"]])
        #expect(RequestText(try #require(read.sections.first)) != nil)
    }

    // MARK: What a server writes

    private func writeHead(_ text: String, endsStream: Bool, stream: UInt32, to buffer: inout ByteBuffer) throws {
        var fault: (any Error)?
        buffer.writeHeaders(endsStream: endsStream, stream: stream) { block in
            do { try writeSection(text, to: &block) } catch { fault = error }
        }
        if let fault { throw fault }
    }

    private func writeSection(_ text: String, to block: inout ByteBuffer) throws {
        let bytes = octets(text)
        var parser = ResponseHeadParser()
        var head = ResponseHead()
        let isWhole = try bytes[...].seen { (bytes) throws(WireFault) in
            try parser.parse(bytes, answering: .get, into: &head)
        }
        #expect(isWhole)
        bytes.withUnsafeBytes { block.writeAnswerSection(head, $0) }
    }
}

/// A client by swift-nio-http2, whose own reader of frames is not to be had by itself.
private struct OtherClient {
    private let channel: EmbeddedChannel

    init() throws {
        var connection = NIOHTTP2Handler.ConnectionConfiguration()
        connection.initialSettings = [HTTP2Setting(parameter: .maxHeaderListSize, value: 1 << 20)]
        connection.maximumSequentialContinuationFrames = 64
        channel = EmbeddedChannel(
            handler: NIOHTTP2Handler(
                mode: .client, connectionConfiguration: connection,
                streamConfiguration: NIOHTTP2Handler.StreamConfiguration()))
        try channel.connect(to: SocketAddress(unixDomainSocketPath: "/client")).wait()
    }

    func ask(_ stream: Int) throws {
        let head: HPACKHeaders = [":method": "GET", ":scheme": "https", ":path": "/", ":authority": "a"]
        let payload = HTTP2Frame.FramePayload.headers(.init(headers: head, endStream: true))
        try channel.writeOutbound(HTTP2Frame(streamID: HTTP2StreamID(stream), payload: payload))
    }

    func receive(_ write: (inout ByteBuffer) throws -> Void) throws {
        var buffer = ByteBuffer()
        try write(&buffer)
        try channel.writeInbound(buffer)
    }

    /// What it has sent.
    func sent() throws -> [UInt8] {
        var bytes: [UInt8] = []
        while let part = try channel.readOutbound(as: ByteBuffer.self) { bytes += part.readableBytesView }
        return bytes
    }

    /// What it has read.
    func read() throws -> [String] {
        var texts: [String] = []
        while let frame = try channel.readInbound(as: HTTP2Frame.self) {
            texts.append("\(Int(frame.streamID)) \(text(of: frame.payload))")
        }
        return texts
    }

    private func text(of payload: HTTP2Frame.FramePayload) -> String {
        switch payload {
        case .headers(let head):
            (head.endStream ? "last " : "") + "head [" + theirs(head.headers).joined(separator: ", ") + "]"
        case .data(let data): (data.endStream ? "last " : "") + "content \(data.data.readableBytes)"
        case .settings(.ack): "acknowledged"
        case .settings(.settings(let settings)):
            "settings " + settings.map { "\(number($0.parameter))=\($0.value)" }.joined(separator: " ")
        case .windowUpdate(let increment): "window \(increment)"
        case .rstStream(let code): "reset \(code.networkCode)"
        case .goAway(let last, let code, _): "farewell \(Int(last)) \(code.networkCode)"
        case .ping(let told, let isAnswer): "ping \(told.integer) \(isAnswer)"
        default: "something else"
        }
    }

    private func number(_ parameter: HTTP2SettingsParameter) -> Int {
        (0...9).first { HTTP2SettingsParameter(extensionSetting: $0) == parameter } ?? -1
    }
}
