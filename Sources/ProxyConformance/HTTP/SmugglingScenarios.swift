extension HTTPScenario {
    /// Requests whose end could be read in two ways, or that break the grammar.
    static let smuggling: [HTTPScenario] = [
        HTTPScenario(
            "smuggling.lengths.are-refused", "A length that could be read in two ways is refused.", needs: .rawBytes,
            tags: .hostile
        ) { world, check in
            try await refusesAll(
                world, check,
                heads: [
                    "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
                    "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
                    "Content-Length: 4\r\nContent-Length: 5\r\n", "Content-Length: 4\r\nContent-Length: 4\r\n",
                    "Content-Length: 4, 4\r\n",
                    "Content-Length: 4, 5\r\n", "Content-Length: +4\r\n", "Content-Length: -4\r\n",
                    "Content-Length: 0x4\r\n",
                    "Content-Length: 4 4\r\n", "Content-Length: 4.0\r\n", "Content-Length:\r\n",
                    "Content-Length: four\r\n",
                    "Content-Length: 99999999999999999999999\r\n", "Content-Length: 18446744073709551620\r\n",
                    "Content-Length: \u{664}\r\n", "Content-Length: 4;\r\n", "Content-Length: \"4\"\r\n",
                ])
        },
        HTTPScenario(
            "smuggling.codings.are-refused", "A transfer coding other than one chunked is refused.", needs: .rawBytes,
            tags: .hostile
        ) { world, check in
            try await refusesAll(
                world, check,
                heads: [
                    "Transfer-Encoding: identity\r\n", "Transfer-Encoding: gzip, chunked\r\n",
                    "Transfer-Encoding: chunked, chunked\r\n",
                    "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding: xchunked\r\n",
                    "Transfer-Encoding: chunked;q=1\r\n",
                    "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
                    "Transfer-Encoding:\r\n", "Transfer-Encoding: \u{b}chunked\r\n",
                    "Transfer-Encoding: \"chunked\"\r\n",
                    "Transfer-Encoding: chunked, identity\r\n", "Transfer-Encoding: , chunked,\r\n",
                ])
        },
        HTTPScenario(
            "smuggling.lines.are-refused", "Fields that break the grammar of lines are refused.", needs: .rawBytes,
            tags: .hostile
        ) { world, check in
            try await refusesAll(
                world, check,
                heads: [
                    "Content-Length : 4\r\n", "Content-Length\t: 4\r\n", "X-A: 1\r\n Content-Length: 4\r\n",
                    "X-A: 1\r\n\tfolded\r\n",
                    "X-A: 1\nContent-Length: 4\r\n", "X-A: 1\rContent-Length: 4\r\n", "X-A: a\u{0}b\r\n", ": empty\r\n",
                    "No colon\r\n",
                    "X A: 1\r\n", "X-A\u{0}: 1\r\n", "X(A): 1\r\n", "X-A: a\u{1}b\r\n", "X-A: a\u{7f}b\r\n",
                    "\u{e9}: 1\r\n", "X-A: 1\r\r\n",
                    " X-First: 1\r\n",
                ])
        },
        HTTPScenario(
            "smuggling.hosts.are-refused", "A request that names no host, two hosts or half a host is refused.",
            needs: .rawBytes,
            tags: .hostile
        ) { world, check in
            let tenant = try await world.tenant()
            let credential = "Authorization: Bearer \(tenant.secret)\r\n\r\n"
            let bad = [
                "GET /v1/models HTTP/1.1\r\n", "GET /v1/models HTTP/1.1\r\nHost: a\r\nHost: b\r\n",
                "GET /v1/models HTTP/1.1\r\nHost: a\r\nHost: a\r\n",
                "GET /v1/models HTTP/1.1\r\nHost: a b\r\n", "GET /v1/models HTTP/1.1\r\nHost: a/b\r\n",
                "GET /v1/models HTTP/1.1\r\nHost: a@b\r\n",
                "GET /v1/models HTTP/1.1\r\nHost: a:99999\r\n", "GET http://b/v1/models HTTP/1.1\r\nHost: a\r\n",
                "GET http://a:81/v1/models HTTP/1.1\r\nHost: a:80\r\n",
                "GET http://u@a/v1/models HTTP/1.1\r\nHost: a\r\n",
            ]
            for head in bad { try await isRefused(world, check, head + credential, head) }
            check.equal(world.upstream.received.count, 0, "requests at the upstream")
        },
        HTTPScenario(
            "smuggling.request-lines.are-refused", "A request line that breaks the grammar is refused.",
            needs: .rawBytes, tags: .hostile
        ) { world, check in
            let tenant = try await world.tenant()
            let rest = "\r\nHost: a\r\nAuthorization: Bearer \(tenant.secret)\r\n\r\n"
            let bad = [
                "GET  /v1/models HTTP/1.1", "GET /v1/models  HTTP/1.1", "GET\t/v1/models HTTP/1.1", "GET /v1/models",
                "GET /v1/models HTTP/1.1 ",
                "GET /v1/models http/1.1", "GET /v1/models HTTP/1.1x", " GET /v1/models HTTP/1.1",
                "GET v1/models HTTP/1.1", "GET * HTTP/1.1",
                "GET /v1/mod els HTTP/1.1", "G(T /v1/models HTTP/1.1", "GET /v1/\u{0} HTTP/1.1",
                "GET /v1/\u{7f} HTTP/1.1", "GET /v1/caf\u{e9} HTTP/1.1",
                "GET /v1/models#part HTTP/1.1", "/v1/models HTTP/1.1", "GET",
            ]
            for line in bad { try await isRefused(world, check, line + rest, line) }
            check.equal(world.upstream.received.count, 0, "requests at the upstream")
        },
        HTTPScenario(
            "smuggling.versions.are-refused", "A version that is not HTTP/1.0 or 1.1 is refused by name.",
            needs: .rawBytes,
            tags: .hostile
        ) { world, check in
            let tenant = try await world.tenant()
            for version in ["HTTP/2.0", "HTTP/1.2", "HTTP/0.9", "HTTP/3.0"] {
                let response = try await world.exchange(
                    raw: "GET /v1/models \(version)\r\nHost: a\r\nAuthorization: Bearer \(tenant.secret)\r\n\r\n")
                check.that([400, 505].contains(response.status), "\(version) got \(response.status)")
            }
            check.equal(world.upstream.received.count, 0, "requests at the upstream")
        },
        HTTPScenario(
            "smuggling.chunks.are-refused", "Chunks that break the grammar never make a whole request.",
            needs: .rawBytes, tags: .hostile
        ) { world, check in
            let tenant = try await world.tenant()
            let bad = [
                "g\r\nabc\r\n0\r\n\r\n", "-3\r\nabc\r\n0\r\n\r\n", "+3\r\nabc\r\n0\r\n\r\n", "0x3\r\nabc\r\n0\r\n\r\n",
                " 3\r\nabc\r\n0\r\n\r\n",
                "3 \r\nabc\r\n0\r\n\r\n", "3\nabc\r\n0\r\n\r\n", "3\r\nabcd\r\n0\r\n\r\n", "3\r\nabc0\r\n\r\n",
                "3\r\nabc\n0\r\n\r\n",
                "\r\n3\r\nabc\r\n0\r\n\r\n", "ffffffffffffffff1\r\nabc",
                "3;\(String(repeating: "x", count: 5000))\r\nabc\r\n0\r\n\r\n",
                "3;a\u{0}b\r\nabc\r\n0\r\n\r\n", "3\r\nabc\r\n0\r\nContent-Length: 5\r\n\r\n",
                "3\r\nabc\r\n0\r\nHost: b\r\n\r\n", "3\r\nabc\r\n0\r\n bad: 1\r\n\r\n",
                "3\r\nabc\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n", "3\rabc\r\n0\r\n\r\n",
                "0\r\nX: \(String(repeating: "x", count: 20_000))\r\n\r\n",
            ]
            for chunks in bad {
                var conversation = try await world.talk()
                var request = tenant.request(fields: [HTTPField("Transfer-Encoding", "chunked")])
                request.framesItself = true
                request.body = Array(chunks.utf8)
                try await conversation.send(request)
                check.equal(try await conversation.response().status, 400, chunks)
                check.that(await conversation.ending() != nil, "the connection stayed open after \(chunks)")
            }
            check.equal(world.upstream.received.filter(\.isComplete).count, 0, "whole requests at the upstream")
        },
        HTTPScenario(
            "smuggling.second-request.is-not-served",
            "What follows a bad request on its connection is not taken for a request.", needs: .rawBytes, tags: .hostile
        ) { world, check in
            let tenant = try await world.tenant()
            var conversation = try await world.talk()
            let hidden = tenant.request("/v1/hidden", method: "GET", body: nil).bytes
            var request = tenant.request(fields: [
                HTTPField("Content-Length", "4"), HTTPField("Transfer-Encoding", "chunked"),
            ])
            request.framesItself = true
            request.body = Array("0\r\n\r\n".utf8) + hidden
            try await conversation.send(request)
            check.equal(try await conversation.response().status, 400, "status")
            let ending = await conversation.ending()
            check.that(ending == .complete || ending == .reset, "the connection stayed open")
            check.equal(conversation.buffer, [], "a second answer")
            check.equal(world.upstream.received.count, 0, "requests at the upstream")
        },
        HTTPScenario("smuggling.hidden-in-body.is-body", "A request written inside a body is body.", tags: .hostile) {
            world, check in
            let tenant = try await world.tenant()
            let hidden = tenant.request("/v1/hidden").bytes
            var conversation = try await world.talk()
            try await conversation.send(tenant.request(body: hidden))
            check.usual(try await conversation.response())
            try await conversation.send(tenant.request("/v1/second"))
            check.usual(try await conversation.response())
            check.equal(world.upstream.received.map(\.target), ["/v1/chat/completions", "/v1/second"], "targets")
            check.that(world.upstream.received.first?.body == hidden, "another body")
        },
        HTTPScenario(
            "smuggling.absolute-form.is-understood",
            "A target that names the host itself is the same request (RFC 9112 section 3.2.2).", needs: .rawBytes
        ) { world, check in
            let tenant = try await world.tenant()
            let text =
                "GET http://proxy.test/v1/models?x=1 HTTP/1.1\r\nHost: proxy.test\r\nAuthorization: Bearer \(tenant.secret)\r\n\r\n"
            check.usual(try await world.exchange(raw: text, method: "GET"))
            check.equal(world.upstream.received.first?.target, "/v1/models?x=1", "target")
        },
    ]

    /// Sends a request with each of `heads` among its fields and expects each to be refused.
    private static func refusesAll(_ world: any ProxyAccess, _ check: Check, heads: [String]) async throws {
        let tenant = try await world.tenant()
        for head in heads {
            let start = "POST /v1/chat/completions HTTP/1.1\r\n"
            let usual = "Host: a\r\nAuthorization: Bearer \(tenant.secret)\r\n"
            // What begins with a blank is a fold of the line before, or comes first of all.
            let text = head.hasPrefix(" ") ? start + head + usual : start + usual + head
            try await isRefused(world, check, text + "\r\nbody", head)
        }
        check.equal(world.upstream.received.count, 0, "requests at the upstream")
    }

    /// Expects 400 and the end of the connection.
    private static func isRefused(_ world: any ProxyAccess, _ check: Check, _ text: String, _ what: String) async throws
    {
        var conversation = try await world.talk()
        try await conversation.send(text)
        let status: Int
        do { status = try await conversation.response().status } catch {
            return check.that(false, "\(String(reflecting: what)): no answer, \(error)")
        }
        check.equal(status, 400, String(reflecting: what))
        check.that(await conversation.ending() != nil, "the connection stayed open after \(String(reflecting: what))")
        await conversation.connection.close()
    }

    /// Upstreams that answer with what is not HTTP, or could be read in two ways.
    static let hostileUpstreams: [HTTPScenario] = [
        HTTPScenario(
            "hostile-upstream.framing.is-refused",
            "An answer whose end could be read in two ways is not passed on: 502.", needs: .rawUpstream, tags: .hostile
        ) { world, check in
            try await dropsAll(
                world, check,
                answers: [
                    "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                    "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nbodyx",
                    "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
                    "HTTP/1.1 200 OK\r\nContent-Length: 4, 5\r\n\r\nbody",
                    "HTTP/1.1 200 OK\r\nContent-Length: 0x4\r\n\r\nbody",
                    "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
                    "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\nbody",
                ])
        },
        HTTPScenario(
            "hostile-upstream.grammar.is-refused", "An answer that breaks the grammar is not passed on: 502.",
            needs: .rawUpstream,
            tags: .hostile
        ) { world, check in
            try await dropsAll(
                world, check,
                answers: [
                    "garbage\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 999 No\r\n\r\n", "HTTP/2.0 200 OK\r\n\r\n",
                    "HTTP/1.1  200 OK\r\n\r\n",
                    "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
                    "HTTP/1.1 200 OK\r\nX: a\r\n folded\r\nContent-Length: 0\r\n\r\n",
                    "HTTP/1.1 200 OK\r\nX : a\r\nContent-Length: 0\r\n\r\n",
                    "HTTP/1.1 200 OK\r\nX: a\u{0}b\r\nContent-Length: 0\r\n\r\n",
                    "HTTP/1.1 200 OK\r\nno colon\r\nContent-Length: 0\r\n\r\n",
                    "HTTP/1.1 200 OK\r\nX: a\rb\r\nContent-Length: 0\r\n\r\n",
                    "\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
                ])
        },
        HTTPScenario(
            "hostile-upstream.head.is-bounded", "An answer's head without end is not collected without end: 502.",
            needs: .rawUpstream,
            tags: .hostile
        ) { world, check in
            let tenant = try await world.tenant()
            let field = Array("X-Field: \(String(repeating: "x", count: 1000))\r\n".utf8)
            world.upstream.script(
                UpstreamStep.readRequest + [.send(text: "HTTP/1.1 200 OK\r\n"), .sendTimes(field, 2000), .awaitClose])
            check.refusal(try await world.exchange(tenant.request()), 502, "upstream_invalid_response")
        },
        HTTPScenario(
            "hostile-upstream.interim-answers.are-bounded",
            "Interim answers pass, but not without end: an answer that has nothing else is refused: 502.",
            needs: .rawUpstream, tags: .hostile
        ) { world, check in
            let tenant = try await world.tenant()
            func interims(_ count: Int) -> [UInt8] {
                Array(String(repeating: "HTTP/1.1 103 Early Hints\r\n\r\n", count: count).utf8)
            }
            world.upstream.script(UpstreamStep.readRequest + [.send(interims(16) + HTTPAnswer.usual)])
            let allowed = try await world.exchange(tenant.request())
            check.equal(allowed.interim.count, 16, "interim answers")
            check.usual(allowed, "after them")
            world.upstream.script(UpstreamStep.readRequest + [.sendTimes(interims(100), 1000), .awaitClose])
            let endless = try await world.exchange(tenant.request())
            check.refusal(endless, 502, "upstream_invalid_response")
            check.that(endless.interim.count <= 16, "\(endless.interim.count) interim answers have passed")
            check.usual(try await world.exchange(tenant.request()), "the next")
        },
        HTTPScenario(
            "hostile-upstream.chunks.cut-the-answer",
            "Chunks that break the grammar cut the answer; it can't be taken for whole.",
            needs: .rawUpstream, tags: .hostile
        ) { world, check in
            let tenant = try await world.tenant()
            for bad in ["zz\r\n", "5\r\nhelloworld\r\n", "-1\r\n", "ffffffffffffffffff\r\n", "5\nhello\r\n"] {
                world.upstream.script(
                    UpstreamStep.readRequest + [
                        .send(HTTPAnswer.chunkedHead() + HTTPAnswer.chunk("good")), .await(bad),
                        .send(text: bad + "0\r\n\r\n"),
                    ])
                var conversation = try await world.talk()
                try await conversation.send(tenant.request())
                let head = try await conversation.head()
                check.equal(try await conversation.chunk(), Array("good".utf8), "what came before \(bad)")
                world.upstream.release(bad)
                let rest: HTTPEnd
                do { rest = try await conversation.body(of: head).end } catch { rest = .cutShort }
                check.that(rest != .complete, "the answer ended as if it were whole after \(bad)")
            }
            check.usual(try await world.exchange(tenant.request()), "the next")
        },
        HTTPScenario(
            "hostile-upstream.extra-bytes.reach-nobody",
            "What an upstream sends beyond its answer reaches no other client.", tags: .hostile
        ) { world, check in
            let tenant = try await world.tenant()
            world.upstream.script(
                UpstreamStep.readRequest + [.send(HTTPAnswer.json("1") + HTTPAnswer.json(#"{"poison":1}"#))])
            check.equal(try await world.exchange(tenant.request()).text, "1", "first")
            for _ in 1...3 { check.usual(try await world.exchange(tenant.request()), "after it") }
        },
        HTTPScenario(
            "hostile-upstream.unasked-answer.reaches-nobody",
            "An answer that comes before any request reaches no client.", tags: .hostile
        ) { world, check in
            let tenant = try await world.tenant()
            world.upstream.script(
                UpstreamStep.readRequest + [
                    .send(HTTPAnswer.usual), .await("poison"), .send(HTTPAnswer.json(#"{"poison":1}"#)),
                    .awaitClose,
                ])
            check.usual(try await world.exchange(tenant.request()), "first")
            world.upstream.release("poison")
            // Whoever looks at what comes closes the connection; before it came nothing could be unasked.
            _ = try await eventually(within: .seconds(3)) { world.upstream.closedByProxy == 1 }
            for _ in 1...5 { check.usual(try await world.exchange(tenant.request()), "after it") }
        },
        HTTPScenario(
            "hostile-upstream.unasked-upgrade.is-refused",
            "A switch of protocols that nobody asked for is not passed on.", tags: .hostile
        ) { world, check in
            let tenant = try await world.tenant()
            world.upstream.script(
                UpstreamStep.readRequest + [
                    .send(text: "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"),
                    .awaitClose,
                ])
            let response = try await world.exchange(tenant.request())
            check.equal(response.status, 502, "status")
            check.usual(try await world.exchange(tenant.request()), "the next")
        },
    ]

    /// Has the upstream give each of `answers` and expects a 502 that holds none of it.
    private static func dropsAll(_ world: any ProxyAccess, _ check: Check, answers: [String]) async throws {
        let tenant = try await world.tenant()
        for answer in answers {
            world.upstream.script(UpstreamStep.readRequest + [.send(text: answer), .awaitClose])
            let response = try await world.exchange(tenant.request())
            check.refusal(response, 502, "upstream_invalid_response", String(reflecting: answer))
        }
        check.usual(try await world.exchange(tenant.request()), "a good one after them")
    }
}
