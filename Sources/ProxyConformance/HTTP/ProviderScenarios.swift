import ProxyDomain
import ProxyStorage

extension HTTPScenario {
    /// Providers that want their key elsewhere, and clients that speak as those providers' own do.
    static let providers: [HTTPScenario] = [
        HTTPScenario(
            "provider.auth.puts-the-key-in-a-field",
            "A provider that wants its key in a field of its own gets it there, once, and nowhere else.",
            settings: file(of: "header: X-Acme-Key")
        ) { world, check in
            let tenant = try await world.tenant()
            let fields = [
                HTTPField("x-acme-key", "the client's own"), HTTPField("X_Acme-Key", "another"),
                HTTPField("x-acme-keys", "kept"),
                HTTPField("anthropic-version", "2023-06-01"),
            ]
            check.usual(try await world.exchange(tenant.request(fields: fields)))
            let received = world.upstream.received.first?.fields ?? []
            check.equal(received.all("x-acme-key"), [upstreamKey], "X-Acme-Key")
            check.equal(received.all("x_acme-key"), [], "X_Acme-Key")
            check.equal(received.all("authorization"), [], "Authorization")
            check.equal(received.all("x-acme-keys"), ["kept"], "a longer name")
            check.equal(received.all("anthropic-version"), ["2023-06-01"], "anthropic-version")
        },
        HTTPScenario(
            "provider.auth.puts-the-key-in-the-query",
            "A provider that wants its key in the query gets it there, in the place of what the client sent under that name.",
            settings: file(of: "query: key")
        ) { world, check in
            let tenant = try await world.tenant()
            let path = "/v1/models/gemini:generateContent"
            for (sent, kept) in [
                ("", ""), ("?", ""), ("?alt=sse", "&alt=sse"), ("?key=mine&alt=sse", "&alt=sse"),
                ("?alt=sse&key=mine&monkey=1", "&alt=sse&monkey=1"), ("?%6Bey=mine&keys=2", "&keys=2"),
                ("?key&key=&&a=b", "&a=b"), ("?a=key=1&KEY=2", "&a=key=1&KEY=2"), ("?%6%6Bey=1", "&%6%6Bey=1"),
                ("?key[]=mine&a=b;key=2&c", "&c"),
            ] {
                check.usual(try await world.exchange(tenant.request(path + sent)), sent)
                check.equal(
                    world.upstream.received.last?.target, "\(path)?key=\(upstreamKey)\(kept)", "target of \(sent)")
                check.equal(world.upstream.received.last?.fields.all("authorization"), [], "Authorization of \(sent)")
            }
        },
        HTTPScenario(
            "provider.auth.new-key-is-used",
            "A project's new key is used from the very next request, wherever the provider wants it.",
            settings: file(of: "query: key")
        ) { world, check in
            let tenant = try await world.tenant()
            check.usual(try await world.exchange(tenant.request()))
            let answer = try await world.manage(
                "PATCH", "/manage/projects/\(tenant.projectID)", #"{"api_key":"another+key/more=&x"}"#)
            check.equal(answer.status, 200, "change")
            check.usual(try await world.exchange(tenant.request("/v1/chat/completions?a=b")))
            check.equal(
                world.upstream.received.last?.target, "/v1/chat/completions?key=another%2Bkey%2Fmore%3D%26x&a=b",
                "target")
        },
        HTTPScenario(
            "provider.auth.key-comes-not-back",
            "An upstream that redirects gives back the query it was sent: fields with the key in it stay behind.",
            settings: file(of: "query: key")
        ) { world, check in
            let tenant = try await world.tenant()
            for _ in 1...2 {
                world.upstream.script(
                    UpstreamStep.readRequest + [
                        .send(Array("HTTP/1.1 103 Early Hints\r\nLink: </a?key=\(upstreamKey)>\r\n\r\n".utf8)),
                        .send(
                            HTTPAnswer.json(
                                "{}", status: "307 Temporary Redirect",
                                fields:
                                    "Location: /v1/models?key=\(upstreamKey)&a=b\r\nX-Kept: \(upstreamKey.prefix(5))\r\n"
                            )),
                    ])
                let response = try await world.exchange(tenant.request("/v1/models/", method: "GET", body: nil))
                check.equal(response.status, 307, "status")
                check.equal(response.fields.all("location"), [], "Location")
                check.equal(response.interim.flatMap { $0.fields.all("link") }, [], "Link")
                check.equal(response.fields.all("x-kept").count, 1, "another field")
            }
        },
        HTTPScenario(
            inside: "provider.auth.key-is-in-no-log", "A key in the query is neither logged nor kept.",
            settings: file(of: "query: key")
        ) { world, check in
            let tenant = try await world.tenant()
            check.usual(try await world.exchange(tenant.request("/v1/chat/completions?a=b")))
            check.equal(try await world.settledTally(tenant, rows: 1), Tally(1), "tally")
            let rows = try await world.storage.requests(of: tenant.tokenID, after: nil, limit: 10)
            check.equal(rows.map(\.admission.path), ["/v1/chat/completions"], "paths kept")
            check.that(!world.log.contains(upstreamKey), "the key is in the log")
        },
        HTTPScenario(
            "provider.clients.send-the-token-as-providers-do",
            "A token in api-key or x-goog-api-key is as good as in x-api-key, and does not reach the upstream."
        ) { world, check in
            let tenant = try await world.tenant()
            for name in ["api-key", "Api-Key", "x-goog-api-key"] {
                let fields = [HTTPField(name, tenant.secret)]
                check.usual(try await world.exchange(HTTPRequest(fields: fields, body: HTTPRequest.usualBody)), name)
                let received = world.upstream.received.last
                check.equal(received?.fields.first("authorization"), "Bearer \(upstreamKey)", "credential for \(name)")
                check.that(received?.head.contains(text: tenant.secret) == false, "\(name) reached the upstream")
            }
            let both = [HTTPField("api-key", tenant.secret), HTTPField("x-api-key", tenant.secret)]
            check.refusal(
                try await world.exchange(HTTPRequest(fields: both, body: HTTPRequest.usualBody)), 401, "invalid_token")
        },
        HTTPScenario(
            "provider.projects.choose-theirs",
            "Several providers are there at once: a project's requests go to the one it names, with its key where that wants it.",
            settings: [
                "API_CONFIG_PATH": """
                {file}apis:
                  openai:
                    base_url: {upstream}
                  anthropic:
                    base_url: {upstream}/anthropic
                    auth: {header: x-api-key}

                """
            ]
        ) { world, check in
            let usual = try await world.tenant()
            let made = try await world.manage(
                "POST", "/manage/projects",
                #"{"name":"claude\#(world.nameSuffix)","api_key":"sk-ant-0123456789","provider":"anthropic"}"#)
            check.equal(made.status, 201, "the other project")
            let other = try await world.tenant(of: made.json["id"].string.flatMap { ProjectID($0) })
            check.usual(try await world.exchange(usual.request()))
            check.equal(world.upstream.received.last?.target, "/v1/chat/completions", "target of the first")
            check.usual(try await world.exchange(other.request("/v1/messages")))
            check.equal(world.upstream.received.last?.target, "/anthropic/v1/messages", "target of the second")
            check.equal(world.upstream.received.last?.fields.all("x-api-key"), ["sk-ant-0123456789"], "its key")
        },
    ]

    private static func file(of auth: String) -> [String: String] {
        ["API_CONFIG_PATH": "{file}apis:\n  openai:\n    base_url: {upstream}\n    auth: {\(auth)}\n"]
    }
}
