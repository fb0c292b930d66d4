import ProxyDomain
import ProxyStorage

extension HTTPScenario {
    /// Who may use the proxy, and what others are told.
    static let access: [HTTPScenario] = [
        HTTPScenario("access.credential.admits", "A good token is answered by the upstream.") { world, check in
            let tenant = try await world.tenant()
            check.usual(try await world.exchange(tenant.request()))
            check.equal(world.upstream.received.count, 1, "requests at the upstream")
        },
        HTTPScenario("access.missing.is-refused", "Without a credential the answer is 401 and names the scheme.") {
            world, check in
            let response = try await world.exchange(HTTPRequest(body: HTTPRequest.usualBody))
            check.refusal(response, 401, "invalid_token")
            check.equal(response.fields.first("www-authenticate"), "Bearer", "WWW-Authenticate")
            check.equal(world.upstream.received.count, 0, "requests at the upstream")
        },
        HTTPScenario(
            "access.malformed.is-refused", "A credential that can't be one of ours is refused without a look-up.",
            needs: .rawBytes
        ) { world, check in
            let long = "sk-" + String(repeating: "A", count: 43)
            let bad = [
                "Bearer", "Bearer ", "Bearer x", "Basic dXNlcjpwYXNz", "Bearer sk-short", long, "Bearer \(long)A",
                "Bearer sk-" + String(repeating: "!", count: 43),
                "Bearer sk-" + String(repeating: "A", count: 42) + "B",
                "Token \(long)", "Bearer sk-proj-" + String(repeating: "a", count: 120),
            ]
            for credential in bad {
                let request = HTTPRequest(fields: [HTTPField("Authorization", credential)], body: HTTPRequest.usualBody)
                check.refusal(try await world.exchange(request), 401, "invalid_token", "'\(credential)'")
            }
            check.equal(world.upstream.received.count, 0, "requests at the upstream")
        },
        HTTPScenario("access.unknown.is-refused", "A well-formed token that was never issued is not found.") {
            world, check in
            let secret = "sk-" + String(repeating: "A", count: 43)
            let request = HTTPRequest(fields: [HTTPField("Authorization", "Bearer \(secret)")], body: [])
            check.refusal(try await world.exchange(request), 401, "token_not_found")
            check.equal(world.upstream.received.count, 0, "requests at the upstream")
        },
        HTTPScenario(
            inside: "access.revoked.is-refused-at-once", "A revoked token is refused from the very next request."
        ) {
            world, check in
            let tenant = try await world.tenant()
            check.usual(try await world.exchange(tenant.request()), "before")
            check.equal(try await world.manage("DELETE", "/manage/tokens/\(tenant.tokenID)").status, 204, "revocation")
            check.refusal(try await world.exchange(tenant.request()), 401, "token_inactive", "after")
            let tally = try await world.settledTally(tenant, rows: 1)
            check.equal(tally, Tally(1), "tally")
        },
        HTTPScenario(
            inside: "access.expired.is-refused-at-once",
            "A token whose expiry has come is refused from the very next request."
        ) { world, check in
            let tenant = try await world.tenant()
            check.usual(try await world.exchange(tenant.request()), "before")
            let past = TokenChange(expiry: .at(Timestamp(milliseconds: 1_000_000)))
            _ = try await world.storage.update(tenant.tokenID, past, at: .noon)
            check.refusal(try await world.exchange(tenant.request()), 401, "token_expired", "after")
        },
        HTTPScenario(
            "access.inactive.project-is-refused",
            "A deactivated project's tokens get 403, and work again once it is active."
        ) { world, check in
            let tenant = try await world.tenant()
            check.usual(try await world.exchange(tenant.request()), "before")
            let path = "/manage/projects/\(tenant.projectID)"
            check.equal(try await world.manage("PATCH", path, #"{"is_active":false}"#).status, 200, "deactivation")
            check.refusal(try await world.exchange(tenant.request()), 403, "project_inactive", "inactive")
            check.equal(try await world.manage("PATCH", path, #"{"is_active":true}"#).status, 200, "activation")
            check.usual(try await world.exchange(tenant.request()), "active again")
        },
        HTTPScenario(
            "access.reactivated.is-admitted-at-once", "A token that is active again works from the very next request."
        ) { world, check in
            let tenant = try await world.tenant()
            let path = "/manage/tokens/\(tenant.tokenID)"
            check.equal(try await world.manage("PATCH", path, #"{"is_active":false}"#).status, 200, "deactivation")
            check.refusal(try await world.exchange(tenant.request()), 401, "token_inactive", "inactive")
            check.equal(try await world.manage("PATCH", path, #"{"is_active":true}"#).status, 200, "activation")
            check.usual(try await world.exchange(tenant.request()), "active again")
        },
        HTTPScenario("access.cap.is-exact", "A cap of three admits three; the fourth is told that it is used up.") {
            world, check in
            let tenant = try await world.tenant(cap: 3)
            for number in 1...3 { check.usual(try await world.exchange(tenant.request()), "request \(number)") }
            let refused = try await world.exchange(tenant.request())
            check.refusal(refused, 429, "quota_exceeded", "fourth")
            check.equal(refused.fields.first("x-ratelimit-limit-requests"), "3", "limit")
            check.equal(refused.fields.first("x-ratelimit-remaining-requests"), "0", "remaining")
            check.equal(world.upstream.received.count, 3, "requests at the upstream")
        },
        HTTPScenario(
            "access.rate.is-exact-and-explained",
            "A limit of ten a minute lets ten of thirty requests at once through; the others are told when to come again."
        ) { world, check in
            let tenant = try await world.tenant(perMinute: 10)
            let responses = try await withThrowingTaskGroup { group in
                for _ in 0..<30 { group.addTask { try await world.exchange(tenant.request()) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            check.equal(responses.count { $0.status == 200 }, 10, "answered")
            check.equal(world.upstream.received.count, 10, "requests at the upstream")
            for refused in responses where refused.status != 200 {
                check.refusal(refused, 429, "rate_limit_exceeded")
                check.equal(refused.fields.first("x-ratelimit-limit-requests"), "10", "limit")
                check.equal(refused.fields.first("x-ratelimit-remaining-requests"), "0", "remaining")
                let seconds = refused.fields.first("retry-after").flatMap { Int($0) } ?? 0
                check.that((30...61).contains(seconds), "Retry-After \(seconds)")
                check.equal(refused.fields.first("x-ratelimit-reset-requests"), "\(seconds)s", "reset")
                check.that(refused.text.contains("10 requests a minute"), refused.text)
            }
        },
        HTTPScenario(
            inside: "access.cap.is-exact-in-parallel",
            "Forty requests at once on a cap of ten: ten are answered, thirty refused."
        ) { world, check in
            let tenant = try await world.tenant(cap: 10)
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<40 { group.addTask { try await world.exchange(tenant.request()).status } }
                return try await group.reduce(into: [:]) { $0[$1, default: 0] += 1 }
            }
            check.equal(statuses, [200: 10, 429: 30], "statuses")
            check.equal(world.upstream.received.count, 10, "requests at the upstream")
            check.equal(try await world.settledTally(tenant, rows: 10), Tally(10), "tally")
        },
        HTTPScenario("access.cap.opens-when-raised", "A raised cap admits the very next request.") { world, check in
            let tenant = try await world.tenant(cap: 1)
            check.usual(try await world.exchange(tenant.request()), "first")
            check.refusal(try await world.exchange(tenant.request()), 429, "quota_exceeded", "second")
            let path = "/manage/tokens/\(tenant.tokenID)"
            check.equal(try await world.manage("PATCH", path, #"{"max_requests":2}"#).status, 200, "raising")
            check.usual(try await world.exchange(tenant.request()), "third")
            check.refusal(try await world.exchange(tenant.request()), 429, "quota_exceeded", "fourth")
        },
        HTTPScenario("access.x-api-key.admits", "A token in x-api-key is as good, and does not reach the upstream.") {
            world, check in
            let tenant = try await world.tenant()
            let fields = [HTTPField("x-api-key", tenant.secret), HTTPField("Content-Type", "application/json")]
            check.usual(try await world.exchange(HTTPRequest(fields: fields, body: HTTPRequest.usualBody)))
            let received = world.upstream.received.first
            check.equal(received?.fields.first("authorization"), "Bearer \(upstreamKey)", "credential upstream")
            check.that(received?.head.contains(text: tenant.secret) == false, "the token reached the upstream")
        },
        HTTPScenario("access.scheme.minds-no-case", "The scheme may be written in any case (RFC 9110 section 11.1).") {
            world, check in
            let tenant = try await world.tenant()
            for scheme in ["bearer", "BEARER", "bEaReR", "Bearer "] {
                let fields = [HTTPField("Authorization", "\(scheme) \(tenant.secret)")]
                check.usual(try await world.exchange(HTTPRequest(fields: fields, body: [])), "'\(scheme)'")
            }
        },
        HTTPScenario(
            inside: "access.database.away-is-no-401",
            "With the database away a token gets 503 to try again, never a 401.",
            settings: ["DATABASE_WAIT": "3s"]
        ) { world, check in
            let tenant = try await world.tenant()
            check.usual(try await world.exchange(tenant.request()), "before")
            await world.storage.close()
            for secret in [tenant.secret, "sk-" + String(repeating: "A", count: 43)] {
                let request = HTTPRequest(fields: [HTTPField("Authorization", "Bearer \(secret)")], body: [])
                let response = try await world.exchange(request)
                check.refusal(response, 503, "database_unavailable", "after")
                check.that(response.fields.first("retry-after").flatMap { Int($0) } != nil, "no Retry-After")
            }
        },
    ]

    /// What of a request is allowed.
    static let limits: [HTTPScenario] = [
        HTTPScenario(
            "limit.method.is-refused", "A method that is not allowed gets 405 and the list of those that are.",
            needs: .rawBytes
        ) { world, check in
            let tenant = try await world.tenant()
            for method in ["PUT", "PATCH", "TRACE", "post", "BREW"] {
                let response = try await world.exchange(tenant.request(method: method, body: nil))
                check.refusal(response, 405, "method_not_allowed", method)
                let allowed = response.fields.first("allow") ?? ""
                check.that(allowed.contains("POST") && allowed.contains("GET"), "Allow is '\(allowed)'")
            }
            check.equal(world.upstream.received.count, 0, "requests at the upstream")
        },
        HTTPScenario("limit.path.is-refused", "A path that is not allowed gets 404, whatever it is dressed as.") {
            world, check in
            let tenant = try await world.tenant()
            let paths = ["/v1/../admin", "/v1/%2e%2e/admin", "/v1/..%2fadmin", "/v1//../x"]
            for path in paths {
                check.refusal(try await world.exchange(tenant.request(path)), 404, "endpoint_not_found", path)
            }
            check.equal(world.upstream.received.count, 0, "requests at the upstream")
        },
        HTTPScenario(
            "limit.order.credential-first", "The credential comes before the method, the method before the path."
        ) { world, check in
            let tenant = try await world.tenant()
            let stranger = HTTPRequest(method: "PUT", target: "/v1/models", body: nil)
            check.refusal(try await world.exchange(stranger), 401, "invalid_token", "no credential, bad method")
            let both = tenant.request("/v1/../x", method: "PUT", body: nil)
            check.refusal(try await world.exchange(both), 405, "method_not_allowed", "bad method, bad path")
        },
        HTTPScenario(
            "limit.order.as-documented",
            "Whose it is comes before all else, the path before the page, the page before the size, the size before the parameters.",
            settings: [
                "MAX_REQUEST_SIZE": "1KiB",
                "API_CONFIG_PATH":
                    "{file}apis:\n  openai:\n    base_url: {upstream}\n    allowed_endpoints: [/v1/chat/completions]\n"
                    + "    allowed_origins: ['https://app.example']\n    param_whitelist: {model: ['gpt-*']}\n",
            ]
        ) { world, check in
            let tenant = try await world.tenant()
            let page = HTTPField("Origin", "https://evil.example")
            let small = Array(#"{"model":"other"}"#.utf8)
            let large = small + [UInt8](repeating: 0x20, count: 1024)
            let unknown = HTTPRequest(
                method: "PUT", fields: [HTTPField("Authorization", "Bearer sk-" + String(repeating: "A", count: 43))],
                body: large)
            check.refusal(try await world.exchange(unknown), 401, "token_not_found", "an unknown token")
            let order: [(path: String, fields: [HTTPField], body: [UInt8], status: Int, code: String)] = [
                ("/v1/models", [page], large, 404, "endpoint_not_found"),
                ("/v1/chat/completions", [page], large, 403, "origin_not_allowed"),
                ("/v1/chat/completions?model=other", [], large, 413, "request_too_large"),
                ("/v1/chat/completions", [], small, 400, "param_not_allowed"),
            ]
            for (path, fields, body, status, code) in order {
                let answer = try await world.exchange(tenant.request(path, body: body, fields: fields))
                check.refusal(answer, status, code, "\(path) of \(body.count) bytes")
            }
            check.equal(world.upstream.received.count, 0, "requests at the upstream")
        },
        HTTPScenario(
            "limit.size.refuses-sized", "A body over the limit gets 413 before it is read.",
            settings: ["MAX_REQUEST_SIZE": "1KiB"]
        ) { world, check in
            let tenant = try await world.tenant()
            var conversation = try await world.talk()
            let credential = HTTPField("Authorization", "Bearer \(tenant.secret)")
            let length = HTTPField("Content-Length", "1025")
            try await conversation.send(HTTPRequest(fields: [credential, length], body: nil))
            check.refusal(try await conversation.response(), 413, "request_too_large")
            check.equal(world.upstream.received.count, 0, "requests at the upstream")
        },
        HTTPScenario(
            "limit.size.refuses-chunked", "A body in chunks that outgrows the limit gets 413.",
            settings: ["MAX_REQUEST_SIZE": "1KiB"]
        ) { world, check in
            let tenant = try await world.tenant(cap: 2)
            var conversation = try await world.talk()
            var request = tenant.request(fields: [HTTPField("Transfer-Encoding", "chunked")])
            request.framesItself = true
            request.body =
                HTTPAnswer.chunk([UInt8](repeating: 97, count: 1000))
                + HTTPAnswer.chunk([UInt8](repeating: 97, count: 25))
            try await conversation.send(request)
            check.refusal(try await conversation.response(), 413, "request_too_large")
            check.equal(world.upstream.received.filter(\.isComplete).count, 0, "whole requests at the upstream")
        },
        HTTPScenario(
            "limit.size.admits-the-limit", "A body of exactly the limit passes.", settings: ["MAX_REQUEST_SIZE": "1KiB"]
        ) { world, check in
            let tenant = try await world.tenant()
            let body = [UInt8](repeating: 97, count: 1024)
            check.usual(try await world.exchange(tenant.request(body: body)), "sized")
            var chunked = tenant.request(fields: [HTTPField("Transfer-Encoding", "chunked")])
            chunked.framesItself = true
            chunked.body = HTTPAnswer.chunk(body) + HTTPAnswer.lastChunk
            check.usual(try await world.exchange(chunked), "in chunks")
            check.equal(world.upstream.received.map(\.body), [body, body], "bodies at the upstream")
        },
        HTTPScenario(
            "limit.concurrency.refuses-overload",
            "More requests than may be in flight get 503 and a time to come back.",
            settings: ["MAX_CONCURRENT_REQUESTS": "1"]
        ) { world, check in
            let tenant = try await world.tenant()
            world.upstream.script(UpstreamStep.readRequest + [.await("go"), .send(HTTPAnswer.usual)])
            var first = try await world.talk()
            try await first.send(tenant.request())
            check.that(try await eventually { world.upstream.received.count == 1 }, "the first did not arrive")
            let second = try await world.exchange(tenant.request())
            check.refusal(second, 503, "overloaded", "second")
            check.that(second.fields.first("retry-after").flatMap { Int($0) } != nil, "no Retry-After")
            world.upstream.release("go")
            check.usual(try await first.response(), "first")
            check.usual(try await world.exchange(tenant.request()), "third")
        },
        HTTPScenario(
            "limit.body.unread-before-credential",
            "Nothing of a body is asked for or waited for before the credential is known."
        ) { world, check in
            var conversation = try await world.talk()
            let fields = [HTTPField("Content-Length", "1000000"), HTTPField("Expect", "100-continue")]
            try await conversation.send(HTTPRequest(fields: fields, body: nil))
            let response = try await conversation.response()
            check.refusal(response, 401, "invalid_token")
            check.equal(response.interim.count, 0, "1xx answers")
        },
        HTTPScenario("limit.refusal.keeps-the-connection", "After a refusal the connection serves the next request.") {
            world, check in
            let tenant = try await world.tenant()
            var conversation = try await world.talk()
            try await conversation.send(HTTPRequest(body: HTTPRequest.usualBody))
            check.refusal(try await conversation.response(), 401, "invalid_token")
            try await conversation.send(tenant.request("/v1/../v2"))
            check.refusal(try await conversation.response(), 404, "endpoint_not_found")
            try await conversation.send(tenant.request())
            check.usual(try await conversation.response())
        },
        HTTPScenario(
            "limit.head.is-bounded", "Heads that are too large, or have too many fields, get 431; long targets 414.",
            needs: .rawBytes
        ) { world, check in
            let tenant = try await world.tenant()
            let large = tenant.request(fields: [HTTPField("X-Large", String(repeating: "a", count: 70_000))])
            check.equal(try await world.exchange(large).status, 431, "large head")
            let many = tenant.request(fields: (1...300).map { HTTPField("X-\($0)", "a") })
            check.equal(try await world.exchange(many).status, 431, "many fields")
            let long = tenant.request("/v1/" + String(repeating: "a", count: 20_000))
            check.equal(try await world.exchange(long).status, 414, "long target")
            check.equal(world.upstream.received.count, 0, "requests at the upstream")
            check.usual(try await world.exchange(tenant.request()), "a good one after them")
        },
    ]
}
