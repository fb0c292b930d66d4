extension HTTPScenario {
    /// Values that parameters of requests may have.
    static let parameters: [HTTPScenario] = [
        HTTPScenario(
            "parameter.allowed.passes",
            "A request whose parameters have values that the provider's list allows goes on as it came.",
            settings: list
        ) { world, check in
            let tenant = try await world.tenant()
            for body in [
                #"{"model":"gpt-4o"}"#, #"{ "messages": [{"model":"o1"}], "model" : "gpt-4o-mini", "n": 1 }"#,
                #"{"model":"gpt-4\u006f-x"}"#, #"{"messages":[]}"#, #"{"model":"text-embedding-3-small","n":2}"#,
            ] {
                check.usual(try await world.exchange(tenant.request(body: Array(body.utf8))), body)
                check.equal(world.upstream.received.last?.body, Array(body.utf8), "the body of \(body)")
            }
            check.usual(try await world.exchange(tenant.request("/v1/models", method: "GET", body: nil)), "no body")
        },
        HTTPScenario(
            "parameter.other.is-refused",
            "Another value is refused with the parameter's name, and nothing is counted or forwarded.",
            settings: list
        ) { world, check in
            let tenant = try await world.tenant(cap: 1)
            for body in [
                #"{"model":"o1"}"#, #"{"model":"gpt-4"}"#, #"{"model":"xgpt-4o"}"#, #"{"model":""}"#,
                #"{"model":null}"#,
                #"{"model":["gpt-4o"]}"#, #"{"model":{"a":"gpt-4o"}}"#, #"{"model":"gpt-4o","n":3}"#,
                #"{"model":"GPT-4o"}"#,
            ] {
                let response = try await world.exchange(tenant.request(body: Array(body.utf8)))
                check.refusal(response, 400, "param_not_allowed", body)
                let param = body.contains(#""n":3"#) ? "n" : "model"
                check.equal(response.json["error"]["param"].string, param, "param of \(body)")
            }
            check.equal(world.upstream.received.count, 0, "requests at the upstream")
            check.usual(
                try await world.exchange(tenant.request(body: Array(#"{"model":"gpt-4o"}"#.utf8))), "the capped one")
        },
        HTTPScenario(
            "parameter.tricks.are-refused",
            "What two readers could understand in two ways is refused: keys twice or in other case, and what can't be looked into.",
            settings: list
        ) { world, check in
            let tenant = try await world.tenant()
            for body in [
                #"{"model":"gpt-4o","model":"o1"}"#, #"{"model":"gpt-4o","mod\u0065l":"o1"}"#, #"{"Model":"o1"}"#,
                #"{"MODEL":"gpt-4o"}"#, #"{"model":"gpt-4o"} {"model":"o1"}"#, #"{"model":"gpt-4o""#,
                #"[{"model":"o1"}]"#,
                #"model=o1"#, #""gpt-4o""#, #"{"a":['"'],"model":"o1","b":['"']}"#, #"{"a":[x],"n":1}"#, #"{"a":01}"#,
                "\u{FEFF}" + #"{"model":"o1"}"#,
            ] {
                let response = try await world.exchange(tenant.request(body: Array(body.utf8)))
                check.refusal(response, 400, "param_not_allowed", body)
            }
            let hidden = Array(#"{"model":"o1"}"#.utf8)
            for type in [
                "text/plain", "application/vnd.api+json", "application/json; charset=utf-8", "application/x",
                "multipart/form-data",
            ] {
                let response = try await world.exchange(tenant.typed(type, hidden))
                check.refusal(response, 400, "param_not_allowed", type)
            }
            let packed = tenant.request(
                body: Array(#"{"model":"gpt-4o"}"#.utf8), fields: [HTTPField("Content-Encoding", "gzip")])
            check.refusal(try await world.exchange(packed), 400, "param_not_allowed", "a packed body")
            check.equal(world.upstream.received.count, 0, "requests at the upstream")
        },
        HTTPScenario(
            "parameter.forms.are-read", "Forms and queries are read as JSON is, in parts or not.", settings: list
        ) { world, check in
            let tenant = try await world.tenant()
            for (type, body) in good {
                check.usual(try await world.exchange(tenant.typed(type, Array(body.utf8))), body)
            }
            check.usual(try await world.exchange(tenant.request("/v1/x?model=gpt-4o%2Dmini", body: [])), "a good query")
            let passed = world.upstream.received.count
            for (type, body) in bad {
                check.refusal(
                    try await world.exchange(tenant.typed(type, Array(body.utf8))), 400, "param_not_allowed", body)
            }
            for query in ["model=o1", "model=gpt-4o&model=o1", "%6Dodel=o1", "model=%zz", "Model=gpt-4o", "model"] {
                let response = try await world.exchange(tenant.request("/v1/x?\(query)", method: "GET", body: nil))
                check.refusal(response, 400, "param_not_allowed", query)
            }
            check.equal(world.upstream.received.count, passed, "requests at the upstream")
        },
        HTTPScenario(
            "parameter.chunks.are-read",
            "A body in chunks is looked into as a whole, and passes in the chunks it came in.",
            settings: list
        ) { world, check in
            let tenant = try await world.tenant()
            let head = """
                POST /v1/chat/completions HTTP/1.1\r
                Host: a\r
                Authorization: Bearer \(tenant.secret)\r
                Content-Type: application/json\r
                Transfer-Encoding: chunked\r
                \r

                """
            let good = try await world.exchange(raw: head + "9\r\n{\"model\":\r\n9\r\n\"gpt-4o\"}\r\n0\r\n\r\n")
            check.usual(good)
            check.equal(world.upstream.received.last?.body, Array(#"{"model":"gpt-4o"}"#.utf8), "the body")
            let bad = try await world.exchange(raw: head + "9\r\n{\"model\":\r\n5\r\n\"o1\"}\r\n0\r\n\r\n")
            check.refusal(bad, 400, "param_not_allowed")
        },
    ]

    private static let list = [
        "API_CONFIG_PATH": """
        {file}apis:
          openai:
            base_url: {upstream}
            param_whitelist:
              model: [gpt-4o*, text-embedding-3-small]
              n: ['1', '2']

        """
    ]

    private static let form = "application/x-www-form-urlencoded"
    private static let parts = "multipart/form-data; boundary=XX"

    private static func part(_ head: String, _ content: String) -> String { "--XX\r\n\(head)\r\n\r\n\(content)\r\n" }
    private static func field(_ content: String) -> String {
        part("Content-Disposition: form-data; name=\"model\"", content)
    }

    private static let good = [
        (form, "a=b&model=gpt-4o&n=1"), (form, "a=%zz".replacing("%zz", with: "%7E")),
        (
            parts,
            field("gpt-4o") + part("Content-Disposition: form-data; name=file; filename=a", "model=o1") + "--XX--\r\n"
        ),
        ("Multipart/Form-Data; boundary=\"XX\"", field("gpt-4o-mini") + "--XX--"),
    ]

    private static let bad = [
        (form, "model=o1"), (form, "model=gpt-4o&model=gpt-4o"), (form, "mod%65l=o1"), (form, "MODEL=o1"),
        (form, "x=1;model=o1"), (form, "model[]=o1"), (form, "model[%CC%81]=o1"), (form, #"{"model":"gpt-4o"}"#),
        (form, "model"),
        (parts, field("o1") + "--XX--"), (parts, field("gpt-4o") + field("gpt-4o") + "--XX--"),
        (parts, field("gpt-4o")),
        (parts, part("Content-Disposition: form-data; name=\"Model\"", "gpt-4o") + "--XX--"),
        (parts, part("Content-Disposition: form-data; name=\tmodel", "o1") + "--XX--"),
        (parts, part("Content-Disposition: form-data; name=\" model\"", "o1") + "--XX--"),
        (parts, part("Content-Disposition: form-data; name=\u{A0}model", "o1") + "--XX--"),
        (parts, part("Content-Disposition: form-data; name=\"x\"; \u{0B}name=\"model\"", "o1") + "--XX--"),
        (
            parts,
            part("Content-Disposition: form-data; name=\"model\"\r\nContent-Transfer-Encoding: base64", "gpt-4o")
                + "--XX--"
        ),
        (parts, part("Content-Disposition: form-data; name=\"model\"; filename=\"a\"", "gpt-4o") + "--XX--"),
        (parts, part("Content-Disposition: form-data; name*=utf-8''model", "gpt-4o") + "--XX--"),
        (parts, part("Content-Disposition: form-data; name=\"model\"; name=\"x\"", "gpt-4o") + "--XX--"),
        (parts, "preamble\r\n" + field("gpt-4o") + "--XX--"), (parts, field("gpt-4o") + "--XX--" + field("o1")),
        ("multipart/form-data; boundary=XX; boundary*=us-ascii''YY", field("gpt-4o") + "--XX--"),
        (parts, part("Content-Disposition: form-data; name=x\r\n ; name*=utf-8''model; a=\"b:c\"", "o1") + "--XX--"),
        (parts, part("Content-Disposition: form-data; name=x", "abc\n--XX\nContent-Disposition: form-data") + "--XX--"),
        ("multipart/form-data; boundary=XX; boundary=YY", field("gpt-4o") + "--XX--"),
    ]
}

extension Tenant {
    fileprivate func typed(_ type: String, _ body: [UInt8]) -> HTTPRequest {
        HTTPRequest(
            fields: [HTTPField("Authorization", "Bearer \(secret)"), HTTPField("Content-Type", type)], body: body)
    }
}
