import ProxyDomain
import ProxyStorage

extension HTTPScenario {
    /// What the management API promises of projects.
    static let projectManagement: [HTTPScenario] = [
        HTTPScenario(
            "manage.project.create-shows-it", "A new project is answered with 201, its parts, and its key masked."
        ) { world, check in
            let body = #"{"name":"acme","api_key":"\#(upstreamKey)"}"#
            let response = try await world.manage("POST", "/manage/projects", body)
            check.equal(response.status, 201, "status")
            let project = response.json
            check.equal(project["name"].string, "acme", "name")
            check.equal(project["is_active"], .bool(true), "is_active")
            check.equal(project["deactivated_at"], .null, "deactivated_at")
            check.that(project["id"].string.flatMap { ProjectID($0) } != nil, "id is \(project["id"])")
            for name in ["created_at", "updated_at"] {
                check.that(project[name].string.flatMap { Timestamp($0) } != nil, "\(name) is \(project[name])")
            }
            check.equal(response.fields.first("content-type"), "application/json", "content type")
        },
        HTTPScenario(
            "manage.project.get-shows-it", "A project reads back as it was created; an unknown one is 404.",
            needs: .ownData
        ) {
            world, check in
            let created = try await world.manage(
                "POST", "/manage/projects", #"{"name":"acme","api_key":"\#(upstreamKey)"}"#
            ).json
            let id = created["id"].string ?? ""
            check.equal(try await world.manage("GET", "/manage/projects/\(id)").json, created, "project")
            let unknown = try await world.manage("GET", "/manage/projects/\(ProjectID.sample(1))")
            check.managementRefusal(unknown, 404, "unknown project")
        },
        HTTPScenario("manage.project.key-is-never-shown", "No answer about a project holds its key.") { world, check in
            let id = try await world.createProject()
            let path = "/manage/projects/\(id)"
            let answers = [
                try await world.manage("GET", path), try await world.manage("GET", "/manage/projects"),
                try await world.manage("PATCH", path, #"{"name":"other"}"#),
                try await world.manage("PATCH", path, #"{"api_key":"\#(upstreamKey)"}"#),
                try await world.manage("POST", "/manage/projects", #"{"name":"other","api_key":"\#(upstreamKey)"}"#),
                try await world.manage("POST", "/manage/projects", #"{"name":"","api_key":"\#(upstreamKey)"}"#),
            ]
            for answer in answers {
                check.that(
                    !answer.body.isEmpty && !answer.text.contains(upstreamKey),
                    "\(answer.status) shows the key: \(answer.text)")
            }
        },
        HTTPScenario(
            inside: "manage.project.name-is-unique", "A taken name is refused with 409, in creation and in change."
        ) {
            world, check in
            _ = try await world.createProject("one")
            let two = try await world.createProject("two")
            let again = try await world.manage("POST", "/manage/projects", #"{"name":"one","api_key":"k"}"#)
            check.managementRefusal(again, 409, "creation")
            let renamed = try await world.manage("PATCH", "/manage/projects/\(two)", #"{"name":"one"}"#)
            check.managementRefusal(renamed, 409, "change")
            check.equal(try await world.storage.projects(after: nil, limit: 10).map(\.name), ["one", "two"], "names")
        },
        HTTPScenario("manage.project.patch-changes-only-what-is-said", "A change touches the parts it names.") {
            world, check in
            let id = try await world.createProject("acme")
            let path = "/manage/projects/\(id)"
            let before = try await world.manage("GET", path).json
            let after = try await world.manage("PATCH", path, #"{"name":"renamed"}"#).json
            check.equal(after["name"].string, "renamed", "name")
            for name in ["id", "api_key", "is_active", "created_at", "provider"] {
                check.equal(after[name], before[name], name)
            }
            let off = try await world.manage("PATCH", path, #"{"is_active":false}"#).json
            check.equal(off["is_active"], .bool(false), "is_active")
            check.that(off["deactivated_at"].string.flatMap { Timestamp($0) } != nil, "deactivated_at")
            check.equal(off["name"].string, "renamed", "name after deactivation")
        },
        HTTPScenario("manage.project.delete-is-refused", "A project can't be deleted: 405, with what is allowed.") {
            world, check in
            let id = try await world.createProject()
            let response = try await world.manage("DELETE", "/manage/projects/\(id)")
            check.managementRefusal(response, 405)
            check.that(
                response.fields.first("allow")?.contains("PATCH") == true, "Allow is \(response.fields.all("allow"))")
            check.equal(try await world.manage("GET", "/manage/projects/\(id)").status, 200, "afterwards")
        },
        HTTPScenario(
            "manage.project.revoke-tokens-tells-how-many",
            "Revoking a project's tokens tells how many it did, and takes effect at once."
        ) { world, check in
            let tenant = try await world.tenant()
            let other = try await world.tenant(of: tenant.projectID)
            check.equal(
                try await world.manage("DELETE", "/manage/tokens/\(other.tokenID)").status, 204, "one revoked before")
            let response = try await world.manage("POST", "/manage/projects/\(tenant.projectID)/tokens/revoke")
            check.equal(response.status, 200, "status")
            let counts = ["revoked_count", "already_revoked_count", "total_tokens", "failed_count"].map {
                response.json[$0].integer
            }
            check.equal(counts, [1, 1, 2, 0], "counts")
            check.refusal(try await world.exchange(tenant.request()), 401, "token_inactive", "the next request")
        },
        HTTPScenario("manage.project.patch-can-revoke-tokens", "revoke_tokens in a change revokes them all, at once.") {
            world, check in
            let tenant = try await world.tenant()
            check.usual(try await world.exchange(tenant.request()), "before")
            let response = try await world.manage(
                "PATCH", "/manage/projects/\(tenant.projectID)", #"{"revoke_tokens":true}"#)
            check.equal(response.status, 200, "status")
            check.refusal(try await world.exchange(tenant.request()), 401, "token_inactive", "after")
        },
        HTTPScenario(
            "manage.project.list-has-pages",
            "A long list comes in pages, each with a link to the next, each project once.", needs: .ownData
        ) { world, check in
            for number in 1...5 { _ = try await world.createProject("project \(number)") }
            var names: [String] = []
            var path: String? = "/manage/projects?limit=2"
            var pages = 0
            while let next = path, pages < 9 {
                let page = try await world.manage("GET", next)
                check.equal(page.status, 200, "status of page \(pages + 1)")
                names += page.json.items.compactMap { $0["name"].string }
                path = nextPage(page)
                pages += 1
            }
            check.equal(names, (1...5).map { "project \($0)" }, "names")
            check.equal(pages, 3, "pages")
        },
    ]

    /// Where `Link: <…>; rel="next"` points.
    static func nextPage(_ response: HTTPResponse) -> String? {
        guard let link = response.fields.first("link"), link.contains(#"rel="next""#),
            let start = link.firstIndex(of: "<"),
            let end = link.firstIndex(of: ">")
        else { return nil }
        return String(link[link.index(after: start)..<end])
    }
}
