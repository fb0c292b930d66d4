import NIOCore
import NIOEmbedded
import NIOHPACK
import NIOHTTP2
import ProxyHTTP2
import ProxyWire
import Testing
import WireFixtures

/// Requests as swift-nio-http2 reads them for a server.
@Suite struct RequestSectionTests {
    static let heads: [(head: String, lines: [String])] = [
        (
            "POST /v1/chat/completions?a=b HTTP/1.1\r\nHost: api.example\r\nContent-Length: 3\r\nX-A:  1 \r\n\r\n",
            [
                ":method: POST", ":scheme: https", ":path: /v1/chat/completions?a=b", ":authority: api.example",
                "content-length: 3", "x-a: 1",
            ]
        ),
        (
            "GET / HTTP/1.1\r\nX-A: 1\r\nHost: a:8443\r\nx-a: 2\r\n\r\n",
            [":method: GET", ":scheme: https", ":path: /", ":authority: a:8443", "x-a: 1", "x-a: 2"]
        ),
        (
            "PURGE /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive, X-Hop\r\n"
                + "X-Hop: 1\r\nKeep-Alive: 1\r\nTE: trailers\r\nUpgrade: h2c\r\nTrailer: x-sum\r\n\r\n",
            [":method: PURGE", ":scheme: https", ":path: /x", ":authority: a", "trailer: x-sum"]
        ),
    ]

    @Test func aHeadIsWrittenWithoutWhatConcernsOneConnection() throws {
        for (head, lines) in Self.heads {
            var block = ByteBuffer()
            try write(head, to: &block)
            var ours = OurHPACKDecoder(tableBytes: 0)
            #expect(try ours.read(Array(block.readableBytesView)) == lines, "\(head)")
            var decoder = NIOHPACK.HPACKDecoder(allocator: ByteBufferAllocator(), maxDynamicTableSize: 0)
            #expect(theirs(try decoder.decodeHeaders(from: &block)) == lines, "\(head)")
        }
    }

    @Test func credentialsAreMarkedAsNeverToBeRemembered() throws {
        var block = ByteBuffer()
        try write(
            "GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer x\r\nX-API-Key: x\r\nApi-Key: x\r\nx-goog-api-key: x\r\nCOOKIE: a=b\r\n"
                + "Set-Cookie: y\r\nkey: y\r\nUser-Agent: y\r\n\r\n", to: &block)
        var decoder = NIOHPACK.HPACKDecoder(allocator: ByteBufferAllocator(), maxDynamicTableSize: 0)
        let marked = try decoder.decodeHeaders(from: &block).filter { $0.indexable == .neverIndexed }.map(\.name)
        #expect(marked == ["authorization", "x-api-key", "api-key", "x-goog-api-key", "cookie"])
    }

    @Test func aServerOfAnotherMakeReadsWhatWeWrite() throws {
        let server = EmbeddedChannel(
            handler: NIOHTTP2Handler(
                mode: .server, connectionConfiguration: NIOHTTP2Handler.ConnectionConfiguration(),
                streamConfiguration: NIOHTTP2Handler.StreamConfiguration()))
        try server.connect(to: SocketAddress(unixDomainSocketPath: "/server")).wait()
        var bytes = ByteBuffer()
        bytes.writeClientHello(streamWindow: 1 << 18, connectionWindow: 1 << 20, headBytes: 65_536)
        for (index, (head, _)) in Self.heads.enumerated() {
            let stream = UInt32(2 * index + 1)
            var fault: (any Error)?
            bytes.writeHeaders(endsStream: false, stream: stream) { block in
                do { try write(head, to: &block) } catch { fault = error }
            }
            if let fault { throw fault }
        }
        try server.writeInbound(bytes)
        var read: [[String]] = []
        while let frame = try server.readInbound(as: HTTP2Frame.self) {
            if case .headers(let head) = frame.payload { read.append(theirs(head.headers)) }
        }
        #expect(read == Self.heads.map(\.lines))
    }

    private func write(_ text: String, to block: inout ByteBuffer) throws {
        let bytes = octets(text)
        var parser = RequestHeadParser()
        var head = RequestHead()
        let isWhole = try bytes[...].seen { (bytes) throws(WireFault) in try parser.parse(bytes, into: &head) }
        #expect(isWhole)
        bytes.withUnsafeBytes { block.writeRequestSection(head, $0) }
    }
}
