import ProxyDomain
import ProxyStorage

extension HTTPScenario {
    /// Limits of tokens and of money.
    static let usageLimits: [HTTPScenario] = [
        HTTPScenario(
            inside: "access.tokens.are-reserved-and-corrected",
            "A minute's tokens are set aside by max_tokens, given back when a request used fewer, and told in every answer."
        ) { world, check in
            let tenant = try await world.tenant(limits: #""tokens_per_minute":1000"#)
            world.upstream.script(
                UpstreamStep.readRequest + [
                    .send(HTTPAnswer.json(HTTPAnswer.usualBody, fields: "x-ratelimit-remaining-tokens: 149999\r\n"))
                ])
            let body = Array(#"{"model":"gpt-4o-mini","max_tokens":900,"messages":[]}"#.utf8)
            let first = try await world.exchange(tenant.request(body: body))
            check.usual(first, "first")
            check.equal(first.fields.all("x-ratelimit-limit-tokens"), ["1000"], "limit")
            check.equal(first.fields.all("x-ratelimit-remaining-tokens"), ["86"], "remaining")
            _ = try await world.settledTally(tenant, rows: 1)
            check.usual(try await world.exchange(tenant.request(body: body)), "second, after the first gave back 902")
            let large = Array(#"{"model":"gpt-4o-mini","max_tokens":1001,"messages":[]}"#.utf8)
            let refused = try await world.exchange(tenant.request(body: large))
            check.refusal(refused, 429, "rate_limit_exceeded", "what never fits")
            check.equal(refused.fields.first("x-should-retry"), "false", "x-should-retry")
            check.equal(refused.fields.first("retry-after"), nil, "Retry-After")
            check.that(refused.text.contains("1000 tokens a minute"), refused.text)
            check.equal(world.upstream.received.count, 2, "requests at the upstream")
        },
        HTTPScenario(
            inside: "access.tokens.usual-reservation-is-set",
            "DEFAULT_RESERVED_TOKENS is what is set aside for a request that doesn't bound its answer.",
            settings: ["DEFAULT_RESERVED_TOKENS": "10"]
        ) { world, check in
            let tenant = try await world.tenant(limits: #""tokens_per_minute":100"#)
            world.upstream.script(UpstreamStep.readRequest + [.await("seen"), .send(HTTPAnswer.usual)])
            let asking = Task { try await world.exchange(tenant.request(body: Array(#"{"model":"m"}"#.utf8))) }
            check.that(try await eventually { world.upstream.received.count == 1 }, "it is not sent on")
            let rows = try await world.manage("GET", "/manage/requests?token_id=\(tenant.tokenID)").json.items
            check.equal(rows.first?["reserved"]["completion_tokens"].integer, 10, "set aside")
            world.upstream.release("seen")
            check.usual(try await asking.value)
        },
        HTTPScenario(
            "access.tokens.count-what-is-under-way",
            "Of requests at once as many begin as fit with their max_tokens; the others are told when to come again."
        ) { world, check in
            let tenant = try await world.tenant(limits: #""tokens_per_minute":1000"#)
            for _ in 0..<3 {
                world.upstream.script(UpstreamStep.readRequest + [.await("go"), .send(HTTPAnswer.usual)])
            }
            let body = Array(#"{"model":"gpt-4o-mini","max_completion_tokens":300,"messages":[]}"#.utf8)
            let answers = try await world.exchange(8, of: tenant.request(body: body), releasing: "go", after: 5)
            let refused = answers.filter { $0.status != 200 }
            check.equal(refused.count, 5, "refused")
            for answer in refused {
                check.refusal(answer, 429, "rate_limit_exceeded")
                let seconds = answer.fields.first("retry-after").flatMap { Int($0) } ?? 0
                check.that((30...61).contains(seconds), "Retry-After \(seconds)")
                check.equal(answer.fields.first("x-ratelimit-reset-tokens"), "\(seconds)s", "reset")
            }
        },
        HTTPScenario(
            inside: "access.budget.strict-is-never-passed",
            "Forty requests at once under a strict budget spend no more than it, whatever they were set aside.",
            settings: priced
        ) { world, check in
            // A request is set aside (69 bytes + 100) × 1 µ$, and costs (5 + 7) µ$.
            let tenant = try await world.tenant(
                limits: #""budget_usd":0.001,"budget_mode":"strict","budget_period":"day""#)
            let body = Array(#"{"model":"gpt-4o-mini","max_tokens":100,"messages":[{"role":"user"}]}"#.utf8)
            for _ in 0..<40 {
                world.upstream.script(UpstreamStep.readRequest + [.await("go"), .send(HTTPAnswer.usual)])
            }
            let answers = try await world.exchange(40, of: tenant.request(body: body), releasing: "go", after: 35)
            let refused = answers.filter { $0.status != 200 }
            check.equal(refused.count, 35, "refused of 40, of which 5 fit in")
            for answer in refused {
                check.refusal(answer, 429, "budget_exceeded")
                let seconds = answer.fields.first("retry-after").flatMap { Int($0) } ?? 0
                check.that((1...86_400).contains(seconds), "Retry-After \(seconds)")
                check.that(answer.text.contains("0.001 US dollars") && answer.text.contains("budget_usd"), answer.text)
            }
            _ = try await world.settledTally(tenant, rows: 5)
            let account = try await world.storage.token(tenant.tokenID).budget
            check.equal(account?.spent, NanoDollars(5 * 12_000), "spent")
            check.equal(account?.reserved, .zero, "set aside")
            check.usual(try await world.exchange(tenant.request(body: body)), "what was not used is free again")
        },
        HTTPScenario(
            "access.budget.strict-wants-a-bound",
            "Under a strict budget a request whose cost nothing bounds is refused, and told what to send instead.",
            settings: priced
        ) { world, check in
            let tenant = try await world.tenant(limits: #""budget_usd":10,"budget_mode":"strict""#)
            let cases: [(body: String, param: String?)] = [
                (#"{"model":"gpt-4o-mini","messages":[]}"#, "max_completion_tokens"),
                (#"{"model":"unheard-of","max_tokens":5}"#, "model"), (#"{"max_tokens":5}"#, "model"), ("[]", nil),
                (#"{"model":"gpt-4o-mini","max_tokens":5,"messages":[{"content":[{"image\u005furl":{}}]}]}"#, nil),
                (#"{"model":"gpt-4o-mini","max_tokens":5,"previous_response_id":"r"}"#, nil),
            ]
            for (body, param) in cases {
                let refused = try await world.exchange(tenant.request(body: Array(body.utf8)))
                check.refusal(refused, 400, "cost_unbounded", body)
                check.equal(refused.json["error"]["param"].string, param, "param of \(body)")
            }
            check.equal(world.upstream.received.count, 0, "requests at the upstream")
            for body in [
                #"{"model":"gpt-bounded","messages":[]}"#, #"{"model":"gpt-4o-mini","n":2,"max_output_tokens":5}"#,
            ] {
                check.usual(try await world.exchange(tenant.request(body: Array(body.utf8))), body)
            }
            check.equal(
                try await world.exchange(tenant.request("/v1/models", method: "GET", body: nil)).status, 200, "GET")
        },
        HTTPScenario(
            inside: "access.budget.of-a-project",
            "A project's budget ends the requests of all its tokens, and of no others.",
            settings: priced
        ) { world, check in
            let tenant = try await world.tenant()
            let other = try await world.tenant(of: tenant.projectID)
            let stranger = try await world.tenant(name: "stranger")
            let path = "/manage/projects/\(tenant.projectID)"
            let limits = #"{"limits":{"budget_usd":0.000024,"budget_period":"month"}}"#
            check.equal(try await world.manage("PATCH", path, limits).status, 200, "setting it")
            for (each, name) in [(tenant, "first"), (other, "second")] {
                check.usual(try await world.exchange(each.request()), name)
                _ = try await world.settledTally(each, rows: 1)
            }
            for each in [tenant, other] {
                let refused = try await world.exchange(each.request())
                check.refusal(refused, 429, "budget_exceeded")
                check.that(refused.text.contains("of this project"), refused.text)
            }
            check.usual(try await world.exchange(stranger.request()), "another project's")
            let shown = try await world.manage("GET", path).json["budget"]
            check.equal(shown["spent_usd"], .number("0.000024"), "spent")
            check.equal(shown["reserved_usd"], .number("0"), "set aside")
            check.that(shown["resets_at"].string?.hasSuffix("-01T00:00:00.000Z") == true, "resets")
            check.equal(try await world.manage("PATCH", path, #"{"limits":{}}"#).status, 200, "lifting it")
            check.usual(try await world.exchange(other.request()), "without a budget")
        },
        HTTPScenario(
            inside: "access.shadow.tells-and-refuses-nothing",
            "A limit in shadow lets everything through; token, log and metrics tell what it would have refused."
        ) { world, check in
            let tenant = try await world.tenant(limits: #""requests_per_minute":2,"shadow":true"#)
            for number in 1...5 { check.usual(try await world.exchange(tenant.request()), "request \(number)") }
            let shown = try await world.manage("GET", "/manage/tokens/\(tenant.tokenID)").json
            check.equal(shown["shadow_refusal_count"].integer, 3, "counted")
            check.equal(shown["limits"]["shadow"].items.map(\.string), ["requests_per_minute"], "shown")
            check.that(
                try await eventually { world.log.contains(#""shadow_refusal":"requests_per_minute""#) }, "in the log")
            let metrics = try await world.manage("GET", "/metrics").text
            check.that(metrics.contains(#"llm_proxy_shadow_refusals_total{"#), "in the metrics")
        },
        HTTPScenario(
            "access.limits.read-bodies-in-any-framing",
            "A body that must be read first may come in chunks, byte by byte, or after 100 Continue, and passes as it came."
        ) { world, check in
            let tenant = try await world.tenant(limits: #""tokens_per_minute":100000"#)
            let body = #"{"model":"gpt-4o-mini","max_tokens":7,"messages":[]}"#
            let start = "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(tenant.secret)\r\n"
            let middle = body.index(body.startIndex, offsetBy: 20)
            func chunk(_ text: Substring) -> String { String(text.utf8.count, radix: 16) + "\r\n\(text)\r\n" }
            let chunks = chunk(body[..<middle]) + chunk(body[middle...]) + "0\r\n\r\n"
            let chunked = try await world.exchange(raw: start + "Transfer-Encoding: chunked\r\n\r\n" + chunks)
            check.usual(chunked, "chunked")
            check.equal(chunked.fields.first("x-ratelimit-remaining-tokens"), "99980", "52 bytes are 13 tokens, and 7")
            var conversation = try await world.talk()
            try await conversation.send(
                start + "Content-Length: \(body.utf8.count)\r\nExpect: 100-continue\r\n\r\n")
            let interim = try await conversation.head()
            check.equal(interim.status, 100, "told to go on")
            for byte in body.utf8 { try await conversation.send([byte]) }
            check.usual(try await conversation.response(), "after 100 Continue")
            for received in world.upstream.received {
                check.equal(String(decoding: received.body, as: UTF8.self), body, "body at the upstream")
            }
            check.equal(world.upstream.received.map(\.wasChunked), [true, false], "framing at the upstream")
        },
        HTTPScenario(
            inside: "account.cost.by-price",
            "A request costs what the prices say of the model that answered, to the nano-dollar.",
            settings: priced
        ) { world, check in
            let tenant = try await world.tenant()
            check.usual(try await world.exchange(tenant.request()))
            check.equal(try await world.settlement(of: tenant)?.cost, NanoDollars(12_000), "cost")
            let other = try await world.tenant(of: tenant.projectID)
            world.upstream.script(
                UpstreamStep.readRequest + [
                    .send(HTTPAnswer.json(#"{"model":"embed","usage":{"prompt_tokens":7,"total_tokens":7}}"#))
                ])
            _ = try await world.exchange(other.request("/v1/embeddings"))
            check.equal(try await world.settlement(of: other)?.cost, NanoDollars(141), "cost of 7 × 20.1, rounded up")
            let shown = try await world.manage("GET", "/manage/tokens/\(tenant.tokenID)").json
            check.equal(shown["cost_usd"], .number("0.000012"), "shown")
        },
        HTTPScenario(
            inside: "account.cost.of-cached-tokens",
            "Prompt tokens that the provider had in its cache cost what those cost.",
            settings: priced
        ) { world, check in
            let tenant = try await world.tenant()
            let usage =
                #"{"prompt_tokens":1000,"prompt_tokens_details":{"audio_tokens":0,"cached_tokens":900},"completion_tokens":2}"#
            world.upstream.script(
                UpstreamStep.readRequest + [.send(HTTPAnswer.json(#"{"model":"cached","usage":\#(usage)}"#))])
            _ = try await world.exchange(tenant.request())
            check.equal(
                try await world.settlement(of: tenant)?.cost, NanoDollars(194_000), "100 × 1 + 900 × 0.1 + 2 × 2")
        },
    ]

    /// One nano-dollar is 1/1000 of a dollar for a million tokens.
    static let priced = [
        "API_CONFIG_PATH": """
        {file}apis:
          openai:
            base_url: {upstream}
            prices:
              "gpt-4o*": {input: 1, output: 1}
              gpt-bounded: {input: 1, output: 1, max_output_tokens: 50}
              embed: {input: 0.0201}
              cached: {input: 1, cached_input: 0.1, output: 2}

        """
    ]
}
