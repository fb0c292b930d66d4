import ProxyDomain
import ProxyStorage

extension HTTPScenario {
    /// What of a request's head reaches the upstream, and what is added to the answer's.
    static let forwarding: [HTTPScenario] = [
        HTTPScenario(
            "forward.credential.is-replaced", "The upstream gets the project's key, and never the client's token."
        ) { world, check in
            let tenant = try await world.tenant()
            check.usual(try await world.exchange(tenant.request()))
            let received = world.upstream.received.first
            check.equal(received?.fields.all("authorization"), ["Bearer \(upstreamKey)"], "Authorization")
            check.that(received?.head.contains(text: tenant.secret) == false, "the token reached the upstream")
        },
        HTTPScenario("forward.key.can-be-changed", "A project's new key is used from the very next request.") {
            world, check in
            let tenant = try await world.tenant()
            check.usual(try await world.exchange(tenant.request()))
            let answer = try await world.manage(
                "PATCH", "/manage/projects/\(tenant.projectID)", #"{"api_key":"sk-another-upstream-key"}"#)
            check.equal(answer.status, 200, "change")
            check.usual(try await world.exchange(tenant.request()))
            check.equal(
                world.upstream.received.last?.fields.all("authorization"), ["Bearer sk-another-upstream-key"],
                "Authorization")
        },
        HTTPScenario(
            "forward.hop-by-hop.is-removed",
            "Fields for this hop alone, and those that Connection names, stay behind (RFC 9110 section 7.6.1).",
            needs: .rawBytes
        ) { world, check in
            let tenant = try await world.tenant()
            let fields = [
                HTTPField("Connection", "keep-alive, X-Private, x-other"), HTTPField("X-Private", "1"),
                HTTPField("X-Other", "2"), HTTPField("Keep-Alive", "timeout=5"),
                HTTPField("Proxy-Connection", "keep-alive"),
                HTTPField("TE", "trailers"), HTTPField("Proxy-Authorization", "Basic eA=="), HTTPField("X-Kept", "3"),
            ]
            check.usual(try await world.exchange(tenant.request(fields: fields)))
            let received = world.upstream.received.first?.fields ?? []
            for field in fields.dropLast() where field.name != "Connection" {
                check.equal(received.all(field.name), [], field.name)
            }
            check.equal(received.all("x-kept"), ["3"], "X-Kept")
            check.that(received.all("connection").allSatisfy { !$0.contains("rivate") }, "Connection was passed on")
        },
        HTTPScenario("forward.client-address.is-removed", "What tells where the client is does not reach the upstream.")
        { world, check in
            let tenant = try await world.tenant()
            let names = [
                "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP", "Forwarded", "X-Client-IP",
                "True-Client-IP", "CF-Connecting-IP", "Via",
            ]
            check.usual(try await world.exchange(tenant.request(fields: names.map { HTTPField($0, "10.1.2.3") })))
            let head = world.upstream.received.first?.head ?? []
            check.that(
                !head.isEmpty && !head.contains(text: "10.1.2.3"), "passed: \(String(decoding: head, as: UTF8.self))")
        },
        HTTPScenario(
            "forward.host.names-the-upstream", "Host names the upstream, once.", needs: .rawUpstream
        ) { world, check in
            let tenant = try await world.tenant()
            check.usual(try await world.exchange(tenant.request()))
            let hosts = world.upstream.received.first?.fields.all("host")
            check.equal(hosts, ["127.0.0.1:\(world.upstream.port)"], "Host")
        },
        HTTPScenario(
            "forward.request-id.is-added",
            "The upstream gets an X-Request-ID, which the client gets as X-Proxy-Request-ID."
        ) { world, check in
            let tenant = try await world.tenant()
            let response = try await world.exchange(tenant.request())
            let sent = world.upstream.received.first?.fields.all("x-request-id") ?? []
            check.equal(sent.count, 1, "X-Request-ID fields")
            check.that(sent.first.flatMap { RequestID($0) } != nil, "X-Request-ID is \(sent)")
            check.equal(response.fields.all("x-proxy-request-id"), sent, "X-Proxy-Request-ID")
        },
        HTTPScenario(
            "forward.request-id.keeps-the-providers",
            "The provider's own x-request-id reaches the client; ours stands beside it."
        ) { world, check in
            let tenant = try await world.tenant()
            world.upstream.script(
                UpstreamStep.readRequest + [.send(HTTPAnswer.json("{}", fields: "x-request-id: req_provider\r\n"))])
            let response = try await world.exchange(tenant.request())
            check.equal(response.fields.all("x-request-id"), ["req_provider"], "x-request-id")
            check.equal(response.fields.all("x-proxy-request-id").count, 1, "X-Proxy-Request-ID fields")
        },
        HTTPScenario(
            "forward.trace.is-passed-on-or-begun",
            "A request's trace goes on to the upstream as it is; one that has none, or none that means anything, gets one."
        ) { world, check in
            let tenant = try await world.tenant()
            let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
            let good = [
                "00-\(trace)-00f067aa0ba902b7-01", "00-\(trace)-00f067aa0ba902b7-00",
                "cc-\(trace)-00f067aa0ba902b7-01-what",
            ]
            for value in good {
                let fields = [HTTPField("Traceparent", value), HTTPField("tracestate", "congo=t61rcWkgMzE")]
                check.usual(try await world.exchange(tenant.request(fields: fields)), value)
                check.equal(world.upstream.received.last?.fields.all("traceparent"), [value], "traceparent")
                check.equal(world.upstream.received.last?.fields.all("tracestate"), ["congo=t61rcWkgMzE"], "tracestate")
            }
            let bad = [
                "", "00-\(trace)-00f067aa0ba902b7", "ff-\(trace)-00f067aa0ba902b7-01",
                "00-\(trace)-0000000000000000-01",
                "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
                "00-\(trace.uppercased())-00f067aa0ba902b7-01",
                "00-\(trace)-00f067aa0ba902b7-01-what", "00-\(trace)-00f067aa0ba902b7-0g",
                "0O-\(trace)-00f067aa0ba902b7-01",
            ]
            for value in bad {
                let fields = value.isEmpty ? [] : [HTTPField("traceparent", value), HTTPField("tracestate", "a=b")]
                let answer = try await world.exchange(tenant.request(fields: fields))
                check.usual(answer, value)
                let name = answer.fields.first("x-proxy-request-id")?.replacing("-", with: "") ?? ""
                check.equal(
                    world.upstream.received.last?.fields.all("traceparent"), ["00-\(name)-\(name.suffix(16))-00"],
                    "traceparent in the place of \(value)")
                check.equal(world.upstream.received.last?.fields.all("tracestate"), [], "tracestate beside \(value)")
            }
        },
        HTTPScenario(
            inside: "forward.trace.is-logged", "The log names the trace of each request.",
            settings: ["LOG_LEVEL": "info"]
        ) { world, check in
            let tenant = try await world.tenant()
            let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
            let field = HTTPField("traceparent", "00-\(trace)-00f067aa0ba902b7-01")
            check.usual(try await world.exchange(tenant.request(fields: [field])))
            let answer = try await world.exchange(tenant.request())
            let name = answer.fields.first("x-proxy-request-id")?.replacing("-", with: "") ?? "none"
            for wanted in [trace, name] {
                let isThere = try await eventually { world.log.contains(#""trace_id":"\#(wanted)""#) }
                check.that(isThere, "no \(wanted) in the log")
            }
        },
        HTTPScenario(
            "forward.overhead.leaves-the-upstream-out",
            "What the proxy says it added is no more than what it can have added, by the clocks of the client and the upstream."
        ) { world, check in
            let tenant = try await world.tenant()
            let clock = ContinuousClock()
            let held = Duration.seconds(1)
            // So that the way to the upstream is there: making it takes time that is not the upstream's.
            var conversation = try await world.talk()
            try await conversation.send(tenant.request())
            check.usual(try await conversation.response(to: "POST"))
            let before = world.upstream.received.count
            world.upstream.script(UpstreamStep.readRequest + [.await("later"), .send(HTTPAnswer.usual)])
            let start = clock.now
            try await conversation.send(tenant.request())
            let isThere = try await eventually { world.upstream.received.count > before }
            try await clock.sleep(for: held)
            world.upstream.release("later")
            let answer = try await conversation.response(to: "POST")
            let whole = clock.now - start
            await conversation.connection.close()
            let told = answer.fields.first("x-proxy-overhead-us").flatMap { Int64($0) } ?? -1
            check.that(isThere && told > 0, "told \(told): nothing takes no time")
            check.that(
                .microseconds(told) <= whole - held + .milliseconds(200),
                "told \(told) µs of \(whole), of which \(held) were the upstream's")
        },
        HTTPScenario(
            inside: "forward.overhead.leaves-the-client-out",
            "A body that comes slowly is not what the proxy adds, whether it is passed on as it comes or read first."
        ) { world, check in
            let clock = ContinuousClock()
            for tenant in [
                try await world.tenant(), try await world.scoped(project: #""allowed_models":["gpt-*"]"#, name: "read"),
            ] {
                let whole = tenant.request(body: Array(#"{"model":"gpt-4o"}"#.utf8))
                var conversation = try await world.talk()
                // So that the way to the upstream is there: making it takes time that is ours.
                try await conversation.send(whole)
                check.usual(try await conversation.response(to: "POST"))
                let start = clock.now
                try await conversation.send(Array(whole.bytes.dropLast(5)))
                try await clock.sleep(for: .milliseconds(300))
                let slept = clock.now - start
                try await conversation.send(Array(whole.bytes.suffix(5)))
                let answer = try await conversation.response(to: "POST")
                let all = clock.now - start
                await conversation.connection.close()
                let told = answer.fields.first("x-proxy-overhead-us").flatMap { Int64($0) } ?? -1
                check.that(told > 0, "told \(told)")
                // The head may have come a little late, and by our clock only then did the wait for the rest begin.
                check.that(
                    .microseconds(told) <= all - slept + .milliseconds(150),
                    "told \(told) µs of \(all), of which \(slept) were the client's")
            }
        },
        HTTPScenario("forward.overhead.is-told", "Each answer tells what the proxy added, in microseconds.") {
            world, check in
            let tenant = try await world.tenant()
            let response = try await world.exchange(tenant.request())
            let told = response.fields.all("x-proxy-overhead-us")
            check.equal(told.count, 1, "X-Proxy-Overhead-Us fields")
            let micros = told.first.flatMap { Int($0.filter { $0 != " " }) }
            check.that(micros.map { (0..<15_000_000).contains($0) } == true, "overhead is \(told)")
            let refused = try await world.exchange(HTTPRequest(body: []))
            check.equal(refused.status, 401, "a refusal")
            check.that(
                refused.fields.first("x-proxy-overhead-us").flatMap { Int($0) }.map { $0 >= 0 } == true,
                "a refusal's: \(refused.fields.all("x-proxy-overhead-us"))")
        },
        HTTPScenario(
            "forward.base-path.is-kept", "The path of the upstream's address comes before the request's.",
            settings: ["OPENAI_API_URL": "{upstream}/deep/er"]
        ) { world, check in
            let tenant = try await world.tenant()
            check.usual(try await world.exchange(tenant.request("/v1/models?limit=2", method: "GET", body: nil)))
            check.equal(world.upstream.received.first?.target, "/deep/er/v1/models?limit=2", "target")
        },
        HTTPScenario("forward.target.byte-for-byte", "Path and query reach the upstream as they were sent.") {
            world, check in
            let tenant = try await world.tenant()
            let targets = [
                "/v1/files/a%2Db?x=%20+y&&z==&%E2%82%AC=%e2%82%ac;p", "/v1/models?", "/v1/models/a:b@c!$'()*,;=",
                "/v1/x?q=/../..",
            ]
            for target in targets {
                check.usual(try await world.exchange(tenant.request(target, method: "GET", body: nil)), target)
            }
            check.equal(world.upstream.received.map(\.target), targets, "targets")
        },
        HTTPScenario(
            "forward.fields.as-they-came",
            "All other fields pass in order, names and values untouched, repeated ones too.",
            needs: [.rawBytes, .rawUpstream]
        ) { world, check in
            let tenant = try await world.tenant()
            let fields = [
                HTTPField("X-b", "2"), HTTPField("x-A", "1, 3"), HTTPField("X-b", "4"),
                HTTPField("OpenAI-Beta", "assistants=v2"),
                HTTPField("Cookie", "a=b; c=\"d\""), HTTPField("X-Empty", ""),
                HTTPField("User-Agent", "OpenAI/Python 2.0"),
                HTTPField("Accept-Encoding", "gzip, br"), HTTPField("X-Bytes", "caf\u{e9}"),
            ]
            check.usual(try await world.exchange(tenant.request(fields: fields)))
            let received = world.upstream.received.first?.fields ?? []
            check.equal(received.filter { fields.contains($0) }, fields, "fields")
        },
        HTTPScenario(
            "forward.answer-fields.as-they-came", "The answer's fields pass in order, but for those of the hop."
        ) { world, check in
            let tenant = try await world.tenant()
            let fields =
                "Set-Cookie: a=1\r\nSet-Cookie: b=2\r\nX-RateLimit-Remaining-Tokens: 5\r\nopenai-version: 2020\r\n"
            let hop = "Connection: keep-alive, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=9\r\nProxy-Connection: x\r\n"
            world.upstream.script(UpstreamStep.readRequest + [.send(HTTPAnswer.json("{}", fields: fields + hop))])
            let found = try await world.exchange(tenant.request()).fields
            check.equal(found.all("set-cookie"), ["a=1", "b=2"], "Set-Cookie")
            check.equal(found.all("x-ratelimit-remaining-tokens"), ["5"], "X-RateLimit-Remaining-Tokens")
            check.equal(found.all("openai-version"), ["2020"], "openai-version")
            for name in ["x-hop", "proxy-connection", "keep-alive"] { check.equal(found.all(name), [], name) }
        },
    ]

    /// Bodies of requests, on their way to the upstream.
    static let requestBodies: [HTTPScenario] = [
        HTTPScenario(
            "body.large.waits-for-the-upstream",
            "A large body whose upstream takes none of it for a while arrives whole."
        ) { world, check in
            let tenant = try await world.tenant()
            let body = (0..<8_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 9) }
            world.upstream.script([.readHead, .await("go"), .readBody, .send(HTTPAnswer.usual)])
            async let answer = world.exchange(tenant.request("/v1/files", body: body))
            try await ContinuousClock().sleep(for: .milliseconds(500))
            world.upstream.release("go")
            check.usual(try await answer)
            check.that(world.upstream.received.first?.body == body, "the upstream got another body")
        },
        HTTPScenario("body.sized.byte-for-byte", "A sized body arrives as it was sent, whatever its bytes.") {
            world, check in
            let tenant = try await world.tenant()
            let body = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
            check.usual(try await world.exchange(tenant.request(body: body)))
            check.that(world.upstream.received.first?.body == body, "another body")
            check.equal(world.upstream.received.first?.fields.all("content-length"), ["300000"], "Content-Length")
        },
        HTTPScenario("body.chunked.byte-for-byte", "A body in chunks arrives as it was sent, however it is cut.") {
            world, check in
            let tenant = try await world.tenant()
            let pieces = [1, 2, 3, 15, 16, 17, 4095, 4096, 70_000].map {
                [UInt8](repeating: UInt8(truncatingIfNeeded: $0), count: $0)
            }
            var request = tenant.request(fields: [HTTPField("Transfer-Encoding", "chunked")])
            request.framesItself = true
            request.body = pieces.flatMap { HTTPAnswer.chunk($0) } + HTTPAnswer.lastChunk
            check.usual(try await world.exchange(request))
            let received = world.upstream.received.first
            check.that(received?.body == pieces.flatMap { $0 }, "another body")
            check.equal(received?.wasChunked, true, "still in chunks")
        },
        HTTPScenario("body.empty.stays-empty", "A body of no bytes, and no body at all, arrive as such.") {
            world, check in
            let tenant = try await world.tenant()
            check.usual(try await world.exchange(tenant.request(body: [])), "no bytes")
            check.usual(try await world.exchange(tenant.request("/v1/models", method: "GET", body: nil)), "no body")
            check.equal(world.upstream.received.map { $0.fields.all("content-length") }, [["0"], []], "lengths")
        },
        HTTPScenario("body.multipart.byte-for-byte", "An upload of parts arrives as it was sent.") { world, check in
            let tenant = try await world.tenant()
            let part =
                "--xY\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.jsonl\"\r\nContent-Type: text/plain\r\n\r\n"
            let body =
                Array(part.utf8) + (0..<10_000).map { UInt8(truncatingIfNeeded: $0) } + Array("\r\n--xY--\r\n".utf8)
            var request = tenant.request("/v1/files", body: nil)
            request.fields.append(HTTPField("Content-Type", "multipart/form-data; boundary=xY"))
            request.body = body
            check.usual(try await world.exchange(request))
            check.that(world.upstream.received.first?.body == body, "another body")
            check.equal(
                world.upstream.received.first?.fields.all("content-type"), ["multipart/form-data; boundary=xY"], "type")
        },
        HTTPScenario("body.large.byte-for-byte", "Eight megabytes arrive as they were sent.") { world, check in
            let tenant = try await world.tenant()
            let body = [UInt8](repeating: 0x5A, count: 8 << 20)
            check.usual(try await world.exchange(tenant.request(body: body)))
            check.that(world.upstream.received.first?.body == body, "another body")
        },
        HTTPScenario(
            "body.trailers.pass", "A request's trailers arrive after its body.", needs: [.rawBytes, .rawUpstream]
        ) { world, check in
            let tenant = try await world.tenant()
            var request = tenant.request(fields: [
                HTTPField("Transfer-Encoding", "chunked"), HTTPField("Trailer", "X-Sum"),
            ])
            request.framesItself = true
            request.body = HTTPAnswer.chunk("abc") + Array("0\r\nX-Sum: 7\r\n\r\n".utf8)
            check.usual(try await world.exchange(request))
            check.equal(world.upstream.received.first?.body, Array("abc".utf8), "body")
            check.equal(world.upstream.received.first?.trailers, [HTTPField("X-Sum", "7")], "trailers")
        },
        HTTPScenario("body.slow.arrives", "A request sent byte by byte is one request.") { world, check in
            let tenant = try await world.tenant()
            var conversation = try await world.talk()
            for byte in tenant.request(body: Array("0123456789".utf8)).bytes { try await conversation.send([byte]) }
            check.usual(try await conversation.response())
            check.equal(world.upstream.received.first?.body, Array("0123456789".utf8), "body")
        },
        HTTPScenario(
            "body.streams.before-its-end", "The upstream gets the first of a body before the client has sent the last."
        ) { world, check in
            let tenant = try await world.tenant()
            world.upstream.script([
                .readHead, .send(text: "HTTP/1.1 103 Early Hints\r\n\r\n"), .readBody, .send(HTTPAnswer.usual),
            ])
            var conversation = try await world.talk()
            var request = tenant.request(fields: [HTTPField("Transfer-Encoding", "chunked")])
            request.framesItself = true
            request.body = HTTPAnswer.chunk("first")
            try await conversation.send(request)
            check.equal(try await conversation.head().status, 103, "sign that the head has arrived")
            try await conversation.send(HTTPAnswer.chunk("second") + HTTPAnswer.lastChunk)
            check.usual(try await conversation.response())
            check.equal(world.upstream.received.first?.body, Array("firstsecond".utf8), "body")
        },
        HTTPScenario(
            "body.expect.waits-for-the-upstream",
            "With Expect: 100-continue the client is asked for its body by the upstream."
        ) { world, check in
            let tenant = try await world.tenant()
            world.upstream.script([
                .readHead, .send(text: "HTTP/1.1 100 Continue\r\n\r\n"), .readBody, .send(HTTPAnswer.usual),
            ])
            var conversation = try await world.talk()
            let expectation = [HTTPField("Expect", "100-continue"), HTTPField("Content-Length", "4")]
            try await conversation.send(tenant.request(body: nil, fields: expectation))
            check.equal(try await conversation.head().status, 100, "interim status")
            try await conversation.send("body")
            check.usual(try await conversation.response())
            check.equal(world.upstream.received.first?.body, Array("body".utf8), "body")
        },
        HTTPScenario("body.expect.can-be-refused", "With Expect: 100-continue a refusal comes before the body is sent.")
        { world, check in
            let tenant = try await world.tenant()
            world.upstream.script([.readHead, .send(HTTPAnswer.json(#"{"no":1}"#, status: "417 Expectation Failed"))])
            var conversation = try await world.talk()
            let expectation = [HTTPField("Expect", "100-continue"), HTTPField("Content-Length", "4")]
            try await conversation.send(tenant.request(body: nil, fields: expectation))
            let response = try await conversation.response()
            check.equal(response.status, 417, "status")
            check.equal(response.text, #"{"no":1}"#, "body")
        },
        HTTPScenario(
            "body.early-answer.reaches-the-client",
            "An upstream that answers before the body has come is heard at once."
        ) { world, check in
            let tenant = try await world.tenant()
            world.upstream.script([.readHead, .send(HTTPAnswer.json("{}", status: "413 Content Too Large"))])
            var conversation = try await world.talk()
            try await conversation.send(tenant.request(body: nil, fields: [HTTPField("Content-Length", "5000")]))
            check.equal(try await conversation.response().status, 413, "status")
        },
        HTTPScenario(
            "body.early-answer.keeps-the-connection",
            "After an answer that came before a small body the connection serves on; before a large one the answer says that it ends.",
            needs: .rawBytes
        ) { world, check in
            let tenant = try await world.tenant()
            var conversation = try await world.talk()
            for (length, isKept) in [(5, true), (5_000_000, false)] {
                world.upstream.script([.readHead, .send(HTTPAnswer.json("{}", status: "413 Content Too Large"))])
                let fields = [HTTPField("Content-Length", "\(length)")]
                try await conversation.send(tenant.request(body: nil, fields: fields))
                let answer = try await conversation.response()
                check.equal(answer.status, 413, "status before a body of \(length)")
                check.equal(answer.fields.all("connection"), isKept ? [] : ["close"], "Connection at \(length)")
                guard isKept else { continue }
                try await conversation.send("12345")
                try await conversation.send(tenant.request())
                check.usual(try await conversation.response(), "the next on the same connection")
            }
            await conversation.connection.close()
        },
    ]
}
