import ProxyDomain

extension CommandScenario {
    /// What is promised of `llm-proxy manage`.
    static let manageCommands: [CommandScenario] = [
        CommandScenario(
            "manage.project.is-made-and-changed",
            "A project is made, listed, shown, changed, switched off and switched on again from the command line."
        ) { bench, check in
            let server = try await bench.serve()
            try bench.write("\(upstreamKey)\n", to: "key.txt")
            let made = try await server.document(["project", "create", "--name", "acme", "--api-key-file", "key.txt"])
            let id = made["id"].string ?? ""
            let tenant = try await server.tenant(of: ProjectID(id))
            check.usual(try await server.exchange(tenant.request()), "with the key of the file")
            let listed = try await server.tell(["project", "list"])
            check.that(listed.code == 0 && listed.output.contains(id), "listed: \(listed.output)")
            let shown = try await server.tell(["project", "get", id])
            check.that(shown.code == 0 && shown.output.contains("name: acme\n"), "shown: \(shown.output)")
            let renamed = try await server.document(["project", "update", id, "--name", "other"])
            check.equal(renamed["name"].string, "other", "name")
            let off = try await server.document(["project", "deactivate", id])
            check.equal(off["is_active"], .bool(false), "is_active")
            check.refusal(try await server.exchange(tenant.request()), 403, "project_inactive")
            let on = try await server.document(["project", "activate", id])
            check.equal(on["is_active"], .bool(true), "is_active")
            let isServed = try await eventually { try await server.exchange(tenant.request()).status == 200 }
            check.that(isServed, "not served again")
            _ = try await server.document(["project", "deactivate", id, "--revoke-tokens"])
            check.equal(try await server.document(["token", "list", "--active"]).items, [], "tokens that are left")
        },
        CommandScenario(
            "manage.limits.stay-unless-named",
            "A change of one limit leaves the others as they are; none lifts one, and what says something of it."
        ) { bench, check in
            let server = try await bench.serve()
            let tenant = try await server.tenant(limits: #""requests_per_minute":7,"budget_usd":5,"shadow":true"#)
            let token = ["token", "update", "\(tenant.tokenID)"]
            let named = try await server.document(token + ["--tokens-per-minute", "900", "--budget-period", "day"])
            let limits = named["limits"]
            check.equal(
                ["requests_per_minute", "tokens_per_minute", "budget_usd"].map { limits[$0].integer }, [7, 900, 5],
                "limits")
            check.equal(limits["budget_period"].string, "day", "budget_period")
            check.equal(limits["shadow"].items.count, 2, "limits in shadow")
            let lifted = try await server.document(token + ["--budget-usd", "none"])["limits"]
            check.equal([lifted["budget_usd"], lifted["budget_period"]], [.null, .null], "what was lifted")
            check.equal(lifted["shadow"].items, [.string("requests_per_minute")], "limits in shadow")
            check.equal(lifted["tokens_per_minute"].integer, 900, "what was not named")
            let nothing = try await server.tell(token)
            check.equal(nothing.code, 2, "exit code without a change: \(nothing.output)")
        },
        CommandScenario(
            "manage.token.is-made-and-revoked",
            "A token is issued, used, changed, revoked, taken back, and revoked with all others of its project."
        ) { bench, check in
            let server = try await bench.serve()
            let project = "\(try await server.createProject())"
            let made = try await server.document([
                "token", "create", "--project-id", project, "--duration-minutes", "5", "--max-requests", "9",
                "--allowed-model", "gpt-4o-mini",
            ])
            let (id, secret) = (made["id"].string ?? "", made["token"].string ?? "")
            check.usual(try await server.ask(secret), "with the new token")
            let changed = try await server.document(["token", "update", id, "--name", "laptop"])
            check.equal([changed["name"], changed["max_requests"]], [.string("laptop"), .number("9")], "changed")
            let shown = try await server.tell(["token", "get", id])
            check.that(shown.output.contains("allowed_models: gpt-4o-mini"), "shown: \(shown.output)")
            check.equal(try await server.tell(["token", "revoke", id]).code, 0, "exit code")
            check.refusal(try await server.ask(secret), 401, "token_inactive", "the revoked one")
            let back = try await server.document(["token", "update", id, "--active"])
            check.equal(back["is_active"], .bool(true), "is_active")
            check.that(try await eventually { try await server.ask(secret).status == 200 }, "still refused")
            let other = try await server.document(["token", "generate", "--project-id", project, "--never-expires"])
            let all = try await server.document(["token", "revoke", "--project-id", project])
            check.equal(all["revoked_count"].integer, 2, "revoked_count")
            check.refusal(try await server.ask(other["token"].string ?? ""), 401, "token_inactive", "the other one")
        },
        CommandScenario(
            "manage.secrets.are-shown-once",
            "A token's secret is printed when it is made, and never again; keys and management tokens never are."
        ) { bench, check in
            let server = try await bench.serve()
            let project = "\(try await server.createProject())"
            let made = try await server.tell(["token", "create", "--project-id", project, "--never-expires"])
            let secret = made.value(of: "token")
            check.that(TokenSecret(secret) != nil, "no token: \(made.output)")
            let sayings = made.output.split(separator: "\n").filter { $0.contains("only time") }
            check.equal(sayings.count, 1, "lines that say so")
            let wrong = "a-management-token-that-is-wrong"
            var outputs: [String] = []
            for arguments in [
                ["token", "get", made.value(of: "id")], ["token", "list"], ["token", "get", secret],
                ["project", "create", "--name", "two", "--api-key", upstreamKey], ["project", "list", "--json"],
                ["project", "create", "--name", "", "--api-key", upstreamKey],
                ["project", "create", "--name", "three", "--api-key", "\(upstreamKey) "],
                ["project", "list", "--management-token", wrong],
                ["project", "list", "--management-token", "\(wrong) "],
            ] {
                outputs.append(try await server.tell(arguments).output)
            }
            let away = ["manage", "project", "list", "--url", "http://\(wrong):\(wrong)@127.0.0.1"]
            outputs.append(try await bench.finish(away).output)
            for output in outputs + [made.output] {
                check.that(!output.isEmpty, "nothing is said")
                for hidden in [upstreamKey, server.managementToken, wrong] {
                    check.that(!output.contains(hidden), "'\(hidden)' is shown: \(output)")
                }
            }
            check.that(!outputs.contains { $0.contains(secret) }, "the token is shown again: \(outputs)")
        },
        CommandScenario(
            "manage.failures.have-exit-codes",
            "A wrong word ends with 2, a server that isn't there with 3, a refusal with 4, an answer without sense with 1."
        ) { bench, check in
            let known = "a-token-for-this-test"
            let server = try await bench.serve(["MANAGEMENT_TOKEN": known])
            let (here, id) = ("http://127.0.0.1:\(server.port)", "\(ProjectID.sample(1))")
            let senseless = "http://127.0.0.1:\(bench.upstream.port)"
            let cases: [(words: String, url: String, token: String, code: Int, said: String)] = [
                ("project list", here, known, 0, "PROVIDER"), ("project list", here, "", 2, "MANAGEMENT_TOKEN"),
                ("project list", here, "another-token", 4, "unauthorized"),
                ("project get \(id)", here, known, 4, "project_not_found"),
                ("project get acme", here, known, 2, "36 characters"),
                ("project list --no-such-option", here, known, 2, "no-such-option"),
                ("project list", "localhost", known, 2, "http"),
                ("token create --project-id \(id)", here, known, 2, "--never-expires"),
                ("token revoke", here, known, 2, "--project-id"),
                ("cache purge --all --url /v1", here, known, 2, "--all"),
                ("project list", "http://127.0.0.1:1", known, 3, "Connection refused"),
                ("project list", senseless, known, 1, "not a list"),
            ]
            for fault in cases {
                let words: [String] = fault.words.split(separator: " ").map { String($0) }
                let (code, output) = try await bench.finish(
                    ["manage"] + words + ["--manage-api-base-url", fault.url],
                    environment: ["MANAGEMENT_TOKEN": fault.token])
                check.equal(code, fault.code, "exit code of \(words): \(output)")
                check.that(output.contains(fault.said), "\(words) said: \(output)")
                if fault.code != 2 { check.equal(output.split(separator: "\n").count, 1, "lines of \(output)") }
            }
            bench.upstream.script(UpstreamStep.readRequest + [.send(HTTPAnswer.json("{}", status: "500 No"))])
            let failed = try await bench.finish(
                ["manage", "project", "list"],
                environment: ["LLM_PROXY_URL": senseless, "MANAGEMENT_TOKEN": known])
            check.equal(failed.code, 1, "exit code after 500: \(failed.output)")
        },
        CommandScenario(
            "manage.list.has-every-page",
            "A list that is longer than a page is printed whole, with whole ids; --limit ends it sooner."
        ) { bench, check in
            let server = try await bench.serve()
            let tenant = try await server.tenant()
            for _ in 1...104 { _ = try await server.tenant(of: tenant.projectID) }
            let ids = try await server.document(["token", "list"]).items.compactMap { $0["id"].string }
            check.equal(ids.count, 105, "tokens")
            check.equal(Set(ids).count, 105, "different tokens")
            let most = try await server.document(["token", "list", "--limit", "102"]).items
            check.equal(most.compactMap { $0["id"].string }, Array(ids.prefix(102)), "the first 102")
            let text = try await server.tell(["token", "list", "--project-id", "\(tenant.projectID)"]).output
            let lines = text.split(separator: "\n")
            check.equal(lines.count, 106, "lines")
            let isWhole = zip(ids, lines.dropFirst()).allSatisfy { id, line in line.hasPrefix("\(id) ") }
            check.that(isWhole, "the ids are not those, or not whole: \(lines.prefix(3))")
            check.equal(try await server.document(["token", "list", "--no-active"]).items, [], "revoked tokens")
        },
        CommandScenario(
            "manage.requests.are-found-and-forgotten",
            "Requests are listed and shown; cached answers are forgotten by what was asked for."
        ) { bench, check in
            let server = try await bench.serve()
            let tenant = try await server.tenant()
            let get = tenant.request("/v1/models", method: "GET", body: nil)
            let kept = HTTPAnswer.json(HTTPAnswer.usualBody, fields: "Cache-Control: public, max-age=60\r\n")
            bench.upstream.script(UpstreamStep.readRequest + [.send(kept)])
            for _ in 1...2 { check.usual(try await server.exchange(get)) }
            check.equal(bench.upstream.received.count, 1, "requests at the upstream")
            let list = ["request", "list", "--token-id", "\(tenant.tokenID)"]
            let areSettled = try await eventually {
                try await server.document(list).items.map { $0["status"].integer } == [200, 200]
            }
            check.that(areSettled, "the requests are not listed, or not settled")
            let sent = try await server.document(list).items.first { $0["sent_us"].integer != nil }
            let shown = try await server.tell(["request", "get", sent?["id"].string ?? ""])
            check.that(shown.output.contains("path: /v1/models\n"), "shown: \(shown.output)")
            check.that(Int(shown.value(of: "sent_us")) != nil, "when it was sent: \(shown.output)")
            let purged = try await server.document(["cache", "purge", "--url", "/v1/models"])
            check.equal(purged["deleted"].integer, 1, "deleted")
            check.usual(try await server.exchange(get), "afterwards")
            check.equal(bench.upstream.received.count, 2, "requests at the upstream")
        },
        CommandScenario("manage.help.has-examples", "Each command of manage explains itself with an example.") {
            bench, check in
            for words in [
                "", "project", "project list", "project get", "project create", "project update", "project activate",
                "project deactivate", "token", "token create", "token generate", "token list", "token get",
                "token update", "token revoke", "cache", "cache purge", "request", "request list", "request get",
            ] {
                let typed: [String] = words.split(separator: " ").map { String($0) }
                let (code, output) = try await bench.finish(["manage"] + typed + ["--help"])
                check.equal(code, 0, "manage \(words)")
                check.that(output.contains("Example"), "manage \(words) has no example")
            }
        },
    ]
}

/// What `llm-proxy manage` said.
private struct ManageResult {
    let code: Int?
    let output: String

    /// The value of the line that begins with `name: `.
    func value(of name: String) -> String {
        let line = output.split(separator: "\n").first { $0.hasPrefix("\(name): ") }
        return line.map { String($0.dropFirst(name.count + 2)) } ?? ""
    }
}

extension CommandServer {
    /// Runs `llm-proxy manage` on this server, beside its folder's management token.
    fileprivate func tell(_ arguments: [String]) async throws -> ManageResult {
        let address = ["--manage-api-base-url", "http://127.0.0.1:\(port)"]
        let (code, output) = try await bench.finish(["manage"] + arguments + address)
        return ManageResult(code: code, output: output)
    }

    /// The same with `--json`, when it succeeds.
    fileprivate func document(_ arguments: [String]) async throws -> JSONDocument {
        let result = try await tell(arguments + ["--json"])
        guard result.code == 0, let document = JSONDocument(result.output) else {
            throw StepFailed(description: "\(arguments) ended with \(result.code ?? -1): \(result.output)")
        }
        return document
    }

    /// Sends a usual request with a token.
    fileprivate func ask(_ secret: String) async throws -> HTTPResponse {
        let body = String(decoding: HTTPRequest.usualBody, as: UTF8.self)
        return try await post("/v1/chat/completions", body: body, bearer: secret)
    }
}
