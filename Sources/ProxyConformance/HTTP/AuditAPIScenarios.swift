import ProxyDomain
import ProxyStorage

extension HTTPScenario {
    /// What the management API tells of who changed what.
    static let audit: [HTTPScenario] = [
        HTTPScenario(
            inside: "audit.changes.are-told",
            "Every change is an event with who, what, from where and by which request, and without a secret."
        ) { world, check in
            let tenant = try await world.tenant()
            let project = "/manage/projects/\(tenant.projectID)"
            let changes = [
                try await world.manage("PATCH", project, #"{"name":"renamed","api_key":"sk-another-key-nobody-sees"}"#),
                try await world.manage("PATCH", "/manage/tokens/\(tenant.tokenID)", #"{"max_requests":5}"#),
                try await world.manage("DELETE", "/manage/tokens/\(tenant.tokenID)"),
                try await world.manage("POST", project + "/tokens/revoke"),
                try await world.manage("POST", "/manage/cache/purge", #"{"project_id":"\#(tenant.projectID)"}"#),
            ]
            check.equal(changes.map(\.status), [200, 200, 204, 200, 200], "statuses")
            let answer = try await world.manage("GET", "/manage/audit")
            let events = answer.json["events"].items
            check.equal(
                events.map { $0["action"].string },
                [
                    "cache.purge", "project.revoke_tokens", "token.revoke", "token.update", "project.update",
                    "token.create", "project.create",
                ], "actions, the latest first")
            check.equal(
                events.prefix(5).map { $0["request_id"].string },
                changes.reversed().map { $0.fields.first("x-request-id") }, "requests")
            check.that(events.allSatisfy { $0["actor"].string == "management-token" }, "actors: \(answer.text)")
            check.that(events.allSatisfy { $0["client_ip"].string == "127.0.0.1" }, "addresses: \(answer.text)")
            check.equal(events[3]["token_id"].string, tenant.tokenID.text, "the token of its change")
            check.equal(events[4]["metadata"]["fields"].string, "api_key,name", "what was changed")
            for secret in [tenant.secret, upstreamKey, "sk-another-key-nobody-sees", world.managementToken] {
                check.that(!answer.text.contains(secret), "a secret is in the audit")
            }
            check.equal(try await world.storage.verify().filter { !$0.holds }, [], "broken invariants")
        },
        HTTPScenario(
            inside: "audit.failures.are-not-changes", "What was not done is no event, and reading is none."
        ) { world, check in
            _ = try await world.createProject("taken")
            _ = try await world.manage("POST", "/manage/projects", #"{"name":"taken","api_key":"k"}"#)
            _ = try await world.manage("POST", "/manage/projects", #"{"name":""}"#)
            _ = try await world.manage("DELETE", "/manage/tokens/00000000-0000-7000-8000-000000000000")
            _ = try await world.manage("GET", "/manage/projects")
            let total = try await world.manage("GET", "/manage/audit").json["pagination"]["total_count"].integer
            check.equal(total, 1, "events")
        },
        HTTPScenario(
            "audit.credential.refused-is-told", "A wrong management token is an event too, and it isn't in it."
        ) { world, check in
            let wrong = "wrong-token-that-nobody-may-see"
            let refused = try await world.manage("PATCH", "/manage/projects/x?a=b", credential: "Bearer \(wrong)")
            check.managementRefusal(refused, 401)
            let answer = try await world.manage("GET", "/manage/audit?outcome=refused")
            let event = answer.json["events"].items.first
            check.equal(event?["action"].string, "credential.refuse", "action")
            check.equal(event?["path"].string, "/manage/projects/x", "path")
            check.equal(event?["request_id"].string, refused.fields.first("x-request-id"), "request")
            check.that(!answer.text.contains(wrong), "the token is in the audit")
        },
        HTTPScenario(
            inside: "audit.list.filters-and-pages",
            "Events are found by what they say, by words and by metadata, a page at a time, and one by itself."
        ) { world, check in
            for name in ["alpha one", "alpha two", "beta"] { _ = try await world.createProject(name) }
            let first = try await world.manage("GET", "/manage/audit?search=ALPHA&page_size=1")
            check.equal(first.json["events"].items.map { $0["metadata"]["name"].string }, ["alpha two"], "first page")
            let pagination = first.json["pagination"]
            check.equal(pagination["total_count"].integer, 2, "found in all")
            check.equal(pagination["total_pages"].integer, 2, "pages")
            check.equal(pagination["has_next"], .bool(true), "next page")
            check.equal(pagination["has_prev"], .bool(false), "page before")
            let second = try await world.manage("GET", "/manage/audit?search=alpha&page_size=1&page=2")
            check.equal(second.json["events"].items.map { $0["metadata"]["name"].string }, ["alpha one"], "second page")
            let beta = try await world.manage("GET", "/manage/audit?metadata.name=beta&method=POST")
            check.equal(beta.json["events"].items.count, 1, "by metadata")
            let event = beta.json["events"].items.first ?? .null
            let single = try await world.manage("GET", "/manage/audit/\(event["id"].string ?? "")")
            check.equal(single.json, event, "one by itself")
            check.managementRefusal(
                try await world.manage("GET", "/manage/audit/00000000-0000-7000-8000-000000000000"), 404)
            let wrong = [
                "page=0", "page_size=101", "page_size=x", "outcome=maybe", "search=%22", "start_time=now",
                "project_id=1", "metadata.=x", "metadata.a%22b=x", "metadata.a=1&metadata.b=2", "unknown=1",
            ]
            for query in wrong {
                check.managementRefusal(try await world.manage("GET", "/manage/audit?\(query)"), 400, query)
            }
        },
        HTTPScenario(
            inside: "audit.off.keeps-nothing", "Without the audit nothing is kept, and everything else works.",
            settings: ["AUDIT_ENABLED": "false"]
        ) { world, check in
            let tenant = try await world.tenant()
            check.usual(try await world.exchange(tenant.request()))
            let answer = try await world.manage("GET", "/manage/audit")
            check.equal(answer.json["events"].items.count, 0, "events")
        },
    ]
}
