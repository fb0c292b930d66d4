import ProxyDomain
import ProxyStorage

extension HTTPScenario {
    /// Requests that go another way, or once more, when an attempt fails of which the client has seen nothing.
    static let attempts: [HTTPScenario] = [
        HTTPScenario(
            inside: "attempt.fallback.takes-another-key",
            "When a provider refuses a project's key, the request goes along its next way; it counts once, and its row tells both."
        ) { world, check in
            for status in [429, 401, 403, 500, 502, 503, 504] {
                let tenant = try await world.scoped(name: "acme \(status)")
                let way = try await world.way(of: tenant, #""api_key":"sk-second-0123456789""#)
                world.upstream.script(answeringEmpty("\(status) No"))
                check.usual(try await world.exchange(tenant.request()), "after \(status)")
                let received = world.upstream.received.suffix(2)
                check.equal(
                    received.map { $0.fields.first("authorization") },
                    ["Bearer \(upstreamKey)", "Bearer sk-second-0123456789"], "keys after \(status)")
                check.equal(received.last?.body, HTTPRequest.usualBody, "body after \(status)")
                check.equal(try await world.settledTally(tenant, rows: 1), Tally(1), "tally after \(status)")
                check.equal(
                    try await world.settlement(of: tenant)?.attempts,
                    [
                        UpstreamAttempt(provider: "openai", upstream: nil, result: .status(status)),
                        UpstreamAttempt(provider: "openai", upstream: way, result: .status(200)),
                    ], "attempts after \(status)")
            }
        },
        HTTPScenario(
            inside: "attempt.fallback.takes-another-address",
            "When an upstream can't be reached, breaks off or speaks no HTTP, the request goes along the next way."
        ) { world, check in
            let tenant = try await world.scoped(project: #""base_url":"http://127.0.0.1:1""#)
            _ = try await world.way(
                of: tenant,
                #""api_key":"sk-second-0123456789","base_url":"http://127.0.0.1:\#(world.upstream.port)/eu""#)
            check.usual(try await world.exchange(tenant.request()))
            check.equal(world.upstream.received.last?.target, "/eu/v1/chat/completions", "target")
            check.equal(
                try await world.settlement(of: tenant)?.attempts.map(\.result), [.connect, .status(200)], "attempts")
            let path = "/manage/projects/\(tenant.projectID)"
            _ = try await world.manage("PATCH", path, #"{"base_url":""}"#)
            for step in [UpstreamStep.close, .reset, .send(text: "garbage\r\n\r\n")] {
                world.upstream.script(UpstreamStep.readRequest + [step])
                check.usual(try await world.exchange(tenant.request()), "after \(step)")
            }
        },
        HTTPScenario(
            inside: "attempt.fallback.to-another-provider",
            "The next way may be another provider's: the request is written anew for it, its key where that one wants it.",
            settings: [
                "API_CONFIG_PATH":
                    "{file}apis:\n  openai:\n    base_url: {upstream}\n  azure:\n    base_url: {upstream}/azure\n    auth: {header: api-key}\n"
                    + "  narrow:\n    base_url: {upstream}/narrow\n    allowed_endpoints: [/v1/models]\n"
            ]
        ) { world, check in
            let tenant = try await world.scoped()
            _ = try await world.way(of: tenant, #""api_key":"sk-narrow-0123456789","provider":"narrow","priority":1"#)
            _ = try await world.way(of: tenant, #""api_key":"azure-0123456789","provider":"azure","priority":2"#)
            world.upstream.script(answeringEmpty("503 Busy"))
            let field = HTTPField("api-key", "the client's own")
            check.usual(try await world.exchange(tenant.request("/v1/chat/completions?a=b", fields: [field])))
            let received = world.upstream.received.last
            check.equal(
                received?.target, "/azure/v1/chat/completions?a=b",
                "target: a way that doesn't allow the path is left out")
            check.equal(received?.fields.all("api-key"), ["azure-0123456789"], "its key")
            check.equal(received?.fields.all("authorization"), [], "the other's key")
            check.equal(received?.body, HTTPRequest.usualBody, "body")
        },
        HTTPScenario(
            inside: "attempt.fallback.nothing-after-the-first-byte",
            "An answer that the client has begun to read is not tried again; nor is a status that another way can't better."
        ) { world, check in
            let tenant = try await world.scoped()
            _ = try await world.way(of: tenant, #""api_key":"sk-second-0123456789""#)
            world.upstream.script(
                UpstreamStep.readRequest + [
                    .send(HTTPAnswer.chunkedHead()), .send(HTTPAnswer.chunk("data: 1\n\n")), .reset,
                ])
            let cut = try await world.exchange(tenant.request())
            // Cut short, or refused when it had not begun yet: never the answer of a second attempt.
            check.that(cut.status == 502 || cut.end != .complete, "the answer looks whole: \(cut.status) \(cut.text)")
            world.upstream.script(answeringEmpty("400 Bad Request"))
            check.equal(try await world.exchange(tenant.request()).status, 400, "status")
            check.equal(world.upstream.received.count, 2, "requests")
        },
        HTTPScenario(
            inside: "attempt.fallback.last-answer-passes",
            "When every way fails, the client gets the last one's answer as it is."
        ) { world, check in
            let tenant = try await world.scoped()
            _ = try await world.way(of: tenant, #""api_key":"sk-second-0123456789""#)
            world.upstream.script(answeringEmpty("503 Busy"))
            world.upstream.script(answeringEmpty("429 Too Many Requests", fields: "Retry-After: 7\r\n"))
            let answer = try await world.exchange(tenant.request())
            check.equal(answer.status, 429, "status")
            check.equal(answer.text, "{}", "body")
            check.equal(answer.fields.all("retry-after"), ["7"], "Retry-After")
            check.equal(
                try await world.settlement(of: tenant)?.attempts.map(\.result), [.status(503), .status(429)], "attempts"
            )
        },
        HTTPScenario(
            inside: "attempt.balance.by-weight",
            "Ways of one priority share the requests by their weights; one whose key was refused rests meanwhile."
        ) { world, check in
            let tenant = try await world.scoped()
            _ = try await world.way(of: tenant, #""api_key":"sk-second-0123456789","priority":0,"weight":300"#)
            _ = try await world.way(of: tenant, #""api_key":"sk-idle-0123456789","priority":5"#)
            var conversation = try await world.talk()
            for _ in 0..<200 {
                try await conversation.send(tenant.request())
                check.usual(try await conversation.response(to: "POST"))
            }
            func share(_ key: String, from first: Int = 0) -> Int {
                world.upstream.received[first...].filter { $0.fields.first("authorization") == "Bearer \(key)" }.count
            }
            let second = share("sk-second-0123456789")
            // Three in four of 200: six standard deviations to either side.
            check.that((113...187).contains(second), "\(second) of 200 took the way of weight 300")
            check.equal(second + share(upstreamKey), 200, "requests along both")
            // Whichever gets it, the other takes all that follow.
            world.upstream.script(answeringEmpty("429 Too Many Requests", fields: "Retry-After: 60\r\n"))
            try await conversation.send(tenant.request())
            check.usual(try await conversation.response(to: "POST"), "after 429")
            let first = world.upstream.received.count
            for _ in 0..<20 {
                try await conversation.send(tenant.request())
                check.usual(try await conversation.response(to: "POST"))
            }
            check.that(
                [0, 20].contains(share(upstreamKey, from: first)),
                "\(share(upstreamKey, from: first)) of 20 took the first way")
            await conversation.connection.close()
        },
        HTTPScenario(
            inside: "attempt.balance.rests-after-uploads",
            "A key that was refused rests also when the request was too large to be kept for another."
        ) { world, check in
            let tenant = try await world.scoped()
            _ = try await world.way(of: tenant, #""api_key":"sk-second-0123456789","priority":0,"weight":100"#)
            let body =
                Array(#"{"model":"m","input":""#.utf8) + Array(repeating: UInt8(ascii: "x"), count: 3 << 20)
                + Array(#""}"#.utf8)
            world.upstream.script(answeringEmpty("429 Too Many Requests", fields: "Retry-After: 60\r\n"))
            check.equal(try await world.exchange(tenant.request(body: body)).status, 429, "an upload")
            let refused = world.upstream.received.last?.fields.first("authorization") ?? ""
            check.that(refused.hasPrefix("Bearer "), "its key")
            var conversation = try await world.talk()
            for _ in 0..<20 {
                try await conversation.send(tenant.request())
                check.usual(try await conversation.response(to: "POST"))
            }
            await conversation.connection.close()
            let after = world.upstream.received.dropFirst().filter { $0.fields.first("authorization") == refused }
            check.equal(after.count, 0, "requests with the refused key afterwards")
        },
        HTTPScenario(
            inside: "attempt.retry.waits-and-sends-again",
            "With retry an upstream that is busy is asked again after a pause, as long as it asks for, and no more often than said.",
            settings: openAIFile("retry: {attempts: 3, backoff: 10ms, max_backoff: 2s}")
        ) { world, check in
            let tenant = try await world.tenant()
            world.upstream.script(answeringEmpty("503 Busy"))
            world.upstream.script(UpstreamStep.readRequest + [.close])
            check.usual(try await world.exchange(tenant.request()))
            check.equal(
                world.upstream.received.map(\.body), Array(repeating: HTTPRequest.usualBody, count: 3), "bodies")
            check.equal(try await world.settledTally(tenant, rows: 1), Tally(1), "tally")
            check.equal(
                try await world.settlement(of: tenant)?.attempts.map(\.result), [.status(503), .reset, .status(200)],
                "attempts")
            for _ in 0..<3 { world.upstream.script(answeringEmpty("503 Busy")) }
            check.equal(try await world.exchange(tenant.request()).status, 503, "after three attempts")
            check.equal(world.upstream.received.count, 6, "attempts in all")
            let clock = ContinuousClock()
            world.upstream.script(answeringEmpty("429 Too Many Requests", fields: "Retry-After: 1\r\n"))
            let start = clock.now
            check.usual(try await world.exchange(tenant.request()))
            check.that(clock.now - start >= .seconds(1), "the provider's Retry-After was not waited for")
            _ = try await world.settledTally(tenant, rows: 3)
            let rows = try await world.storage.requests(of: tenant.tokenID, after: nil, limit: 9)
            let sent = rows.last?.admission.settlement?.sentMicroseconds
            check.that((sent ?? 0) >= 1_000_000, "the attempt that was answered was sent after \(sent ?? -1) µs")
            world.upstream.script(answeringEmpty("429 Too Many Requests", fields: "Retry-After: 3\r\n"))
            check.equal(try await world.exchange(tenant.request()).status, 429, "a longer one than max_backoff")
        },
        HTTPScenario(
            inside: "attempt.retry.is-budgeted",
            "Requests that are sent again are a share of all, and ten more: an upstream that is down is not hit twice as hard.",
            settings: openAIFile("retry: {attempts: 2, backoff: 1ms, budget_percent: 0}\n    breaker: {failures: 0}")
        ) { world, check in
            let tenant = try await world.tenant()
            for _ in 0..<40 { world.upstream.script(answeringEmpty("503 Busy")) }
            var conversation = try await world.talk()
            for _ in 0..<20 {
                try await conversation.send(tenant.request())
                check.equal(try await conversation.response(to: "POST").status, 503, "status")
            }
            check.equal(world.upstream.received.count, 30, "attempts for twenty requests")
            await conversation.connection.close()
        },
        HTTPScenario(
            inside: "attempt.retry.streams-a-body-only-once",
            "A request whose body is larger than what is kept is sent once; its client gets the upstream's own answer.",
            settings: openAIFile("retry: {attempts: 3, backoff: 1ms}")
        ) { world, check in
            let tenant = try await world.tenant()
            let body =
                Array(#"{"model":"m","input":""#.utf8) + Array(repeating: UInt8(ascii: "x"), count: 3 << 20)
                + Array(#""}"#.utf8)
            world.upstream.script(answeringEmpty("503 Busy"))
            check.equal(try await world.exchange(tenant.request(body: body)).status, 503, "status")
            check.equal(world.upstream.received.count, 1, "attempts")
            let kept =
                Array(#"{"model":"m","input":""#.utf8) + Array(repeating: UInt8(ascii: "x"), count: 500_000)
                + Array(#""}"#.utf8)
            world.upstream.script(answeringEmpty("503 Busy"))
            check.usual(try await world.exchange(tenant.request(body: kept)), "a smaller one")
            check.equal(world.upstream.received.last?.body.count, kept.count, "its body")
        },
        HTTPScenario(
            inside: "attempt.breaker.leaves-the-upstream-alone",
            "After failures in a row the upstream is not asked: 503 with Retry-After. Then one request tries, and all go again.",
            settings: openAIFile("breaker: {failures: 3, open_for: 6s}")
        ) { world, check in
            let tenant = try await world.tenant()
            for _ in 0..<3 {
                world.upstream.script(UpstreamStep.readRequest + [.reset])
                check.refusal(try await world.exchange(tenant.request()), 502, "upstream_reset")
            }
            let open = try await world.exchange(tenant.request())
            check.refusal(open, 503, "upstream_circuit_open")
            check.that(
                (1...6).map { ["\($0)"] }.contains(open.fields.all("retry-after")),
                "Retry-After: \(open.fields.all("retry-after"))")
            check.equal(world.upstream.received.count, 3, "requests that went on")
            let tried = try await eventually(within: .seconds(20)) {
                try await world.exchange(tenant.request()).status == 200
            }
            check.that(tried, "no request was let through")
            check.usual(try await world.exchange(tenant.request()), "after it")
            let metrics = try await world.exchange(
                HTTPRequest(method: "GET", target: "/metrics", fields: [], body: nil)
            ).text
            check.that(metrics.contains("llm_proxy_upstream_circuits_opened_total{"), "no metric of circuits")
            check.that(metrics.contains(#"code="upstream_circuit_open""#), "no metric of refusals")
        },
        HTTPScenario(
            inside: "attempt.breaker.counts-silence",
            "An upstream that takes requests and answers none in time is left alone too; one answer between, and it is not.",
            settings: openAIFile("breaker: {failures: 2, open_for: 60s}\n    timeouts: {response_header: 4s}")
        ) { world, check in
            let tenant = try await world.tenant()
            func time() async throws {
                world.upstream.script(UpstreamStep.readRequest + [.awaitClose])
                check.refusal(try await world.exchange(tenant.request()), 504, "upstream_timeout")
            }
            try await time()
            world.upstream.script(answeringEmpty("200 OK"))
            check.equal(try await world.exchange(tenant.request()).status, 200, "an answer between")
            try await time()
            try await time()
            check.refusal(try await world.exchange(tenant.request()), 503, "upstream_circuit_open")
            check.equal(world.upstream.received.count, 4, "requests that went on")
        },
        HTTPScenario(
            inside: "attempt.breaker.slow-is-not-silent",
            "Requests that are not answered in time, while another is, say nothing of their upstream.",
            settings: openAIFile("breaker: {failures: 2, open_for: 60s}\n    timeouts: {response_header: 5s}")
        ) { world, check in
            let tenant = try await world.tenant()
            for _ in 0..<2 { world.upstream.script(UpstreamStep.readRequest + [.awaitClose]) }
            try await withThrowingTaskGroup { group in
                for _ in 0..<2 { group.addTask { try await world.exchange(tenant.request()) } }
                check.that(try await eventually { world.upstream.received.count == 2 }, "they are not sent on")
                check.usual(try await world.exchange(tenant.request()), "the one that is answered")
                for try await answer in group { check.refusal(answer, 504, "upstream_timeout") }
            }
            check.usual(try await world.exchange(tenant.request()), "after them")
        },
        HTTPScenario(
            inside: "attempt.retry.takes-every-5xx", "Whatever an upstream calls its failure, it is tried again.",
            settings: openAIFile("retry: {attempts: 2, backoff: 1ms}")
        ) { world, check in
            let tenant = try await world.tenant()
            for status in [500, 507, 520, 529, 599] {
                world.upstream.script(answeringEmpty("\(status) Busy"))
                world.upstream.script(answeringEmpty("200 OK"))
                check.equal(try await world.exchange(tenant.request()).status, 200, "after \(status)")
            }
        },
        HTTPScenario(
            inside: "attempt.breaker.goes-another-way",
            "While an upstream is left alone, requests go along the next way without trying it.",
            settings: openAIFile("breaker: {failures: 2, open_for: 60s}")
        ) { world, check in
            let tenant = try await world.scoped(project: #""base_url":"http://127.0.0.1:1""#)
            let address = #""base_url":"http://127.0.0.1:\#(world.upstream.port)""#
            _ = try await world.way(of: tenant, #""api_key":"sk-second-0123456789",\#(address)"#)
            for _ in 0..<4 { check.usual(try await world.exchange(tenant.request())) }
            let rows = try await world.storage.requests(of: tenant.tokenID, after: nil, limit: 10)
            _ = try await world.settledTally(tenant, rows: 4)
            let counts = try await world.storage.requests(of: tenant.tokenID, after: nil, limit: 10)
                .compactMap { $0.admission.settlement?.attempts.count }
            check.equal(counts, [2, 2, 1, 1], "attempts of each of \(rows.count)")
        },
        HTTPScenario(
            inside: "attempt.cap.counts-once",
            "A request of a capped token that takes several attempts takes one from its cap.",
            settings: openAIFile("retry: {attempts: 3, backoff: 1ms}")
        ) { world, check in
            let tenant = try await world.tenant(cap: 2)
            for _ in 0..<2 { world.upstream.script(answeringEmpty("503 Busy")) }
            check.usual(try await world.exchange(tenant.request()))
            check.usual(try await world.exchange(tenant.request()))
            check.refusal(try await world.exchange(tenant.request()), 429, "quota_exceeded")
            check.equal(world.upstream.received.count, 4, "attempts")
        },
        HTTPScenario(
            "attempt.prefix.names-the-provider",
            "A path that begins with a provider's name goes to that provider, along the project's way to it, without the name.",
            settings: [
                "API_CONFIG_PATH":
                    "{file}apis:\n  openai:\n    base_url: {upstream}\n  anthropic:\n    base_url: {upstream}/a\n    auth: {header: x-api-key}\n"
                    + "  google:\n    base_url: {upstream}/g\n    allowed_endpoints: [/v1beta]\n"
            ]
        ) { world, check in
            let tenant = try await world.scoped()
            _ = try await world.way(of: tenant, #""api_key":"sk-ant-0123456789","provider":"anthropic""#)
            check.usual(try await world.exchange(tenant.request("/anthropic/v1/messages?x=1")))
            check.equal(world.upstream.received.last?.target, "/a/v1/messages?x=1", "target")
            check.equal(world.upstream.received.last?.fields.all("x-api-key"), ["sk-ant-0123456789"], "key")
            check.usual(try await world.exchange(tenant.request("/openai/v1/chat/completions")))
            check.equal(world.upstream.received.last?.target, "/v1/chat/completions", "target")
            check.refusal(
                try await world.exchange(tenant.request("/google/v1beta/models")), 404, "endpoint_not_found",
                "no key for it")
            check.refusal(
                try await world.exchange(tenant.request("/anthropic/v2/x")), 404, "endpoint_not_found", "path")
            check.refusal(
                try await world.exchange(HTTPRequest(target: "/anthropic/v1/messages", fields: [], body: [])), 401,
                "invalid_token")
            check.equal(try await world.exchange(tenant.request("/nobody/v1/messages")).status, 404, "no such provider")
            check.equal(world.upstream.received.count, 2, "requests that went on")
        },
        HTTPScenario(
            inside: "attempt.timeouts.are-those-of-the-provider",
            "A provider's own timeouts take the place of the server's, also for the whole of an answer that is no stream.",
            settings: openAIFile(
                "timeouts: {response_header: 3s, request: 4s, idle_connection: 50ms}\n    connection: {max_idle_conns: 4}"
            )
        ) { world, check in
            let tenant = try await world.tenant()
            world.upstream.script(UpstreamStep.readRequest + [.awaitClose])
            check.refusal(try await world.exchange(tenant.request()), 504, "upstream_timeout")
            let head = Array("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{".utf8)
            world.upstream.script(UpstreamStep.readRequest + [.send(head), .awaitClose])
            let cut = try await world.exchange(tenant.request())
            check.that(cut.status == 200 && cut.end != .complete, "an answer that never ends: \(cut.status) \(cut.end)")
            world.upstream.script(
                UpstreamStep.readRequest + [
                    .send(HTTPAnswer.chunkedHead()), .send(HTTPAnswer.chunk("data: 1\n\n")), .await("later"),
                    .send(HTTPAnswer.lastChunk),
                ])
            async let stream = world.exchange(tenant.request())
            try await ContinuousClock().sleep(for: .milliseconds(4600))
            world.upstream.release("later")
            check.equal(try await stream.end, .complete, "a stream that takes longer")
        },
    ]

    /// Settings with a providers file: the upstream as OpenAI, and these keys besides.
    static func openAIFile(_ keys: String) -> [String: String] {
        ["API_CONFIG_PATH": "{file}apis:\n  openai:\n    base_url: {upstream}\n    \(keys)\n"]
    }

    /// Reads the request and answers with a status and an empty object.
    static func answeringEmpty(_ status: String, fields: String = "") -> [UpstreamStep] {
        UpstreamStep.readRequest + [.send(HTTPAnswer.json("{}", status: status, fields: fields))]
    }
}

extension ProxyAccess {
    /// Adds a way for a tenant's project: further members of the JSON object that makes it.
    func way(of tenant: Tenant, _ members: String) async throws -> UpstreamID {
        let made = try await manage("POST", "/manage/upstreams", #"{"project_id":"\#(tenant.projectID)",\#(members)}"#)
        guard made.status == 201, let id = made.json["id"].string.flatMap({ UpstreamID($0) }) else {
            throw StepFailed(description: "no way was made: \(made.status) \(made.text)")
        }
        return id
    }
}
