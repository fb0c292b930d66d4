import ProxyDomain
import ProxyStorage

extension HTTPScenario {
    /// What projects and tokens leave of what their provider allows: models, paths, and where requests go at all.
    static let scopes: [HTTPScenario] = [
        HTTPScenario(
            "scope.models.others-are-refused",
            "A token with allowed_models gets those alone, whether a request names its model in its body, its query or its path; the upstream is not asked."
        ) { world, check in
            let tenant = try await world.scoped(token: #""allowed_models":["gpt-4o*","text-embedding-3-small"]"#)
            for model in ["gpt-4o", "gpt-4o-mini", "text-embedding-3-small"] {
                check.usual(try await world.exchange(tenant.asking(for: model)), model)
            }
            check.usual(
                try await world.exchange(tenant.request("/v1/models", method: "GET", body: nil)), "no model at all")
            check.usual(
                try await world.exchange(tenant.request("/v1/models/gpt-4o:generateContent", body: Array("{}".utf8))),
                "an allowed model in the path")
            let asked = world.upstream.received.count
            let refused = [
                tenant.asking(for: "gpt-4"), tenant.asking(for: "o1"), tenant.asking(for: "GPT-4o"),
                tenant.request("/v1/realtime?model=o1", method: "GET", body: nil),
                tenant.request("/v1/models/o1:generateContent"),
                tenant.request("/v1/models/o1", method: "DELETE", body: nil),
                tenant.request("/v1/Engines/o1/completions"), tenant.request("/v1/%6dodels/o1/x"),
                tenant.request("/v1/models;x=1/o1/x"), tenant.request("/v1/tunedModels/o1:generateContent"),
                tenant.request("/v1/deployments/gpt-4:o/x"), tenant.request("/v1/models/gpt-4%6d%2d/x"),
            ]
            for request in refused {
                let answer = try await world.exchange(request)
                check.refusal(answer, 400, "param_not_allowed", request.target)
                check.equal(answer.json["error"]["param"].string, "model", "param of \(request.target)")
                check.that(answer.text.contains("allowed_models"), "no way out: \(answer.text)")
            }
            for body in [#"{"model":"o1","model":"gpt-4o"}"#, #"{"Model":"o1"}"#, "model=gpt-4o", #"["o1"]"#] {
                check.refusal(
                    try await world.exchange(tenant.request(body: Array(body.utf8))), 400, "param_not_allowed", body)
            }
            check.equal(world.upstream.received.count, asked, "requests that went on")
        },
        HTTPScenario(
            "scope.models.project-and-token-both-hold",
            "What a project allows holds for all of its tokens: a token may have less of it, never more."
        ) { world, check in
            let tenant = try await world.scoped(
                project: #""allowed_models":["gpt-*"]"#, token: #""allowed_models":["gpt-4o","claude-*"]"#)
            check.usual(try await world.exchange(tenant.asking(for: "gpt-4o")))
            for model in ["gpt-4", "claude-3"] {
                check.refusal(try await world.exchange(tenant.asking(for: model)), 400, "param_not_allowed", model)
            }
        },
        HTTPScenario(
            "scope.paths.others-are-refused",
            "A token with allowed_paths may call what lies below them, by whole segments, and nothing else."
        ) { world, check in
            let tenant = try await world.scoped(
                project: #""allowed_paths":["/v1"]"#, token: #""allowed_paths":["/v1/chat/","/v1/embeddings"]"#)
            for path in ["/v1/chat/completions", "/v1/chat", "/v1/embeddings?x=1"] {
                check.usual(try await world.exchange(tenant.request(path)), path)
            }
            for path in ["/v1/files", "/v1/chatter", "/v1/embeddings-2", "/v1", "/v1/files?/v1/chat"] {
                let answer = try await world.exchange(tenant.request(path))
                check.refusal(answer, 404, "endpoint_not_found", path)
            }
            check.equal(world.upstream.received.count, 3, "requests that went on")
        },
        HTTPScenario(
            "scope.change.is-in-force-at-once",
            "A list that is changed holds for the next request; an empty one allows everything again."
        ) { world, check in
            let tenant = try await world.scoped()
            check.usual(try await world.exchange(tenant.asking(for: "o1")))
            let path = "/manage/tokens/\(tenant.tokenID)"
            let narrowed = try await world.manage(
                "PATCH", path, #"{"allowed_models":["gpt-4o","gpt-4o"],"allowed_paths":["/v1/chat"]}"#)
            check.equal(narrowed.json["allowed_models"], .array([.string("gpt-4o")]), "models shown")
            check.equal(narrowed.json["allowed_paths"], .array([.string("/v1/chat")]), "paths shown")
            check.refusal(try await world.exchange(tenant.asking(for: "o1")), 400, "param_not_allowed")
            let renamed = try await world.manage("PATCH", path, #"{"name":"other"}"#)
            check.equal(renamed.json["allowed_models"], .array([.string("gpt-4o")]), "models after another change")
            let widened = try await world.manage("PATCH", path, #"{"allowed_models":[],"allowed_paths":[]}"#)
            check.equal(widened.json["allowed_models"], .array([]), "models lifted")
            check.usual(try await world.exchange(tenant.asking(for: "o1", at: "/v1/responses")))
        },
        HTTPScenario(
            inside: "project.base-url.leads-elsewhere",
            "A project with a base_url of its own goes there, with or without /v1 at its end; emptied, to its provider's."
        ) { world, check in
            let tenant = try await world.scoped()
            let path = "/manage/projects/\(tenant.projectID)"
            let own = "http://127.0.0.1:\(world.upstream.port)/eu"
            for (address, target) in [
                (own, "/eu/v1/chat/completions"), ("\(own)/v1", "/eu/v1/chat/completions"),
                ("", "/v1/chat/completions"),
            ] {
                let changed = try await world.manage("PATCH", path, #"{"base_url":"\#(address)"}"#)
                check.equal(changed.json["base_url"].string, address.isEmpty ? nil : address, "base_url shown")
                check.usual(try await world.exchange(tenant.request()), address)
                check.equal(world.upstream.received.last?.target, target, "target with \(address)")
            }
            let refused = try await world.manage("PATCH", path, #"{"base_url":"http://user:word@host"}"#)
            check.managementRefusal(refused, 400)
        },
        HTTPScenario(
            "project.provider.can-be-changed",
            "A project that moves to another provider goes there with its next request.",
            settings: [
                "API_CONFIG_PATH":
                    "{file}apis:\n  openai:\n    base_url: {upstream}\n  other:\n    base_url: {upstream}/other\n    auth: {header: x-api-key}\n"
            ]
        ) { world, check in
            let tenant = try await world.scoped()
            check.usual(try await world.exchange(tenant.request()))
            let path = "/manage/projects/\(tenant.projectID)"
            check.managementRefusal(try await world.manage("PATCH", path, #"{"provider":"nobody"}"#), 400)
            check.equal(
                try await world.manage("PATCH", path, #"{"provider":"other"}"#).json["provider"].string, "other",
                "provider")
            check.usual(try await world.exchange(tenant.request()))
            check.equal(world.upstream.received.last?.target, "/other/v1/chat/completions", "target")
            check.equal(world.upstream.received.last?.fields.all("x-api-key"), [upstreamKey], "key")
        },
    ]
}

extension ProxyAccess {
    /// A tenant whose project and token have more than usual: members of the JSON objects that make them.
    func scoped(project: String = "", token: String = "", name: String = "acme") async throws -> Tenant {
        let made = try await manage(
            "POST", "/manage/projects",
            #"{"name":"\#(name)\#(nameSuffix)","api_key":"\#(upstreamKey)"\#(project.isEmpty ? "" : ",")\#(project)}"#)
        let projectID = made.json["id"].string ?? ""
        let answer = try await manage(
            "POST", "/manage/tokens",
            #"{"project_id":"\#(projectID)","duration_minutes":60\#(token.isEmpty ? "" : ",")\#(token)}"#)
        guard let secret = answer.json["token"].string, let id = answer.json["id"].string.flatMap({ TokenID($0) }),
            let project = ProjectID(projectID)
        else { throw StepFailed(description: "no token was created: \(made.text) \(answer.text)") }
        return Tenant(secret: secret, tokenID: id, projectID: project)
    }
}

extension Tenant {
    /// A usual request for a model.
    func asking(for model: String, at path: String = "/v1/chat/completions") -> HTTPRequest {
        request(path, body: Array(#"{"model":"\#(model)","messages":[]}"#.utf8))
    }
}
