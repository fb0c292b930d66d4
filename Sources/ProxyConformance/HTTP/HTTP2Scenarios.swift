import ProxyDomain

extension HTTPScenario {
    /// What HTTP/2 alone can do, and what it alone must not. All other promises are kept over it too: it is a column of the matrix.
    static let http2: [HTTPScenario] = [
        HTTPScenario(
            "http2.cleartext.by-prior-knowledge",
            "A client may speak HTTP/2 from the first byte on, however its bytes come.",
            needs: .rawBytes
        ) { world, check in
            let tenant = try await world.tenant()
            var talk = try await HTTP2Talk(world)
            for number in 0..<3 {
                let stream = UInt32(number * 2 + 1)
                try await talk.ask(stream, tenant.secret)
                let answer = try await talk.answer(on: stream)
                // 0x88 is ":status: 200" in the static table (RFC 7541 appendix A).
                check.equal(answer.block.first, 0x88, "status of \(number)")
                check.equal(String(decoding: answer.body, as: UTF8.self), HTTPAnswer.usualBody, "body of \(number)")
                check.that(answer.isWhole, "answer \(number) is not whole")
            }
            check.equal(world.upstream.received.map(\.method), ["GET", "GET", "GET"], "methods")
            check.equal(world.upstream.received.last?.fields.all("transfer-encoding"), [], "a body that nobody sent")
            await talk.connection.close()
            // In two pieces, and byte by byte.
            for size in [10, 1] {
                let connection = try await world.connect()
                let bytes = HTTP2Talk.preface + HTTP2Frame(.settings).bytes
                for start in stride(from: 0, to: bytes.count, by: size) {
                    try await connection.send(Array(bytes[start..<min(start + size, bytes.count)]))
                }
                let first = try await connection.receive(atMost: 9, within: .seconds(10))
                check.equal(
                    first.count > 3 ? first[3] : nil, HTTP2Frame.Kind.settings.rawValue, "first frame of the server")
                await connection.close()
            }
        },
        HTTPScenario(
            "http2.streams.side-by-side",
            "Requests of one connection are answered side by side: a slow one holds up no other.",
            needs: .rawBytes
        ) { world, check in
            let tenant = try await world.tenant()
            var talk = try await HTTP2Talk(world)
            world.upstream.script(UpstreamStep.readRequest + [.await("slow"), .send(HTTPAnswer.usual)])
            try await talk.ask(1, tenant.secret)
            check.that(try await eventually { world.upstream.received.count == 1 }, "the first did not go on")
            for stream in stride(from: UInt32(3), to: 43, by: 2) { try await talk.ask(stream, tenant.secret) }
            var ended: [UInt32] = []
            while ended.count < 20, let frame = try await talk.next() {
                if frame.endsStream { ended.append(frame.stream) }
            }
            check.equal(ended.sorted(), Array(stride(from: UInt32(3), to: 43, by: 2)), "answered before the slow one")
            world.upstream.release("slow")
            check.that(try await talk.answer(on: 1).isWhole, "the slow one")
            await talk.connection.close()
        },
        HTTPScenario(
            "http2.requests.malformed-are-refused",
            "What HTTP/2 can carry and HTTP/1.1 would read as something else ends the stream, and nothing of it reaches the upstream.",
            needs: .rawBytes
        ) { world, check in
            let tenant = try await world.tenant()
            let usual = [
                (":method", "GET"), (":scheme", "http"), (":path", "/v1/models"), (":authority", "proxy.test"),
                ("authorization", "Bearer \(tenant.secret)"),
            ]
            func replacing(_ name: String, _ value: String) -> [(String, String)] {
                usual.map { $0.0 == name ? (name, value) : $0 }
            }
            let bad: [[(String, String)]] = [
                usual + [("x", "a\r\nTransfer-Encoding: chunked")], usual + [("x", "a\nb")], usual + [("x", "a\rb")],
                usual + [("x", "a\0b")], usual + [("x\r\ny", "a")], usual + [("x y", "a")], usual + [("x:y", "a")],
                usual + [("X-Upper", "a")], usual + [("transfer-encoding", "chunked")], usual + [("connection", "x")],
                usual + [("host", "other.test")], usual + [(":path", "/v1/files")], usual + [(":x", "a")],
                usual + [("content-length", "5")], usual + [("", "a")],
                replacing(":path", "/v1/models HTTP/1.1\r\nHost: x\r\n\r\nGET /v1/files"),
                replacing(":path", "/v1/a b"),
                replacing(":path", ""), replacing(":method", "GET /v1/files HTTP/1.1\r\n\r\nGET"),
                replacing(":method", "CONNECT"), replacing(":authority", "a\r\nx: y"), Array(usual.dropFirst()),
                [("x", "first")] + usual,
            ]
            for fields in bad {
                var talk = try await HTTP2Talk(world)
                let flags = HTTP2Frame.endHeaders | HTTP2Frame.endStream
                try await talk.send(HTTP2Frame(.headers, flags: flags, stream: 1, HTTP2Frame.literals(fields)))
                let answer = try await talk.answer(on: 1)
                check.that(answer.block.first != 0x88, "\(fields) was answered with 200")
                await talk.connection.close()
            }
            check.equal(world.upstream.received.count, 0, "requests that went on")
            check.usual(try await world.exchange(tenant.request()), "a sound request after them")
        },
        HTTPScenario(
            "http2.requests.a-bad-one-ends-alone",
            "A malformed request ends its stream, and no other of its connection.",
            needs: .rawBytes
        ) { world, check in
            let tenant = try await world.tenant()
            var talk = try await HTTP2Talk(world)
            world.upstream.script(UpstreamStep.readRequest + [.await("go"), .send(HTTPAnswer.usual)])
            try await talk.ask(1, tenant.secret)
            check.that(try await eventually { world.upstream.connectionCount == 1 }, "the sound one did not go on")
            let bad: [[(String, String)]] = [
                [("X-Upper", "a")], [("te", "x")], [("transfer-encoding", "chunked")], [("content-length", "5")],
                [("x", "a\r\nb: c")],
            ]
            for (number, fields) in bad.enumerated() {
                let stream = UInt32(number * 2 + 3)
                try await talk.ask(stream, tenant.secret, fields: fields)
                let answer = try await talk.answer(on: stream)
                check.that(!answer.isWhole || answer.block.first != 0x88, "\(fields) was answered with 200")
                check.that(!talk.hasEnded, "\(fields) ended the connection")
            }
            world.upstream.release("go")
            check.that(try await talk.answer(on: 1).isWhole, "the sound one")
            await talk.connection.close()
        },
        HTTPScenario(
            inside: "http2.connection.broken-at-once-leaves-nothing",
            "A connection that breaks with its very first bytes leaves no stream behind, and no request.",
            needs: .rawBytes
        ) { world, check in
            let tenant = try await world.tenant()
            for _ in 0..<5 {
                let connection = try await world.connect()
                var bytes = HTTP2Talk.preface + HTTP2Frame(.settings).bytes
                for stream in stride(from: UInt32(1), to: 21, by: 2) {
                    let head = HTTP2Frame.literals([
                        (":method", "POST"), (":scheme", "http"), (":path", "/v1/files"), (":authority", "a"),
                        ("authorization", "Bearer \(tenant.secret)"),
                    ])
                    bytes += HTTP2Frame(.headers, flags: HTTP2Frame.endHeaders, stream: stream, head).bytes
                }
                // Settings of a length that there is none of.
                try await connection.send(bytes + HTTP2Frame(.settings, [1, 2, 3]).bytes)
                while let more = try? await connection.receive(atMost: 1 << 16, within: .seconds(5)), !more.isEmpty {}
                await connection.close()
            }
            let wanted = [#"llm_proxy_requests_in_flight{driver="#, #"llm_proxy_client_connections{driver="#]
            let isEmpty = try await eventually {
                let page = try await world.exchange(
                    HTTPRequest(method: "GET", target: "/metrics", fields: [], body: nil)
                ).text
                let values = wanted.map { name in
                    page.split(separator: "\n").first { $0.hasPrefix(name) }?.split(separator: " ").last.flatMap {
                        Double($0)
                    } ?? -1
                }
                // The connection that asks is one.
                return values == [0, 1]
            }
            check.that(isEmpty, "something is left")
            check.usual(try await world.exchange(tenant.request()), "a request after it")
        },
        HTTPScenario(
            "http2.cookies.are-joined", "A cookie that came in parts goes on as one field.", needs: .rawBytes
        ) { world, check in
            let tenant = try await world.tenant()
            var talk = try await HTTP2Talk(world)
            try await talk.ask(1, tenant.secret, fields: [("cookie", "a=b"), ("x", "1"), ("cookie", "c=d")])
            check.that(try await talk.answer(on: 1).isWhole, "answer")
            check.equal(world.upstream.received.last?.fields.all("cookie"), ["a=b; c=d"], "Cookie")
            check.equal(world.upstream.received.last?.fields.all("x"), ["1"], "another field")
            await talk.connection.close()
        },
        flood(
            "http2.flood.of-resets", "A client that makes streams and resets them at once is cut off.",
            (0..<2000).map { number in
                let stream = UInt32(number * 2 + 1)
                return HTTP2Frame.live(stream).bytes
                    + HTTP2Frame(.reset, stream: stream, HTTP2Frame.bytes(of: 8)).bytes
            }),
        flood(
            "http2.flood.of-continuations", "A head of frames without end is cut off.",
            [HTTP2Frame(.headers, stream: 1, HTTP2Frame.literals([(":method", "GET")])).bytes]
                + Array(
                    repeating: HTTP2Frame(.continuation, stream: 1, HTTP2Frame.literals([("x", "y")])).bytes,
                    count: 5000)),
        flood(
            "http2.flood.of-fields", "A head that is small while packed and large once unpacked is cut off.",
            // A field of 4,000 bytes that is remembered, then named again and again by one byte each.
            [
                HTTP2Frame(
                    .headers, flags: HTTP2Frame.endHeaders, stream: 1,
                    [0x40, 1] + Array("x".utf8) + [0x7F, 0xA1, 0x1E] + Array(repeating: UInt8(ascii: "y"), count: 4000)
                        + Array(repeating: 0xBE, count: 10_000)
                ).bytes
            ]),
        flood(
            "http2.flood.of-pings", "Pings without end are cut off.",
            Array(repeating: HTTP2Frame(.ping, Array(repeating: 7, count: 8)).bytes, count: 20_000)),
        flood(
            "http2.flood.of-provoked-resets",
            "A client that has the server reset its streams, by what it does wrong on each, is cut off as if it reset them itself.",
            (0..<2000).map { number in
                let stream = UInt32(number * 2 + 1)
                let wrong =
                    number % 2 == 0
                    ? HTTP2Frame(.windowUpdate, stream: stream, HTTP2Frame.bytes(of: 0x7FFF_FFFF))
                    : HTTP2Frame(.data, stream: stream, [1])
                return HTTP2Frame.live(stream).bytes + wrong.bytes
            }),
        flood(
            "http2.flood.of-malformed-requests", "Requests that are no requests, without end, are cut off.",
            (0..<3000).map { number in
                HTTP2Frame(
                    .headers, flags: HTTP2Frame.endHeaders | HTTP2Frame.endStream, stream: UInt32(number * 2 + 1),
                    [0x82]
                ).bytes
            }),
        flood(
            "http2.flood.of-late-data", "Content of a stream that has long been answered, without end, is cut off.",
            [HTTP2Frame.live(1).bytes]
                + Array(
                    repeating: HTTP2Frame(.data, stream: 1, [UInt8](repeating: 7, count: 1000)).bytes, count: 10_000)),
        flood(
            "http2.flood.of-settings", "Settings without end are cut off.",
            Array(repeating: HTTP2Frame(.settings).bytes, count: 20_000)),
        HTTPScenario(
            "http2.window.stall-holds-up-nobody",
            "A client that takes nothing of its answer has that one wait; others go on, and it gets all when it takes it.",
            needs: .rawBytes
        ) { world, check in
            let tenant = try await world.tenant()
            var talk = try await HTTP2Talk(world, settings: [(4, 0)])
            let body = (0..<2_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 9) }
            world.upstream.script(UpstreamStep.readRequest + [.send(HTTPAnswer.sized(body))])
            try await talk.ask(1, tenant.secret)
            while let frame = try await talk.next(), !(frame.isA(.headers) && frame.stream == 1) {}
            for _ in 0..<3 { check.usual(try await world.exchange(tenant.request()), "beside it") }
            let room = HTTP2Frame.bytes(of: 10_000_000)
            try await talk.send(HTTP2Frame(.windowUpdate, stream: 1, room), HTTP2Frame(.windowUpdate, room))
            var received: [UInt8] = []
            while let frame = try await talk.next() {
                if frame.isA(.data) { received += frame.payload }
                if frame.endsStream { break }
            }
            check.that(received == body, "\(received.count) bytes came, of \(body.count), or others")
            await talk.connection.close()
        },
        HTTPScenario(
            inside: "http2.stop.says-goodbye",
            "A server that stops tells its HTTP/2 clients so, after what they have asked for.",
            needs: [.rawBytes, .durable], settings: ["SHUTDOWN_GRACE": "10s"]
        ) { world, check in
            let tenant = try await world.tenant()
            var talk = try await HTTP2Talk(world)
            world.upstream.script(UpstreamStep.readRequest + [.await("go"), .send(HTTPAnswer.usual)])
            try await talk.ask(1, tenant.secret, path: "/v1/files", method: "POST", endsStream: false)
            for number in 1...3 {
                let flags = number == 3 ? HTTP2Frame.endStream : 0
                try await talk.send(HTTP2Frame(.data, flags: flags, stream: 1, Array(repeating: 7, count: 16_000)))
            }
            check.that(try await eventually { world.upstream.connectionCount == 1 }, "the request did not go on")
            async let restarted: Void = world.restart()
            var goodbyes: [Int] = []
            var isWhole = false
            while let frame = try await talk.next() {
                if frame.isA(.goAway) {
                    goodbyes.append(frame.number)
                    world.upstream.release("go")
                }
                if frame.isA(.ping), frame.flags == 0 {
                    try await talk.send(HTTP2Frame(.ping, flags: 1, frame.payload))
                }
                if frame.endsStream { isWhole = true }
            }
            try await restarted
            // First that it will stop, and in the end which request was the last: one after that may be sent again elsewhere.
            check.equal(goodbyes, [0x7FFF_FFFF, 1], "last streams of GOAWAY")
            check.that(isWhole, "the request under way was not answered")
            await talk.connection.close()
        },
    ]

    /// A connection on which so much is sent ends, and others are served all the while.
    private static func flood(_ id: String, _ promise: String, _ pieces: [[UInt8]]) -> HTTPScenario {
        HTTPScenario(id, promise, needs: .rawBytes) { world, check in
            let tenant = try await world.tenant()
            var talk = try await HTTP2Talk(world)
            do {
                for start in stride(from: 0, to: pieces.count, by: 100) {
                    try await talk.connection.send(pieces[start..<min(start + 100, pieces.count)].flatMap { $0 })
                }
            } catch ConnectionFailure.reset {}
            try await talk.drain()
            check.that(talk.hasEnded, "the connection goes on")
            check.usual(try await world.exchange(tenant.request()), "another client")
        }
    }
}
