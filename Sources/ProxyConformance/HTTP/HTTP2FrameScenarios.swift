import ProxyDomain

extension HTTPScenario {
    /// The rules of frames, windows and streams (RFC 9113 sections 4 to 6), each as a client may come upon it.
    static let http2Frames: [HTTPScenario] = [
        HTTPScenario(
            "http2.frames.are-answered",
            "A ping comes back as it was, settings are acknowledged, and what is of an unknown kind changes nothing.",
            needs: .rawBytes
        ) { world, check in
            let tenant = try await world.tenant()
            var talk = try await HTTP2Talk(world, settings: [(1, 0), (3, 7), (5, 16_384), (0x99, 5)])
            let told: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8]
            try await talk.send(
                HTTP2Frame(.ping, told), HTTP2Frame(kind: 0x42, flags: 0xFF, stream: 5, [1, 2, 3]),
                HTTP2Frame(kind: 2, stream: 9, [0, 0, 0, 3, 7]), HTTP2Frame(.settings, flags: 1))
            try await talk.ask(1, tenant.secret)
            var (acknowledged, pinged): (Int, [UInt8]?) = (0, nil)
            var isWhole = false
            while !isWhole, let frame = try await talk.next() {
                if frame.isA(.settings), frame.flags == 1 { acknowledged += 1 }
                if frame.isA(.ping) { pinged = frame.flags == 1 ? frame.payload : nil }
                isWhole = frame.endsStream
            }
            check.equal(acknowledged, 1, "settings acknowledged")
            check.equal(pinged, told, "answer to the ping")
            check.that(isWhole, "no answer")
            await talk.connection.close()
        },
        HTTPScenario(
            "http2.frames.padding-and-priority-are-none-of-it",
            "Padding, priorities and the frames that a head and a body are cut into are no part of the request.",
            needs: .rawBytes
        ) { world, check in
            let tenant = try await world.tenant()
            var talk = try await HTTP2Talk(world)
            let head = HTTP2Frame.literals([
                (":method", "POST"), (":scheme", "http"), (":path", "/v1/files"), (":authority", "proxy.test"),
                ("authorization", "Bearer \(tenant.secret)"), ("content-length", "6"),
            ])
            // Eight bytes of padding, and the priority of exclusive dependence on stream 0.
            let first: [UInt8] = [8, 0x80, 0, 0, 0, 15] + head[..<20] + [UInt8](repeating: 0, count: 8)
            try await talk.send(
                HTTP2Frame(.headers, flags: 0x08 | 0x20, stream: 1, first),
                HTTP2Frame(.continuation, stream: 1, Array(head[20..<50])),
                HTTP2Frame(.continuation, flags: HTTP2Frame.endHeaders, stream: 1, Array(head[50...])),
                HTTP2Frame(.data, flags: 0x08, stream: 1, [3] + Array("abc".utf8) + [0, 0, 0]),
                HTTP2Frame(.data, stream: 1),
                HTTP2Frame(.data, flags: 0x08 | HTTP2Frame.endStream, stream: 1, [0] + Array("def".utf8)))
            let answer = try await talk.answer(on: 1)
            check.that(answer.isWhole && answer.block.first == 0x88, "no answer")
            check.equal(world.upstream.received.first?.body, Array("abcdef".utf8), "body")
            await talk.connection.close()
        },
        HTTPScenario(
            "http2.frames.broken-end-the-connection",
            "A frame that no rule allows ends the connection with the code of that rule, and nobody else's.",
            needs: .rawBytes
        ) { world, check in
            let tenant = try await world.tenant()
            let head = HTTP2Frame.live(1).payload
            let whole = HTTP2Frame.endHeaders | HTTP2Frame.endStream
            let (protocolError, flowControl, frameSize, compression): (UInt8, UInt8, UInt8, UInt8) = (1, 3, 6, 9)
            let cases: [(String, [HTTP2Frame], UInt8)] = [
                ("data of no stream", [HTTP2Frame(.data, [1])], protocolError),
                ("data of a stream that has not begun", [HTTP2Frame(.data, stream: 1, [1])], protocolError),
                ("a head of no stream", [HTTP2Frame(.headers, flags: whole, head)], protocolError),
                ("a head of a server's stream", [HTTP2Frame(.headers, flags: whole, stream: 2, head)], protocolError),
                ("a reset of no stream", [HTTP2Frame(.reset, [0, 0, 0, 8])], protocolError),
                ("a reset of a stream to come", [HTTP2Frame(.reset, stream: 7, [0, 0, 0, 8])], protocolError),
                ("a reset that is short", [HTTP2Frame(.reset, stream: 1, [0, 8])], frameSize),
                ("a promise", [HTTP2Frame(kind: 5, flags: 4, stream: 1, [0, 0, 0, 2])], protocolError),
                ("a ping of a stream", [HTTP2Frame(.ping, stream: 1, [UInt8](repeating: 0, count: 8))], protocolError),
                ("a ping that is short", [HTTP2Frame(.ping, [1])], frameSize),
                ("settings of a stream", [HTTP2Frame(.settings, stream: 1)], protocolError),
                ("a part of a setting", [HTTP2Frame(.settings, [0, 4, 0])], frameSize),
                ("a window too large", [HTTP2Frame(.settings, [0, 4, 0x80, 0, 0, 0])], flowControl),
                ("frames too small", [HTTP2Frame(.settings, [0, 5, 0, 0, 0x10, 0])], protocolError),
                ("pushing neither on nor off", [HTTP2Frame(.settings, [0, 2, 0, 0, 0, 2])], protocolError),
                ("no more room", [HTTP2Frame(.windowUpdate, [0, 0, 0, 0])], protocolError),
                ("too much room", [HTTP2Frame(.windowUpdate, [0x7F, 0xFF, 0xFF, 0xFF])], flowControl),
                ("more of a head of none", [HTTP2Frame(.continuation, flags: 4, stream: 1, head)], protocolError),
                (
                    "another frame within a head",
                    [HTTP2Frame(.headers, stream: 1, head), HTTP2Frame(.ping, [UInt8](repeating: 0, count: 8))],
                    protocolError
                ),
                (
                    "another stream's head within a head",
                    [HTTP2Frame(.headers, stream: 1, head), HTTP2Frame(.continuation, flags: 4, stream: 3, head)],
                    protocolError
                ),
                (
                    "more padding than frame", [HTTP2Frame(.headers, flags: whole | 8, stream: 1, [9, 1])],
                    protocolError
                ),
                ("fields that can't be unpacked", [HTTP2Frame(.headers, flags: whole, stream: 1, [0x80])], compression),
                ("a frame too large", [HTTP2Frame(.data, stream: 1, [UInt8](repeating: 0, count: 16_385))], frameSize),
            ]
            for (name, frames, code) in cases {
                var talk = try await HTTP2Talk(world)
                do {
                    for frame in frames { try await talk.send(frame) }
                } catch ConnectionFailure.reset {}
                check.equal(try await talk.goodbye(), code, "\(name): code of GOAWAY")
                await talk.connection.close()
            }
            check.usual(try await world.exchange(tenant.request()), "another client")
        },
        HTTPScenario(
            "http2.streams.no-more-than-said",
            "Of more requests at once than the server says it takes, the last are refused so that they can be sent again.",
            needs: .rawBytes
        ) { world, check in
            let tenant = try await world.tenant(cap: 1000)
            var talk = try await HTTP2Talk(world)
            var most: Int?
            while most == nil, let frame = try await talk.next() { most = frame.setting(3) }
            let count = UInt32(most ?? 0)
            check.that((10...1000).contains(count), "\(count) streams at once")
            for number in 0...count {
                try await talk.ask(number * 2 + 1, tenant.secret, path: "/v1/files", method: "POST", endsStream: false)
            }
            let refused = try await talk.answer(on: count * 2 + 1)
            check.that(refused.reset == 7, "\(String(describing: refused.reset)) instead of REFUSED_STREAM")
            try await talk.send(HTTP2Frame(.data, flags: HTTP2Frame.endStream, stream: 1, Array("{}".utf8)))
            check.that(try await talk.answer(on: 1).isWhole, "one that was not refused")
            await talk.connection.close()
        },
        HTTPScenario(
            "http2.trailers.pass", "Trailers arrive after the body, the request's and the answer's.", needs: .rawBytes
        ) { world, check in
            let tenant = try await world.tenant()
            var talk = try await HTTP2Talk(world)
            world.upstream.script(
                UpstreamStep.readRequest + [
                    .send(HTTPAnswer.chunkedHead() + HTTPAnswer.chunk("abc") + Array("0\r\nX-Sum:  7 \r\n".utf8)),
                    .sendBytewise(Array("X-Time: 1ms\r\n\r\n".utf8)),
                ])
            try await talk.ask(1, tenant.secret, path: "/v1/files", method: "POST", endsStream: false)
            try await talk.send(
                HTTP2Frame(.data, stream: 1, Array("xyz".utf8)),
                HTTP2Frame(
                    .headers, flags: HTTP2Frame.endHeaders | HTTP2Frame.endStream, stream: 1,
                    HTTP2Frame.literals([("x-sum", "9")])))
            let answer = try await talk.answer(on: 1)
            check.equal(answer.body, Array("abc".utf8), "body")
            check.equal(answer.trailers, HTTP2Frame.literals([("x-sum", "7"), ("x-time", "1ms")]), "trailers")
            check.that(answer.isWhole, "the answer is not whole")
            check.equal(world.upstream.received.first?.body, Array("xyz".utf8), "the request's body")
            check.equal(world.upstream.received.first?.trailers, [HTTPField("x-sum", "9")], "the request's trailers")
            await talk.connection.close()
        },
        HTTPScenario(
            "http2.window.upload-is-given-room",
            "A client that sends no more than it was given room for is given room until all of a large body has gone.",
            needs: .rawBytes
        ) { world, check in
            let tenant = try await world.tenant()
            var talk = try await HTTP2Talk(world)
            let body = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 9) }
            try await talk.ask(1, tenant.secret, path: "/v1/files", method: "POST", endsStream: false)
            var (ofStream, ofAll, sent) = (65_535, 65_535, 0)
            while sent < body.count {
                let count = min(16_384, ofStream, ofAll, body.count - sent)
                if count > 0 {
                    let isLast = sent + count == body.count
                    try await talk.send(
                        HTTP2Frame(
                            .data, flags: isLast ? HTTP2Frame.endStream : 0, stream: 1,
                            Array(body[sent..<sent + count])))
                    (ofStream, ofAll, sent) = (ofStream - count, ofAll - count, sent + count)
                    continue
                }
                guard let frame = try await talk.next() else { break }
                if frame.isA(.windowUpdate) {
                    if frame.stream == 0 { ofAll += frame.number } else { ofStream += frame.number }
                }
                if let window = frame.setting(4) { ofStream += window - 65_535 }
            }
            check.equal(sent, body.count, "bytes that there was room for")
            check.that(try await talk.answer(on: 1).isWhole, "no answer")
            check.that(world.upstream.received.first?.body == body, "another body")
            await talk.connection.close()
        },
        HTTPScenario(
            "http2.window.padding-gives-room-back",
            "A request whose padding alone is more than its stream has room for is given room, and is answered.",
            needs: .rawBytes
        ) { world, check in
            let tenant = try await world.tenant()
            var talk = try await HTTP2Talk(world)
            try await talk.ask(1, tenant.secret, path: "/v1/files", method: "POST", endsStream: false)
            let padding = HTTP2Frame.padding(1)
            let size = padding.payload.count
            // Twice as much as a stream has room for at first.
            var (ofStream, ofAll, left) = (65_535, 65_535, 1040)
            while left > 0 {
                let count = min(left, ofStream / size, ofAll / size)
                if count > 0 {
                    try await talk.connection.send(Array(repeating: padding.bytes, count: count).flatMap { $0 })
                    (ofStream, ofAll, left) = (ofStream - count * size, ofAll - count * size, left - count)
                    continue
                }
                guard let frame = try? await talk.next() else { break }
                if frame.isA(.windowUpdate) {
                    if frame.stream == 0 { ofAll += frame.number } else { ofStream += frame.number }
                }
                if let window = frame.setting(4) { ofStream += window - 65_535 }
            }
            check.equal(left, 0, "frames that there was no room for")
            guard left == 0 else { return await talk.connection.close() }
            try await talk.send(HTTP2Frame(.data, flags: HTTP2Frame.endStream, stream: 1, Array("{}".utf8)))
            check.that(try await talk.answer(on: 1).isWhole, "no answer")
            check.equal(world.upstream.received.first?.body, Array("{}".utf8), "body")
            await talk.connection.close()
        },
        HTTPScenario(
            "http2.window.is-kept-to-the-byte",
            "Of an answer as much is sent as the client has room for, also when it changes how much that is meanwhile.",
            needs: .rawBytes
        ) { world, check in
            let tenant = try await world.tenant()
            var talk = try await HTTP2Talk(world, settings: [(4, 0)])
            let body = (0..<500).map { UInt8(truncatingIfNeeded: $0) }
            world.upstream.script(UpstreamStep.readRequest + [.send(HTTPAnswer.sized(body))])
            try await talk.ask(1, tenant.secret)
            var received: [UInt8] = []
            func receive(_ wanted: Int, _ what: String, by frames: HTTP2Frame...) async throws {
                for frame in frames { try await talk.send(frame) }
                // What comes back after the ping is all that there was room for.
                try await talk.send(HTTP2Frame(.ping, [UInt8](repeating: 0, count: 8)))
                while let frame = try await talk.next() {
                    if frame.isA(.data) { received += frame.payload }
                    if frame.isA(.ping) { break }
                }
                check.equal(received.count, wanted, what)
            }
            while let frame = try await talk.next(), !frame.isA(.headers) {}
            try await receive(0, "without room")
            try await receive(100, "a larger window", by: HTTP2Frame(.settings, [0, 4, 0, 0, 0, 100]))
            try await receive(100, "a smaller one", by: HTTP2Frame(.settings, [0, 4, 0, 0, 0, 50]))
            let (fifty, sixty) = (HTTP2Frame.bytes(of: 50), HTTP2Frame.bytes(of: 60))
            try await receive(100, "what was taken away", by: HTTP2Frame(.windowUpdate, stream: 1, fifty))
            try await receive(160, "more", by: HTTP2Frame(.windowUpdate, stream: 1, sixty))
            try await receive(500, "all", by: HTTP2Frame(.windowUpdate, stream: 1, HTTP2Frame.bytes(of: 1000)))
            check.equal(received, body, "body")
            await talk.connection.close()
        },
        HTTPScenario(
            "http2.streams.refused-ones-leave-room",
            "A request that is refused before its body has come is over when the client ends it, and takes no other's place.",
            needs: .rawBytes
        ) { world, check in
            var talk = try await HTTP2Talk(world)
            var answered = 0
            for number in 0..<150 {
                let stream = UInt32(number * 2 + 1)
                try await talk.ask(stream, "sk-unknown", path: "/v1/files", method: "POST", endsStream: false)
                guard try await talk.answer(on: stream).isWhole else { break }
                answered += 1
                try await talk.send(HTTP2Frame(.data, flags: HTTP2Frame.endStream, stream: stream))
            }
            check.equal(answered, 150, "requests that were answered")
            await talk.connection.close()
        },
        HTTPScenario(
            "http2.answers.as-large-a-head-as-any",
            "A head of as many fields as an upstream may send arrives, with those that the proxy adds.",
            needs: .rawBytes
        ) { world, check in
            let tenant = try await world.tenant()
            var talk = try await HTTP2Talk(world)
            let fields = (0..<125).map { "X-Field-\($0): \($0)\r\n" }.joined()
            world.upstream.script(UpstreamStep.readRequest + [.send(HTTPAnswer.json("{}", fields: fields))])
            try await talk.ask(1, tenant.secret)
            let answer = try await talk.answer(on: 1)
            check.that(answer.isWhole && answer.block.first == 0x88, "no answer: \(String(describing: answer.reset))")
            await talk.connection.close()
        },
        HTTPScenario(
            "http2.settings.of-a-table-are-heeded",
            "When a client resizes the table of packed fields, the next ones that it gets begin with the new size.",
            needs: .rawBytes
        ) { world, check in
            let tenant = try await world.tenant()
            var talk = try await HTTP2Talk(world)
            world.upstream.script(
                UpstreamStep.readRequest + [
                    .send(HTTPAnswer.chunkedHead() + HTTPAnswer.chunk("abc")), .await("end"),
                    .send(Array("0\r\nX-Sum: 7\r\n\r\n".utf8)),
                ])
            try await talk.ask(1, tenant.secret)
            while let frame = try await talk.next(), !frame.isA(.data) {}
            try await talk.send(HTTP2Frame(.settings, [0, 1, 0, 0, 0, 100]))
            while let frame = try await talk.next(), !(frame.isA(.settings) && frame.flags == 1) {}
            world.upstream.release("end")
            let answer = try await talk.answer(on: 1)
            // 001 and five bits of the size (RFC 7541 section 6.3).
            check.equal(answer.block, [0x20] + HTTP2Frame.literals([("x-sum", "7")]), "trailers")
            await talk.connection.close()
        },
        HTTPScenario(
            "http2.window.of-the-connection-is-shared",
            "When it is the connection that has little room, its streams get of it in turn.", needs: .rawBytes
        ) { world, check in
            let tenant = try await world.tenant()
            var talk = try await HTTP2Talk(world, settings: [(4, 10_000_000)])
            let body = [UInt8](repeating: 7, count: 200_000)
            for number in 0..<10 {
                world.upstream.script(UpstreamStep.readRequest + [.send(HTTPAnswer.sized(body))])
                try await talk.ask(UInt32(number * 2 + 1), tenant.secret)
            }
            // All have begun, and the first 65,535 bytes are gone.
            var heads = 0
            var received: [UInt32: Int] = [:]
            while heads < 10 || received.values.reduce(0, +) < 65_535, let frame = try await talk.next() {
                if frame.isA(.headers) { heads += 1 }
                if frame.isA(.data) { received[frame.stream, default: 0] += frame.payload.count }
            }
            received = [:]
            for _ in 0..<40 {
                try await talk.send(HTTP2Frame(.windowUpdate, HTTP2Frame.bytes(of: 16_384)))
                var room = 16_384
                while room > 0, let frame = try await talk.next() {
                    guard frame.isA(.data) else { continue }
                    received[frame.stream, default: 0] += frame.payload.count
                    room -= frame.payload.count
                }
            }
            check.equal(received.count, 10, "streams that got something")
            check.that((received.values.min() ?? 0) * 2 > received.values.max() ?? 0, "\(received)")
            await talk.connection.close()
        },
    ]
}
