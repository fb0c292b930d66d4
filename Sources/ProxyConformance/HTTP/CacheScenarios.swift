import ProxyDomain
import ProxyStorage

extension HTTPScenario {
    /// Answers that are given again (RFC 9111).
    static let cache: [HTTPScenario] = [
        HTTPScenario(
            inside: "cache.get.hit",
            "What an upstream says others may be given is given again without asking it: counted, costing nothing, marked as such."
        ) { world, check in
            let tenant = try await world.tenant(cap: 9)
            world.upstream.script(
                answering(fields: "Cache-Control: public, max-age=60\r\nX-RateLimit-Limit-Requests: 1\r\n"))
            let get = tenant.request("/v1/models?a=b", method: "GET", body: nil)
            let first = try await world.exchange(get)
            check.usual(first, "miss")
            check.equal(first.fields.first("cache-status"), "llm-proxy; fwd=miss; stored", "status of the miss")
            check.equal(first.fields.first("age"), nil, "age of the miss")
            let second = try await world.exchange(get)
            check.usual(second, "hit")
            check.that(
                second.fields.first("cache-status")?.hasPrefix("llm-proxy; hit; ttl=") == true,
                "status of the hit: \(second.fields.all("cache-status"))")
            check.that(second.fields.first("age").flatMap { Int($0) }.map { $0 < 30 } == true, "age of the hit")
            check.equal(second.fields.first("x-ratelimit-limit-requests"), nil, "limits of another moment")
            check.that(
                second.fields.first("x-proxy-request-id") != first.fields.first("x-proxy-request-id"), "request id")
            check.equal(world.upstream.received.count, 1, "requests that reached the upstream")
            check.equal(try await world.settledTally(tenant, rows: 2), Tally(2), "tally")
            check.equal(try await world.storage.token(tenant.tokenID).cacheHitCount, 1, "hits of the token")
            let rows = try await world.storage.requests(of: tenant.tokenID, after: nil, limit: 9)
            check.equal(
                rows.map { $0.admission.settlement?.usage },
                [
                    TokenUsage(promptTokens: 5, completionTokens: 7),
                    TokenUsage(promptTokens: 0, completionTokens: 0, source: .cache),
                ], "usage")
            check.that(try await world.storage.verify().allSatisfy(\.holds), "invariants")
        },
        HTTPScenario(
            inside: "cache.get.needs-permission",
            "An answer that doesn't say that others may be given it is given once; so is one that forbids it, is no success, or sets a cookie."
        ) { world, check in
            let tenant = try await world.tenant()
            let heads: [(status: String, fields: String)] = [
                ("200 OK", ""), ("200 OK", "Cache-Control: max-age=60\r\n"),
                ("200 OK", "Cache-Control: public, max-age=60, no-store\r\n"),
                ("200 OK", "Cache-Control: public, private=\"x\", max-age=60\r\n"),
                ("200 OK", "Cache-Control: public, max-age=60\r\nCache-Control: no-cache\r\n"),
                ("200 OK", "Cache-Control: public, max-age=0\r\n"),
                ("200 OK", "Cache-Control: public, max-age=60\r\nAge: 61\r\n"),
                ("200 OK", "Cache-Control: public, max-age=60\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n"),
                ("200 OK", "Cache-Control: public, max-age=sixty\r\n"),
                ("200 OK", "Cache-Control: public\r\nExpires: 0\r\n"),
                ("200 OK", "Cache-Control: public, max-age=60\r\nSet-Cookie: a=b\r\n"),
                ("200 OK", "Cache-Control: public, max-age=60\r\nVary: *\r\n"),
                ("206 Partial Content", "Cache-Control: public, max-age=60\r\n"),
                ("404 Not Found", "Cache-Control: public, max-age=60\r\n"),
            ]
            for (index, head) in heads.enumerated() {
                let get = tenant.request("/v1/models/\(index)", method: "GET", body: nil)
                for _ in 0..<2 {
                    world.upstream.script(answering(head.status, fields: head.fields))
                    _ = try await world.exchange(get)
                }
                check.equal(world.upstream.received.count, 2 * index + 2, "asked after \(head)")
            }
            let wish = HTTPField("Cache-Control", "public, max-age=60")
            for _ in 0..<2 {
                world.upstream.script(answering(fields: "Cache-Control: max-age=60\r\n"))
                _ = try await world.exchange(tenant.request("/v1/models", method: "GET", body: nil, fields: [wish]))
            }
            check.equal(world.upstream.received.count, 2 * heads.count + 2, "asked whatever the client says of GET")
        },
        HTTPScenario(
            inside: "cache.request.says-what-it-wants",
            "A client that says no-cache is answered anew, one that says no-store leaves nothing, one that says only-if-cached asks nobody."
        ) { world, check in
            let tenant = try await world.tenant()
            func get(_ wish: String, _ name: String = "Cache-Control") -> HTTPRequest {
                tenant.request("/v1/models", method: "GET", body: nil, fields: [HTTPField(name, wish)])
            }
            func ask(_ request: HTTPRequest, reaches count: Int, _ what: String) async throws {
                world.upstream.script(answering(fields: "Cache-Control: public, s-maxage=60\r\n"))
                let before = world.upstream.received.count
                _ = try await world.exchange(request)
                check.equal(world.upstream.received.count - before, count, what)
                if count == 0 { world.upstream.unscript() }
            }
            check.refusal(try await world.exchange(get("only-if-cached")), 504, "not_cached")
            check.equal(world.upstream.received.count, 0, "only-if-cached asks nobody")
            try await ask(get("no-store"), reaches: 1, "no-store")
            try await ask(get("max-stale"), reaches: 1, "the first, since no-store left nothing")
            try await ask(get("max-age=30"), reaches: 0, "young enough")
            try await ask(get("only-if-cached"), reaches: 0, "held")
            try await ask(get("no-cache"), reaches: 1, "no-cache")
            try await ask(get("no-cache", "Pragma"), reaches: 1, "Pragma: no-cache")
            try await ask(get("min-fresh=600"), reaches: 1, "not fresh for so long")
            try await ask(get("bytes=0-1", "Range"), reaches: 1, "a part")
        },
        HTTPScenario(
            inside: "cache.post.by-the-clients-word",
            "A POST is answered from the cache when the client says public; two bodies are the same when their JSON says the same."
        ) { world, check in
            let tenant = try await world.tenant(cap: 9)
            let wish = HTTPField("Cache-Control", "public, max-age=60")
            func post(_ body: String, fields: [HTTPField]) -> HTTPRequest {
                tenant.request(body: Array(body.utf8), fields: fields)
            }
            check.usual(try await world.exchange(post(#"{"model":"m","n":[1,{"b":1,"a":2}]}"#, fields: [wish])))
            check.usual(
                try await world.exchange(post(#"{ "n" : [ 1, {"b":1, "a":2} ], "model": "m" }"#, fields: [wish])))
            check.equal(world.upstream.received.count, 1, "the same JSON")
            for body in [#"{"model":"m","n":[1,{"a":2,"b":1}]}"#, #"{"model":"n","n":[1,{"b":1,"a":2}]}"#] {
                check.usual(try await world.exchange(post(body, fields: [wish])))
            }
            check.equal(world.upstream.received.count, 3, "other JSON")
            for _ in 0..<2 { check.usual(try await world.exchange(post(#"{"model":"m"}"#, fields: []))) }
            check.equal(world.upstream.received.count, 5, "without the client's word")
            let beta = HTTPField("OpenAI-Beta", "assistants=v2")
            check.usual(try await world.exchange(post(#"{"model":"n","n":[1,{"b":1,"a":2}]}"#, fields: [wish, beta])))
            check.equal(world.upstream.received.count, 6, "another version of the API")
            world.upstream.script(answering(fields: "Cache-Control: no-store\r\n"))
            check.usual(try await world.exchange(post(#"{"model":"o"}"#, fields: [wish])))
            check.usual(try await world.exchange(post(#"{"model":"o"}"#, fields: [wish])))
            check.equal(world.upstream.received.count, 8, "against the upstream's word")
        },
        HTTPScenario(
            inside: "cache.project.apart",
            "Projects never see each other's answers, unless both say that they share them; other tokens of a project do."
        ) { world, check in
            let one = try await world.tenant(name: "one")
            let other = try await world.tenant(name: "other")
            let colleague = try await world.tenant(of: one.projectID)
            func get(_ tenant: Tenant) async throws {
                world.upstream.script(answering(fields: "Cache-Control: public, max-age=60\r\n"))
                check.usual(try await world.exchange(tenant.request("/v1/models", method: "GET", body: nil)))
                world.upstream.unscript()
            }
            try await get(one)
            try await get(colleague)
            check.equal(world.upstream.received.count, 1, "one project")
            try await get(other)
            check.equal(world.upstream.received.count, 2, "two projects")
            for tenant in [one, other] {
                let answer = try await world.manage(
                    "PATCH", "/manage/projects/\(tenant.projectID)", #"{"cache_scope":"shared"}"#)
                check.equal(answer.json["cache_scope"].string, "shared", "scope")
            }
            try await get(one)
            try await get(other)
            check.equal(world.upstream.received.count, 3, "two that share")
        },
        HTTPScenario(
            inside: "cache.hit.is-decided-on",
            "A revoked token is refused what the cache holds; so is one whose cap is used up, and a project's free hits give back what they took."
        ) { world, check in
            let tenant = try await world.tenant(cap: 2)
            let path = "/manage/projects/\(tenant.projectID)"
            let get = tenant.request("/v1/models", method: "GET", body: nil)
            world.upstream.script(answering(fields: "Cache-Control: public, max-age=60\r\n"))
            check.usual(try await world.exchange(get), "miss")
            check.equal(
                try await world.manage("PATCH", path, #"{"cache_hits":"free"}"#).json["cache_hits"].string, "free",
                "policy")
            for number in 1...3 {
                check.usual(try await world.exchange(get), "free hit \(number)")
                _ = try await world.settledTally(tenant, rows: number + 1)
            }
            check.that(try await world.storage.verify().allSatisfy(\.holds), "invariants with free hits")
            _ = try await world.manage("PATCH", path, #"{"cache_hits":"count"}"#)
            check.that(try await world.storage.verify().allSatisfy(\.holds), "invariants when they count again")
            check.refusal(try await world.exchange(get), 429, "quota_exceeded", "hits that count")
            _ = try await world.manage("PATCH", "/manage/tokens/\(tenant.tokenID)", #"{"max_requests":0}"#)
            check.usual(try await world.exchange(get), "without a cap")
            _ = try await world.manage("DELETE", "/manage/tokens/\(tenant.tokenID)")
            check.refusal(try await world.exchange(get), 401, "token_inactive", "revoked")
            check.equal(world.upstream.received.count, 1, "requests that reached the upstream")
        },
        HTTPScenario(
            inside: "cache.vary.tells-apart",
            "An answer is given again only to requests whose fields that Vary names are the same."
        ) { world, check in
            let tenant = try await world.tenant()
            func get(_ region: String?) async throws {
                let fields = region.map { [HTTPField("X-Region", $0)] } ?? []
                world.upstream.script(answering(fields: "Cache-Control: public, max-age=60\r\nVary: x-region\r\n"))
                check.usual(
                    try await world.exchange(tenant.request("/v1/models", method: "GET", body: nil, fields: fields)))
                world.upstream.unscript()
            }
            try await get("eu")
            try await get("eu")
            check.equal(world.upstream.received.count, 1, "the same")
            try await get("us")
            try await get(nil)
            check.equal(world.upstream.received.count, 3, "others")
        },
    ]
}

/// An upstream that reads a request and answers with the usual body.
private func answering(_ status: String = "200 OK", fields: String) -> [UpstreamStep] {
    UpstreamStep.readRequest + [.send(HTTPAnswer.json(HTTPAnswer.usualBody, status: status, fields: fields))]
}
