import ProxyDomain
import ProxyStorage

/// Connections to the upstream are shared within an event loop: with one loop, by all clients.
private let oneLoop = ["EVENT_LOOPS": "1"]

extension HTTPScenario {
    /// Connections, and how they are used again.
    static let connections: [HTTPScenario] = [
        HTTPScenario(
            inside: "connection.balancer.tells-the-client",
            "With PROXY_PROTOCOL a client is where its load balancer says; a connection without that is closed.",
            needs: .rawBytes, settings: ["PROXY_PROTOCOL": "true", "LOG_LEVEL": "info"]
        ) { world, check in
            let request = Array("GET /manage/projects HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer wrong\r\n\r\n".utf8)
            let signature: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A]
            let six: [UInt8] = [0x20, 0x01, 0x0D, 0xB8] + Array(repeating: 0, count: 11) + [7]
            let headers: [([UInt8], String)] = [
                (Array("PROXY TCP4 203.0.113.7 198.51.100.1 51000 443\r\n".utf8), "203.0.113.7"),
                (Array("PROXY TCP6 2001:db8::9 2001:db8::1 51000 443\r\n".utf8), "2001:db8::9"),
                (Array("PROXY UNKNOWN\r\n".utf8), "127.0.0.1"),
                (signature + [0x21, 0x11, 0, 12, 203, 0, 113, 8, 198, 51, 100, 1, 0, 80, 1, 187], "203.0.113.8"),
                (signature + [0x21, 0x21, 0, 36] + six + six + [0, 80, 1, 187], "2001:db8:0:0:0:0:0:7"),
                (signature + [0x20, 0x00, 0, 0], "127.0.0.1"),
            ]
            for (header, address) in headers {
                for isSplit in [false, true] {
                    let connection = try await world.connect()
                    if isSplit {
                        try await connection.send(Array(header.prefix(9)))
                        try await ContinuousClock().sleep(for: .milliseconds(20))
                    }
                    try await connection.send((isSplit ? Array(header.dropFirst(9)) : header) + request)
                    let answer = String(decoding: try await connection.receive(past: "\r\n\r\n"), as: UTF8.self)
                    check.that(
                        answer.hasPrefix("HTTP/1.1 401 ") || answer.hasPrefix("HTTP/1.1 429 "), "found \(answer)")
                    await connection.close()
                }
                let isTold = try await eventually { world.log.contains(#""peer_address":"\#(address)""#) }
                check.that(isTold, "\(address) is not in the log")
            }
            for bytes in [
                request, Array("PROXY TCP4 203.0.113.7\r\n".utf8) + request,
                Array("PROXY TCP4 a b 1 2\r\n".utf8) + request,
                Array("PROXY ".utf8) + Array(repeating: UInt8(ascii: "x"), count: 200),
                signature + [0x31, 0x11, 0, 0] + request,
                signature + [0x21, 0x11, 0, 4, 1, 2, 3, 4] + request,
            ] {
                let connection = try await world.connect()
                try await connection.send(bytes)
                let received = try? await connection.receive(atMost: 100, within: .seconds(10))
                check.equal(received ?? [], [], "answer to \(String(decoding: bytes.prefix(30), as: UTF8.self))")
                await connection.close()
            }
        },
        HTTPScenario(
            "connection.client.is-reused", "Requests one after another share a client's connection and the upstream's.",
            needs: .rawUpstream
        ) { world, check in
            let tenant = try await world.tenant()
            var conversation = try await world.talk()
            for number in 1...5 {
                try await conversation.send(tenant.request())
                check.usual(try await conversation.response(), "answer \(number)")
            }
            check.equal(world.upstream.received.map(\.connection), [1, 1, 1, 1, 1], "connections to the upstream")
        },
        HTTPScenario(
            "connection.upstream.is-shared", "Clients one after another share the upstream's connection.",
            needs: .rawUpstream,
            settings: oneLoop
        ) { world, check in
            let tenant = try await world.tenant()
            for _ in 1...4 { check.usual(try await world.exchange(tenant.request())) }
            check.equal(world.upstream.connectionCount, 1, "connections to the upstream")
        },
        HTTPScenario("connection.pipelining.keeps-order", "Requests sent at once are answered in their order.") {
            world, check in
            let tenant = try await world.tenant()
            for number in 1...6 {
                world.upstream.script(UpstreamStep.readRequest + [.send(HTTPAnswer.json("\(number)"))])
            }
            var conversation = try await world.talk()
            let requests = (1...6).flatMap { tenant.request("/v1/models?n=\($0)", method: "GET", body: nil).bytes }
            try await conversation.send(requests)
            var answers: [String] = []
            for _ in 1...6 { answers.append(try await conversation.response(to: "GET").text) }
            check.equal(answers, ["1", "2", "3", "4", "5", "6"], "answers")
            check.equal(world.upstream.received.map(\.target), (1...6).map { "/v1/models?n=\($0)" }, "targets")
        },
        HTTPScenario("connection.pipelining.with-bodies", "Requests with bodies, sent at once, are told apart.") {
            world, check in
            let tenant = try await world.tenant()
            var conversation = try await world.talk()
            var chunked = tenant.request(fields: [HTTPField("Transfer-Encoding", "chunked")])
            chunked.framesItself = true
            chunked.body = HTTPAnswer.chunk("two") + HTTPAnswer.lastChunk
            let three = tenant.request(body: Array("three".utf8))
            try await conversation.send(tenant.request(body: Array("one".utf8)).bytes + chunked.bytes + three.bytes)
            for number in 1...3 { check.usual(try await conversation.response(), "answer \(number)") }
            let bodies = world.upstream.received.map { String(decoding: $0.body, as: UTF8.self) }
            check.equal(bodies, ["one", "two", "three"], "bodies")
        },
        HTTPScenario(
            "connection.close.is-honoured", "A client that asks to close gets its answer, then the end.",
            needs: [.rawBytes, .rawUpstream],
            settings: oneLoop
        ) { world, check in
            let tenant = try await world.tenant()
            var conversation = try await world.talk()
            try await conversation.send(tenant.request(fields: [HTTPField("Connection", "close")]))
            let response = try await conversation.response()
            check.usual(response)
            check.equal(response.fields.all("connection"), ["close"], "Connection")
            check.equal(await conversation.ending(), .complete, "ending")
            check.usual(try await world.exchange(tenant.request()), "the next")
            check.equal(world.upstream.connectionCount, 1, "connections to the upstream")
        },
        HTTPScenario(
            "connection.half-closed.gets-its-answer", "A client that has finished sending still gets its answer.",
            needs: .rawBytes
        ) { world, check in
            let tenant = try await world.tenant()
            world.upstream.script(UpstreamStep.readRequest + [.await("go"), .send(HTTPAnswer.usual)])
            var conversation = try await world.talk()
            try await conversation.send(tenant.request(fields: [HTTPField("Connection", "close")]))
            await conversation.connection.finishSending()
            check.that(try await eventually { world.upstream.received.count == 1 }, "the request did not arrive")
            world.upstream.release("go")
            check.usual(try await conversation.response())
        },
        HTTPScenario(
            "connection.old-client.is-served",
            "A client that speaks HTTP/1.0 gets its answer without chunks, then the end.", needs: .rawBytes
        ) { world, check in
            let tenant = try await world.tenant()
            let chunks = HTTPAnswer.chunk("one ") + HTTPAnswer.chunk("two")
            world.upstream.script(
                UpstreamStep.readRequest + [.send(HTTPAnswer.chunkedHead() + chunks + HTTPAnswer.lastChunk)])
            var conversation = try await world.talk()
            try await conversation.send("GET /v1/models HTTP/1.0\r\nAuthorization: Bearer \(tenant.secret)\r\n\r\n")
            let response = try await conversation.response(to: "GET")
            check.equal(response.text, "one two", "body")
            check.equal(response.fields.all("transfer-encoding"), [], "Transfer-Encoding")
            check.equal(await conversation.ending(), .complete, "ending")
        },
        HTTPScenario(
            inside: "connection.stale.is-tried-once-more",
            "A request that met a connection closed while idle is sent again, unseen by the client.",
            needs: .rawUpstream, settings: oneLoop
        ) { world, check in
            let (first, second) = (try await world.tenant(), try await world.tenant(name: "second"))
            world.upstream.script(UpstreamStep.readRequest + [.send(HTTPAnswer.usual)])
            world.upstream.script([.readHead, .close])
            check.usual(try await world.exchange(first.request()), "first")
            check.usual(try await world.exchange(second.request()), "second")
            check.equal(world.upstream.connectionCount, 2, "connections to the upstream")
            check.equal(try await world.settledTally(second, rows: 1), Tally(1), "tally")
            check.equal(
                try await world.settlement(of: second)?.attempts.map(\.result), [.reset, .status(200)],
                "attempts in its row")
        },
        HTTPScenario(
            "connection.stale.is-not-tried-for-ever", "When the second connection breaks off too, the client is told.",
            needs: .rawUpstream,
            settings: oneLoop
        ) { world, check in
            let tenant = try await world.tenant()
            world.upstream.script(UpstreamStep.readRequest + [.send(HTTPAnswer.usual)])
            for _ in 1...3 { world.upstream.script([.readHead, .close]) }
            check.usual(try await world.exchange(tenant.request()), "first")
            check.refusal(try await world.exchange(tenant.request()), 502, "upstream_reset", "second")
            check.equal(world.upstream.received.count, 3, "tries")
        },
        HTTPScenario(
            "connection.closing-upstream.is-not-reused",
            "A connection that the upstream says it will close is not used again."
        ) { world, check in
            let tenant = try await world.tenant()
            world.upstream.script(
                UpstreamStep.readRequest + [.send(HTTPAnswer.json("1", fields: "Connection: close\r\n")), .awaitClose])
            var conversation = try await world.talk()
            try await conversation.send(tenant.request())
            let first = try await conversation.response()
            check.equal(first.text, "1", "first")
            check.equal(first.fields.all("connection"), [], "Connection towards the client")
            try await conversation.send(tenant.request())
            check.usual(try await conversation.response(), "second, on the same client connection")
            check.equal(world.upstream.received.map(\.connection), [1, 2], "connections to the upstream")
        },
        HTTPScenario(
            "connection.empty-line.is-forgiven", "An empty line before a request is skipped (RFC 9112 section 2.2)."
        ) { world, check in
            let tenant = try await world.tenant()
            var conversation = try await world.talk()
            try await conversation.send(Array("\r\n".utf8) + tenant.request().bytes)
            check.usual(try await conversation.response())
        },
        HTTPScenario("connection.split.anywhere", "Wherever a request is cut in two on its way, it is one request.") {
            world, check in
            let tenant = try await world.tenant()
            let bytes = tenant.request(body: Array("0123456789".utf8)).bytes
            var conversation = try await world.talk()
            let cuts = Array(stride(from: 1, to: bytes.count, by: 5))
            for cut in cuts {
                try await conversation.send(Array(bytes[..<cut]))
                try await conversation.send(Array(bytes[cut...]))
                check.usual(try await conversation.response(), "cut at \(cut)")
            }
            check.equal(world.upstream.received.count, cuts.count, "requests at the upstream")
        },
    ]

    /// How answers end when somebody leaves.
    static let endings: [HTTPScenario] = [
        HTTPScenario(
            inside: "end.short-answer.is-no-clean-end", "A sized answer that breaks off can't be taken for whole."
        ) {
            world, check in
            let tenant = try await world.tenant()
            let half = UpstreamStep.send(text: "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf")
            world.upstream.script(UpstreamStep.readRequest + [half, .await("go"), .close])
            var conversation = try await world.talk()
            try await conversation.send(tenant.request())
            let head = try await conversation.head()
            world.upstream.release("go")
            let response = try await conversation.body(of: head)
            check.equal(response.status, 200, "status")
            check.that(response.end != .complete, "the answer ended as if it were whole")
            check.equal(response.fields.all("content-length"), ["50"], "Content-Length")
            check.equal(try await world.settlement(of: tenant)?.outcome, .upstreamReset, "outcome")
        },
        HTTPScenario("end.cut-chunks.are-no-clean-end", "An answer in chunks that breaks off has no last chunk.") {
            world, check in
            let tenant = try await world.tenant()
            for ending in [UpstreamStep.close, .reset] {
                world.upstream.script(
                    UpstreamStep.readRequest + [
                        .send(HTTPAnswer.chunkedHead() + HTTPAnswer.chunk("data: 1\n\n")), .await("\(ending)"), ending,
                    ])
                var conversation = try await world.talk()
                try await conversation.send(tenant.request())
                let head = try await conversation.head()
                check.equal(try await conversation.chunk(), Array("data: 1\n\n".utf8), "what came before")
                world.upstream.release("\(ending)")
                let rest = try await conversation.body(of: head)
                check.that(rest.end != .complete, "the answer ended as if it were whole after \(ending)")
            }
        },
        HTTPScenario(
            inside: "end.client-gone.cancels-the-upstream",
            "When a client leaves within a stream, the upstream is let go."
        ) { world, check in
            let tenant = try await world.tenant()
            world.upstream.script(
                UpstreamStep.readRequest + [
                    .send(HTTPAnswer.chunkedHead() + HTTPAnswer.chunk("data: 1\n\n")), .awaitClose,
                ])
            var conversation = try await world.talk()
            try await conversation.send(tenant.request())
            _ = try await conversation.head()
            await conversation.connection.reset()
            check.that(try await eventually { world.upstream.closedByProxy == 1 }, "the upstream was not let go")
            check.equal(try await world.settlement(of: tenant)?.outcome, .clientLeft, "outcome")
        },
        HTTPScenario(
            inside: "end.client-gone.before-the-answer",
            "When a client leaves before its answer, the upstream is let go."
        ) { world, check in
            let tenant = try await world.tenant()
            world.upstream.script(UpstreamStep.readRequest + [.awaitClose])
            let conversation = try await world.talk()
            try await conversation.send(tenant.request())
            check.that(try await eventually { world.upstream.received.count == 1 }, "the request did not arrive")
            await conversation.connection.reset()
            check.that(try await eventually { world.upstream.closedByProxy == 1 }, "the upstream was not let go")
            check.equal(try await world.settledTally(tenant, rows: 1), Tally(1), "tally")
        },
        HTTPScenario(
            inside: "end.client-gone.within-its-body",
            "When a client leaves within its body, the upstream gets no whole request."
        ) { world, check in
            let tenant = try await world.tenant()
            world.upstream.script([.readHead, .send(text: "HTTP/1.1 100 Continue\r\n\r\n"), .readBody])
            var conversation = try await world.talk()
            try await conversation.send(tenant.request(body: nil, fields: [HTTPField("Content-Length", "100")]))
            try await conversation.send("half of it")
            check.equal(try await conversation.head().status, 100, "the request did not arrive")
            await conversation.connection.close()
            check.that(try await eventually { world.upstream.received.count == 1 }, "the upstream was not let go")
            check.equal(world.upstream.received.first?.isComplete, false, "whole request")
            check.equal(try await world.settledTally(tenant, rows: 1), Tally(1), "tally")
        },
        HTTPScenario("end.client-gone.spares-others", "One client's leaving leaves the others' streams alone.") {
            world, check in
            let tenant = try await world.tenant()
            let start = UpstreamStep.readRequest + [.send(HTTPAnswer.chunkedHead() + HTTPAnswer.chunk("data: 1\n\n"))]
            for _ in 1...2 { world.upstream.script(start + [.await("go"), .send(HTTPAnswer.lastChunk)]) }
            var leaving = try await world.talk()
            var staying = try await world.talk()
            try await leaving.send(tenant.request())
            _ = try await leaving.head()
            try await staying.send(tenant.request())
            let head = try await staying.head()
            await leaving.connection.reset()
            world.upstream.release("go")
            let response = try await staying.body(of: head)
            check.equal(response.text, "data: 1\n\n", "body")
            check.equal(response.end, .complete, "end")
        },
    ]

    /// What silence ends.
    static let timeouts: [HTTPScenario] = [
        HTTPScenario(
            inside: "timeout.connect.is-bounded",
            "An upstream that neither takes nor refuses connections is not waited for longer than UPSTREAM_CONNECT_TIMEOUT.",
            settings: ["OPENAI_API_URL": "{full}", "UPSTREAM_CONNECT_TIMEOUT": "1s"]
        ) { world, check in
            let tenant = try await world.tenant()
            var (took, tries) = (Duration.zero, 0)
            // Five seconds are what is usual; a machine that stalls takes as long, but not each time.
            repeat {
                let start = ContinuousClock.now
                check.refusal(try await world.exchange(tenant.request()), 502, "upstream_unreachable")
                took = ContinuousClock.now - start
                tries += 1
            } while took >= .milliseconds(4800) && tries < 3
            check.that(took > .milliseconds(900) && took < .milliseconds(4800), "it took \(took)")
        },
        HTTPScenario(
            inside: "timeout.stream.is-cut", "A stream that falls silent is cut, and can't be taken for whole.",
            settings: ["STREAM_IDLE_TIMEOUT": "3s"]
        ) { world, check in
            let tenant = try await world.tenant()
            world.upstream.script(
                UpstreamStep.readRequest + [
                    .send(HTTPAnswer.chunkedHead() + HTTPAnswer.chunk("data: 1\n\n")), .awaitClose,
                ])
            let response = try await world.exchange(tenant.request())
            check.equal(response.text, "data: 1\n\n", "what came before")
            check.that(response.end != .complete, "the answer ended as if it were whole")
            check.that(try await eventually { world.upstream.closedByProxy == 1 }, "the upstream was not let go")
            check.equal(try await world.settlement(of: tenant)?.outcome, .upstreamTimeout, "outcome")
        },
        HTTPScenario(
            inside: "timeout.client-reads-nothing.is-bounded",
            "A client that reads nothing of its answer holds the upstream up no longer than a silent one would be waited for.",
            needs: .rawBytes, settings: ["STREAM_IDLE_TIMEOUT": "500ms"]
        ) { world, check in
            let tenant = try await world.tenant()
            let piece = [UInt8](repeating: 0x61, count: 1 << 16)
            world.upstream.script(
                UpstreamStep.readRequest + [
                    .send(text: "HTTP/1.1 200 OK\r\nContent-Length: \(piece.count * 4000)\r\n\r\n"),
                    .sendTimes(piece, 4000),
                ])
            let connection = try await world.connect()
            try await connection.send(tenant.request().bytes)
            let end = try await world.settlement(of: tenant)
            check.equal(end?.outcome, .clientLeft, "outcome")
            let sent = end?.responseBytes ?? 0
            check.that(sent > 0 && sent < Int64(piece.count * 2000), "\(sent) bytes were taken for it")
            await connection.close()
        },
        HTTPScenario(
            inside: "timeout.client-takes-nothing.while-it-sends",
            "A client that sends on and takes nothing is not waited for, also while its upstream takes nothing either.",
            needs: .rawBytes, settings: ["STREAM_IDLE_TIMEOUT": "2s", "MAX_REQUEST_SIZE": "1GiB"]
        ) { world, check in
            let tenant = try await world.tenant()
            let piece = [UInt8](repeating: 0x61, count: 1 << 16)
            world.upstream.script([
                .readHead, .send(text: "HTTP/1.1 200 OK\r\nContent-Length: \(piece.count * 4000)\r\n\r\n"),
                .sendTimes(piece, 4000),
            ])
            let connection = try await world.connect()
            let length = [HTTPField("Content-Length", "\(piece.count * 4000)")]
            try await connection.send(tenant.request(body: nil, fields: length).bytes)
            let sending = Task { for _ in 0..<4000 { try await connection.send(piece) } }
            let end = try await world.settlement(of: tenant)
            check.equal(end?.outcome, .clientLeft, "outcome")
            await connection.close()
            _ = await sending.result
        },
        HTTPScenario(
            "timeout.client-head.is-bounded", "A client that does not finish its head is not waited for.",
            needs: .rawBytes,
            settings: ["CLIENT_HEAD_TIMEOUT": "3s"]
        ) { world, check in
            var conversation = try await world.talk()
            try await conversation.send("POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n")
            check.equal(try? await conversation.response().status, 408, "status")
            check.that(await conversation.ending() != nil, "the connection stayed open")
        },
        HTTPScenario(
            "timeout.client-body.is-bounded", "A client that falls silent within its body is not waited for.",
            needs: .rawBytes,
            settings: ["CLIENT_BODY_TIMEOUT": "200ms"]
        ) { world, check in
            let tenant = try await world.tenant()
            var conversation = try await world.talk()
            try await conversation.send(tenant.request(body: nil, fields: [HTTPField("Content-Length", "10")]))
            try await conversation.send("half")
            check.equal(try? await conversation.response().status, 408, "status")
            check.that(await conversation.ending() != nil, "the connection stayed open")
            check.equal(world.upstream.received.filter(\.isComplete).count, 0, "whole requests at the upstream")
        },
        HTTPScenario(
            "timeout.idle-client.is-closed", "A connection without requests is closed in good order after a while.",
            settings: ["CLIENT_IDLE_TIMEOUT": "3s"]
        ) { world, check in
            let tenant = try await world.tenant()
            var conversation = try await world.talk()
            try await conversation.send(tenant.request())
            check.usual(try await conversation.response())
            check.equal(await conversation.ending(), .complete, "ending")
        },
        HTTPScenario(
            "timeout.stream.has-no-total", "A stream that goes on is not cut, however long it lasts.",
            settings: ["REQUEST_TIMEOUT": "5s", "STREAM_IDLE_TIMEOUT": "60s", "CLIENT_IDLE_TIMEOUT": "5s"]
        ) { world, check in
            let tenant = try await world.tenant()
            let gates = (1...6).map { "\($0)" }
            let steps = gates.flatMap { [UpstreamStep.await($0), .send(HTTPAnswer.chunk("data: \($0)\n\n"))] }
            world.upstream.script(
                UpstreamStep.readRequest + [.send(HTTPAnswer.chunkedHead())] + steps + [.send(HTTPAnswer.lastChunk)])
            var conversation = try await world.talk()
            try await conversation.send(tenant.request())
            let head = try await conversation.head()
            for gate in gates {
                // Not for synchronisation: time itself is what is looked at.
                try await ContinuousClock().sleep(for: .seconds(1))
                world.upstream.release(gate)
                check.equal(try await conversation.chunk(), Array("data: \(gate)\n\n".utf8), "event \(gate)")
            }
            check.equal(try await conversation.body(of: head).end, .complete, "end")
        },
    ]
}
