package import ProxyDomain
import ProxyStorage

/// A route of the management API and the least role that may call it.
package struct RouteRole: Hashable, Sendable {
    package let method: String
    package let path: String
    package let role: ManagementRole

    fileprivate init(_ method: String, _ path: String, _ role: ManagementRole) {
        self.method = method
        self.path = path
        self.role = role
    }

    /// Every route below `/manage`, as it is promised.
    package static let all = [
        RouteRole("GET", "/manage/projects", .viewer), RouteRole("POST", "/manage/projects", .admin),
        RouteRole("GET", "/manage/projects/{id}", .viewer), RouteRole("PATCH", "/manage/projects/{id}", .admin),
        RouteRole("POST", "/manage/projects/{id}/tokens/revoke", .operator),
        RouteRole("GET", "/manage/upstreams", .viewer), RouteRole("POST", "/manage/upstreams", .admin),
        RouteRole("GET", "/manage/upstreams/{id}", .viewer), RouteRole("PATCH", "/manage/upstreams/{id}", .admin),
        RouteRole("DELETE", "/manage/upstreams/{id}", .admin),
        RouteRole("GET", "/manage/tokens", .viewer), RouteRole("POST", "/manage/tokens", .operator),
        RouteRole("GET", "/manage/tokens/{id}", .viewer), RouteRole("PATCH", "/manage/tokens/{id}", .operator),
        RouteRole("DELETE", "/manage/tokens/{id}", .operator),
        RouteRole("POST", "/manage/cache/purge", .operator),
        RouteRole("GET", "/manage/requests", .viewer), RouteRole("GET", "/manage/requests/{id}", .viewer),
        RouteRole("GET", "/manage/usage", .viewer), RouteRole("GET", "/manage/database", .viewer),
        RouteRole("POST", "/manage/database/verify", .operator), RouteRole("GET", "/manage/reports", .viewer),
        RouteRole("GET", "/manage/audit", .operator), RouteRole("GET", "/manage/audit/{id}", .operator),
        RouteRole("GET", "/manage/management-tokens", .admin), RouteRole("POST", "/manage/management-tokens", .admin),
        RouteRole("DELETE", "/manage/management-tokens/{id}", .admin),
        RouteRole("GET", "/manage/whoami", .viewer),
    ]
}

extension HTTPScenario {
    /// Who may do what at the management API.
    static let roles: [HTTPScenario] = [
        HTTPScenario(
            inside: "role.routes.are-walked",
            "Every route is open to the roles it says, and to no other; who may not is told 403 and which role can."
        ) { world, check in
            for holder in ManagementRole.allCases {
                let token = try await world.managementToken(holder)
                for route in RouteRole.all {
                    let path = route.path.replacing("{id}", with: "019ab000-0000-7000-8000-000000000000")
                    let body = route.method == "GET" || route.method == "DELETE" ? nil : "{}"
                    let answer = try await world.manage(route.method, path, body, credential: "Bearer \(token)")
                    let what = "\(route.method) \(route.path) as \(holder.rawValue)"
                    if holder < route.role {
                        check.managementRefusal(answer, 403, what)
                        check.equal(answer.json["code"].string, "role_insufficient", "code of \(what)")
                        check.that(answer.text.contains("'\(route.role.rawValue)'"), "no role in \(answer.text)")
                    } else {
                        check.that(![401, 403, 405, 500].contains(answer.status), "\(what): \(answer.status)")
                    }
                }
            }
            check.equal(try await world.storage.projects(after: nil, limit: 9).count, 0, "projects made on the way")
        },
        HTTPScenario(
            "role.token.is-shown-once", "A management token is shown when it is made, and by its hint ever after."
        ) { world, check in
            let made = try await world.makeManagementToken(.viewer, named: "shown once\(world.nameSuffix)")
            check.equal(made.status, 201, "status: \(made.text)")
            let secret = made.json["token"].string ?? ""
            check.that(secret.hasPrefix("mk-") && secret.count == 46, "token: \(secret.count) characters")
            let list = try await world.manage("GET", "/manage/management-tokens?limit=1000")
            check.that(!list.text.contains(secret) && list.text.contains(made.json["id"].string ?? "?"), "list")
            let whoami = try await world.manage("GET", "/manage/whoami", credential: "Bearer \(secret)")
            check.equal(whoami.json["name"].string, "shown once\(world.nameSuffix)", "name")
            check.equal(whoami.json["role"].string, "viewer", "role")
            let again = try await world.makeManagementToken(.admin, named: "shown once\(world.nameSuffix)")
            check.managementRefusal(again, 409, "a second one of the name")
            let id = made.json["id"].string ?? ""
            check.equal(try await world.manage("DELETE", "/manage/management-tokens/\(id)").status, 204, "revoked")
            check.equal(try await world.manage("DELETE", "/manage/management-tokens/\(id)").status, 204, "once more")
            check.managementRefusal(
                try await world.manage("GET", "/manage/whoami", credential: "Bearer \(secret)"), 401, "afterwards")
            let renewed = try await world.makeManagementToken(.admin, named: "shown once\(world.nameSuffix)")
            check.equal(renewed.status, 201, "the name of a revoked one")
        },
        HTTPScenario(
            "role.token.input-is-checked", "A management token needs a name and a role, and ends in the future."
        ) { world, check in
            for body in [
                "{}", #"{"name":"x"}"#, #"{"role":"admin"}"#, #"{"name":"","role":"admin"}"#,
                #"{"name":"x","role":"root"}"#, #"{"name":"management-token","role":"viewer"}"#,
                #"{"name":"command-line","role":"viewer"}"#,
                #"{"name":"x","role":"admin","expires_at":"2001-01-01T00:00:00Z"}"#,
                #"{"name":"x","role":"admin","more":1}"#,
            ] {
                check.managementRefusal(
                    try await world.manage("POST", "/manage/management-tokens", body), 400, body)
            }
            let unknown = "/manage/management-tokens/019ab000-0000-7000-8000-000000000000"
            check.managementRefusal(try await world.manage("DELETE", unknown), 404, "one that is not there")
        },
        HTTPScenario(
            inside: "role.actor.is-named",
            "What is done with a management token, or refused to it, is audited by its name."
        ) { world, check in
            let token = try await world.managementToken(.operator)
            let tenant = try await world.tenant()
            let path = "/manage/tokens/\(tenant.tokenID)"
            let changed = try await world.manage("PATCH", path, #"{"name":"x"}"#, credential: "Bearer \(token)")
            check.equal(changed.status, 200, "a change")
            check.managementRefusal(
                try await world.manage(
                    "PATCH", "/manage/projects/\(tenant.projectID)", #"{"name":"x"}"#, credential: "Bearer \(token)"),
                403, "a change of a project")
            let events = try await world.manage("GET", "/manage/audit?actor=the%20operator").json["events"].items
            check.equal(events.map { $0["action"].string }, ["credential.refuse", "token.update"], "actions")
            check.equal(events.map { $0["outcome"].string }, ["refused", "success"], "outcomes")
            check.equal(events.first?["metadata"]["needed_role"].string, "admin", "role")
            let all = try await world.manage("GET", "/manage/audit?page_size=100").text
            check.that(!all.contains(token), "a management token is in the audit")
            check.equal(
                try await world.manage("GET", "/manage/audit?action=management_token.create").json["events"].items
                    .count,
                1, "events of its making")
        },
        HTTPScenario(
            inside: "role.database.away-is-no-refusal",
            "While the database is away a named token is neither taken nor called wrong; that of the settings works on."
        ) { world, check in
            let token = try await world.managementToken(.admin)
            await world.storage.close()
            let named = try await world.manage("GET", "/manage/whoami", credential: "Bearer \(token)")
            check.managementRefusal(named, 503, "a named token")
            check.equal(try await world.manage("GET", "/manage/whoami").status, 200, "that of the settings")
        },
    ]
}

extension ProxyAccess {
    fileprivate func makeManagementToken(_ role: ManagementRole, named name: String) async throws -> HTTPResponse {
        try await manage("POST", "/manage/management-tokens", #"{"name":"\#(name)","role":"\#(role.rawValue)"}"#)
    }

    /// The secret of a new management token.
    fileprivate func managementToken(_ role: ManagementRole) async throws -> String {
        try await makeManagementToken(role, named: "the \(role.rawValue)").json["token"].string ?? ""
    }
}
