import ProxyDomain

extension HTTPScenario {
    /// The rules of frames, windows and fields, each as an upstream that speaks HTTP/2 may keep or break it.
    static let upstreamHTTP2Frames: [HTTPScenario] = [
        HTTPScenario(
            "http2.upstream.frames-are-answered",
            "A ping of the upstream comes back as it was, and its settings are acknowledged.",
            settings: HTTP2Script.settings
        ) { world, check in
            let tenant = try await world.tenant()
            let told: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8]
            let isAnswered: @Sendable ([HTTP2Frame]) -> Bool = { frames in
                frames.contains { $0.isA(.ping) } && frames.contains { $0.isA(.settings) && $0.isAcknowledgement }
            }
            world.upstream.script(
                HTTP2Script.begin() + [.send(HTTP2Frame(.ping, told).bytes), .readFrames(until: isAnswered)]
                    + HTTP2Script.answering(1) + [.awaitClose])
            check.usual(try await world.exchange(tenant.request()))
            let ping = world.upstream.frames(of: 1).first { $0.isA(.ping) }
            check.equal(ping?.payload, told, "answer to the ping")
            check.equal(ping?.isAcknowledgement, true, "whether it is one")
        },
        HTTPScenario(
            "http2.upstream.padding-is-none-of-it",
            "Padding, priorities, unknown frames and those that a head and a body are cut into are no part of an answer.",
            settings: HTTP2Script.settings
        ) { world, check in
            let tenant = try await world.tenant()
            let head = HTTP2Frame.literals([
                (":status", "200"), ("content-type", "text/plain"), ("content-length", "6"),
            ])
            // Eight bytes of padding, and the priority of exclusive dependence on stream 0.
            let first: [UInt8] = [8, 0x80, 0, 0, 0, 15] + head[..<20] + [UInt8](repeating: 0, count: 8)
            let frames = [
                HTTP2Frame(kind: 0x42, flags: 0xFF, stream: 1, [1, 2, 3]),
                HTTP2Frame(.headers, flags: 0x08 | 0x20, stream: 1, first),
                HTTP2Frame(.continuation, stream: 1, Array(head[20..<30])),
                HTTP2Frame(.continuation, flags: HTTP2Frame.endHeaders, stream: 1, Array(head[30...])),
                HTTP2Frame(.data, flags: 0x08, stream: 1, [3] + Array("abc".utf8) + [0, 0, 0]),
                HTTP2Frame(.data, stream: 1),
                HTTP2Frame(.data, flags: 0x08 | HTTP2Frame.endStream, stream: 1, [0] + Array("def".utf8)),
            ]
            world.upstream.script(
                HTTP2Script.begin() + [.sendBytewise(frames.flatMap(\.bytes))] + HTTP2Script.answering(3)
                    + [.awaitClose])
            let response = try await world.exchange(tenant.request())
            check.equal(response.text, "abcdef", "body")
            check.equal(response.end, .complete, "end")
            check.usual(try await world.exchange(tenant.request()), "the next")
        },
        HTTPScenario(
            "http2.upstream.malformed-is-refused",
            "An answer that HTTP/2 calls malformed gets 502, and ends no other stream of its connection.",
            tags: .hostile, settings: HTTP2Script.settings
        ) { world, check in
            let tenant = try await world.tenant()
            let ok = (":status", "200")
            let bad: [[(String, String)]] = [
                [("content-type", "text/plain")], [ok, ok], [ok, (":status", "404")], [("x", "a"), ok],
                [(":status", "abc")], [(":status", "20")], [(":status", "")], [(":status", "101")],
                [ok, (":path", "/")], [ok, ("X-Upper", "a")], [ok, ("x y", "a")], [ok, ("", "a")],
                [ok, ("x", "a\r\nb: c")],
                [ok, ("x", "a\0b")], [ok, ("connection", "close")], [ok, ("connection", "x")],
                [ok, ("transfer-encoding", "chunked")], [ok, ("keep-alive", "timeout=5")], [ok, ("upgrade", "x")],
                [ok, ("content-length", "3"), ("content-length", "5")], [ok, ("content-length", "-1")],
            ]
            let streams = bad.indices.map { UInt32($0 * 2 + 3) }
            let answers = zip(bad, streams).flatMap { fields, stream in
                let answer = HTTP2Script.fieldSection(stream, fields, isLast: true)
                return [UpstreamStep.readFrames(throughEndOf: stream), .send(answer)]
            }
            world.upstream.script(
                HTTP2Script.begin() + HTTP2Script.answering(1) + answers
                    + HTTP2Script.answering(UInt32(bad.count * 2 + 3)) + [.awaitClose])
            check.usual(try await world.exchange(tenant.request()), "before them")
            for fields in bad {
                check.refusal(
                    try await world.exchange(tenant.request()), 502, "upstream_invalid_response", "\(fields)")
            }
            check.usual(try await world.exchange(tenant.request()), "after them")
            check.equal(world.upstream.connectionCount, 1, "connections to the upstream")
        },
        HTTPScenario(
            "http2.upstream.lengths-must-agree",
            "An answer of more or less content than it says can't be taken for whole.",
            tags: .hostile, settings: HTTP2Script.settings
        ) { world, check in
            let tenant = try await world.tenant()
            let bad = [("less", "abc"), ("more", "abcdefg"), ("none", "")]
            let answers = bad.enumerated().flatMap { index, one in
                let stream = UInt32(index * 2 + 1)
                let head = HTTP2Script.head(stream, [("content-length", "5")])
                let answer = head + HTTP2Script.content(stream, one.1, isLast: true)
                return [UpstreamStep.readFrames(throughEndOf: stream), .send(answer)]
            }
            world.upstream.script(
                HTTP2Script.begin() + answers + HTTP2Script.answering(UInt32(bad.count * 2 + 1)) + [.awaitClose])
            for (what, _) in bad {
                let answer = try await world.exchange(tenant.request())
                check.that(
                    answer.status == 502 || answer.end != .complete,
                    "\(what): \(answer.status) \(answer.text) looks whole")
            }
            check.usual(try await world.exchange(tenant.request()), "after them")
            check.equal(world.upstream.connectionCount, 1, "connections to the upstream")
        },
        HTTPScenario(
            "http2.upstream.content-before-a-head-is-refused",
            "Content that comes before any head is no answer: 502.",
            tags: .hostile, settings: HTTP2Script.settings
        ) { world, check in
            let tenant = try await world.tenant()
            // Whether the connection goes on or not.
            world.upstream.script(
                HTTP2Script.begin() + [.send(HTTP2Script.content(1, "abc"))] + HTTP2Script.answering(3) + [.awaitClose])
            world.upstream.script(HTTP2Script.serving(1))
            check.refusal(try await world.exchange(tenant.request()), 502, "upstream_invalid_response")
            check.usual(try await world.exchange(tenant.request()), "the next")
        },
        HTTPScenario(
            "http2.upstream.broken-frames-end-the-connection",
            "A frame that no rule allows ends the connection with the code of that rule; the next request makes another.",
            tags: .hostile, settings: HTTP2Script.settings
        ) { world, check in
            let tenant = try await world.tenant()
            for (number, (what, frame, code)) in broken.enumerated() {
                world.upstream.script(
                    HTTP2Script.begin() + [
                        .send(frame.bytes), .readFrames { $0.goAwayCode != nil }, .awaitClose,
                    ])
                check.equal(try await world.exchange(tenant.request()).status, 502, "status after \(what)")
                let connection = 2 * number + 1
                let isTold = try await eventually { world.upstream.frames(of: connection).goAwayCode != nil }
                check.that(isTold, "no GOAWAY after \(what)")
                check.equal(world.upstream.frames(of: connection).goAwayCode, code, "code after \(what)")
                // One that is well in between: many failures in a row would have the upstream left alone.
                world.upstream.script(HTTP2Script.begin() + HTTP2Script.answering(1) + [.close])
                check.usual(try await world.exchange(tenant.request()), "after \(what)")
            }
            check.equal(world.upstream.connectionCount, 2 * broken.count, "connections to the upstream")
        },
        flood(
            "http2.upstream.flood-of-pings", "An upstream that pings without end is cut off.",
            of: HTTP2Frame(.ping, [UInt8](repeating: 7, count: 8))),
        flood(
            "http2.upstream.flood-of-settings", "An upstream that changes its settings without end is cut off.",
            of: HTTP2Frame(.settings)),
        flood(
            "http2.upstream.flood-of-continuations", "An answer whose head has frames without end is cut off.",
            after: HTTP2Frame(.headers, stream: 1, HTTP2Frame.literals([(":status", "200")])),
            of: HTTP2Frame(.continuation, stream: 1, HTTP2Frame.literals([("x", "y")]))),
        HTTPScenario(
            "http2.upstream.flood-of-fields",
            "An answer whose head is small while packed and large once unpacked is refused: 502.",
            tags: .hostile, settings: HTTP2Script.settings
        ) { world, check in
            let tenant = try await world.tenant()
            // A field of 4,000 bytes that is remembered, then named again and again by one byte each.
            let head: [UInt8] =
                [0x88, 0x40, 1] + Array("x".utf8) + [0x7F, 0xA1, 0x1E] + [UInt8](repeating: 0x79, count: 4000)
                + [UInt8](repeating: 0xBE, count: 10_000)
            let frame = HTTP2Frame(.headers, flags: HTTP2Frame.endHeaders | HTTP2Frame.endStream, stream: 1, head)
            // Whether the connection goes on or not.
            world.upstream.script(
                HTTP2Script.begin() + [.send(frame.bytes)] + HTTP2Script.answering(3) + [.awaitClose])
            world.upstream.script(HTTP2Script.serving(1))
            check.equal(try await world.exchange(tenant.request()).status, 502, "status")
            check.usual(try await world.exchange(tenant.request()), "the next")
        },
        HTTPScenario(
            "http2.upstream.window-is-kept",
            "Of a body as much is sent as the upstream has room for, on the stream and on the connection, and in the end all.",
            settings: HTTP2Script.settings
        ) { world, check in
            let tenant = try await world.tenant()
            let body = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 9) }
            // The proxy knows that there is no room at first before it has a body to send.
            let isKnown = UpstreamStep.readFrames { $0.contains { $0.isA(.settings) && $0.isAcknowledgement } }
            let start = HTTP2Script.begin(settings: [(4, 0)]) + [isKnown, .send(HTTP2Script.usual(1))]
            let begun = [UpstreamStep.readFrames { $0.begun.contains(3) }] + HTTP2Script.ping(1)
            let hundredThousand: [UpstreamStep] = [
                .send(HTTP2Script.room(100_000, on: 3)), .readFrames { $0.content(of: 3).count >= 65_535 },
            ]
            let ofConnection: [UpstreamStep] = [
                .send(HTTP2Script.room(1_000_000, on: 0)), .readFrames { $0.content(of: 3).count >= 100_000 },
            ]
            let all = [UpstreamStep.send(HTTP2Script.room(1_000_000, on: 3))] + HTTP2Script.answering(3)
            world.upstream.script(
                start + begun + hundredThousand + HTTP2Script.ping(2) + ofConnection + HTTP2Script.ping(3) + all
                    + [.awaitClose])
            check.usual(try await world.exchange(tenant.request("/v1/models", method: "GET", body: nil)), "the first")
            check.usual(try await world.exchange(tenant.request("/v1/files", body: body)))
            let frames = world.upstream.frames(of: 1)
            let pings = frames.indices.filter { frames[$0].isA(.ping) }
            check.equal(
                pings.map { Array(frames[..<$0]).content(of: 3).count }, [0, 65_535, 100_000],
                "content before each answer to a ping")
            check.that(frames.content(of: 3) == body, "another body")
        },
        HTTPScenario(
            "http2.upstream.is-not-over-read",
            "An answer of which the client takes nothing is given no more room; others go on, and it arrives whole.",
            needs: .rawBytes, settings: HTTP2Script.settings
        ) { world, check in
            let tenant = try await world.tenant()
            let count = 32 << 20
            world.upstream.script(
                HTTP2Script.begin() + [
                    .send(HTTP2Script.head(1, [("content-length", "\(count)")])), .sendContent(stream: 1, count: count),
                    .send(HTTP2Script.content(1, "", isLast: true)),
                ] + HTTP2Script.answering(3) + [.awaitClose])
            func room() -> Int {
                let ofStream = world.upstream.frames(of: 1).filter { $0.stream == 1 }
                return ofStream.reduce(262_144) { $0 + ($1.windowIncrement ?? 0) }
            }
            var conversation = try await world.talk()
            try await conversation.send(tenant.request())
            let head = try await conversation.head()
            var (last, now) = (0, room())
            while last != now {
                // Time itself is looked at: nothing more comes.
                try await ContinuousClock().sleep(for: .milliseconds(500))
                (last, now) = (now, room())
            }
            check.that(now < 20 << 20, "room for \(now) bytes of \(count)")
            let answer = try await conversation.body(of: head)
            check.equal(answer.body.count, count, "bytes that came")
            check.equal(answer.end, .complete, "end")
            check.usual(try await world.exchange(tenant.request()), "the next")
            check.equal(world.upstream.frames(of: 1).begun, [1, 3], "streams")
        },
    ]

    /// What no upstream may send on a connection with one request, and the code of the rule that it breaks (RFC 9113
    /// section 7).
    private static let broken: [(String, HTTP2Frame, UInt8)] = {
        let (protocolError, flowControl, frameSize, compression): (UInt8, UInt8, UInt8, UInt8) = (1, 3, 6, 9)
        let head = HTTP2Frame.literals([(":status", "200")])
        let request = HTTP2Frame.literals([(":method", "GET"), (":scheme", "https"), (":path", "/")])
        let whole = HTTP2Frame.endHeaders | HTTP2Frame.endStream
        return [
            ("a promise", HTTP2Frame(.pushPromise, flags: 4, stream: 1, [0, 0, 0, 2] + request), protocolError),
            ("a head of a promised stream", HTTP2Frame(.headers, flags: whole, stream: 2, head), protocolError),
            ("a head of a stream to come", HTTP2Frame(.headers, flags: whole, stream: 7, head), protocolError),
            ("content of no stream", HTTP2Frame(.data, [1]), protocolError),
            ("content of a stream to come", HTTP2Frame(.data, stream: 7, [1]), protocolError),
            ("a reset of a stream to come", HTTP2Frame(.reset, stream: 7, [0, 0, 0, 8]), protocolError),
            ("a reset that is short", HTTP2Frame(.reset, stream: 1, [0, 8]), frameSize),
            ("a ping that is short", HTTP2Frame(.ping, [1]), frameSize),
            ("settings of a stream", HTTP2Frame(.settings, stream: 1), protocolError),
            ("a part of a setting", HTTP2Frame(.settings, [0, 4, 0]), frameSize),
            ("a window too large", HTTP2Frame(.settings, [0, 4, 0x80, 0, 0, 0]), flowControl),
            ("pushing switched on", HTTP2Frame(.settings, [0, 2, 0, 0, 0, 1]), protocolError),
            ("no more room", HTTP2Frame(.windowUpdate, [0, 0, 0, 0]), protocolError),
            ("too much room", HTTP2Frame(.windowUpdate, [0x7F, 0xFF, 0xFF, 0xFF]), flowControl),
            ("more of a head of none", HTTP2Frame(.continuation, flags: 4, stream: 1, head), protocolError),
            ("more padding than frame", HTTP2Frame(.headers, flags: whole | 8, stream: 1, [9, 1]), protocolError),
            ("fields that can't be unpacked", HTTP2Frame(.headers, flags: whole, stream: 1, [0x80]), compression),
            ("a frame too large", HTTP2Frame(.data, stream: 1, [UInt8](repeating: 0, count: 16_385)), frameSize),
        ]
    }()

    /// An upstream that sends 100,000 such frames in the place of an answer is cut off: 502, and the next request is
    /// answered.
    private static func flood(
        _ id: String, _ promise: String, after first: HTTP2Frame? = nil, of frame: HTTP2Frame
    ) -> HTTPScenario {
        HTTPScenario(id, promise, tags: .hostile, settings: HTTP2Script.settings) { world, check in
            let tenant = try await world.tenant()
            let hundred = [[UInt8]](repeating: frame.bytes, count: 100).flatMap { $0 }
            world.upstream.script(
                HTTP2Script.begin() + [.send(first?.bytes ?? []), .sendTimes(hundred, 1000), .awaitClose])
            world.upstream.script(HTTP2Script.serving(1))
            check.equal(try await world.exchange(tenant.request()).status, 502, "status")
            check.usual(try await world.exchange(tenant.request()), "the next")
            check.equal(world.upstream.connectionCount, 2, "connections to the upstream")
        }
    }
}
