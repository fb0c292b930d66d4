import ProxyDomain

extension HTTPScenario {
    /// What an upstream that speaks HTTP/2 may ask of the proxy's time, memory and connections, and no more.
    static let upstreamHTTP2Bounds: [HTTPScenario] = [
        HTTPScenario(
            "http2.upstream.interim-answers-are-bounded",
            "Interim answers pass, but not without end: an answer that has nothing else is refused: 502.",
            tags: .hostile, settings: HTTP2Script.settings(with: ["REQUEST_TIMEOUT": "5s"])
        ) { world, check in
            let tenant = try await world.tenant()
            func interims(_ stream: UInt32, _ count: Int) -> [UInt8] {
                Array(repeating: HTTP2Script.fieldSection(stream, [(":status", "103")]), count: count).flatMap { $0 }
            }
            world.upstream.script(
                HTTP2Script.begin() + [.send(interims(1, 16))] + HTTP2Script.answering(1) + [
                    .readFrames(throughEndOf: 3), .sendTimes(interims(3, 100), 1000),
                ] + HTTP2Script.answering(5) + [.awaitClose])
            world.upstream.script(HTTP2Script.serving(1))
            let allowed = try await world.exchange(tenant.request())
            check.equal(allowed.interim.count, 16, "interim answers")
            check.usual(allowed, "after them")
            let endless = try await world.exchange(tenant.request())
            check.refusal(endless, 502, "upstream_invalid_response")
            check.that(endless.interim.count <= 16, "\(endless.interim.count) interim answers have passed")
            // Whether the connection goes on or not: what is still to come may end it under another request.
            let isServed = try await eventually {
                try await world.exchange(tenant.request()).text == HTTPAnswer.usualBody
            }
            check.that(isServed, "the next was not answered")
        },
        HTTPScenario(
            "http2.upstream.silence-is-not-sent-again",
            "A request that an upstream took and says nothing to has timed out: 504, and it isn't sent again.",
            settings: HTTP2Script.settings(with: ["REQUEST_TIMEOUT": "4s"])
        ) { world, check in
            let tenant = try await world.tenant()
            world.upstream.script(
                HTTP2Script.begin() + HTTP2Script.answering(1) + [
                    .readFrames(throughEndOf: 3), .await("end"), .send(HTTP2Script.goAway(last: 3)), .awaitClose,
                ])
            check.usual(try await world.exchange(tenant.request()), "the first")
            check.refusal(try await world.exchange(tenant.request()), 504, "upstream_timeout", "the second")
            check.equal(world.upstream.frames(of: 1).begun, [1, 3], "streams")
            check.equal(world.upstream.connectionCount, 1, "connections to the upstream")
            world.upstream.release("end")
            check.that(try await eventually { world.upstream.closedByProxy == 1 }, "the first was not let go")
            // Not even its settings.
            world.upstream.script([.readFrames(throughEndOf: 1), .awaitClose])
            check.refusal(try await world.exchange(tenant.request()), 504, "upstream_timeout", "on a new connection")
            check.equal(world.upstream.frames(of: 2).begun, [1], "streams of the new connection")
            check.equal(world.upstream.connectionCount, 2, "connections to the upstream after it")
        },
        HTTPScenario(
            "http2.upstream.one-loss-is-one-failure",
            "A connection that is lost under many requests fails each, and counts as one failure of the upstream.",
            settings: HTTP2Script.settings
        ) { world, check in
            let tenant = try await world.tenant()
            for ending in [UpstreamStep.close, .reset] {
                // The ping shows that the upstream was there after all of them: none may be sent again.
                world.upstream.script(
                    HTTP2Script.begin() + HTTP2Script.answering(1) + [
                        .readFrames { $0.count { $0.endsStream } >= 13 }
                    ] + HTTP2Script.ping(1) + [ending])
                check.usual(try await world.exchange(tenant.request()), "before \(ending)")
                let answers = try await world.exchange(12, of: tenant.request(), releasing: "none", after: 12)
                for answer in answers { check.refusal(answer, 502, "upstream_reset", "after \(ending)") }
            }
            world.upstream.script(HTTP2Script.serving(1))
            check.usual(try await world.exchange(tenant.request()), "the next")
            check.equal(world.upstream.connectionCount, 3, "connections to the upstream")
        },
        HTTPScenario(
            "http2.upstream.refused-goes-to-another",
            "A request that is refused on one connection is sent again on another that is there and has room.",
            settings: HTTP2Script.settings
        ) { world, check in
            let tenant = try await world.tenant()
            world.upstream.script(
                HTTP2Script.begin(settings: [(3, 1)]) + HTTP2Script.answering(1) + [
                    .readFrames(throughEndOf: 3), .await("go"), .send(HTTP2Script.usual(3)),
                    .readFrames(throughEndOf: 5), .send(HTTP2Script.reset(5, code: 7)), .awaitClose,
                ])
            world.upstream.script(
                HTTP2Script.begin(settings: [(3, 1)]) + HTTP2Script.answering(1, 3) + [.awaitClose])
            check.usual(try await world.exchange(tenant.request()), "the first")
            async let second = world.exchange(tenant.request())
            check.that(
                try await eventually { world.upstream.frames(of: 1).begun == [1, 3] }, "the second is not there")
            check.usual(try await world.exchange(tenant.request()), "the third")
            world.upstream.release("go")
            check.usual(try await second, "the second")
            check.usual(try await world.exchange(tenant.request()), "the one that is refused")
            check.equal(world.upstream.frames(of: 1).begun, [1, 3, 5], "streams of the first connection")
            check.equal(world.upstream.frames(of: 2).begun, [1, 3], "streams of the other")
            check.equal(world.upstream.connectionCount, 2, "connections to the upstream")
        },
        HTTPScenario(
            "http2.upstream.refused-too-late-is-broken-off",
            "A stream that is refused after its answer has begun is not sent again: the answer is broken off, or 502 where none of it was given on.",
            tags: .hostile, settings: HTTP2Script.settings
        ) { world, check in
            let tenant = try await world.tenant()
            let endings = [HTTP2Script.reset(1, code: 7), HTTP2Script.goAway(last: 0)]
            for ending in endings {
                world.upstream.script(
                    HTTP2Script.begin() + [
                        .send(HTTP2Script.head(1, [("content-length", "9")]) + HTTP2Script.content(1, "begun"))
                    ] + HTTP2Script.ping(1) + [.send(ending), .close])
                let answer = try await world.exchange(tenant.request())
                check.that(
                    answer.end != .complete || answer.status == 502, "it looks whole: \(answer.status) \(answer.text)")
            }
            check.equal(world.upstream.connectionCount, endings.count, "connections to the upstream")
        },
        HTTPScenario(
            "http2.upstream.no-streams-allowed",
            "A connection on which the upstream allows no more requests is closed, and the next uses another.",
            settings: HTTP2Script.settings
        ) { world, check in
            let tenant = try await world.tenant()
            world.upstream.script(
                HTTP2Script.begin() + HTTP2Script.answering(1) + [
                    .send(HTTP2Frame(.settings, [0, 3, 0, 0, 0, 0]).bytes), .awaitClose,
                ])
            world.upstream.script(HTTP2Script.serving(1))
            check.usual(try await world.exchange(tenant.request()), "the first")
            check.that(
                try await eventually(within: .seconds(20)) { world.upstream.closedByProxy == 1 },
                "the connection was kept")
            check.usual(try await world.exchange(tenant.request()), "the next")
            check.equal(world.upstream.frames(of: 2).begun, [1], "streams of the other connection")
        },
        HTTPScenario(
            "http2.upstream.padding-gives-room-back",
            "An answer whose padding alone is more than its stream has room for is given room, and comes whole.",
            settings: HTTP2Script.settings(with: ["STREAM_IDLE_TIMEOUT": "3s"])
        ) { world, check in
            let tenant = try await world.tenant()
            let body = Array(HTTPAnswer.usualBody.utf8)
            let padding = HTTP2Frame.padding(1).bytes
            let ten = Array(repeating: padding, count: 10).flatMap { $0 }
            // 256,000 bytes are within the first window; with the others and the content they are not.
            world.upstream.script(
                HTTP2Script.begin() + [
                    .send(HTTP2Script.head(1, [("content-length", "\(body.count)")])), .sendTimes(ten, 100),
                    .readFrames { $0.contains { $0.stream == 1 && $0.windowIncrement != nil } }, .sendTimes(ten, 4),
                    .send(HTTP2Script.content(1, body, isLast: true)),
                ] + HTTP2Script.answering(3) + [.awaitClose])
            check.usual(try await world.exchange(tenant.request()))
            check.usual(try await world.exchange(tenant.request()), "the next")
            check.equal(world.upstream.connectionCount, 1, "connections to the upstream")
        },
        HTTPScenario(
            "http2.upstream.upload-without-room-ends",
            "A request for whose body the upstream never has room times out: 504, and its stream is cancelled.",
            settings: HTTP2Script.settings(with: ["STREAM_IDLE_TIMEOUT": "1s"])
        ) { world, check in
            let tenant = try await world.tenant()
            // The proxy knows that there is no room before it has a body to send.
            let isKnown = UpstreamStep.readFrames { $0.contains { $0.isA(.settings) && $0.isAcknowledgement } }
            world.upstream.script(
                HTTP2Script.begin(settings: [(4, 0)]) + [
                    isKnown, .send(HTTP2Script.usual(1)), .readFrames { $0.resetCode(of: 3) != nil }, .awaitClose,
                ])
            check.usual(try await world.exchange(tenant.request("/v1/models", method: "GET", body: nil)), "the first")
            let start = ContinuousClock.now
            let body = [UInt8](repeating: 7, count: 1_000_000)
            let answer = try await world.exchange(tenant.request("/v1/files", body: body))
            check.refusal(answer, 504, "upstream_timeout")
            check.that(ContinuousClock.now - start < .seconds(13), "it took \(ContinuousClock.now - start)")
            check.that(
                try await eventually { world.upstream.frames(of: 1).resetCode(of: 3) == 8 },
                "code of the reset: \(world.upstream.frames(of: 1).resetCode(of: 3) ?? -1)")
            check.equal(world.upstream.frames(of: 1).content(of: 3).count, 0, "content that was sent")
        },
        HTTPScenario(
            "http2.upstream.idle-is-that-of-the-provider",
            "A provider's own time for unused connections takes the place of the server's.",
            settings: HTTP2Script.settings(with: [
                "UPSTREAM_IDLE_TIMEOUT": "60s",
                "API_CONFIG_PATH":
                    "{file}apis:\n  openai:\n    base_url: {tls-http2}\n    timeouts: {idle_connection: 4s}\n",
            ])
        ) { world, check in
            let tenant = try await world.tenant()
            world.upstream.script(HTTP2Script.serving(1, 3))
            check.usual(try await world.exchange(tenant.request()), "the first")
            let start = ContinuousClock.now
            check.usual(try await world.exchange(tenant.request()), "the second")
            check.that(try await eventually { world.upstream.closedByProxy == 1 }, "the connection was kept")
            check.that(ContinuousClock.now - start > .milliseconds(3500), "it was closed at once")
            check.equal(world.upstream.connectionCount, 1, "connections to the upstream")
        },
        HTTPScenario(
            "http2.upstream.late-frames-are-let-pass",
            "What was on its way when a request was cancelled harms nobody; frames of an ended one without end do.",
            tags: .hostile, settings: HTTP2Script.settings(with: ["REQUEST_TIMEOUT": "5s"])
        ) { world, check in
            let tenant = try await world.tenant()
            let late = HTTP2Script.content(1, [UInt8](repeating: 0x78, count: 100))
            let hundred = Array(repeating: HTTP2Script.content(1, "x"), count: 100).flatMap { $0 }
            let cancelled: [UpstreamStep] = [
                .send(HTTP2Script.head(1) + HTTP2Script.content(1, "data: 1\n\n")),
                .readFrames { $0.resetCode(of: 1) != nil }, .sendTimes(late, 500),
            ]
            world.upstream.script(
                HTTP2Script.begin() + cancelled + HTTP2Script.answering(3) + [
                    .readFrames(throughEndOf: 5), .sendTimes(hundred, 1000), .awaitClose,
                ])
            world.upstream.script(HTTP2Script.serving(1))
            var conversation = try await world.talk()
            try await conversation.send(tenant.request())
            _ = try await conversation.head()
            await conversation.connection.reset()
            check.that(
                try await eventually { world.upstream.frames(of: 1).resetCode(of: 1) != nil },
                "the stream was not cancelled")
            check.usual(try await world.exchange(tenant.request()), "the next")
            check.equal(world.upstream.connectionCount, 1, "connections to the upstream")
            check.refusal(try await world.exchange(tenant.request()), 502, "upstream_reset", "under the flood")
            check.usual(try await world.exchange(tenant.request()), "after it")
            check.equal(world.upstream.connectionCount, 2, "connections to the upstream after it")
        },
        HTTPScenario(
            "http2.upstream.late-room-is-let-pass",
            "An upstream that makes room for requests which are answered already does no harm, however many there are.",
            settings: HTTP2Script.settings
        ) { world, check in
            let tenant = try await world.tenant()
            let streams = stride(from: UInt32(1), to: 1200, by: 2)
            let answers = streams.flatMap { stream -> [UpstreamStep] in
                let late = (0..<(stream > 1 ? 12 : 0)).flatMap { _ in HTTP2Script.room(100, on: stream - 2) }
                return [.readFrames(throughEndOf: stream), .send(late + HTTP2Script.usual(stream))]
            }
            world.upstream.script(HTTP2Script.begin() + answers + [.awaitClose])
            var conversation = try await world.talk()
            for stream in streams {
                try await conversation.send(tenant.request())
                let answer = try await conversation.response(to: "POST")
                guard answer.status == 200 else {
                    check.that(false, "request of stream \(stream): \(answer.status) \(answer.text)")
                    break
                }
            }
            check.equal(world.upstream.connectionCount, 1, "connections to the upstream")
            await conversation.connection.close()
        },
        HTTPScenario(
            "http2.upstream.shared-dial-minds-the-limit",
            "Requests that wait together for a connection share it no further than the upstream has said to allow.",
            settings: HTTP2Script.settings(with: ["REQUEST_TIMEOUT": "30s"])
        ) { world, check in
            let tenant = try await world.tenant()
            world.upstream.script(
                HTTP2Script.begin(settings: [(3, 1)]) + [
                    .send(HTTP2Script.goAway(last: 1) + HTTP2Script.usual(1)), .awaitClose,
                ])
            check.usual(try await world.exchange(tenant.request()), "the first")
            for _ in 1...6 {
                world.upstream.script(
                    HTTP2Script.begin(settings: [(3, 1)]) + [.await("go"), .send(HTTP2Script.usual(1)), .awaitClose])
            }
            async let answers = world.exchange(6, of: tenant.request(), releasing: "none", after: 6)
            let haveBegun = try await eventually {
                (2...7).allSatisfy { world.upstream.frames(of: $0).begun == [1] }
            }
            let begun = (2...7).map { world.upstream.frames(of: $0).begun }
            check.that(haveBegun, "\(begun) instead of one stream on each")
            world.upstream.release("go")
            for answer in try await answers { check.usual(answer) }
        },
    ]
}
