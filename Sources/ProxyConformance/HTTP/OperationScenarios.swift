import ProxyDomain
import ProxyStorage

extension HTTPScenario {
    /// What the proxy tells of itself.
    static let operation: [HTTPScenario] = [
        HTTPScenario(
            inside: "operate.health.tells-of-the-database",
            "/health tells version, time and the database, without a credential."
        ) { world, check in
            let health = HTTPRequest(method: "GET", target: "/health")
            var response = try await world.exchange(health)
            // A database that says nothing for two seconds is one that is away: so is one on a machine that stalls.
            if response.status != 200 { response = try await world.exchange(health) }
            check.equal(response.status, 200, "status")
            check.equal(response.json["database"]["driver"].string, world.storage.driver, "driver")
            for name in ["status", "version", "timestamp"] {
                check.that(response.json[name].string?.isEmpty == false, "no \(name)")
            }
            check.that(response.json["database"].has("latency_ms"), "no latency_ms")
        },
        HTTPScenario(
            inside: "operate.ready.looks", "/ready and /health say so when the database is away; /live does not mind."
        ) { world, check in
            for path in ["/health", "/live", "/ready"] {
                let isWell = try await eventually {
                    try await world.exchange(HTTPRequest(method: "GET", target: path)).status == 200
                }
                check.that(isWell, path)
            }
            await world.storage.close()
            for (path, status) in [("/live", 200), ("/ready", 503), ("/health", 503)] {
                let found = try await world.exchange(HTTPRequest(method: "GET", target: path)).status
                check.equal(found, status, "\(path) without a database")
            }
        },
        HTTPScenario(
            inside: "operate.log.names-the-service",
            "Each line of the log says which service it is of, where it was given a name.",
            settings: [
                "OTEL_SERVICE_NAME": "proxy-eu",
                "OTEL_RESOURCE_ATTRIBUTES": "service.name=no,deployment.environment=a%22b",
            ]
        ) { world, check in
            let tenant = try await world.tenant()
            check.usual(try await world.exchange(tenant.request()))
            let resource = #""resource":{"deployment.environment":"a\"b","service.name":"proxy-eu","service.version":""#
            let isThere = try await eventually { world.log.contains(resource) }
            check.that(isThere, "no resource in the log")
        },
        HTTPScenario(
            "operate.metrics.name-the-database", "The metrics name the database, and count every answer (G14)."
        ) { world, check in
            let tenant = try await world.tenant()
            check.usual(try await world.exchange(tenant.request()))
            check.equal(try await world.exchange(HTTPRequest(body: [])).status, 401, "a refusal")
            let response = try await world.exchange(HTTPRequest(method: "GET", target: "/metrics"))
            check.equal(response.status, 200, "status")
            let lines = response.text.split(separator: "\n")
            check.that(
                lines.contains { $0.hasPrefix("llm_proxy_") && $0.contains("database") }, "nothing names the database")
            for what in ["size", "busy", "batch", "commit", "pool", "operation"] {
                check.that(
                    lines.contains { $0.contains("database") && $0.contains(what) }, "no database figure of \(what)")
            }
            check.that(
                lines.allSatisfy { $0.hasPrefix("#") || $0.hasPrefix("llm_proxy_") }, "a line with another prefix")
        },
        HTTPScenario(
            inside: "operate.metrics.count-every-answer",
            "Streams, refusals, answers from the cache and what is no request at all are counted by class, known projects apart, with histograms.",
            needs: .rawBytes
        ) { world, check in
            let tenant = try await world.tenant(cap: 4)
            let before = try await world.metrics()
            let kept = HTTPAnswer.json(HTTPAnswer.usualBody, fields: "Cache-Control: public, max-age=60\r\n")
            world.upstream.script(UpstreamStep.readRequest + [.send(kept)])
            let get = tenant.request("/v1/models", method: "GET", body: nil)
            for _ in 0..<2 { check.usual(try await world.exchange(get)) }
            let events = "data: {\"choices\":[]}\n\ndata: [DONE]\n\n"
            world.upstream.script(
                UpstreamStep.readRequest + [
                    .send(
                        text:
                            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: \(events.utf8.count)\r\n\r\n\(events)"
                    )
                ])
            check.equal(try await world.exchange(tenant.request()).status, 200, "a stream")
            world.upstream.script(UpstreamStep.readRequest + [.send(HTTPAnswer.json("{}", status: "500 Oops"))])
            check.equal(try await world.exchange(tenant.request()).status, 500, "an error of the upstream")
            check.refusal(try await world.exchange(tenant.request()), 429, "quota_exceeded")
            check.refusal(try await world.exchange(HTTPRequest(body: [])), 401, "invalid_token")
            check.equal(try await world.exchange(raw: "nonsense\r\n\r\n").status, 400, "no request")
            let project = ["project": tenant.projectID.text]
            // What the usual answer says, and an estimate for the stream, which says nothing: a token for four bytes.
            let prompt = 5 + HTTPRequest.usualBody.count / 4
            let wanted: [(name: String, labels: [String: String], count: Int)] = [
                ("requests_total", ["status_class": "2xx"], 3), ("requests_total", ["status_class": "5xx"], 1),
                ("requests_total", ["status_class": "4xx"], 3), ("refusals_total", ["code": "quota_exceeded"], 1),
                ("refusals_total", ["code": "invalid_token"], 1), ("refusals_total", [:], 3),
                ("cache_hits_total", [:], 1), ("project_requests_total", project, 5),
                ("project_requests_total", project.merging(["status_class": "2xx"]) { $1 }, 3),
                ("project_tokens_total", project.merging(["kind": "prompt"]) { $1 }, prompt),
                ("added_latency_seconds", [:], 6), ("request_duration_seconds", [:], 6),
                ("upstream_first_byte_seconds", [:], 3), ("upstream_duration_seconds", [:], 3),
                ("first_byte_seconds", [:], 3),
            ]
            // An answer is counted when it has ended, which may be after the client has read it.
            _ = try await eventually {
                try await world.metrics().count("requests_total", [:]) - before.count("requests_total", [:]) >= 7
            }
            let after = try await world.metrics()
            for (name, labels, count) in wanted {
                check.equal(after.count(name, labels) - before.count(name, labels), count, "\(name) \(labels)")
            }
            for name in ["database_ledger_batch_size", "database_commit_seconds"] {
                check.that(after.count(name, [:]) > 0, "nothing in \(name)")
            }
        },
        HTTPScenario(
            inside: "operate.log.names-what-was-no-request",
            "What can't be read as a request is answered with an identifier, by which the log knows it.",
            needs: .rawBytes
        ) { world, check in
            let answer = try await world.exchange(raw: "nonsense\r\n\r\n")
            check.equal(answer.status, 400, "status")
            let id = answer.fields.first("x-proxy-request-id") ?? "none"
            let line = try await world.logLine(of: id, check)
            let code = answer.json["error"]["code"].string ?? "none"
            check.that(line.contains(#""status":400,"code":"\#(code)""#), "the line is \(line)")
        },
        HTTPScenario(
            inside: "operate.http2.tells-of-broken-connections",
            "An HTTP/2 connection that is ended for what its client did is counted and logged, by the code that the client was told.",
            needs: .rawBytes
        ) { world, check in
            let before = try await world.metrics()
            var talk = try await HTTP2Talk(world)
            // Settings of a length that there is none of.
            try await talk.send(HTTP2Frame(.settings, [1, 2, 3]))
            check.equal(try await talk.goodbye(), 6, "code of GOAWAY")
            let labels = ["code": "http2_frame_size_error"]
            let isCounted = try await eventually {
                try await world.metrics().count("refusals_total", labels) == before.count("refusals_total", labels) + 1
            }
            check.that(isCounted, "it is not counted once")
            let isLogged = try await eventually { world.log.contains(#""status":0,"code":"http2_frame_size_error""#) }
            check.that(isLogged, "it is not logged")
        },
        HTTPScenario("operate.metrics.may-be-json", "The metrics come as JSON to who asks for it.") { world, check in
            let fields = [HTTPField("Accept", "application/json")]
            let response = try await world.exchange(HTTPRequest(method: "GET", target: "/metrics", fields: fields))
            check.equal(response.fields.first("content-type"), "application/json", "content type")
            check.that(JSONDocument(response.body) != nil, "no JSON: \(response.text.prefix(100))")
        },
        HTTPScenario("operate.metrics.hold-no-secret", "No metric holds a token, a key or the management token.") {
            world, check in
            let tenant = try await world.tenant()
            check.usual(try await world.exchange(tenant.request()))
            let text = try await world.exchange(HTTPRequest(method: "GET", target: "/metrics")).text
            check.that(text.contains("llm_proxy_"), "no metrics")
            for secret in [tenant.secret, upstreamKey, world.managementToken] {
                check.that(!text.contains(secret), "a secret")
            }
        },
        HTTPScenario(
            inside: "operate.log.holds-no-secret",
            "Whatever goes well or wrong, no log line holds a token, a key or the management token.", needs: .rawBytes,
            settings: ["LOG_LEVEL": "debug"]
        ) { world, check in
            let tenant = try await world.tenant()
            check.usual(try await world.exchange(tenant.request("/v1/models?key=\(tenant.secret)")))
            world.upstream.script(UpstreamStep.readRequest + [.send(text: "\(upstreamKey)\r\n\r\n")])
            _ = try await world.exchange(tenant.request())
            _ = try await world.exchange(tenant.request("/v2/\(tenant.secret)"))
            _ = try await world.exchange(raw: "GET /v1/x HTTP/1.1\r\nAuthorization : Bearer \(tenant.secret)\r\n\r\n")
            _ = try await world.manage("GET", "/manage/\(world.managementToken)")
            _ = try await world.manage("POST", "/manage/projects", #"{"name":"acme","api_key":"\#(upstreamKey)"}"#)
            _ = try await world.manage("POST", "/manage/projects", #"{"\#(upstreamKey)":1}"#)
            _ = try await world.manage("DELETE", "/manage/tokens/\(tenant.tokenID)")
            _ = try await world.exchange(tenant.request())
            await world.storage.close()
            _ = try await world.exchange(tenant.request())
            check.that(try await eventually { world.log.contains(tenant.tokenID.text) }, "nothing was logged")
            for secret in [tenant.secret, upstreamKey, world.managementToken] {
                check.that(
                    !world.log.contains(secret),
                    "a secret: \(world.log.split(separator: "\n").first { $0.contains(secret) } ?? "")")
            }
        },
        HTTPScenario(
            inside: "operate.log.is-json",
            "Each log line is a JSON object; a request's has its id, its status and its duration.",
            settings: ["LOG_LEVEL": "debug"]
        ) { world, check in
            let tenant = try await world.tenant()
            let id = try await world.exchange(tenant.request()).fields.first("x-proxy-request-id") ?? "none"
            check.that(try await eventually { world.log.contains(id) }, "the request was not logged")
            let lines = world.log.split(separator: "\n")
            check.that(
                lines.allSatisfy { JSONDocument(String($0)) != nil },
                "a line is no JSON: \(lines.first { JSONDocument(String($0)) == nil } ?? "")")
            let line = lines.first { $0.contains(id) }.map(String.init) ?? ""
            check.that(line.contains("200") && line.contains(tenant.tokenID.text), "the line is \(line)")
            check.equal(lines.filter { $0.contains(id) && $0.contains("\"request\"") }.count, 1, "lines of the request")
            let wanted = [
                "request_id", "trace_id", "project_id", "token_id", "token", "provider", "attempts", "method", "path",
                "model", "status", "outcome",
                "duration_us",
                "first_byte_us", "overhead_us", "prompt_tokens", "completion_tokens", "request_bytes", "response_bytes",
            ]
            for name in wanted { check.that(line.contains("\"\(name)\":"), "no \(name) in \(line)") }
        },
        HTTPScenario(
            inside: "operate.log.is-for-people", "With LOG_FORMAT=console lines are text, and say the same.",
            settings: ["LOG_FORMAT": "console"]
        ) { world, check in
            let tenant = try await world.tenant()
            let id = try await world.exchange(tenant.request()).fields.first("x-proxy-request-id") ?? "none"
            let line = try await world.logLine(of: id, check)
            check.that(
                line.contains(" info request request_id=\(id) ") && line.contains(" status=200 ")
                    && JSONDocument(line) == nil, "the line is \(line)")
        },
        HTTPScenario(
            inside: "operate.log.tells-the-way",
            "The line of a request says whose answer it got, after how many attempts and what the cache did, and shows its token masked."
        ) { world, check in
            let tenant = try await world.tenant()
            let kept = HTTPAnswer.json(HTTPAnswer.usualBody, fields: "Cache-Control: public, max-age=60\r\n")
            world.upstream.script(UpstreamStep.readRequest + [.send(kept)])
            let get = tenant.request("/v1/models", method: "GET", body: nil)
            let masked = #""token":"\#(tenant.secret.prefix(7))…\#(tenant.secret.suffix(4))","#
            for (attempts, cache) in [(1, "fwd=miss"), (0, "hit; ttl=")] {
                let id = try await world.exchange(get).fields.first("x-proxy-request-id") ?? "none"
                let line = try await world.logLine(of: id, check)
                let way = #""provider":"openai","attempts":\#(attempts),"cache":"\#(cache)"#
                check.that(line.contains(masked) && line.contains(way), "no \(way) in \(line)")
            }
            check.that(!world.log.contains(tenant.secret), "the token is in the log")
        },
        HTTPScenario(
            inside: "operate.log.names-what-was-refused",
            "The line of a request that was refused at once names its path, without its query."
        ) { world, check in
            let unknown = HTTPField("Authorization", "Bearer \("sk-" + String(repeating: "A", count: 43))")
            for (path, fields) in [("/v1/refused/first", []), ("/v1/refused/second", [unknown])] {
                let request = HTTPRequest(method: "GET", target: path + "?secret=x", fields: fields)
                check.equal(try await world.exchange(request).status, 401, path)
                check.that(
                    try await eventually { world.log.contains("\"path\":\"\(path)\"") }, "\(path) is not in the log")
            }
            check.that(!world.log.contains("secret=x"), "the query is in the log")
        },
        HTTPScenario(
            "operate.answers.name-no-server-inside",
            "Errors tell what to do, and nothing of files, code or hosts behind the proxy.", needs: .rawBytes
        ) { world, check in
            let tenant = try await world.tenant()
            // Not stopped: of a proxy that is looked at from outside there is one upstream for all scenarios.
            world.upstream.script(UpstreamStep.readRequest + [.reset])
            let answers = [
                try await world.exchange(tenant.request()), try await world.exchange(HTTPRequest(body: [])),
                try await world.manage("POST", "/manage/projects", "{"),
                try await world.exchange(raw: "nonsense\r\n\r\n"),
            ]
            for answer in answers {
                check.that(answer.status >= 400, "status \(answer.status)")
                for inside in [".swift", "/tmp", "127.0.0.1", "sqlite", "SQL", "errno", "NIO"] {
                    check.that(!answer.text.contains(inside), "\(answer.status) tells of \(inside): \(answer.text)")
                }
            }
        },
        HTTPScenario(
            "operate.paths.are-told-apart",
            "What is neither proxy, management nor operation is 404, without a credential."
        ) { world, check in
            for path in ["/", "/nothing", "/healthz", "/metricsx", "/.env", "/v", "/manageme"] {
                let response = try await world.exchange(HTTPRequest(method: "GET", target: path))
                check.equal(response.status, 404, path)
            }
            check.equal(world.upstream.received.count, 0, "requests at the upstream")
        },
    ]

    /// The same calls against the simulator, as an OpenAI client makes them.
    static let openAI: [HTTPScenario] = [
        HTTPScenario(
            inside: "openai.chat.works", "A chat completion comes through, and its usage is written down.",
            settings: ["OPENAI_API_URL": "{simulator}"]
        ) { world, check in
            let tenant = try await world.tenant()
            let response = try await world.exchange(tenant.request())
            check.equal(response.status, 200, "status")
            check.equal(response.json["object"].string, "chat.completion", "object")
            let usage = response.json["usage"]
            let end = try await world.settlement(of: tenant)
            check.equal(
                end?.usage.map { [Int($0.promptTokens), Int($0.completionTokens)] },
                [usage["prompt_tokens"].integer ?? -1, usage["completion_tokens"].integer ?? -1], "usage")
            check.equal(end?.model, response.json["model"].string, "model")
        },
        HTTPScenario(
            inside: "openai.chat.streams", "A streamed chat comes through to [DONE], and its usage is written down.",
            settings: ["OPENAI_API_URL": "{simulator}"]
        ) { world, check in
            let tenant = try await world.tenant()
            let body =
                #"{"model":"gpt-4o-mini","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"Hi"}]}"#
            let response = try await world.exchange(tenant.request(body: Array(body.utf8)))
            check.equal(response.status, 200, "status")
            check.that(response.fields.first("content-type")?.hasPrefix("text/event-stream") == true, "content type")
            check.that(
                response.text.hasPrefix("data: ") && response.text.hasSuffix("data: [DONE]\n\n"),
                "events: \(response.text)")
            check.that(try await world.settlement(of: tenant)?.usage != nil, "no usage was written down")
        },
        HTTPScenario(
            "openai.models.are-listed", "The list of models comes through.", settings: ["OPENAI_API_URL": "{simulator}"]
        ) { world, check in
            let tenant = try await world.tenant()
            let response = try await world.exchange(tenant.request("/v1/models", method: "GET", body: nil))
            check.equal(response.status, 200, "status")
            check.equal(response.json["object"].string, "list", "object")
            check.that(!response.json["data"].items.isEmpty, "no models")
        },
        HTTPScenario("openai.embeddings.work", "Embeddings come through.", settings: ["OPENAI_API_URL": "{simulator}"])
        { world, check in
            let tenant = try await world.tenant()
            let body = Array(#"{"model":"text-embedding-3-small","input":"Hi"}"#.utf8)
            let response = try await world.exchange(tenant.request("/v1/embeddings", body: body))
            check.equal(response.status, 200, "status")
            check.that(!response.json["data"].items.isEmpty, "no embeddings: \(response.text.prefix(200))")
        },
    ]
}

extension ProxyAccess {
    /// The metrics as they are now.
    fileprivate func metrics() async throws -> Metrics {
        let fields = [HTTPField("Accept", "application/json")]
        return Metrics(
            document: try await exchange(HTTPRequest(method: "GET", target: "/metrics", fields: fields)).json)
    }
}

extension ProxyWorld {
    /// The line of the log that names a request, once it is there.
    fileprivate func logLine(of id: String, _ check: Check) async throws -> String {
        check.that(try await eventually { log.contains(id) }, "no line of \(id)")
        return log.split(separator: "\n").first { $0.contains(id) }.map(String.init) ?? ""
    }
}

/// What the metrics page says, as JSON.
private struct Metrics {
    let document: JSONDocument

    /// The sum over all samples that have these labels; of a histogram, how many it has seen.
    func count(_ name: String, _ labels: [String: String]) -> Int {
        let family = document["metrics"].items.first { $0["name"].string == "llm_proxy_\(name)" }
        let samples = family?["samples"].items ?? []
        return samples.filter { sample in labels.allSatisfy { sample["labels"][$0.key].string == $0.value } }
            .reduce(0) { $0 + ($1["count"].integer ?? $1["value"].double.map { Int($0) } ?? 0) }
    }
}
