import ProxyDomain

extension HTTPScenario {
    /// How HTTP/2 connections to upstreams come about and end: through a proxy on the way out, unused, and when a server stops.
    static let upstreamHTTP2Ways: [HTTPScenario] = [
        HTTPScenario(
            "http2.outbound-proxy.leads-to-it",
            "Through HTTPS_PROXY an upstream agrees on HTTP/2 too: one tunnel carries all requests.",
            settings: HTTP2Script.settings(with: behindProxy("{connect-http2}"))
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
            settings: HTTP2Script.settings(with: behindProxy("{connect-http2}"))
        ) { world, check in
            let tenant = try await world.tenant()
            world.upstream.script(HTTP2Script.begin() + HTTP2Script.answering(1) + [.reset])
            world.upstream.script(HTTP2Script.serving(1))
            check.usual(try await world.exchange(tenant.request()), "the first")
            check.usual(try await world.exchange(tenant.request()), "the second")
            check.equal(world.upstream.connectionCount, 2, "connections to the upstream")
        },
        HTTPScenario(
            "http2.upstream.unused-ones-are-bounded",
            "No more HTTP/2 connections lie unused than a provider's max_idle_conns; one that is in use is none of them.",
            settings: HTTP2Script.settings(with: [
                "API_CONFIG_PATH":
                    "{file}apis:\n  openai:\n    base_url: {tls-http2}\n    connection: {max_idle_conns: 1}\n"
            ])
        ) { world, check in
            let tenant = try await world.tenant()
            world.upstream.script(
                HTTP2Script.begin(settings: [(3, 1)]) + [
                    .send(HTTP2Script.usual(1)), .readFrames(throughEndOf: 3), .await("go"),
                    .send(HTTP2Script.usual(3)), .readFrames(throughEndOf: 5), .send(HTTP2Script.usual(5)),
                    .awaitClose,
                ])
            for _ in 2...3 {
                world.upstream.script(
                    HTTP2Script.begin(settings: [(3, 1)]) + [
                        .await("go"), .send(HTTP2Script.usual(1)), .readFrames(throughEndOf: 3),
                        .send(HTTP2Script.usual(3)), .awaitClose,
                    ])
            }
            // Tells how many streams a connection may have, before any that follow could be begun on one.
            check.usual(try await world.exchange(tenant.request()), "the first")
            async let answers = world.exchange(3, of: tenant.request(), releasing: "none", after: 3)
            let haveBegun = try await eventually {
                (1...3).map { world.upstream.frames(of: $0).begun } == [[1, 3], [1], [1]]
            }
            check.that(haveBegun, "they do not have a connection each")
            world.upstream.release("go")
            for answer in try await answers { check.usual(answer) }
            let haveLeft = try await eventually {
                (1...3).count { world.upstream.frames(of: $0).goAwayCode == 0 } == 2
            }
            check.that(haveLeft, "not two have ended")
            check.usual(try await world.exchange(tenant.request()), "the next")
            check.equal(world.upstream.connectionCount, 3, "connections to the upstream")
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
            try await stopAmid(tenant, text: "data: 1\n\ndata: 2\n\n", world, check)
            check.that(try await eventually { world.upstream.closedByProxy == 1 }, "the connection was kept")
            let frames = world.upstream.frames(of: 1)
            check.equal(frames.resetCode(of: 1), nil, "code of a reset")
            check.equal(frames.goAwayCode, 0, "code of GOAWAY")
        },
    ]
}
