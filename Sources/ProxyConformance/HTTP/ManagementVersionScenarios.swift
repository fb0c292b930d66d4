import ProxyDomain
import ProxyStorage

extension HTTPScenario {
    /// What the management API promises to several who administer at once.
    static let managementVersions: [HTTPScenario] = [
        HTTPScenario(
            "manage.version.guards-changes",
            "A change under If-Match is made to the state that its ETag names, and to no other; a new ETag comes with it."
        ) { world, check in
            let tenant = try await world.tenant()
            let made = try await world.manage(
                "POST", "/manage/upstreams", #"{"project_id":"\#(tenant.projectID)","api_key":"sk-second-key"}"#)
            for (path, first, second) in [
                ("/manage/projects/\(tenant.projectID)", #"{"name":"one"}"#, #"{"name":"two"}"#),
                ("/manage/tokens/\(tenant.tokenID)", #"{"name":"one"}"#, #"{"max_requests":2}"#),
                ("/manage/upstreams/\(made.json["id"].string ?? "")", #"{"weight":7}"#, #"{"priority":9}"#),
            ] {
                let before = try await world.manage("GET", path).fields.first("etag") ?? ""
                check.that(before.hasPrefix("\"") && before.count > 10, "ETag of \(path): \(before)")
                let changed = try await world.manage("PATCH", path, first, ifMatch: before)
                check.equal(changed.status, 200, "a change of the state that is known, of \(path)")
                let after = changed.fields.first("etag") ?? ""
                check.that(after != before, "the ETag is the same after a change")
                check.equal(try await world.manage("GET", path).fields.first("etag"), after, "ETag afterwards")
                let late = try await world.manage("PATCH", path, second, ifMatch: before)
                check.managementRefusal(late, 412, "a change of a state that is past")
                check.equal(late.json["code"].string, "changed_meanwhile", "code")
                check.equal(try await world.manage("GET", path).fields.first("etag"), after, "ETag after a refusal")
                let either = try await world.manage("PATCH", path, second, ifMatch: "\(before), \(after)")
                check.equal(either.status, 200, "one of two states")
                check.equal(try await world.manage("PATCH", path, first, ifMatch: "*").status, 200, "any state")
                check.managementRefusal(
                    try await world.manage("PATCH", path, first, ifMatch: "W/\(after)"), 412, "weak")
                check.managementRefusal(try await world.manage("PATCH", path, first, ifMatch: "nonsense"), 400)
            }
        },
        HTTPScenario(
            "manage.version.is-not-of-counters",
            "What requests count does not change an ETag: administering goes on under load."
        ) { world, check in
            let tenant = try await world.tenant(cap: 9, limits: #""budget_usd":5"#)
            let path = "/manage/tokens/\(tenant.tokenID)"
            let before = try await world.manage("GET", path).fields.first("etag")
            check.usual(try await world.exchange(tenant.request()))
            check.equal(try await world.manage("GET", path).json["request_count"].integer, 1, "requests")
            check.equal(try await world.manage("GET", path).fields.first("etag"), before, "ETag")
            check.equal(
                try await world.manage("PATCH", path, #"{"name":"x"}"#, ifMatch: before).status, 200, "a change")
        },
        HTTPScenario(
            "manage.version.lets-one-through", "Of many changes at once of one state exactly one is made."
        ) { world, check in
            let tenant = try await world.tenant()
            let path = "/manage/tokens/\(tenant.tokenID)"
            let tag = try await world.manage("GET", path).fields.first("etag")
            let statuses = try await withThrowingTaskGroup { group in
                for number in 1...12 {
                    group.addTask {
                        try await world.manage("PATCH", path, #"{"name":"name \#(number)"}"#, ifMatch: tag).status
                    }
                }
                return try await group.reduce(into: [Int: Int]()) { $0[$1, default: 0] += 1 }
            }
            check.equal(statuses, [200: 1, 412: 11], "statuses")
        },
        HTTPScenario(
            inside: "manage.once.makes-one-thing",
            "A request that is sent again under its key makes nothing, and is answered as before; many at once make one thing."
        ) { world, check in
            let project = try await world.createProject("acme")
            for (path, body) in [
                ("/manage/projects", #"{"name":"once","api_key":"sk-a-key"}"#),
                ("/manage/tokens", #"{"project_id":"\#(project)","duration_minutes":5}"#),
                ("/manage/upstreams", #"{"project_id":"\#(project)","api_key":"sk-a-key"}"#),
            ] {
                let answers = try await withThrowingTaskGroup { group in
                    for _ in 1...6 {
                        group.addTask { try await world.manage("POST", path, body, key: "key of \(path)") }
                    }
                    return try await group.reduce(into: [HTTPResponse]()) { $0.append($1) }
                }
                check.equal(Set(answers.map(\.status)), [201], "statuses of \(path)")
                check.equal(Set(answers.map(\.text)).count, 1, "answers of \(path)")
                check.equal(Set(answers.map { $0.fields.first("location") }).count, 1, "places of \(path)")
                let replayed = answers.filter { $0.fields.first("idempotency-replayed") == "true" }
                check.equal(replayed.count, 5, "answers that were given again")
                let other = try await world.manage("POST", path, body + " ", key: "key of \(path)")
                check.managementRefusal(other, 422, "something else under the key")
            }
            check.equal(try await world.storage.projects(after: nil, limit: 9).count, 2, "projects")
            let filter = TokenFilter(projectID: project, now: .noon)
            check.equal(try await world.storage.tokens(filter, after: nil, limit: 9).count, 1, "tokens")
            let created = try await world.manage("GET", "/manage/audit?action=token.create")
            check.equal(created.json["events"].items.count, 1, "events of the token")
        },
        HTTPScenario(
            inside: "manage.once.is-per-key-and-place",
            "Another key, another place or no key makes another thing; what failed may be tried again under its key."
        ) { world, check in
            let body = #"{"name":"first","api_key":"sk-a-key"}"#
            let first = try await world.manage("POST", "/manage/projects", body, key: "a")
            check.equal(first.status, 201, "made")
            check.managementRefusal(
                try await world.manage("POST", "/manage/projects", body, key: "b"), 409, "another key")
            check.managementRefusal(try await world.manage("POST", "/manage/projects", body, key: nil), 409, "no key")
            let path = "/manage/projects/\(first.json["id"].string ?? "")"
            check.equal(try await world.manage("PATCH", path, #"{"name":"renamed"}"#, key: "a").status, 200, "a change")
            check.equal(try await world.manage("POST", "/manage/projects", body, key: "b").status, 201, "tried again")
            check.managementRefusal(
                try await world.manage("POST", "/manage/projects", body, key: String(repeating: "k", count: 256)), 400)
            let token = #"{"project_id":"\#(first.json["id"].string ?? "")","duration_minutes":5}"#
            let issued = try await world.manage("POST", "/manage/tokens", token, key: "a")
            let again = try await world.manage("POST", "/manage/tokens", token, key: "a")
            check.equal(issued.status, 201, "the same key at another place")
            check.that(issued.json["token"].string?.hasPrefix("sk-") == true, "no token: \(issued.text)")
            check.equal(again.text, issued.text, "the token, shown again to who has its key")
        },
    ]
}

extension ProxyAccess {
    /// A call of the management API that may be sent again.
    fileprivate func manage(_ method: String, _ path: String, _ body: String, key: String?) async throws -> HTTPResponse
    {
        try await manage(method, path, body, with: key.map { [HTTPField("Idempotency-Key", $0)] } ?? [])
    }

    /// A call of the management API that means one state.
    fileprivate func manage(
        _ method: String, _ path: String, _ body: String, ifMatch tag: String?
    ) async throws -> HTTPResponse {
        try await manage(method, path, body, with: tag.map { [HTTPField("If-Match", $0)] } ?? [])
    }

    private func manage(
        _ method: String, _ path: String, _ body: String, with more: [HTTPField]
    ) async throws -> HTTPResponse {
        let fields = [
            HTTPField("Authorization", "Bearer \(managementToken)"), HTTPField("Content-Type", "application/json"),
        ]
        return try await exchange(
            HTTPRequest(method: method, target: path, fields: fields + more, body: Array(body.utf8)))
    }
}
