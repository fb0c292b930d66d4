import ProxyDomain

extension HTTPScenario {
    /// HTTP/2 towards an upstream that is not reached straight away, and from a server that is about to leave.
    static let upstreamHTTP2Ways: [HTTPScenario] = [
        HTTPScenario(
            "http2.outbound-proxy.leads-to-it",
            "Through HTTPS_PROXY an upstream agrees on HTTP/2 too: one tunnel carries all requests.",
            settings: HTTP2Script.settings(with: [
                "OPENAI_API_URL": "https://localhost:1", "HTTPS_PROXY": "{connect-http2}",
            ])
        ) { world, check in
            let tenant = try await world.tenant()
            world.upstream.script(HTTP2Script.serving(1, 3))
            for number in 1...2 { check.usual(try await world.exchange(tenant.request()), "answer \(number)") }
            check.equal(world.upstream.frames(of: 1).begun, [1, 3], "streams")
            check.equal(world.upstream.connectionCount, 1, "connections to the upstream")
        },
        HTTPScenario(
            "http2.outbound-proxy.tunnels-anew",
            "When the tunnel breaks, the next request opens another, over which HTTP/2 is spoken again.",
            settings: HTTP2Script.settings(with: [
                "OPENAI_API_URL": "https://localhost:1", "HTTPS_PROXY": "{connect-http2}",
            ])
        ) { world, check in
            let tenant = try await world.tenant()
            world.upstream.script(HTTP2Script.begin() + HTTP2Script.answering(1) + [.reset])
            world.upstream.script(HTTP2Script.serving(1))
            check.usual(try await world.exchange(tenant.request()), "the first")
            check.usual(try await world.exchange(tenant.request()), "the second")
            check.equal(world.upstream.connectionCount, 2, "connections to the upstream")
        },
        HTTPScenario(
            inside: "http2.upstream.stop-finishes-what-is-open",
            "A server that stops lets requests on an HTTP/2 connection finish, writes them down, and then takes its leave of the upstream.",
            needs: .durable, settings: HTTP2Script.settings(with: ["SHUTDOWN_GRACE": "10s"])
        ) { world, check in
            let tenant = try await world.tenant()
            world.upstream.script(
                HTTP2Script.begin() + [
                    .send(HTTP2Script.head(1) + HTTP2Script.content(1, "data: 1\n\n")), .await("go"),
                    .send(HTTP2Script.content(1, "data: 2\n\n", isLast: true)), .readFrames { $0.goAwayCode != nil },
                    .awaitClose,
                ])
            var conversation = try await world.talk()
            try await conversation.send(tenant.request())
            let head = try await conversation.head()
            async let restarted: Void = world.restart()
            world.upstream.release("go")
            let rest = try await conversation.body(of: head)
            check.equal(rest.text, "data: 1\n\ndata: 2\n\n", "body")
            check.equal(rest.end, .complete, "end")
            try await restarted
            check.equal(try await world.settlement(of: tenant)?.outcome, .completed, "outcome")
            check.that(try await eventually { world.upstream.closedByProxy == 1 }, "the connection was kept")
            let frames = world.upstream.frames(of: 1)
            check.equal(frames.resetCode(of: 1), nil, "code of a reset")
            check.equal(frames.goAwayCode, 0, "code of GOAWAY")
        },
    ]
}
