extension HTTPScenario {
    /// Web pages that call the API from a browser, and fields that a provider's requests must have.
    static let origins: [HTTPScenario] = [
        HTTPScenario(
            "origin.allowed.is-served",
            "A page of an allowed origin is served, and its browser is told that it may read the answer; what the upstream says of that is not.",
            settings: allowing
        ) { world, check in
            let tenant = try await world.tenant()
            world.upstream.script(
                UpstreamStep.readRequest + [
                    .send(
                        HTTPAnswer.json(
                            "{}",
                            fields: "Access-Control-Allow-Origin: *\r\nAccess-Control-Max-Age: 9\r\nVary: Accept\r\n"))
                ])
            let response = try await world.exchange(tenant.request(fields: [HTTPField("Origin", page)]))
            check.equal(response.status, 200, "status")
            check.equal(response.fields.all("access-control-allow-origin"), [page], "Access-Control-Allow-Origin")
            check.equal(response.fields.all("access-control-max-age"), [], "the upstream's Access-Control-Max-Age")
            check.equal(response.fields.all("access-control-expose-headers"), ["*"], "Access-Control-Expose-Headers")
            check.equal(response.fields.all("vary"), ["Accept", "Origin"], "Vary")
        },
        HTTPScenario(
            "origin.other.is-refused",
            "A page of another origin is refused, and nothing of it is counted or forwarded.",
            settings: allowing
        ) { world, check in
            let tenant = try await world.tenant(cap: 1)
            for other in [
                "https://evil.example", "http://app.example", "https://app.example:444", "https://app.example.evil",
                "https://app.example/", "null", "",
            ] {
                let response = try await world.exchange(tenant.request(fields: [HTTPField("Origin", other)]))
                check.refusal(response, 403, "origin_not_allowed", "'\(other)'")
                check.equal(response.fields.all("access-control-allow-origin"), [], "what '\(other)' may read")
            }
            let twice = [HTTPField("Origin", page), HTTPField("Origin", "https://evil.example")]
            check.refusal(
                try await world.exchange(tenant.request(fields: twice)), 403, "origin_not_allowed", "two origins")
            check.equal(world.upstream.received.count, 0, "requests at the upstream")
            check.usual(try await world.exchange(tenant.request()), "a program without an origin")
        },
        HTTPScenario(
            "origin.refusals.can-be-read", "A page of an allowed origin can read why it was refused.",
            settings: allowing
        ) { world, check in
            let response = try await world.exchange(
                HTTPRequest(fields: [HTTPField("Origin", page)], body: HTTPRequest.usualBody))
            check.refusal(response, 401, "invalid_token")
            check.equal(response.fields.all("access-control-allow-origin"), [page], "Access-Control-Allow-Origin")
        },
        HTTPScenario(
            "origin.preflight.is-answered",
            "A browser that asks first is answered without a token, by the origin alone, and nobody else hears of it.",
            settings: allowing
        ) { world, check in
            var conversation = try await world.talk()
            let asking = [
                HTTPField("Access-Control-Request-Method", "POST"),
                HTTPField("Access-Control-Request-Headers", "authorization,content-type"),
            ]
            for _ in 1...2 {
                try await conversation.send(
                    HTTPRequest(method: "OPTIONS", fields: [HTTPField("Origin", page)] + asking, body: nil))
                let response = try await conversation.response(to: "OPTIONS")
                check.equal(response.status, 204, "status")
                check.equal(response.fields.all("access-control-allow-origin"), [page], "Access-Control-Allow-Origin")
                let methods = response.fields.first("access-control-allow-methods") ?? ""
                check.that(methods.contains("POST"), "Access-Control-Allow-Methods is '\(methods)'")
                check.equal(
                    response.fields.all("access-control-allow-headers"), ["authorization,content-type"],
                    "Access-Control-Allow-Headers")
                check.that(response.fields.all("vary").contains { $0.contains("Origin") }, "Vary")
                check.that(response.fields.first("access-control-max-age") != nil, "Access-Control-Max-Age")
            }
            await conversation.connection.close()
            let other = try await world.exchange(
                HTTPRequest(
                    method: "OPTIONS", fields: [HTTPField("Origin", "https://evil.example")] + asking, body: nil))
            check.refusal(other, 403, "origin_not_allowed", "another origin")
            check.equal(other.fields.all("access-control-allow-origin"), [], "what another origin may read")
            check.equal(world.upstream.received.count, 0, "requests at the upstream")
        },
        HTTPScenario(
            "origin.any.may-be-allowed", "With * a page of any origin is served.",
            settings: openAIFile("allowed_origins: ['*']")
        ) { world, check in
            let tenant = try await world.tenant()
            let response = try await world.exchange(
                tenant.request(fields: [HTTPField("Origin", "http://a.example:81")]))
            check.usual(response)
            check.equal(response.fields.all("access-control-allow-origin"), ["http://a.example:81"], "allowed")
        },
        HTTPScenario(
            "origin.settings.stand-for-the-file",
            "Where a provider names no pages, the server's settings do, and say what browsers are told.",
            settings: [
                "CORS_ALLOWED_ORIGINS": "https://App.example:443, http://localhost:3000",
                "CORS_ALLOWED_METHODS": "POST,PUT", "CORS_ALLOWED_HEADERS": "Authorization,X-Own", "CORS_MAX_AGE": "2h",
            ]
        ) { world, check in
            let tenant = try await world.tenant()
            let served = try await world.exchange(tenant.request(fields: [HTTPField("Origin", page)]))
            check.usual(served)
            check.equal(served.fields.all("access-control-allow-origin"), [page], "Access-Control-Allow-Origin")
            check.refusal(
                try await world.exchange(tenant.request(fields: [HTTPField("Origin", "https://evil.example")])), 403,
                "origin_not_allowed", "another page")
            let asking = try await world.exchange(
                HTTPRequest(
                    method: "OPTIONS",
                    fields: [
                        HTTPField("Origin", page), HTTPField("Access-Control-Request-Method", "POST"),
                        HTTPField("Access-Control-Request-Headers", "authorization,x-other"),
                    ], body: nil))
            check.equal(asking.status, 204, "status of what a browser asks first")
            check.equal(
                asking.fields.all("access-control-allow-methods"), ["POST"], "methods that are allowed and named")
            check.equal(asking.fields.all("access-control-allow-headers"), ["Authorization, X-Own"], "fields")
            check.equal(asking.fields.all("access-control-max-age"), ["7200"], "Access-Control-Max-Age")
        },
        HTTPScenario(
            "origin.settings.give-way-to-the-file", "A provider that names its pages is called by no others.",
            settings: allowing.merging(["CORS_ALLOWED_ORIGINS": "https://other.example"]) { file, _ in file }
        ) { world, check in
            let tenant = try await world.tenant()
            check.usual(try await world.exchange(tenant.request(fields: [HTTPField("Origin", page)])))
            check.refusal(
                try await world.exchange(tenant.request(fields: [HTTPField("Origin", "https://other.example")])), 403,
                "origin_not_allowed", "a page of the settings")
        },
        HTTPScenario("origin.without-a-rule.passes", "Where no origins are named, all of it is the upstream's to say.")
        {
            world, check in
            let tenant = try await world.tenant()
            world.upstream.script(
                UpstreamStep.readRequest + [.send(HTTPAnswer.json("{}", fields: "Access-Control-Allow-Origin: *\r\n"))])
            let response = try await world.exchange(tenant.request(fields: [HTTPField("Origin", page)]))
            check.equal(response.fields.all("access-control-allow-origin"), ["*"], "Access-Control-Allow-Origin")
            check.equal(response.fields.all("vary"), [], "Vary")
            check.equal(world.upstream.received.first?.fields.all("origin"), [page], "Origin at the upstream")
        },
        HTTPScenario(
            "origin.field.may-be-required",
            "A field that a provider's requests must have is asked for by name, and Origin with a code of its own.",
            settings: openAIFile("required_headers: [Origin, X-Tenant]")
        ) { world, check in
            let tenant = try await world.tenant(cap: 1)
            check.refusal(try await world.exchange(tenant.request()), 400, "origin_required")
            let without = try await world.exchange(tenant.request(fields: [HTTPField("Origin", page)]))
            check.refusal(without, 400, "header_required")
            check.equal(without.json["error"]["param"].string, "X-Tenant", "param")
            let empty = [HTTPField("Origin", page), HTTPField("x-tenant", " ")]
            check.refusal(
                try await world.exchange(tenant.request(fields: empty)), 400, "header_required", "an empty one")
            let whole = [HTTPField("Origin", page), HTTPField("x-tenant", "a")]
            check.usual(try await world.exchange(tenant.request(fields: whole)))
            check.equal(world.upstream.received.count, 1, "requests at the upstream")
        },
    ]

    private static let page = "https://app.example"
    private static let allowing = openAIFile("allowed_origins: ['https://App.example:443', 'http://localhost:3000']")
}
