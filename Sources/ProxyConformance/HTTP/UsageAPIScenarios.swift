import ProxyDomain
import ProxyStorage

extension HTTPScenario {
    /// What the management API tells of use, finds, and tells of the database.
    static let usageAPI: [HTTPScenario] = [
        HTTPScenario(
            inside: "report.usage.tells-requests",
            "What requests used is told by project, token, model and status, right after they have ended."
        ) { world, check in
            let tenant = try await world.tenant()
            for _ in 1...3 { check.usual(try await world.exchange(tenant.request())) }
            _ = try await world.settledTally(tenant, rows: 3)
            for grouping in ["none", "project", "token", "model", "status"] {
                for interval in ["hour", "day", "total"] {
                    let answer = try await world.manage(
                        "GET", "/manage/usage?group_by=\(grouping)&interval=\(interval)")
                    check.equal(answer.status, 200, "\(grouping) by \(interval)")
                    check.equal(answer.json["totals"]["requests"].integer, 3, "requests by \(grouping), \(interval)")
                    check.equal(answer.json["groups"].items.count, 1, "groups by \(grouping)")
                    check.equal(answer.json["series"].items.isEmpty, interval == "total", "series of \(interval)")
                    check.that(answer.json["totals"]["latency_ms"]["p99"].string == nil, "a latency is a text")
                }
            }
            let byToken = try await world.manage("GET", "/manage/usage?group_by=token&token_id=\(tenant.tokenID)")
            check.equal(byToken.json["groups"].items.first?["key"].string, tenant.tokenID.text, "key")
            let none = try await world.manage("GET", "/manage/usage?model=nothing")
            check.equal(none.json["totals"]["requests"].integer, 0, "of a model that nobody asked for")
            check.equal(try await world.storage.verify().filter { !$0.holds }, [], "broken invariants")
        },
        HTTPScenario(
            "report.usage.input-is-checked", "What can't be told is refused, and says why."
        ) { world, check in
            for query in [
                "group_by=colour", "interval=week", "since=yesterday",
                "since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z",
                "interval=hour&since=2020-01-01T00:00:00Z", "project_id=x", "token_id=x", "nothing=1",
            ] {
                check.managementRefusal(try await world.manage("GET", "/manage/usage?\(query)"), 400, query)
            }
        },
        HTTPScenario(
            inside: "report.requests.are-found",
            "Requests are found by project, token, model, status, outcome and time, from either end, page by page."
        ) { world, check in
            let tenants = [try await world.tenant(name: "a"), try await world.tenant(name: "b")]
            for number in 0..<7 {
                if number == 3 {
                    world.upstream.script(
                        UpstreamStep.readRequest + [.send(HTTPAnswer.json("{}", status: "429 Too Many Requests"))])
                }
                _ = try await world.exchange(tenants[number % 2].request())
            }
            _ = try await world.settledTally(tenants[0], rows: 4)
            _ = try await world.settledTally(tenants[1], rows: 3)
            func ids(_ query: String) async throws -> [String] {
                var found: [String] = []
                var path: String? = "/manage/requests?\(query)"
                while let next = path {
                    let answer = try await world.manage("GET", next)
                    check.equal(answer.status, 200, next)
                    found += answer.json.items.compactMap { $0["id"].string }
                    path = answer.nextPage
                }
                return found
            }
            let all = try await ids("")
            check.equal(all.count, 7, "all")
            check.equal(all, all.sorted(), "order")
            check.equal(try await ids("order=desc&limit=2"), all.reversed(), "from the end, by two")
            check.equal(try await ids("limit=3"), all, "by three")
            let first = try await ids("token_id=\(tenants[0].tokenID)&limit=1")
            check.equal(first, [0, 2, 4, 6].map { all[$0] }, "a token's, one by one")
            check.equal(try await ids("project_id=\(tenants[1].projectID)&order=desc&limit=2").count, 3, "a project's")
            check.equal(try await ids("status=4xx"), [all[3]], "refused by a class")
            check.equal(try await ids("status=429"), [all[3]], "refused by a status")
            check.equal(try await ids("outcome=completed&order=desc"), all.reversed(), "by outcome")
            check.equal(try await ids("since=2100-01-01T00:00:00Z"), [], "later")
            check.equal(try await ids("until=2100-01-01T00:00:00Z&limit=4"), all, "before")
            for query in ["status=abc", "order=up", "outcome=x", "since=x", "model=a&model=b"] {
                check.managementRefusal(try await world.manage("GET", "/manage/requests?\(query)"), 400, query)
            }
        },
        HTTPScenario(
            inside: "report.lists.are-searched",
            "Projects and tokens are searched by a part of their names, in any case, and sorted either way, page by page."
        ) { world, check in
            for name in ["Alpha 100%", "beta_1", "Gamma", "alphabet"] { _ = try await world.createProject(name) }
            func names(_ path: String) async throws -> [String] {
                var found: [String] = []
                var next: String? = path
                while let page = next {
                    let answer = try await world.manage("GET", page)
                    check.equal(answer.status, 200, page)
                    found += answer.json.items.compactMap { $0["name"].string }
                    next = answer.nextPage
                }
                return found
            }
            let projects = "/manage/projects?"
            check.equal(try await names(projects + "search=ALPHA"), ["Alpha 100%", "alphabet"], "search")
            check.equal(try await names(projects + "search=0%25"), ["Alpha 100%"], "a percent sign")
            check.equal(try await names(projects + "search=_"), ["beta_1"], "an underscore")
            check.equal(
                try await names(projects + "sort=name&limit=1"), ["Alpha 100%", "Gamma", "alphabet", "beta_1"],
                "by name")
            check.equal(
                try await names(projects + "sort=name&order=desc&limit=3"),
                ["beta_1", "alphabet", "Gamma", "Alpha 100%"], "by name, the last first")
            check.equal(try await names(projects + "active=false"), [], "inactive")
            let project = try await world.createProject("of tokens")
            for name in ["one", "two", "three", "\u{301}mark"] {
                _ = try await world.manage(
                    "POST", "/manage/tokens", #"{"project_id":"\#(project)","never_expires":true,"name":"\#(name)"}"#)
            }
            let tokens = "/manage/tokens?project_id=\(project)&"
            check.equal(
                try await names(tokens + "sort=name&limit=2"), ["one", "three", "two", "\u{301}mark"], "tokens by name")
            check.equal(
                try await names(tokens + "order=desc&limit=1"), ["\u{301}mark", "three", "two", "one"],
                "the latest first")
            for sort in ["request_count", "cost", "last_used_at"] {
                check.equal(try await names(tokens + "sort=\(sort)&limit=1").count, 4, "tokens by \(sort)")
            }
            check.equal(try await names(tokens + "search=THREE"), ["three"], "a token by its name")
            for query in ["sort=size", "order=x", "search=" + String(repeating: "x", count: 201)] {
                check.managementRefusal(try await world.manage("GET", projects + query), 400, query)
            }
        },
        HTTPScenario(
            inside: "report.database.is-told", "What the database is and was through is told, and verified on demand."
        ) { world, check in
            let tenant = try await world.tenant()
            check.usual(try await world.exchange(tenant.request()))
            let told = try await world.manage("GET", "/manage/database")
            check.equal(told.status, 200, "status")
            check.equal(told.json["status"].string, "ok", "database")
            check.equal(told.json["driver"].string, world.storage.driver, "driver")
            check.that(told.json["migrations"].items.count >= 13, "migrations: \(told.text)")
            let verified = try await world.manage("POST", "/manage/database/verify")
            check.that(verified.text.contains(#""holds":true"#), "findings: \(verified.text)")
            check.that(verified.text.contains("usage-sums-equal-rows"), "no sums in \(verified.text)")
            check.equal(try await world.manage("GET", "/manage/reports").status, 200, "reports")
        },
        HTTPScenario(
            inside: "audit.client.refused-is-told",
            "A client's credential that is refused is an event, with why and from where, and without the credential."
        ) { world, check in
            let tenant = try await world.tenant()
            _ = try await world.manage("DELETE", "/manage/tokens/\(tenant.tokenID)")
            let unknown = "sk-" + String(repeating: "A", count: 43)
            for secret in [unknown, tenant.secret] {
                let fields = [
                    HTTPField("Authorization", "Bearer \(secret)"), HTTPField("X-Correlation-ID", "one-of-many"),
                    HTTPField("X-Forwarded-For", "192.0.2.7"),
                ]
                check.equal(try await world.exchange(HTTPRequest(fields: fields, body: [])).status, 401, "refused")
            }
            var events: [JSONDocument] = []
            for _ in 1...100 where events.count < 2 {
                events = try await world.manage("GET", "/manage/audit?action=token.refuse").json["events"].items
                try await ContinuousClock().sleep(for: .milliseconds(20))
            }
            check.equal(
                Set(events.map { $0["metadata"]["code"].string }), ["token_not_found", "token_inactive"], "reasons")
            check.that(events.allSatisfy { $0["correlation_id"].string == "one-of-many" }, "correlation")
            check.that(
                events.allSatisfy { $0["client_ip"].string == "127.0.0.1" }, "an address that nobody vouches for")
            let text = try await world.manage("GET", "/manage/audit?page_size=100").text
            check.that(!text.contains(unknown) && !text.contains(tenant.secret), "a secret is in the audit")
        },
        HTTPScenario(
            inside: "audit.proxies.are-believed",
            "A proxy before the server is believed who a request is from, and nobody before one that isn't trusted.",
            settings: ["TRUSTED_PROXIES": "127.0.0.0/8,10.0.0.0/8"]
        ) { world, check in
            for (forwarded, client) in [
                ("192.0.2.7", "192.0.2.7"), ("198.51.100.9, 192.0.2.7, 10.1.2.3", "192.0.2.7"),
                ("2001:db8::1", "2001:db8::1"), ("192.0.2.1, nonsense", "127.0.0.1"),
            ] {
                let request = HTTPRequest(
                    method: "GET", target: "/manage/projects",
                    fields: [
                        HTTPField("Authorization", "Bearer wrong"), HTTPField("X-Forwarded-For", forwarded),
                    ])
                check.equal(try await world.exchange(request).status, 401, "status")
                let events = try await world.manage("GET", "/manage/audit?action=credential.refuse").json["events"]
                    .items
                check.equal(events.first?["client_ip"].string, client, forwarded)
            }
        },
    ]
}

extension HTTPResponse {
    /// Where the next page is, as `Link` says.
    var nextPage: String? {
        guard let link = fields.first("link"), link.hasSuffix(#">; rel="next""#) else { return nil }
        return String(link.dropFirst().prefix { $0 != ">" })
    }
}
