import ProxyDomain
import ProxyStorage

extension HTTPScenario {
    /// HTTP/2 towards the upstream: requests, their answers, and how either ends. All other promises are kept over it
    /// too: it is a column of the matrix.
    static let upstreamHTTP2: [HTTPScenario] = [
        HTTPScenario(
            "http2.upstream.is-spoken",
            "Where the upstream agrees on HTTP/2, requests are streams of one connection, which begins as such do.",
            settings: HTTP2Script.settings
        ) { world, check in
            let tenant = try await world.tenant()
            world.upstream.script(HTTP2Script.serving(1, 3, 5))
            for number in 1...3 { check.usual(try await world.exchange(tenant.request()), "answer \(number)") }
            check.equal(world.upstream.connectionCount, 1, "connections to the upstream")
            let frames = world.upstream.frames(of: 1)
            check.equal(frames.begun, [1, 3, 5], "streams")
            check.equal(frames.content(of: 3), HTTPRequest.usualBody, "content of the second")
            check.equal(frames.first?.setting(2), 0, "ENABLE_PUSH")
            check.equal(frames.first?.setting(4), 262_144, "INITIAL_WINDOW_SIZE")
            let isRoomGiven = frames.prefix { !$0.isA(.headers) }.contains { $0.isA(.windowUpdate) && $0.stream == 0 }
            check.that(isRoomGiven, "the connection was given no room before its first request")
        },
        HTTPScenario(
            "http2.upstream.switched-off-is-not-offered",
            "With UPSTREAM_HTTP2 false no upstream is offered HTTP/2.",
            settings: HTTP2Script.settings.merging(["UPSTREAM_HTTP2": "false"]) { $1 }
        ) { world, check in
            let tenant = try await world.tenant()
            check.usual(try await world.exchange(tenant.request()))
            check.equal(world.upstream.received.map(\.method), ["POST"], "requests of HTTP/1.1")
        },
        HTTPScenario(
            "http2.upstream.streams-are-told-apart",
            "Answers that come side by side on one connection reach each its client.", settings: HTTP2Script.settings
        ) { world, check in
            let tenant = try await world.tenant()
            let mixed =
                HTTP2Script.head(5) + HTTP2Script.content(5, "five ") + HTTP2Script.head(3)
                + HTTP2Script.content(3, "three ") + HTTP2Script.content(5, "ends", isLast: true)
                + HTTP2Script.content(3, "goes on", isLast: true)
            world.upstream.script(
                HTTP2Script.begin() + HTTP2Script.answering(1) + [
                    .readFrames(throughEndOf: 3), .readFrames(throughEndOf: 5), .send(mixed), .awaitClose,
                ])
            check.usual(try await world.exchange(tenant.request()), "the first")
            async let second = world.exchange(tenant.request())
            check.that(
                try await eventually { world.upstream.frames(of: 1).begun == [1, 3] }, "the second is not there")
            let third = try await world.exchange(tenant.request())
            check.equal(third.text, "five ends", "the third")
            check.equal(try await second.text, "three goes on", "the second")
            check.equal(world.upstream.connectionCount, 1, "connections to the upstream")
        },
        HTTPScenario(
            "http2.upstream.is-dialled-once",
            "Requests that come together, when there is no connection, wait for one and share it.",
            settings: HTTP2Script.settings
        ) { world, check in
            let tenant = try await world.tenant()
            // From the first one is known what the upstream chooses.
            world.upstream.script(
                HTTP2Script.begin() + [.send(HTTP2Script.goAway(last: 1) + HTTP2Script.usual(1)), .awaitClose])
            check.usual(try await world.exchange(tenant.request()), "the first")
            world.upstream.script(HTTP2Script.serving(1, 3, 5, 7, 9, 11, 13, 15))
            let answers = try await world.exchange(8, of: tenant.request(), releasing: "none", after: 8)
            for answer in answers { check.usual(answer) }
            check.equal(world.upstream.connectionCount, 2, "connections to the upstream")
        },
        HTTPScenario(
            "http2.upstream.streams-no-more-than-said",
            "A connection carries no more requests at once than the upstream allows; another goes on another connection.",
            settings: HTTP2Script.settings
        ) { world, check in
            let tenant = try await world.tenant()
            world.upstream.script(
                HTTP2Script.begin(settings: [(3, 1)]) + HTTP2Script.answering(1) + [
                    .readFrames(throughEndOf: 3), .await("go"), .send(HTTP2Script.usual(3)), .awaitClose,
                ])
            world.upstream.script(HTTP2Script.serving(1))
            check.usual(try await world.exchange(tenant.request()), "the first")
            async let second = world.exchange(tenant.request())
            check.that(
                try await eventually { world.upstream.frames(of: 1).begun == [1, 3] }, "the second is not there")
            check.usual(try await world.exchange(tenant.request()), "the third")
            world.upstream.release("go")
            check.usual(try await second, "the second")
            check.equal(world.upstream.frames(of: 1).begun, [1, 3], "streams of the first connection")
            check.equal(world.upstream.frames(of: 2).begun, [1], "streams of the other")
        },
        HTTPScenario(
            inside: "http2.upstream.refused-is-sent-again",
            "A request that the upstream refused to look at is sent again on another connection, and counts once.",
            settings: HTTP2Script.settings
        ) { world, check in
            let tenant = try await world.tenant()
            world.upstream.script(HTTP2Script.begin() + [.send(HTTP2Script.reset(1, code: 7)), .awaitClose])
            world.upstream.script(HTTP2Script.serving(1))
            check.usual(try await world.exchange(tenant.request()))
            check.equal(world.upstream.frames(of: 2).content(of: 1), HTTPRequest.usualBody, "what was sent again")
            check.equal(world.upstream.connectionCount, 2, "connections to the upstream")
            check.equal(try await world.settledTally(tenant, rows: 1), Tally(1), "tally")
        },
        HTTPScenario(
            "http2.upstream.refused-is-not-sent-for-ever",
            "When it is refused again the client is told.", settings: HTTP2Script.settings
        ) { world, check in
            let tenant = try await world.tenant()
            for _ in 1...3 {
                world.upstream.script(HTTP2Script.begin() + [.send(HTTP2Script.reset(1, code: 7)), .awaitClose])
            }
            check.refusal(try await world.exchange(tenant.request()), 502, "upstream_reset")
            check.equal(world.upstream.connectionCount, 2, "tries")
        },
        HTTPScenario(
            "http2.upstream.goaway-sends-again",
            "A request that an upstream which stops has not looked at is sent again on another connection, where the next go too.",
            settings: HTTP2Script.settings
        ) { world, check in
            let tenant = try await world.tenant()
            world.upstream.script(HTTP2Script.begin() + [.send(HTTP2Script.goAway(last: 0)), .awaitClose])
            world.upstream.script(HTTP2Script.serving(1, 3))
            for number in 1...2 { check.usual(try await world.exchange(tenant.request()), "answer \(number)") }
            check.equal(world.upstream.frames(of: 1).begun, [1], "streams of the first connection")
            check.equal(world.upstream.frames(of: 2).begun, [1, 3], "streams of the other")
        },
        HTTPScenario(
            "http2.upstream.goaway-lets-finish",
            "What an upstream that stops has begun on is answered; new requests use another connection, and the old one is let go.",
            settings: HTTP2Script.settings
        ) { world, check in
            let tenant = try await world.tenant()
            world.upstream.script(
                HTTP2Script.begin() + [.send(HTTP2Script.goAway(last: 1))] + HTTP2Script.ping(1) + [
                    .await("go"), .send(HTTP2Script.usual(1)), .awaitClose,
                ])
            world.upstream.script(HTTP2Script.serving(1))
            async let first = world.exchange(tenant.request())
            let isHeard = try await eventually { world.upstream.frames(of: 1).contains { $0.isA(.ping) } }
            check.that(isHeard, "a ping after it was not answered")
            check.usual(try await world.exchange(tenant.request()), "a new request")
            world.upstream.release("go")
            check.usual(try await first, "the one under way")
            check.equal(world.upstream.frames(of: 2).begun, [1], "streams of the other connection")
            check.that(try await eventually { world.upstream.closedByProxy == 1 }, "the first was not let go")
        },
        HTTPScenario(
            inside: "http2.upstream.reset-is-no-clean-end",
            "A stream that is reset within its answer breaks the answer off, and no other of its connection.",
            settings: HTTP2Script.settings
        ) { world, check in
            let tenant = try await world.tenant()
            world.upstream.script(
                HTTP2Script.begin() + [
                    .send(HTTP2Script.head(1) + HTTP2Script.content(1, "half")), .await("go"),
                    .send(HTTP2Script.reset(1, code: 2)),
                ] + HTTP2Script.answering(3) + [.awaitClose])
            var conversation = try await world.talk()
            try await conversation.send(tenant.request())
            let head = try await conversation.head()
            check.equal(head.status, 200, "status")
            world.upstream.release("go")
            let broken = try await conversation.body(of: head)
            check.that(broken.end != .complete, "the answer ended as if it were whole")
            check.equal(try await world.settlement(of: tenant)?.outcome, .upstreamReset, "outcome")
            check.usual(try await world.exchange(tenant.request()), "the next")
            check.equal(world.upstream.connectionCount, 1, "connections to the upstream")
        },
        HTTPScenario(
            "http2.upstream.reset-is-502",
            "A stream that is reset before its answer is no reason to send the request again: 502.",
            settings: HTTP2Script.settings
        ) { world, check in
            let tenant = try await world.tenant()
            world.upstream.script(
                HTTP2Script.begin() + [.send(HTTP2Script.reset(1, code: 2))] + HTTP2Script.answering(3) + [.awaitClose])
            check.refusal(try await world.exchange(tenant.request()), 502, "upstream_reset")
            check.usual(try await world.exchange(tenant.request()), "the next")
            check.equal(world.upstream.frames(of: 1).begun, [1, 3], "streams")
        },
        HTTPScenario(
            inside: "http2.upstream.closed-is-no-clean-end",
            "An answer whose connection closes within it breaks off; the next request makes another connection.",
            settings: HTTP2Script.settings
        ) { world, check in
            let tenant = try await world.tenant()
            world.upstream.script(
                HTTP2Script.begin() + [
                    .send(HTTP2Script.head(1) + HTTP2Script.content(1, "half")), .await("go"), .close,
                ])
            world.upstream.script(HTTP2Script.serving(1))
            var conversation = try await world.talk()
            try await conversation.send(tenant.request())
            let head = try await conversation.head()
            world.upstream.release("go")
            let broken = try await conversation.body(of: head)
            check.that(broken.end != .complete, "the answer ended as if it were whole")
            check.equal(try await world.settlement(of: tenant)?.outcome, .upstreamReset, "outcome")
            check.usual(try await world.exchange(tenant.request()), "the next")
        },
        HTTPScenario(
            inside: "http2.upstream.client-gone-cancels",
            "When a client leaves within an answer, its stream is cancelled, and the connection goes on.",
            settings: HTTP2Script.settings
        ) { world, check in
            let tenant = try await world.tenant()
            world.upstream.script(
                HTTP2Script.begin() + [
                    .send(HTTP2Script.head(1) + HTTP2Script.content(1, "data: 1\n\n")),
                    .readFrames { $0.resetCode(of: 1) != nil },
                ] + HTTP2Script.answering(3) + [.awaitClose])
            var conversation = try await world.talk()
            try await conversation.send(tenant.request())
            _ = try await conversation.head()
            await conversation.connection.reset()
            check.that(
                try await eventually { world.upstream.frames(of: 1).resetCode(of: 1) == 8 },
                "code of the reset: \(world.upstream.frames(of: 1).resetCode(of: 1) ?? -1)")
            check.equal(try await world.settlement(of: tenant)?.outcome, .clientLeft, "outcome")
            check.usual(try await world.exchange(tenant.request()), "the next")
            check.equal(world.upstream.connectionCount, 1, "connections to the upstream")
        },
        HTTPScenario(
            "http2.upstream.interim-answers-pass", "Interim answers pass, each with its fields, before the final one.",
            settings: HTTP2Script.settings
        ) { world, check in
            let tenant = try await world.tenant()
            let hints = [(":status", "103"), ("link", "</a>; rel=preload")]
            let interim = HTTP2Script.fieldSection(1, hints) + HTTP2Script.fieldSection(1, [(":status", "102")])
            world.upstream.script(
                HTTP2Script.begin() + [.send(interim)] + HTTP2Script.answering(1) + [.awaitClose])
            let response = try await world.exchange(tenant.request())
            check.equal(response.interim.map(\.status), [103, 102], "interim answers")
            check.equal(response.interim.first?.fields.all("link"), ["</a>; rel=preload"], "Link")
            check.usual(response)
        },
        HTTPScenario(
            "http2.upstream.trailers-pass", "An answer's trailers arrive after its body.",
            settings: HTTP2Script.settings
        ) { world, check in
            let tenant = try await world.tenant()
            let trailers = HTTP2Script.fieldSection(1, [("x-sum", "7"), ("x-time", "1ms")], isLast: true)
            world.upstream.script(
                HTTP2Script.begin() + [
                    .send(HTTP2Script.head(1) + HTTP2Script.content(1, "abc") + trailers), .awaitClose,
                ])
            let response = try await world.exchange(tenant.request())
            check.equal(response.text, "abc", "body")
            check.equal(response.trailers, [HTTPField("x-sum", "7"), HTTPField("x-time", "1ms")], "trailers")
            check.equal(response.end, .complete, "end")
        },
    ]
}
