import ProxyDomain
import ProxyStorage

extension HTTPScenario {
    /// What the management API promises of tokens.
    static let tokenManagement: [HTTPScenario] = [
        HTTPScenario(
            "manage.token.is-shown-once", "A token's secret is in the answer that creates it, and in no other."
        ) { world, check in
            let project = try await world.createProject()
            let created = try await world.manage(
                "POST", "/manage/tokens", #"{"project_id":"\#(project)","duration_minutes":5}"#)
            check.equal(created.status, 201, "status")
            let secret = created.json["token"].string ?? ""
            check.that(TokenSecret(secret) != nil, "'\(secret)' is no token")
            let path = "/manage/tokens/\(created.json["id"].string ?? "")"
            let answers = [
                try await world.manage("GET", path), try await world.manage("GET", "/manage/tokens"),
                try await world.manage("PATCH", path, #"{"name":"x"}"#), try await world.manage("GET", path),
            ]
            for answer in answers {
                check.that(answer.status == 200 && !answer.text.contains(secret), "\(answer.status) shows the secret")
            }
        },
        HTTPScenario(
            "manage.token.limits-are-set-and-lifted", "A token's limits are set, replaced and lifted as a whole."
        ) {
            world, check in
            let project = try await world.createProject()
            let created = try await world.manage(
                "POST", "/manage/tokens",
                #"{"project_id":"\#(project)","duration_minutes":5,"limits":{"requests_per_minute":7}}"#)
            check.equal(created.json["limits"]["requests_per_minute"].integer, 7, "as created")
            let path = "/manage/tokens/\(created.json["id"].string ?? "")"
            for (limits, wanted) in [
                (#""name":"x""#, 7), (#""limits":{"requests_per_minute":9}"#, 9), (#""name":"y","limits":null"#, 9),
                (#""limits":{}"#, nil),
            ] as [(String, Int?)] {
                let changed = try await world.manage("PATCH", path, "{\(limits)}")
                check.equal(changed.status, 200, limits)
                let found = try await world.manage("GET", path).json["limits"]["requests_per_minute"].integer
                check.equal(found, wanted, limits)
            }
        },
        HTTPScenario("manage.token.reads-back", "A token reads back with every part that was asked for.") {
            world, check in
            let project = try await world.createProject()
            let body =
                #"{"project_id":"\#(project)","expires_at":"2999-01-02T03:04:05Z","max_requests":7,"name":"laptop"}"#
            let created = try await world.manage("POST", "/manage/tokens", body)
            let token = try await world.manage("GET", "/manage/tokens/\(created.json["id"].string ?? "")").json
            check.equal(token["project_id"].string, project.text, "project_id")
            check.equal(token["name"].string, "laptop", "name")
            check.equal(token["expires_at"].string, "2999-01-02T03:04:05.000Z", "expires_at")
            check.equal(
                ["max_requests", "request_count", "cache_hit_count", "prompt_tokens", "completion_tokens"].map {
                    token[$0].integer
                }, [7, 0, 0, 0, 0], "numbers")
            check.equal(token["is_active"], .bool(true), "is_active")
            check.equal([token["revoked_at"], token["last_used_at"]], [.null, .null], "instants that are not")
        },
        HTTPScenario("manage.token.may-never-expire", "A token that never expires says so.") { world, check in
            let project = try await world.createProject()
            let created = try await world.manage(
                "POST", "/manage/tokens", #"{"project_id":"\#(project)","never_expires":true}"#)
            check.equal(created.status, 201, "status")
            check.equal(created.json["expires_at"], .null, "expires_at")
            let request = HTTPRequest(
                fields: [HTTPField("Authorization", "Bearer \(created.json["token"].string ?? "")")], body: [])
            check.usual(try await world.exchange(request))
        },
        HTTPScenario(
            inside: "manage.token.ends-in-exactly-one-way",
            "Of duration, instant and never, exactly one is to be said, within its bounds."
        ) { world, check in
            let project = try await world.createProject()
            let bad = [
                "", #","duration_minutes":0"#, #","duration_minutes":525601"#, #","duration_minutes":-1"#,
                #","duration_minutes":1.5"#,
                #","duration_minutes":"5""#, #","duration_minutes":5,"never_expires":true"#,
                #","expires_at":"2001-01-01T00:00:00Z""#,
                #","expires_at":"tomorrow""#, #","expires_at":"2999-02-30T00:00:00Z""#,
                #","duration_minutes":5,"expires_at":"2999-01-01T00:00:00Z""#,
                #","duration_minutes":5,"max_requests":-1"#,
                #","duration_minutes":5,"max_requests":99999999999999999999"#,
            ]
            for part in bad {
                check.managementRefusal(
                    try await world.manage("POST", "/manage/tokens", #"{"project_id":"\#(project)"\#(part)}"#), 400,
                    part)
            }
            check.equal(try await world.storage.tokens(TokenFilter(now: .noon), after: nil, limit: 9), [], "tokens")
        },
        HTTPScenario(inside: "manage.token.needs-its-project", "A token of a project nobody has is refused.") {
            world, check in
            let body = #"{"project_id":"\#(ProjectID.sample(1))","duration_minutes":5}"#
            check.managementRefusal(try await world.manage("POST", "/manage/tokens", body), 404)
            check.equal(try await world.storage.tokens(TokenFilter(now: .noon), after: nil, limit: 9), [], "tokens")
        },
        HTTPScenario(
            "manage.token.list-has-filters", "Tokens are listed by project and by whether they are active.",
            needs: .ownData
        ) {
            world, check in
            let one = try await world.tenant(name: "one")
            let two = try await world.tenant(name: "two")
            let three = try await world.tenant(of: two.projectID)
            check.equal(try await world.manage("DELETE", "/manage/tokens/\(three.tokenID)").status, 204, "revocation")
            let wanted = [
                "": [one, two, three], "?project_id=\(two.projectID)": [two, three],
                "?projectId=\(one.projectID)": [one],
                "?active=true": [one, two], "?active=false": [three], "?project_id=\(two.projectID)&active=true": [two],
            ]
            for (query, tenants) in wanted {
                let found = try await world.manage("GET", "/manage/tokens\(query)").json.items.compactMap {
                    $0["id"].string
                }
                check.equal(found, tenants.map(\.tokenID.text).sorted(), "tokens of '\(query)'")
            }
        },
        HTTPScenario("manage.token.list-has-pages", "A long list comes in pages that keep their filter.") {
            world, check in
            let tenant = try await world.tenant(name: "one")
            for _ in 1...4 { _ = try await world.tenant(of: tenant.projectID) }
            _ = try await world.tenant(name: "two")
            var ids: [String] = []
            var path: String? = "/manage/tokens?project_id=\(tenant.projectID)&limit=2"
            while let next = path, ids.count < 20 {
                let page = try await world.manage("GET", next)
                ids += page.json.items.compactMap { $0["id"].string }
                path = nextPage(page)
            }
            check.equal(ids.count, 5, "tokens")
            check.equal(Set(ids).count, 5, "different tokens")
        },
        HTTPScenario(
            inside: "manage.token.patch-never-overwrites-counters",
            "A change of a token leaves what was counted, even while it counts."
        ) { world, check in
            let tenant = try await world.tenant()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { for _ in 0..<20 { check.usual(try await world.exchange(tenant.request())) } }
                group.addTask {
                    for number in 0..<20 {
                        let answer = try await world.manage(
                            "PATCH", "/manage/tokens/\(tenant.tokenID)", #"{"name":"\#(number)"}"#)
                        check.equal(answer.status, 200, "change \(number)")
                    }
                }
                try await group.waitForAll()
            }
            check.equal(try await world.settledTally(tenant, rows: 20), Tally(20), "tally")
            let token = try await world.manage("GET", "/manage/tokens/\(tenant.tokenID)").json
            check.equal(
                ["request_count", "prompt_tokens", "completion_tokens"].map { token[$0].integer }, [20, 100, 140],
                "figures")
        },
        HTTPScenario("manage.token.delete-revokes", "Deleting revokes, and may be repeated; an unknown token is 404.") {
            world, check in
            let tenant = try await world.tenant()
            let path = "/manage/tokens/\(tenant.tokenID)"
            for attempt in 1...2 {
                check.equal(try await world.manage("DELETE", path).status, 204, "attempt \(attempt)")
            }
            let token = try await world.manage("GET", path).json
            check.equal(token["is_active"], .bool(false), "is_active")
            check.that(token["revoked_at"].string.flatMap { Timestamp($0) } != nil, "revoked_at")
            check.managementRefusal(
                try await world.manage("DELETE", "/manage/tokens/\(TokenID.sample(1))"), 404, "unknown")
        },
        HTTPScenario(
            inside: "manage.token.get-shows-use", "A token tells how often, when and for how much it was used."
        ) {
            world, check in
            let tenant = try await world.tenant()
            for _ in 1...3 { check.usual(try await world.exchange(tenant.request())) }
            _ = try await world.settledTally(tenant, rows: 3)
            let token = try await world.manage("GET", "/manage/tokens/\(tenant.tokenID)").json
            check.equal(
                ["request_count", "prompt_tokens", "completion_tokens"].map { token[$0].integer }, [3, 15, 21],
                "figures")
            check.that(token["last_used_at"].string.flatMap { Timestamp($0) } != nil, "last_used_at")
        },
    ]
}
