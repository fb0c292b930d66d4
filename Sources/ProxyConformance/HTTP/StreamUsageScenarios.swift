import ProxyDomain
import ProxyStorage

extension HTTPScenario {
    /// What a stream has used, whether the provider says so or not.
    static let streamUsage: [HTTPScenario] = [
        HTTPScenario(
            inside: "account.usage.in-packed-answers",
            "An answer that is packed passes as it came, and its usage is seen."
        ) { world, check in
            let tenant = try await world.tenant()
            for (coding, bytes) in PackedAnswer.documents {
                let fields = "Content-Type: application/json\r\nContent-Encoding: \(coding)\r\n"
                for step in [
                    .sendBytewise(HTTPAnswer.sized(bytes, fields: fields)),
                    UpstreamStep.send(
                        HTTPAnswer.chunkedHead(fields: fields) + HTTPAnswer.chunk(bytes) + HTTPAnswer.lastChunk),
                ] {
                    world.upstream.script(UpstreamStep.readRequest + [step])
                    let answer = try await world.exchange(tenant.request())
                    check.equal(answer.body, bytes, "bytes in \(coding)")
                    check.equal(answer.fields.first("content-encoding"), coding, "coding")
                }
            }
            _ = try await world.settledTally(tenant, rows: 6)
            for row in try await world.storage.requests(of: tenant.tokenID, after: nil, limit: 9) {
                let end = row.admission.settlement
                check.equal(end?.usage, TokenUsage(promptTokens: 5, completionTokens: 7), "usage")
                check.equal(end?.model, "gpt-4o-mini-2024", "model")
            }
        },
        HTTPScenario(
            inside: "account.usage.of-broken-packing",
            "An answer whose packing is broken, or unknown, passes, without usage."
        ) { world, check in
            let tenant = try await world.tenant()
            let body = PackedAnswer.document
            for coding in ["gzip", "zstd", "gzip, br"] {
                let fields = "Content-Type: application/json\r\nContent-Encoding: \(coding)\r\n"
                world.upstream.script(
                    UpstreamStep.readRequest + [.send(HTTPAnswer.sized(Array(body.utf8), fields: fields))])
                check.equal(try await world.exchange(tenant.request()).text, body, "body in \(coding)")
            }
            _ = try await world.settledTally(tenant, rows: 3)
            let rows = try await world.storage.requests(of: tenant.tokenID, after: nil, limit: 9)
            check.equal(rows.compactMap { $0.admission.settlement?.usage }, [], "usage")
        },
        HTTPScenario(
            inside: "account.usage.however-a-stream-is-cut",
            "A stream's usage is found wherever it is cut in two, with LF and CR LF, among comments and after 1 MiB in one event."
        ) { world, check in
            let tenant = try await world.tenant()
            var conversation = try await world.talk()
            var count = 0
            for ending in ["\n", "\r\n"] {
                let lines = [": hello", "", SSE.hello, "", "event: message", SSE.usage, "", "data: [DONE]", "", ""]
                let bytes = Array(lines.joined(separator: ending).utf8)
                for cut in 1..<bytes.count {
                    let (first, second) = (Array(bytes[..<cut]), Array(bytes[cut...]))
                    world.upstream.script(
                        UpstreamStep.readRequest + [
                            .send(HTTPAnswer.chunkedHead() + HTTPAnswer.chunk(first)),
                            .send(HTTPAnswer.chunk(second) + HTTPAnswer.lastChunk),
                        ])
                    try await conversation.send(tenant.request())
                    let answer = try await conversation.response()
                    check.equal(answer.body, bytes, "bytes cut at \(cut)")
                    count += 1
                }
            }
            world.upstream.script(
                UpstreamStep.readRequest + [
                    .send(HTTPAnswer.chunkedHead()),
                    .send(HTTPAnswer.chunk(#"data: {"choices":[{"delta":{"content":""#)),
                    .sendTimes(HTTPAnswer.chunk(String(repeating: "x", count: 1024)), 1024),
                    .send(HTTPAnswer.chunk("\"}}]}\n\n\(SSE.usage)\n\ndata: [DONE]\n\n") + HTTPAnswer.lastChunk),
                ])
            try await conversation.send(tenant.request())
            check.that(try await conversation.response().body.count > 1 << 20, "a large event was cut")
            _ = try await eventually {
                try await world.storage.token(tenant.tokenID).completionTokens == Int64(count + 1) * 7
            }
            let token = try await world.storage.token(tenant.tokenID)
            check.equal(token.promptTokens, Int64(count + 1) * 5, "prompt tokens of \(count + 1) streams")
            check.equal(token.completionTokens, Int64(count + 1) * 7, "completion tokens")
        },
        HTTPScenario(
            inside: "account.usage.is-asked-for",
            "Where the project wants it, a stream's usage is asked for, and the client gets just what it asked for."
        ) { world, check in
            let tenant = try await world.askingTenant()
            let body = #"{"model":"gpt-4o-mini","stream":true,"messages":[]}"#
            let client = SSE.hello + "\n\n" + "data: [DONE]\n\n"
            for version in ["1.1", "1.0"] {
                let pieces = [SSE.helloWithNull, SSE.usage, "data: [DONE]"].map { HTTPAnswer.chunk($0 + "\n\n") }
                world.upstream.script(
                    UpstreamStep.readRequest + [
                        .sendBytewise(HTTPAnswer.chunkedHead() + pieces.flatMap { $0 } + HTTPAnswer.lastChunk)
                    ])
                let answer = try await world.exchange(
                    raw:
                        "POST /v1/chat/completions HTTP/\(version)\r\nHost: x\r\nAuthorization: Bearer \(tenant.secret)\r\n"
                        + "Accept-Encoding: gzip\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
                check.equal(answer.text, client, "what the client gets by HTTP/\(version)")
                check.equal(answer.end, .complete, "end")
                let received = world.upstream.received.last
                check.equal(
                    received.map { String(decoding: $0.body, as: UTF8.self) },
                    #"{"stream_options":{"include_usage":true},"model":"gpt-4o-mini","stream":true,"messages":[]}"#,
                    "body")
                check.equal(received?.fields.all("content-length"), ["\(body.utf8.count + 40)"], "length")
                check.equal(received?.fields.all("accept-encoding"), ["identity"], "what may be packed")
            }
            _ = try await world.settledTally(tenant, rows: 2)
            for row in try await world.storage.requests(of: tenant.tokenID, after: nil, limit: 9) {
                let usage = row.admission.settlement?.usage
                check.equal(usage, TokenUsage(promptTokens: 5, completionTokens: 7), "usage")
            }
        },
        HTTPScenario(
            "account.usage.asked-for-in-any-answer",
            "An answer to a request that asked for usage is well framed, whatever it is: without a body, of one length, or said to be "
                + "packed in no way."
        ) { world, check in
            let tenant = try await world.askingTenant()
            let body = Array(#"{"stream":true}"#.utf8)
            let type = "Content-Type: text/event-stream\r\n"
            let stream = Array("\(SSE.helloWithNull)\r\n\r\n\(SSE.usage)\r\n\r\ndata: [DONE]\r\n\r\n".utf8)
            var conversation = try await world.talk()
            for (answer, text) in [
                (Array("HTTP/1.1 204 No Content\r\n\(type)\r\n".utf8), ""),
                (HTTPAnswer.sized(stream, fields: type), "\(SSE.hello)\r\n\r\ndata: [DONE]\r\n\r\n"),
                (
                    HTTPAnswer.sized(stream, fields: type + "Content-Encoding: identity\r\n"),
                    "\(SSE.hello)\r\n\r\ndata: [DONE]\r\n\r\n"
                ), (HTTPAnswer.sized([], fields: type), ""),
            ] {
                world.upstream.script(UpstreamStep.readRequest + [.send(answer)])
                try await conversation.send(tenant.request(body: body))
                let got = try await conversation.response()
                check.equal(got.text, text, "what the client gets")
                check.equal(
                    got.fields.all("content-length").count + got.fields.all("transfer-encoding").count,
                    got.status == 204 ? 0 : 1, "framings")
            }
            try await conversation.send(tenant.request())
            check.usual(try await conversation.response(), "the next on the same connection")
        },
        HTTPScenario(
            "account.usage.asked-for-of-slow-bodies",
            "A body that must be read first may take longer than anybody waits for the database.",
            settings: ["DATABASE_WAIT": "5s"]
        ) { world, check in
            let tenant = try await world.askingTenant()
            let text = #"{"stream":true}"#
            for _ in 1...3 {
                var conversation = try await world.talk()
                try await conversation.send(
                    "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(tenant.secret)\r\n"
                        + "Content-Length: \(text.utf8.count)\r\n\r\n{")
                try await Task.sleep(for: .seconds(6))
                world.upstream.script(UpstreamStep.readRequest + [.await("go"), .send(HTTPAnswer.usual)])
                try await conversation.send(String(text.dropFirst()))
                try await Task.sleep(for: .milliseconds(300))
                world.upstream.release("go")
                check.usual(try await conversation.response())
            }
        },
        HTTPScenario(
            "account.usage.asked-by-its-client",
            "A request that asks for usage itself, and one for no stream, passes as it came, and so does its answer."
        ) { world, check in
            let tenant = try await world.askingTenant()
            let events = SSE.helloWithNull + "\n\n" + SSE.usage + "\n\ndata: [DONE]\n\n"
            let answer = HTTPAnswer.chunkedHead() + HTTPAnswer.chunk(events) + HTTPAnswer.lastChunk
            for body in [
                #"{"stream":true,"stream_options":{"include_usage":true}}"#, #"{"stream":false}"#, "{}", "[", "",
            ] {
                world.upstream.script(UpstreamStep.readRequest + [.send(answer)])
                let got = try await world.exchange(tenant.request(body: Array(body.utf8)))
                check.equal(got.text, events, "answer to \(body)")
                let received = world.upstream.received.last.map { String(decoding: $0.body, as: UTF8.self) }
                check.equal(received, body, "body")
            }
            check.usual(try await world.exchange(tenant.request()), "no stream")
            let models = try await world.exchange(tenant.request("/v1/models", method: "GET", body: nil))
            check.equal(models.status, 200, "GET")
            let failed = HTTPAnswer.json(#"{"usage":null}"#, status: "400 Bad Request")
            world.upstream.script(UpstreamStep.readRequest + [.send(failed)])
            let refused = try await world.exchange(tenant.request(body: Array(#"{"stream":true}"#.utf8)))
            check.equal(refused.text, #"{"usage":null}"#, "an error of the provider")
        },
        HTTPScenario(
            inside: "account.usage.estimated-and-flagged",
            "A stream that tells no usage is written down with an estimate, which says that it is one."
        ) { world, check in
            let tenant = try await world.tenant()
            let events = String(repeating: SSE.hello + "\n\n", count: 9) + "data: [DONE]\n\n"
            world.upstream.script(
                UpstreamStep.readRequest + [
                    .send(HTTPAnswer.chunkedHead() + HTTPAnswer.chunk(events) + HTTPAnswer.lastChunk)
                ])
            check.equal(try await world.exchange(tenant.request()).text, events, "answer")
            let end = try await world.settlement(of: tenant)
            let prompt = Int64(HTTPRequest.usualBody.count / 4)
            check.equal(
                end?.usage, TokenUsage(promptTokens: prompt, completionTokens: 10, source: .estimate), "usage")
            let shown = try await world.manage("GET", "/manage/requests?token_id=\(tenant.tokenID)").json
            check.equal(shown.items.first?["usage_source"].string, "estimate", "flag")
        },
    ]

    /// What is written down of streams whose clients leave.
    static let clientLeaves: [HTTPScenario] = [
        HTTPScenario(
            inside: "account.client-leaves.cancels",
            "With client_leaves cancel the upstream is let go, and nothing is made up."
        ) { world, check in
            let end = try await leave(world, check, policy: "cancel")
            check.equal(end?.usage, nil, "usage")
            let isLetGo = try await eventually { world.upstream.closedByProxy == 1 }
            check.that(isLetGo, "upstreams let go: \(world.upstream.closedByProxy), wanted 1")
        },
        HTTPScenario(
            inside: "account.client-leaves.bills",
            "With client_leaves bill, which is usual, the upstream is let go, and what passed is written down as an estimate."
        ) { world, check in
            let end = try await leave(world, check, policy: nil)
            let prompt = Int64(HTTPRequest.usualBody.count / 4)
            check.equal(end?.usage, TokenUsage(promptTokens: prompt, completionTokens: 3, source: .estimate), "usage")
            let isLetGo = try await eventually { world.upstream.closedByProxy == 1 }
            check.that(isLetGo, "upstreams let go: \(world.upstream.closedByProxy), wanted 1")
        },
        HTTPScenario(
            inside: "account.client-leaves.drains",
            "With client_leaves drain the answer is read on, and what the provider says at its end is written down."
        ) { world, check in
            let end = try await leave(world, check, policy: "drain", before: "go")
            check.equal(end?.usage, TokenUsage(promptTokens: 5, completionTokens: 7), "usage")
            check.equal(world.upstream.closedByProxy, 0, "upstreams let go")
        },
        HTTPScenario(
            inside: "account.client-leaves.drains-for-a-while",
            "An answer is read on for DRAIN_TIMEOUT at most; then what passed is written down as an estimate.",
            settings: ["DRAIN_TIMEOUT": "200ms"]
        ) { world, check in
            let end = try await leave(world, check, policy: "drain")
            check.equal(end?.usage?.source, .estimate, "source")
            check.equal(end?.usage?.completionTokens, 3, "completion tokens")
            let isLetGo = try await eventually { world.upstream.closedByProxy == 1 }
            check.that(isLetGo, "upstreams let go: \(world.upstream.closedByProxy), wanted 1")
        },
    ]

    /// Leaves after three events of a stream, of which more comes once the `gate` is opened.
    private static func leave(
        _ world: any ProxyWorld, _ check: Check, policy: String?, before gate: String? = nil
    ) async throws -> Settlement? {
        let tenant = try await world.tenant()
        if let policy {
            let path = "/manage/projects/\(tenant.projectID)"
            let changed = try await world.manage("PATCH", path, #"{"client_leaves":"\#(policy)"}"#)
            check.equal(changed.json["client_leaves"].string, policy, "policy")
        }
        let begin = HTTPAnswer.chunkedHead() + HTTPAnswer.chunk(String(repeating: SSE.hello + "\n\n", count: 3))
        let rest = HTTPAnswer.chunk(SSE.usage + "\n\ndata: [DONE]\n\n") + HTTPAnswer.lastChunk
        let then: [UpstreamStep] = gate.map { [.await($0), .send(rest)] } ?? [.awaitClose]
        world.upstream.script(UpstreamStep.readRequest + [.send(begin)] + then)
        var conversation = try await world.talk()
        try await conversation.send(tenant.request())
        _ = try await conversation.head()
        _ = try await conversation.chunk()
        await conversation.connection.reset()
        let hasLeft = try await eventually {
            let metrics = try await world.manage("GET", "/metrics").text.split(separator: "\n")
            return metrics.contains { $0.hasPrefix("llm_proxy_clients_left_total{") && $0.hasSuffix(" 1") }
        }
        check.that(hasLeft, "nobody saw the client leave")
        if let gate { world.upstream.release(gate) }
        let end = try await world.settlement(of: tenant)
        check.equal(end?.outcome, .clientLeft, "outcome")
        return end
    }
}

/// Lines of a provider's event streams.
private enum SSE {
    static let hello =
        #"data: {"id":"c","model":"gpt-4o-mini-2024","choices":[{"index":0,"delta":{"content":"Hello"}}]}"#
    static let helloWithNull =
        #"data: {"id":"c","model":"gpt-4o-mini-2024","choices":[{"index":0,"delta":{"content":"Hello"}}],"usage":null}"#
    static let usage =
        #"data: {"id":"c","model":"gpt-4o-mini-2024","choices":[],"usage":{"prompt_tokens":5,"completion_tokens":7,"total_tokens":12}}"#
}

extension ProxyAccess {
    /// A tenant whose project asks for the usage of streams.
    fileprivate func askingTenant() async throws -> Tenant {
        let tenant = try await tenant()
        let path = "/manage/projects/\(tenant.projectID)"
        let changed = try await manage("PATCH", path, #"{"stream_usage":"ask"}"#)
        guard changed.json["stream_usage"].string == "ask" else {
            throw StepFailed(description: "no usage is asked for: \(changed.text)")
        }
        return tenant
    }
}
