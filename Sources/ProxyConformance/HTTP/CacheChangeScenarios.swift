import ProxyDomain
import ProxyStorage

extension HTTPScenario {
    /// What makes an answer that is held one that is given no more, and what doesn't.
    static let cacheChanges: [HTTPScenario] = [
        HTTPScenario(
            inside: "cache.database.change-invalidates",
            "Where answers are held in the database, a change forgets what GET gave at its path although this server's memory doesn't have it.",
            needs: .durable, settings: ["HTTP_CACHE_BACKEND": "database"]
        ) { world, check in
            let tenant = try await world.tenant()
            let get = tenant.request("/v1/files", method: "GET", body: nil)
            for number in 1...2 {
                world.upstream.script(cacheable("Cache-Control: public, max-age=600\r\n"))
                check.usual(try await world.exchange(get), "asked \(number)")
                // All of it is written before the server has stopped.
                try await world.restart()
                check.usual(try await world.exchange(get), "held \(number)")
                check.equal(
                    world.upstream.received.count, 2 * number - 1, "requests that reached the upstream by \(number)")
                try await world.restart()
                check.usual(try await world.exchange(tenant.request("/v1/files")), "change \(number)")
            }
            world.upstream.script(cacheable("Cache-Control: public, max-age=600\r\n"))
            check.usual(try await world.exchange(get), "after the second change")
            check.equal(world.upstream.received.count, 5, "requests that reached the upstream")
        },
        HTTPScenario(
            inside: "cache.change.of-a-long-path",
            "A change at a path that is longer than what is written of it forgets what GET gave there, and nothing beside it."
        ) { world, check in
            let tenant = try await world.tenant()
            let path = "/v1/files/" + String(repeating: "a", count: 700)
            let beside = path + "b"
            func ask(_ path: String, reaches count: Int, _ what: String) async throws {
                try await world.get(path, by: tenant, reaches: count, what, check)
            }
            for each in [path, beside] { try await ask(each, reaches: 1, "first") }
            for each in [path, beside] { try await ask(each, reaches: 0, "held") }
            _ = try await world.exchange(tenant.request(path, method: "DELETE", body: nil))
            try await ask(path, reaches: 1, "after the change")
            try await ask(beside, reaches: 0, "beside it")
        },
        HTTPScenario(
            inside: "cache.change.reaches-those-who-share",
            "Of projects that share their answers, what one changes is given to none of them any more."
        ) { world, check in
            let (one, other) = (try await world.tenant(name: "one"), try await world.tenant(name: "other"))
            for tenant in [one, other] {
                _ = try await world.manage(
                    "PATCH", "/manage/projects/\(tenant.projectID)", #"{"cache_scope":"shared"}"#)
            }
            func ask(_ tenant: Tenant, reaches count: Int, _ what: String) async throws {
                try await world.get("/v1/files", by: tenant, reaches: count, what, check)
            }
            try await ask(one, reaches: 1, "first")
            try await ask(other, reaches: 0, "shared")
            _ = try await world.exchange(other.request("/v1/files"))
            try await ask(other, reaches: 1, "who changed it")
            try await ask(one, reaches: 0, "shared again")
        },
        HTTPScenario(
            inside: "cache.way.new-key-forgets",
            "A project's answers are forgotten when one of its ways gets another key, or goes."
        ) { world, check in
            let tenant = try await world.tenant()
            let address = #""base_url":"http://127.0.0.1:\#(world.upstream.port)""#
            let way = try await world.manage(
                "POST", "/manage/upstreams",
                #"{"project_id":"\#(tenant.projectID)","api_key":"sk-second-0123456789","priority":9,\#(address)}"#)
            let path = "/manage/upstreams/\(way.json["id"].string ?? "")"
            func ask(reaches count: Int, _ what: String) async throws {
                try await world.get("/v1/models", by: tenant, reaches: count, what, check)
            }
            try await ask(reaches: 1, "first")
            check.equal(try await world.manage("PATCH", path, #"{"priority":8}"#).status, 200, "priority")
            try await ask(reaches: 0, "another priority")
            check.equal(try await world.manage("PATCH", path, #"{"api_key":"sk-third-0123456789"}"#).status, 200, "key")
            try await ask(reaches: 1, "another key")
            check.equal(try await world.manage("DELETE", path).status, 204, "removed")
            try await ask(reaches: 1, "without the way")
        },
        HTTPScenario(
            inside: "cache.hit.while-the-circuit-is-open",
            "While its upstream is left alone, what the cache holds is given all the same; what it doesn't hold is refused.",
            settings: openAIFile("breaker: {failures: 2, open_for: 60s}")
        ) { world, check in
            let tenant = try await world.tenant()
            let get = tenant.request("/v1/models", method: "GET", body: nil)
            // A connection that was used before may be lost without a word, and what was sent on it is sent again.
            world.upstream.script(cacheable("Cache-Control: public, max-age=600\r\nConnection: close\r\n"))
            check.usual(try await world.exchange(get), "first")
            for _ in 0..<2 {
                world.upstream.script(UpstreamStep.readRequest + [.reset])
                check.refusal(try await world.exchange(tenant.request()), 502, "upstream_reset")
            }
            check.refusal(try await world.exchange(tenant.request()), 503, "upstream_circuit_open")
            check.usual(try await world.exchange(get), "held")
            let other = tenant.request("/v1/files", method: "GET", body: nil)
            check.refusal(try await world.exchange(other), 503, "upstream_circuit_open", "not held")
            check.equal(world.upstream.received.count, 3, "requests that reached the upstream")
            check.equal(try await world.settledTally(tenant, rows: 4), Tally(4), "what was refused is not counted")
        },
        HTTPScenario(
            inside: "cache.hit.earns-no-retries",
            "Answers from the cache don't count among the requests of which some may be sent again.",
            settings: openAIFile("retry: {attempts: 2, backoff: 1ms, budget_percent: 10}\n    breaker: {failures: 0}")
        ) { world, check in
            let tenant = try await world.tenant()
            let get = tenant.request("/v1/models", method: "GET", body: nil)
            world.upstream.script(cacheable("Cache-Control: public, max-age=600\r\n"))
            check.usual(try await world.exchange(get), "first")
            func attempts() async throws -> Int {
                world.upstream.unscript()
                for _ in 0..<2 { world.upstream.script(answeringEmpty("503 Busy")) }
                let before = world.upstream.received.count
                check.equal(try await world.exchange(tenant.request()).status, 503, "status")
                return world.upstream.received.count - before
            }
            var left = 30
            while left > 0, try await attempts() == 2 { left -= 1 }
            check.that(left > 0, "thirty requests in a row were sent again")
            world.upstream.unscript()
            for _ in 0..<40 { check.usual(try await world.exchange(get), "held") }
            check.equal(try await attempts(), 1, "attempts after forty answers from the cache")
        },
        HTTPScenario(
            inside: "cache.vary.by-credential-is-not-shared",
            "An answer that varies by the field of its provider's key is given to no other project, whatever that field is called.",
            settings: [
                "API_CONFIG_PATH":
                    "{file}apis:\n  openai:\n    base_url: {upstream}\n    auth: {header: X-Tenant-Key}\n"
            ]
        ) { world, check in
            let (one, other) = (try await world.tenant(name: "one"), try await world.tenant(name: "other"))
            for tenant in [one, other] {
                _ = try await world.manage(
                    "PATCH", "/manage/projects/\(tenant.projectID)", #"{"cache_scope":"shared"}"#)
            }
            for (number, tenant) in [one, other].enumerated() {
                world.upstream.script(cacheable("Cache-Control: public, max-age=60\r\nVary: x-tenant-key\r\n"))
                check.usual(try await world.exchange(tenant.request("/v1/models", method: "GET", body: nil)))
                check.equal(world.upstream.received.count, number + 1, "requests that reached the upstream")
            }
        },
    ]
}

extension ProxyWorld {
    /// Asks for something that may be held for a minute, and checks whether that reaches the upstream: 1, or 0 when it is held.
    fileprivate func get(
        _ path: String, by tenant: Tenant, reaches count: Int, _ what: String, _ check: Check
    ) async throws {
        let before = upstream.received.count
        upstream.script(cacheable("Cache-Control: public, max-age=60\r\n"))
        check.usual(try await exchange(tenant.request(path, method: "GET", body: nil)), what)
        upstream.unscript()
        check.equal(upstream.received.count - before, count, what)
    }
}
