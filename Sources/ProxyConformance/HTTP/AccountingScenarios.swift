import ProxyDomain
import ProxyStorage

extension HTTPScenario {
    /// When a change of what is allowed takes effect.
    static let effects: [HTTPScenario] = [
        HTTPScenario(
            "effect.revocation.within-a-connection", "A revocation takes effect between two requests of one connection."
        ) { world, check in
            let tenant = try await world.tenant()
            var conversation = try await world.talk()
            try await conversation.send(tenant.request())
            check.usual(try await conversation.response(), "before")
            check.equal(try await world.manage("DELETE", "/manage/tokens/\(tenant.tokenID)").status, 204, "revocation")
            try await conversation.send(tenant.request())
            check.refusal(try await conversation.response(), 401, "token_inactive", "after")
        },
        HTTPScenario(
            inside: "effect.revocation.behind-the-server",
            "A revocation that another program made in the database takes effect at once."
        ) { world, check in
            let tenant = try await world.tenant()
            let other = try await world.tenant(of: tenant.projectID)
            for each in [tenant, other] { check.usual(try await world.exchange(each.request()), "before") }
            _ = try await world.storage.revoke(tenant.tokenID, at: .noon)
            check.refusal(try await world.exchange(tenant.request()), 401, "token_inactive", "revoked")
            check.usual(try await world.exchange(other.request()), "the other")
            _ = try await world.storage.update(tenant.projectID, ProjectChange(isActive: false), at: .noon)
            check.refusal(try await world.exchange(other.request()), 403, "project_inactive", "deactivated")
        },
        HTTPScenario("effect.open-stream.is-let-finish", "A stream that began before the revocation runs to its end.") {
            world, check in
            let tenant = try await world.tenant()
            world.upstream.script(
                UpstreamStep.readRequest + [
                    .send(HTTPAnswer.chunkedHead()), .await("go"),
                    .send(HTTPAnswer.chunk("data: 1\n\n") + HTTPAnswer.lastChunk),
                ])
            var conversation = try await world.talk()
            try await conversation.send(tenant.request())
            let head = try await conversation.head()
            check.equal(try await world.manage("DELETE", "/manage/tokens/\(tenant.tokenID)").status, 204, "revocation")
            world.upstream.release("go")
            let rest = try await conversation.body(of: head)
            check.equal(rest.text, "data: 1\n\n", "body")
            check.equal(rest.end, .complete, "end")
        },
    ]

    /// What is written down of requests.
    static let accounting: [HTTPScenario] = [
        HTTPScenario(inside: "account.usage.from-json", "What a JSON answer reports is what is written down.") {
            world, check in
            let tenant = try await world.tenant()
            check.usual(try await world.exchange(tenant.request("/v1/chat/completions?trace=1")))
            let end = try await world.settlement(of: tenant)
            check.equal(end?.usage, TokenUsage(promptTokens: 5, completionTokens: 7), "usage")
            check.equal(end?.model, "gpt-4o-mini-2024", "model")
            check.equal(end?.outcome, .completed, "outcome")
            check.equal(end?.status, 200, "status")
            let row = try await world.storage.requests(of: tenant.tokenID, after: nil, limit: 1).first?.admission
            check.equal(row?.path, "/v1/chat/completions", "path")
            check.equal(row?.method, "POST", "method")
            check.that(
                end.map { ($0.firstByteMicroseconds ?? -1) >= 0 && $0.durationMicroseconds > 0 } == true,
                "durations of \(String(describing: end))")
        },
        HTTPScenario(
            inside: "account.usage.from-events", "What the last event of a stream reports is what is written down."
        ) {
            world, check in
            let tenant = try await world.tenant()
            let event =
                #"data: {"id":"1","model":"gpt-4o-2024","choices":[{"delta":{"content":"\"usage\""}}],"usage":null}"#
                + "\n\n"
            let last =
                #"data: {"id":"1","model":"gpt-4o-2024","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":30,"total_tokens":39}}"#
                + "\n\n"
            let events = [event, event, last, "data: [DONE]\n\n"].flatMap { HTTPAnswer.chunk($0) }
            world.upstream.script(
                UpstreamStep.readRequest + [.sendBytewise(HTTPAnswer.chunkedHead() + events + HTTPAnswer.lastChunk)])
            check.equal(try await world.exchange(tenant.request()).end, .complete, "end")
            let end = try await world.settlement(of: tenant)
            check.equal(end?.usage, TokenUsage(promptTokens: 9, completionTokens: 30), "usage")
            check.equal(end?.model, "gpt-4o-2024", "model")
        },
        HTTPScenario(inside: "account.usage.may-be-unknown", "An answer that reports no usage is written down without.")
        {
            world, check in
            let tenant = try await world.tenant()
            world.upstream.script(UpstreamStep.readRequest + [.send(HTTPAnswer.json(#"{"data":[]}"#))])
            check.equal(try await world.exchange(tenant.request()).status, 200, "status")
            let end = try await world.settlement(of: tenant)
            check.equal(end?.outcome, .completed, "outcome")
            check.equal(end?.usage, nil, "usage")
        },
        HTTPScenario(
            inside: "account.usage.absurd-stops-nothing",
            "A usage that no model can have, from whoever can make an upstream say so, stops neither the server nor its sums."
        ) { world, check in
            let tenant = try await world.tenant()
            let absurd = #"{"usage":{"prompt_tokens":\#(Int64.max),"completion_tokens":\#(Int64.max)}}"#
            for _ in 0..<3 {
                world.upstream.script(UpstreamStep.readRequest + [.send(HTTPAnswer.json(absurd))])
                check.equal(try await world.exchange(tenant.request()).text, absurd, "passed on")
            }
            check.usual(try await world.exchange(tenant.request()), "after them")
            let metrics = try await world.exchange(
                HTTPRequest(method: "GET", target: "/metrics", fields: [], body: nil))
            check.equal(metrics.status, 200, "metrics")
            check.equal(try await world.settledTally(tenant, rows: 4), Tally(4), "tally")
            let found = try await world.storage.token(tenant.tokenID)
            check.that(found.promptTokens > 0 && found.completionTokens > 0, "sums: \(found)")
        },
        HTTPScenario(
            inside: "account.timeline.tells-when-it-was-sent",
            "A request tells when it was sent, between its beginning and the first byte of its answer; what wasn't sent, and an answer from the cache, tell nothing of it."
        ) { world, check in
            let tenant = try await world.tenant()
            let kept = HTTPAnswer.json(HTTPAnswer.usualBody, fields: "Cache-Control: public, max-age=60\r\n")
            world.upstream.script(UpstreamStep.readRequest + [.send(kept)])
            let get = tenant.request("/v1/models", method: "GET", body: nil)
            var ids: [String] = []
            for request in [get, get, tenant.request()] {
                let answer = try await world.exchange(request)
                check.usual(answer)
                ids.append(answer.fields.first("x-proxy-request-id") ?? "")
            }
            check.equal(world.upstream.received.count, 2, "requests that reached the upstream")
            _ = try await world.settledTally(tenant, rows: 3)
            let list = try await world.manage("GET", "/manage/requests?token_id=\(tenant.tokenID)").json.items
            for (id, isSent) in zip(ids, [true, false, true]) {
                let row = try await world.manage("GET", "/manage/requests/\(id)").json
                check.that(list.contains(row), "not listed as it is shown: \(row)")
                guard isSent else {
                    check.that(row.has("sent_us") && row["sent_us"] == .null, "from the cache: \(row)")
                    continue
                }
                let times = ["sent_us", "first_byte_us", "duration_us"].compactMap { row[$0].integer }
                check.that(times.count == 3 && times[0] >= 0 && times == times.sorted(), "times \(times)")
            }
            let lost = try await world.scoped(project: #""base_url":"http://127.0.0.1:1""#, name: "lost")
            check.refusal(try await world.exchange(lost.request()), 502, "upstream_unreachable")
            let unsent = try await world.settlement(of: lost)
            check.equal(unsent?.outcome, .upstreamUnreachable, "outcome of what wasn't sent")
            check.equal(unsent?.sentMicroseconds, nil, "when it was sent")
        },
        HTTPScenario(
            inside: "account.bytes.are-in-the-row",
            "A request's row tells how many bytes of content passed each way, without framing, also when the cache answered."
        ) { world, check in
            let tenant = try await world.tenant()
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nCache-Control: public, max-age=60\r\n"
            let chunks = "Transfer-Encoding: chunked\r\n\r\n5\r\n{\"a\":\r\n2\r\n1}\r\n0\r\n\r\n"
            world.upstream.script(UpstreamStep.readRequest + [.send(text: head + chunks)])
            let get = tenant.request("/v1/models", method: "GET", body: nil)
            let usual = (HTTPRequest.usualBody.count, HTTPAnswer.usualBody.utf8.count)
            for (rows, (request, (sent, received))) in [(get, (0, 7)), (get, (0, 7)), (tenant.request(), usual)]
                .enumerated()
            {
                let answer = try await world.exchange(request)
                check.equal(answer.status, 200, "status")
                let id = answer.fields.first("x-proxy-request-id") ?? ""
                _ = try await world.settledTally(tenant, rows: rows + 1)
                let row = try await world.manage("GET", "/manage/requests/\(id)").json
                check.equal(row["request_bytes"].integer, sent, "from the client")
                check.equal(row["response_bytes"].integer, received, "to the client")
            }
            check.equal(world.upstream.received.count, 2, "requests that reached the upstream")
        },
        HTTPScenario(
            inside: "account.rows.equal-counts", "After mixed traffic every counted request has its row, and no others."
        ) { world, check in
            let tenant = try await world.tenant()
            let capped = try await world.tenant(cap: 4, of: tenant.projectID)
            for step in [
                UpstreamStep.close, .send(text: "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"),
                .send(text: "x\r\n\r\n"),
            ] {
                world.upstream.script(UpstreamStep.readRequest + [step])
                _ = try await world.exchange(tenant.request())
            }
            _ = try await world.exchange(HTTPRequest(body: []))
            _ = try await world.exchange(tenant.request("/v2"))
            _ = try await world.exchange(tenant.request(method: "PUT"))
            for _ in 1...6 { _ = try await world.exchange(capped.request()) }
            for _ in 1...4 { check.usual(try await world.exchange(tenant.request())) }
            check.equal(try await world.settledTally(tenant, rows: 7), Tally(7), "tally of the open one")
            check.equal(try await world.settledTally(capped, rows: 4), Tally(4), "tally of the capped one")
            check.equal(try await world.storage.verify().filter { !$0.holds }, [], "broken invariants")
        },
        HTTPScenario(inside: "account.parallel.loses-nothing", "Two hundred requests at once are two hundred rows.") {
            world, check in
            let tenant = try await world.tenant()
            let good = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<20 {
                    group.addTask {
                        var conversation = try await world.talk()
                        for _ in 0..<10 {
                            try await conversation.send(tenant.request())
                            check.usual(try await conversation.response())
                        }
                        return 10
                    }
                }
                return try await group.reduce(0, +)
            }
            check.equal(good, 200, "answers")
            check.equal(try await world.settledTally(tenant, rows: 200), Tally(200), "tally")
        },
        HTTPScenario(
            inside: "account.restart.keeps-counts", "A restart keeps what was counted, and caps go on where they were.",
            needs: .durable
        ) { world, check in
            let tenant = try await world.tenant(cap: 4)
            for _ in 1...3 { check.usual(try await world.exchange(tenant.request())) }
            try await world.restart()
            check.equal(try await world.settledTally(tenant, rows: 3), Tally(3), "tally after the restart")
            check.usual(try await world.exchange(tenant.request()), "fourth")
            check.refusal(try await world.exchange(tenant.request()), 429, "quota_exceeded", "fifth")
        },
        HTTPScenario(
            inside: "account.stop.finishes-what-is-open",
            "A server that stops lets open requests finish, and writes them down.", needs: .durable,
            settings: ["SHUTDOWN_GRACE": "10s"]
        ) { world, check in
            let tenant = try await world.tenant()
            world.upstream.script(
                UpstreamStep.readRequest + [
                    .send(HTTPAnswer.chunkedHead()), .await("go"),
                    .send(HTTPAnswer.chunk("data: 1\n\n") + HTTPAnswer.lastChunk),
                ])
            try await stopAmid(tenant, text: "data: 1\n\n", world, check)
        },
    ]

    /// The server is told to stop while an answer has begun that waits for "go": it comes whole, and is written down.
    static func stopAmid(
        _ tenant: Tenant, text: String, _ world: any ProxyWorld, _ check: Check
    ) async throws {
        var conversation = try await world.talk()
        try await conversation.send(tenant.request())
        let head = try await conversation.head()
        async let restarted: Void = world.restart()
        check.that(try await eventually { world.log.contains("stopping") }, "it does not stop")
        // Half a second at most passes before it takes its leave of clients.
        try await ContinuousClock().sleep(for: .milliseconds(600))
        world.upstream.release("go")
        let rest = try await conversation.body(of: head)
        check.equal(rest.text, text, "body")
        check.equal(rest.end, .complete, "end")
        try await restarted
        check.equal(try await world.settlement(of: tenant)?.outcome, .completed, "outcome")
    }
}
