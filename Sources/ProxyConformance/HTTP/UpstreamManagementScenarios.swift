import ProxyDomain
import ProxyStorage

extension HTTPScenario {
    /// What the management API promises of the further ways of projects.
    static let upstreamManagement: [HTTPScenario] = [
        HTTPScenario(
            "manage.upstream.create-shows-it",
            "A new way is answered with 201 and its parts, its key masked, and reads back so."
        ) { world, check in
            let project = try await world.createProject()
            let made = try await world.manage(
                "POST", "/manage/upstreams",
                #"{"project_id":"\#(project)","api_key":"\#(upstreamKey)","base_url":"https://example.org/v1","weight":7}"#
            )
            check.equal(made.status, 201, "status")
            check.that(!made.text.contains(upstreamKey), "the key is shown")
            check.equal(made.json["project_id"].string, "\(project)", "project_id")
            check.equal(made.json["provider"].string, "openai", "provider")
            check.equal(made.json["base_url"].string, "https://example.org/v1", "base_url")
            check.equal(
                [made.json["priority"], made.json["weight"]], [.number("1"), .number("7")], "priority and weight")
            check.equal(made.json["is_active"], .bool(true), "is_active")
            let path = "/manage/upstreams/\(made.json["id"].string ?? "")"
            check.equal(made.fields.first("location"), path, "Location")
            check.equal(try await world.manage("GET", path).json, made.json, "read back")
            let list = try await world.manage("GET", "/manage/upstreams?project_id=\(project)")
            check.equal(list.json, .array([made.json]), "list")
        },
        HTTPScenario(
            "manage.upstream.change-and-remove",
            "A way is changed by what is said, deactivated and removed; requests follow at once."
        ) { world, check in
            let tenant = try await world.scoped()
            let way = try await world.way(of: tenant, #""api_key":"sk-second-0123456789","priority":0,"weight":1000"#)
            let path = "/manage/upstreams/\(way)"
            let own = "/manage/projects/\(tenant.projectID)"
            func key() async throws -> String? {
                check.usual(try await world.exchange(tenant.request()))
                return world.upstream.received.last?.fields.first("authorization")
            }
            // The project's own way is tried after it.
            check.equal(
                try await world.manage("PATCH", path, #"{"priority":1}"#).json["priority"], .number("1"), "priority")
            check.equal(try await key(), "Bearer \(upstreamKey)", "own key")
            let changed = try await world.manage("PATCH", path, #"{"api_key":"sk-third-0123456789","is_active":false}"#)
            check.equal(changed.json["is_active"], .bool(false), "is_active")
            check.equal(changed.json["weight"], .number("1000"), "weight")
            check.that(!changed.text.contains("sk-third-0123456789"), "the key is shown")
            world.upstream.script(
                UpstreamStep.readRequest + [.send(HTTPAnswer.json("{}", status: "503 Busy"))])
            check.equal(try await world.exchange(tenant.request()).status, 503, "one that is not active is not taken")
            check.equal(try await world.manage("PATCH", path, #"{"is_active":true}"#).status, 200, "active again")
            world.upstream.script(
                UpstreamStep.readRequest + [.send(HTTPAnswer.json("{}", status: "503 Busy"))])
            check.equal(try await key(), "Bearer sk-third-0123456789", "its new key")
            check.equal(try await world.manage("DELETE", path).status, 204, "removal")
            check.managementRefusal(try await world.manage("GET", path), 404, "after it")
            check.managementRefusal(try await world.manage("DELETE", path), 404, "twice")
            check.equal(try await world.manage("GET", own).status, 200, "the project")
            world.upstream.script(
                UpstreamStep.readRequest + [.send(HTTPAnswer.json("{}", status: "503 Busy"))])
            check.equal(try await world.exchange(tenant.request()).status, 503, "a way that is gone")
        },
        HTTPScenario(
            "manage.upstream.refuses-what-makes-no-sense",
            "What is missing, unknown or out of range is refused by name."
        ) { world, check in
            let project = try await world.createProject()
            let rows: [(String, Int, String)] = [
                (#"{"api_key":"k"}"#, 400, "project_id"), (#"{"project_id":"\#(project)"}"#, 400, "api_key"),
                (#"{"project_id":"\#(project)","api_key":"k","provider":"nobody"}"#, 400, "provider"),
                (#"{"project_id":"\#(project)","api_key":"k","base_url":"ftp://x"}"#, 400, "base_url"),
                (#"{"project_id":"\#(project)","api_key":"k","priority":-1}"#, 400, "priority"),
                (#"{"project_id":"\#(project)","api_key":"k","weight":0}"#, 400, "weight"),
                (#"{"project_id":"\#(project)","api_key":"k","key":"x"}"#, 400, "key"),
                (#"{"project_id":"\#(ProjectID.sample(1))","api_key":"k"}"#, 404, "project"),
            ]
            for (body, status, name) in rows {
                let answer = try await world.manage("POST", "/manage/upstreams", body)
                check.managementRefusal(answer, status, body)
                check.that(answer.text.contains(name), "\(body): \(answer.text) does not say \(name)")
            }
            check.equal(
                try await world.manage("GET", "/manage/upstreams?project_id=\(project)").json, .array([]), "ways kept")
        },
    ]
}
