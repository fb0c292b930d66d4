import ProxyDomain
import ProxyStorage

extension HTTPScenario {
    /// What the management API makes of what it should not be sent.
    static let managementInput: [HTTPScenario] = [
        HTTPScenario("manage.auth.is-needed", "Without the management token there is a 401 and nothing else.") {
            world, check in
            for credential in [
                "", "Bearer", "Bearer wrong", "Basic \(world.managementToken)", "Bearer \(world.managementToken)x",
            ] {
                let response = try await world.manage("GET", "/manage/projects", credential: credential)
                check.managementRefusal(response, 401, "'\(credential.prefix(14))'")
                check.that(response.fields.first("www-authenticate") != nil, "no WWW-Authenticate")
            }
            check.equal(try await world.manage("GET", "/manage/projects").status, 200, "with it")
        },
        HTTPScenario(
            "manage.auth.is-not-a-clients",
            "A client's token does not open the management API, nor the management token the proxy."
        ) { world, check in
            let tenant = try await world.tenant()
            let response = try await world.manage("GET", "/manage/projects", credential: "Bearer \(tenant.secret)")
            check.managementRefusal(response, 401)
            let fields = [HTTPField("Authorization", "Bearer \(world.managementToken)")]
            check.refusal(try await world.exchange(HTTPRequest(fields: fields, body: [])), 401, "invalid_token")
        },
        HTTPScenario(
            inside: "manage.json.must-be-json", "A body that is no JSON object is refused, whatever is wrong with it."
        ) { world, check in
            let bad = [
                "", "{", "}", "[]", "null", "1", #""text""#, "{]", #"{"name"}"#, #"{"name":}"#, #"{"name":"a",}"#,
                #"{name:"a"}"#, #"{"name":'a'}"#,
                #"{"name":"a""api_key":"b"}"#, #"{"name":"a"} {"#, #"{"name":"\ud800","api_key":"k"}"#,
                #"{"name":"\x","api_key":"k"}"#,
                "{\"name\":\"a\nb\",\"api_key\":\"k\"}", #"{"name":"a","name":"b","api_key":"k"}"#, #"{"a":nan}"#,
                #"{"a":01}"#, "{\"a\":1e}",
                String(repeating: "[", count: 5000), String(repeating: #"{"a":"#, count: 5000), "\u{feff}{}",
            ]
            for body in bad {
                check.managementRefusal(
                    try await world.manage("POST", "/manage/projects", body), 400, String(body.prefix(40)))
            }
            check.equal(try await world.storage.projects(after: nil, limit: 9), [], "projects")
        },
        HTTPScenario("manage.json.must-be-unicode", "A body that is not UTF-8 is refused.") { world, check in
            let fields = [
                HTTPField("Authorization", "Bearer \(world.managementToken)"),
                HTTPField("Content-Type", "application/json"),
            ]
            for bytes: [UInt8] in [
                [0xFF], [0xC3, 0x28], [0xED, 0xA0, 0x80], [0xF8, 0x88, 0x80, 0x80, 0x80], [0xC0, 0x80],
            ] {
                let body = Array(#"{"api_key":"k","name":""#.utf8) + bytes + Array("\"}".utf8)
                let response = try await world.exchange(
                    HTTPRequest(target: "/manage/projects", fields: fields, body: body))
                check.managementRefusal(response, 400, "\(bytes)")
            }
        },
        HTTPScenario(
            "manage.fields.must-be-right",
            "A field of the wrong kind, out of bounds, missing or unknown is refused by name."
        ) { world, check in
            let bad = [
                #"{"api_key":"k"}"#, #"{"name":"a"}"#, #"{"name":"","api_key":"k"}"#, #"{"name":5,"api_key":"k"}"#,
                #"{"name":null,"api_key":"k"}"#,
                #"{"name":["a"],"api_key":"k"}"#, #"{"name":"a","api_key":""}"#, #"{"name":"a","api_key":"two words"}"#,
                #"{"name":"a","api_key":"k\r\nX: y"}"#,
                #"{"name":"a","api_key":"k","stream_usage":"guess"}"#, #"{"name":"a","api_key":"k","client_leaves":1}"#,
                #"{"name":"a","api_key":"k","surprise":1}"#, #"{"name":"a","api_key":"k","provider":"nobody"}"#,
                #"{"name":"\#(String(repeating: "a", count: 201))","api_key":"k"}"#,
            ]
            for body in bad {
                check.managementRefusal(try await world.manage("POST", "/manage/projects", body), 400, body)
            }
            let project = try await world.createProject()
            for body in [
                "{}", #"{"is_active":"yes"}"#, #"{"is_active":1}"#, #"{"revoke_tokens":"all"}"#, #"{"name":""}"#,
            ] {
                check.managementRefusal(try await world.manage("PATCH", "/manage/projects/\(project)", body), 400, body)
            }
        },
        HTTPScenario(
            "manage.paths.must-be-right",
            "An unknown route is 404, a wrong method 405, an identifier that is none 400 or 404."
        ) { world, check in
            check.managementRefusal(try await world.manage("GET", "/manage/nothing"), 404, "unknown route")
            let method = try await world.manage("PUT", "/manage/projects")
            check.managementRefusal(method, 405, "wrong method")
            check.that(method.fields.first("allow")?.contains("POST") == true, "Allow is \(method.fields.all("allow"))")
            for id in ["x", "..", "%00", "1", String(repeating: "a", count: 5000), "\(ProjectID.sample(1))x", "%ff"] {
                let response = try await world.manage("GET", "/manage/projects/\(id)")
                check.that([400, 404].contains(response.status), "'\(id.prefix(20))' got \(response.status)")
            }
        },
        HTTPScenario("manage.queries.must-be-right", "A parameter out of bounds or unknown is refused, not ignored.") {
            world, check in
            for query in [
                "limit=0", "limit=1001", "limit=-1", "limit=ten", "limit=", "cursor=x", "active=maybe", "project_id=x",
                "surprise=1",
            ] {
                check.managementRefusal(try await world.manage("GET", "/manage/tokens?\(query)"), 400, query)
            }
            check.equal(try await world.manage("GET", "/manage/tokens?limit=1000").status, 200, "the largest page")
        },
        HTTPScenario("manage.body.is-bounded", "A body without end is not collected: 413.") { world, check in
            let name = String(repeating: "a", count: 3 << 20)
            var conversation = try await world.talk()
            let fields = [
                HTTPField("Authorization", "Bearer \(world.managementToken)"),
                HTTPField("Content-Type", "application/json"),
            ]
            try? await conversation.send(
                HTTPRequest(target: "/manage/projects", fields: fields, body: Array(name.utf8)))
            check.equal(try await conversation.response().status, 413, "status")
            check.equal(try await world.manage("GET", "/manage/projects").status, 200, "afterwards")
        },
        HTTPScenario("manage.connection.is-reused", "Management and proxy requests share one connection, in any order.")
        { world, check in
            let tenant = try await world.tenant()
            let manage = HTTPRequest(
                method: "GET", target: "/manage/projects",
                fields: [HTTPField("Authorization", "Bearer \(world.managementToken)")])
            var conversation = try await world.talk()
            for _ in 1...3 {
                try await conversation.send(manage)
                check.equal(try await conversation.response(to: "GET").status, 200, "management")
                try await conversation.send(tenant.request())
                check.usual(try await conversation.response(), "proxy")
            }
            try await conversation.send(manage.bytes + tenant.request().bytes + manage.bytes)
            check.equal(try await conversation.response(to: "GET").status, 200, "first of three at once")
            check.usual(try await conversation.response(), "second of three at once")
            check.equal(try await conversation.response(to: "GET").status, 200, "third of three at once")
        },
    ]
}
