import ProxyDomain

extension HTTPScenario {
    /// What the management API tells of what is taken up of limits.
    static let consumption: [HTTPScenario] = [
        HTTPScenario(
            "consumption.requests.are-told",
            "A token tells how many of its requests per minute are taken up, and when there is room again."
        ) { world, check in
            let tenant = try await world.tenant(perMinute: 2)
            let idle = try await world.consumption(of: tenant)
            check.equal(idle, .object(["requests_per_minute": use(0, of: 2)]), "before a request")
            for number in 1...2 { check.usual(try await world.exchange(tenant.request()), "request \(number)") }
            check.refusal(try await world.exchange(tenant.request()), 429, "rate_limit_exceeded")
            let token = try await world.manage("GET", "/manage/tokens/\(tenant.tokenID)").json
            let told = token["consumption"]["requests_per_minute"]
            check.equal([told["used"].integer, told["remaining"].integer], [2, 0], "when it is used up")
            let last = token["last_used_at"].string.flatMap { Timestamp($0) }
            let free = told["free_at"].string.flatMap { Timestamp($0) }
            check.that(
                last.flatMap { last in free.map { ($0 > last) && ($0 - last <= .seconds(61)) } } == true,
                "room at \(told["free_at"]) after \(token["last_used_at"])")
            let listed = try await world.manage("GET", "/manage/tokens?project_id=\(tenant.projectID)").json
            check.equal(listed.items.map { $0["consumption"] }, [token["consumption"]], "in a list")
        },
        HTTPScenario(
            "consumption.tokens.are-told",
            "Of its tokens per minute a token tells what is set aside for a request under way, and then what it used; the request tells too."
        ) { world, check in
            let tenant = try await world.tenant(limits: #""tokens_per_minute":1000"#)
            let idle = try await world.consumption(of: tenant)
            check.equal(idle, .object(["tokens_per_minute": use(0, of: 1000)]), "before a request")
            world.upstream.script(UpstreamStep.readRequest + [.await("go"), .send(HTTPAnswer.usual)])
            let body = Array(#"{"model":"gpt-4o-mini","max_tokens":900,"messages":[]}"#.utf8)
            async let answer = world.exchange(tenant.request(body: body))
            let underWay = JSONDocument.object(["tokens_per_minute": use(914, of: 1000)])
            let isAside = try await eventually { try await world.consumption(of: tenant) == underWay }
            check.that(isAside, "900 and a quarter of \(body.count) bytes are not set aside")
            world.upstream.release("go")
            let served = try await answer
            check.usual(served)
            let after = JSONDocument.object(["tokens_per_minute": use(12, of: 1000)])
            let isSettled = try await eventually { try await world.consumption(of: tenant) == after }
            check.that(isSettled, "what was used did not take the place of what was set aside")
            let id = served.fields.first("x-proxy-request-id") ?? ""
            let reserved = try await world.manage("GET", "/manage/requests/\(id)").json["reserved"]
            check.equal(reserved["prompt_tokens"].integer, 14, "set aside for the prompt")
            check.equal(reserved["completion_tokens"].integer, 900, "set aside for the answer")
            let free = try await world.tenant(name: "free")
            let other = try await world.exchange(free.request()).fields.first("x-proxy-request-id") ?? ""
            let row = try await world.manage("GET", "/manage/requests/\(other)").json
            check.that(row.has("reserved") && row["reserved"] == .null, "nothing set aside: \(row)")
        },
        HTTPScenario(
            inside: "consumption.cap.leaves-out-free-hits",
            "A token tells what is taken up of its cap, without requests that its project's cache answered for nothing."
        ) { world, check in
            let tenant = try await world.tenant(cap: 2)
            let path = "/manage/projects/\(tenant.projectID)"
            world.upstream.script(
                UpstreamStep.readRequest + [
                    .send(HTTPAnswer.json(HTTPAnswer.usualBody, fields: "Cache-Control: public, max-age=60\r\n"))
                ])
            check.equal(try await world.manage("PATCH", path, #"{"cache_hits":"free"}"#).status, 200, "policy")
            for number in 1...3 {
                check.usual(try await world.exchange(tenant.request("/v1/models", method: "GET", body: nil)))
                _ = try await world.settledTally(tenant, rows: number)
            }
            check.equal(
                try await world.consumption(of: tenant), .object(["max_requests": use(1, of: 2)]), "with free hits")
            check.equal(try await world.manage("PATCH", path, #"{"cache_hits":"count"}"#).status, 200, "policy")
            let counted = try await world.manage("PATCH", "/manage/tokens/\(tenant.tokenID)", #"{"name":"x"}"#).json
            check.equal(counted["consumption"], .object(["max_requests": use(3, of: 2)]), "with hits that count")
        },
        HTTPScenario(
            inside: "consumption.money.is-told",
            "A budget tells what is spent of it, what is set aside, what is left, and when it begins anew.",
            settings: priced
        ) { world, check in
            let tenant = try await world.tenant(limits: #""budget_usd":0.001,"budget_period":"day""#)
            let path = "/manage/projects/\(tenant.projectID)"
            let limits = #"{"limits":{"budget_usd":0.00001}}"#
            check.equal(try await world.manage("PATCH", path, limits).status, 200, "setting the project's")
            check.usual(try await world.exchange(tenant.request()))
            _ = try await world.settledTally(tenant, rows: 1)
            let token = try await world.manage("GET", "/manage/tokens/\(tenant.tokenID)").json
            check.equal(token["consumption"], .object([:]), "limits that are none")
            let names = ["spent_usd", "reserved_usd", "remaining_usd"]
            let wanted = ["0.000012", "0", "0.000988"].map { JSONDocument.number($0) }
            check.equal(names.map { token["budget"][$0] }, wanted, "the token's")
            check.that(token["budget"]["resets_at"].string?.hasSuffix("T00:00:00.000Z") == true, "when it begins anew")
            let project = try await world.manage("GET", path).json["budget"]
            check.equal(project["remaining_usd"], .number("0"), "what is left of one that was passed")
            check.equal(project["resets_at"], .null, "one that never begins anew")
        },
    ]

    /// As it is told of a limit that has room, or of a cap.
    private static func use(_ used: Int, of limit: Int) -> JSONDocument {
        .object([
            "used": .number("\(used)"), "remaining": .number("\(max(0, limit - used))"), "free_at": .null,
        ])
    }
}

extension ProxyAccess {
    /// What a token says is taken up of its limits.
    fileprivate func consumption(of tenant: Tenant) async throws -> JSONDocument {
        try await manage("GET", "/manage/tokens/\(tenant.tokenID)").json["consumption"]
    }
}
