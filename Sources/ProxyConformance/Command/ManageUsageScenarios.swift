import ProxyDomain

extension CommandScenario {
    /// What is promised of `llm-proxy manage` about usage, access, the database, and lists that are searched.
    static let manageUsage: [CommandScenario] = usageCommand + accessCommand + databaseCommand + listCommand

    private static let usageCommand: [CommandScenario] = [
        CommandScenario(
            "usage-command.totals.are-printed",
            "What requests used is told in the same numbers as text, as JSON and as CSV."
        ) { bench, check in
            let server = try await bench.serve()
            let tenant = try await server.tenant()
            for _ in 1...2 { check.usual(try await server.exchange(tenant.request())) }
            let report = try await server.usage(of: 2)
            let totals = report["totals"]
            check.equal(totals["requests"].integer, 2, "requests")
            check.equal(
                ["errors", "prompt_tokens", "completion_tokens", "cache_hits"].map { totals[$0].integer },
                [0, 10, 14, 0], "figures")
            let text = try await server.told(["usage"])
            check.equal(text.code, 0, "exit code")
            check.equal(text.lines.count, 3, "lines of \(text.output)")
            check.that(text.lines.first?.hasPrefix("REQUESTS") == true, "no head: \(text.output)")
            check.that(text.output.contains("10+14"), "no tokens: \(text.output)")
            check.that(text.output.contains("in all 2 requests, 0 errors, 10+14 tokens"), "no sum: \(text.output)")
            let table = try await server.told(["usage", "--csv"])
            check.equal(table.lines.first, usageHead, "the names of the columns")
            check.equal(table.lines.count, 2, "lines of \(table.output)")
            check.that(table.output.contains(#","","",2,0,10,14,"#), "figures as CSV: \(table.output)")
        },
        CommandScenario(
            "usage-command.groups.are-told-apart",
            "Usage is told for each project, token, model or status, and of those alone that are named."
        ) { bench, check in
            let server = try await bench.serve()
            let (one, two) = (try await server.tenant(name: "one"), try await server.tenant(name: "two"))
            for tenant in [one, one, two] { check.usual(try await server.exchange(tenant.request())) }
            _ = try await server.usage(of: 3)
            let groups: [(word: String, keys: [String?], named: String)] = [
                ("project", ["\(one.projectID)", "\(two.projectID)"], "two"),
                ("token", ["\(one.tokenID)", "\(two.tokenID)"], "\(two.tokenID)"),
                ("model", ["gpt-4o-mini-2024"], "MODEL"), ("status", ["2xx"], "STATUS"),
            ]
            for group in groups {
                let told = try await server.asked(["usage", "--group-by", group.word])["groups"].items
                check.equal(told.map { $0["key"].string }, group.keys, "keys by \(group.word)")
                let text = try await server.told(["usage", "--group-by", group.word]).output
                check.that(text.contains(group.named), "'\(group.named)' is not in \(text)")
            }
            let filters: [(words: [String], requests: Int)] = [
                (["--project-id", "\(one.projectID)"], 2), (["--token-id", "\(two.tokenID)"], 1),
                (["--model", "gpt-4o-mini-2024"], 3), (["--model", "another & more"], 0),
            ]
            for filter in filters {
                let totals = try await server.asked(["usage"] + filter.words)["totals"]
                check.equal(totals["requests"].integer, filter.requests, "requests of \(filter.words)")
            }
        },
        CommandScenario(
            "usage-command.series.is-told-by-start",
            "By the hour or day there is a line for each start; a time in which nothing was asked has none."
        ) { bench, check in
            let server = try await bench.serve()
            let tenant = try await server.tenant()
            check.usual(try await server.exchange(tenant.request()))
            _ = try await server.usage(of: 1)
            for (interval, length) in [("hour", 16), ("day", 10)] {
                let words = ["usage", "--interval", interval, "--group-by", "token"]
                let series = try await server.asked(words)["series"].items
                check.equal(series.count, 1, "starts by \(interval)")
                let start = series.first?["start"].string ?? "none"
                let shown = start.prefix(length).split(separator: "T").joined(separator: " ")
                let text = try await server.told(words)
                check.that(text.lines.first?.hasPrefix("START") == true, "no head: \(text.output)")
                check.that(text.output.contains("\n\(shown) "), "no \(shown) in \(text.output)")
                let line = try await server.told(words + ["--csv"]).lines.last ?? ""
                check.that(line.hasPrefix("\(start),\"\(tenant.tokenID)\",\"\","), "not so: \(line)")
            }
            let past = ["--since", "2020-01-01T00:00:00Z", "--until", "2020-01-02T00:00:00+00:00"]
            let nothing = try await server.told(["usage", "--interval", "hour"] + past)
            check.equal(nothing.lines.count, 2, "lines of \(nothing.output)")
            check.that(nothing.output.contains("from 2020-01-01 00:00 to 2020-01-02 00:00"), "said: \(nothing.output)")
            let table = try await server.told(["usage", "--interval", "day", "--csv"] + past)
            check.equal(table.lines, [usageHead], "CSV of nothing")
        },
        CommandScenario(
            "usage-command.csv.holds-any-name",
            "In CSV a name with a quote and a comma is one cell, and no cell is a formula."
        ) { bench, check in
            let server = try await bench.serve()
            let tenant = try await server.tenant(name: #"=a\"b,c"#)
            check.usual(try await server.exchange(tenant.request()))
            _ = try await server.usage(of: 1)
            let table = try await server.told(["usage", "--group-by", "project", "--csv"])
            let wanted = #","\#(tenant.projectID)","'=a""b,c",1,0,5,7,"#
            check.that(table.lines.last?.contains(wanted) == true, "wanted \(wanted) in \(table.output)")
        },
        CommandScenario(
            "usage-command.words.are-checked",
            "A word that the command does not know ends with 2, and what the server refuses with 4."
        ) { bench, check in
            let server = try await bench.serve()
            let cases: [(words: String, code: Int, said: String)] = [
                ("usage --group-by colour", 2, "project"), ("usage --interval week", 2, "day"),
                ("usage --since yesterday", 2, "--since"), ("usage --until 2030-13-01T00:00:00Z", 2, "--until"),
                ("usage --project-id acme", 2, "--project-id"), ("usage --csv --json", 2, "--csv"),
                ("request list --outcome well", 2, "completed"), ("request list --status 6xx", 2, "--status"),
                ("request list --order up", 2, "desc"), ("project list --sort cost", 2, "created_at"),
                ("token list --sort price", 2, "last_used_at"), ("access create --name a", 2, "--role"),
                ("access create --name a --role root", 2, "operator"), ("access revoke alice", 2, "36 characters"),
                ("access create --name a --role viewer --expires-at soon", 2, "--expires-at"),
                ("usage --since 2030-01-02T00:00:00Z --until 2030-01-01T00:00:00Z", 4, "'since'"),
                ("access create --name a --role viewer --expires-at 2001-01-01T00:00:00Z", 4, "'expires_at'"),
                ("access revoke \(ProjectID.sample(1))", 4, "management_token_not_found"),
            ]
            for fault in cases {
                let words: [String] = fault.words.split(separator: " ").map { String($0) }
                let result = try await server.told(words)
                check.equal(result.code, fault.code, "exit code of \(words): \(result.output)")
                check.that(result.output.contains(fault.said), "\(words) said: \(result.output)")
                if fault.code != 2 { check.equal(result.lines.count, 1, "lines of \(result.output)") }
            }
        },
        CommandScenario(
            "usage-command.help.has-examples", "Each of these commands explains itself with an example."
        ) { bench, check in
            for words in [
                "usage", "access", "access list", "access create", "access revoke", "whoami", "database",
                "request list", "project list", "token list",
            ] {
                let typed: [String] = words.split(separator: " ").map { String($0) }
                let (code, output) = try await bench.finish(["manage"] + typed + ["--help"])
                check.equal(code, 0, "manage \(words)")
                check.that(output.contains("Example"), "manage \(words) has no example")
            }
        },
    ]

    private static let accessCommand: [CommandScenario] = [
        CommandScenario(
            "access-command.token.is-made-and-revoked",
            "A management token is issued, used, listed and revoked from the command line."
        ) { bench, check in
            let server = try await bench.serve()
            let made = try await server.asked(["access", "create", "--name", "alice", "--role", "operator"])
            let (id, secret) = (made["id"].string ?? "", made["token"].string ?? "")
            let who = try await server.told(["whoami"], as: secret)
            check.equal(who.lines, ["name: alice", "role: operator"], "whoami")
            let own = try await server.asked(["whoami"])
            check.equal(
                [own["name"], own["role"]], [.string("management-token"), .string("admin")], "the server's own")
            let listed = try await server.told(["access", "list"])
            check.that(listed.output.contains("\(id)  alice  operator"), "listed: \(listed.output)")
            let again = try await server.told(["access", "create", "--name", "alice", "--role", "viewer"])
            check.equal(again.code, 4, "exit code of a second one of the name: \(again.output)")
            for _ in 1...2 {
                let revoked = try await server.told(["access", "revoke", id])
                check.equal(revoked.code, 0, "exit code: \(revoked.output)")
                check.that(revoked.output.contains("revoked"), "said: \(revoked.output)")
            }
            check.equal(try await server.told(["whoami"], as: secret).code, 4, "exit code afterwards")
            let left = try await server.asked(["access", "list"]).items
            check.equal(left.map { $0["is_active"] }, [.bool(false)], "is_active")
            let later = [
                "access", "create", "--name", "bob", "--role", "viewer", "--expires-at", "2099-01-31T09:30:00Z",
            ]
            check.equal(try await server.asked(later)["expires_at"].string, "2099-01-31T09:30:00.000Z", "expires_at")
        },
        CommandScenario(
            "access-command.secret.is-shown-once",
            "A management token is printed when it is made, and never again, not even where it is typed by mistake."
        ) { bench, check in
            let server = try await bench.serve()
            let made = try await server.told(["access", "create", "--name", "alice", "--role", "viewer"])
            let secret = made.value(of: "token")
            check.that(secret.hasPrefix("mk-") && secret.count == 46, "no token: \(made.output)")
            check.equal(made.lines.filter { $0.contains(secret) }.count, 1, "lines with the token")
            check.equal(made.lines.filter { $0.contains("only time") }.count, 1, "lines that say so")
            for arguments in [
                ["access", "list"], ["access", "list", "--json"], ["access", "revoke", secret], ["whoami", "--json"],
                ["access", "create", "--name", "alice", "--role", "admin"], ["audit", "list", "--json"],
                ["access", "revoke", made.value(of: "id")], ["access", "list"],
            ] {
                let output = try await server.told(arguments).output
                check.that(!output.isEmpty, "\(arguments) says nothing")
                for hidden in [secret, server.managementToken] {
                    check.that(!output.contains(hidden), "\(arguments) shows a management token: \(output)")
                }
            }
            let refused = try await server.told(["access", "list"], as: secret)
            check.that(refused.code == 4 && !refused.output.contains(secret), "refused: \(refused.output)")
        },
        CommandScenario(
            "access-command.roles.bound-what-is-done",
            "What a role may not do ends with 4 and one line that names the role that may."
        ) { bench, check in
            let server = try await bench.serve()
            let (viewer, other) = (try await server.credential(.viewer), try await server.credential(.operator))
            let cases: [(words: String, viewer: Int, other: Int, needed: String)] = [
                ("usage", 0, 0, ""), ("whoami", 0, 0, ""), ("database", 0, 0, ""), ("request list", 0, 0, ""),
                ("project list --search a", 0, 0, ""), ("token list --sort cost", 0, 0, ""),
                ("database --verify", 4, 0, "'operator'"), ("audit list", 4, 0, "'operator'"),
                ("access list", 4, 4, "'admin'"), ("access create --name b --role viewer", 4, 4, "'admin'"),
                ("access revoke \(ProjectID.sample(1))", 4, 4, "'admin'"),
            ]
            for call in cases {
                let words: [String] = call.words.split(separator: " ").map { String($0) }
                for (credential, code) in [(viewer, call.viewer), (other, call.other)] {
                    let result = try await server.told(words, as: credential)
                    check.equal(result.code, code, "exit code of \(words): \(result.output)")
                    guard code == 4 else { continue }
                    check.equal(result.lines.count, 1, "lines of \(result.output)")
                    check.that(result.output.contains("(role_insufficient)"), "said: \(result.output)")
                    check.that(result.output.contains(call.needed), "no role: \(result.output)")
                }
            }
            check.equal(try await server.asked(["access", "list"]).items.count, 2, "management tokens")
        },
    ]

    private static let databaseCommand: [CommandScenario] = [
        CommandScenario(
            "database-command.facts.are-told",
            "The database's engine, state, migrations and servers are told; a sound one ends a check with 0."
        ) { bench, check in
            let server = try await bench.serve()
            let tenant = try await server.tenant()
            check.usual(try await server.exchange(tenant.request()))
            let facts = try await server.asked(["database"])
            check.equal(facts["driver"].string, "sqlite", "driver")
            check.that(!facts["migrations"].items.isEmpty, "no migrations")
            let text = try await server.told(["database"])
            check.equal(text.code, 0, "exit code: \(text.output)")
            check.equal(text.value(of: "driver"), "sqlite", "driver")
            check.equal(text.value(of: "status"), "ok", "status")
            let migrations = text.lines.filter { $0.hasPrefix("migrations.") }
            check.equal(migrations.count, facts["migrations"].items.count, "lines of migrations")
            check.equal(
                text.lines.filter { $0.hasPrefix("instances.") }.count, facts["instances"].items.count, "servers")
            let verdict = try await server.asked(["database", "--verify"])
            check.equal(verdict["holds"], .bool(true), "holds")
            let checked = try await server.told(["database", "--verify"])
            check.equal(checked.code, 0, "exit code: \(checked.output)")
            check.equal(checked.lines.count, verdict["findings"].items.count, "lines of \(checked.output)")
            check.that(checked.output.contains("token-count-equals-rows: holds (1 checked)"), "said: \(checked.output)")
        },
        CommandScenario(
            "database-command.broken.ends-with-4",
            "A check that finds an invariant broken names it and what breaks it, and ends with 4."
        ) { bench, check in
            let server = try await bench.serve()
            let tenant = try await server.tenant()
            check.usual(try await server.exchange(tenant.request()))
            check.equal(try await server.stop(), 0, "exit code of the server")
            try await bench.harm(.countsOneTooMany(tenant.tokenID), at: "data/llm-proxy.db")
            let next = try await bench.serve()
            let text = try await next.told(["database", "--verify"])
            check.equal(text.code, 4, "exit code: \(text.output)")
            check.that(text.output.contains("token-count-equals-rows: BROKEN: 1 violations"), "said: \(text.output)")
            check.that(text.output.contains("\(tenant.tokenID)"), "the token is not named: \(text.output)")
            let document = try await next.told(["database", "--verify", "--json"])
            check.equal(document.code, 4, "exit code with --json")
            check.equal(JSONDocument(document.output)?["holds"], .bool(false), "holds")
        },
    ]

    private static let listCommand: [CommandScenario] = [
        CommandScenario(
            "list-command.projects.are-searched", "Projects and tokens are searched, filtered and sorted."
        ) { bench, check in
            let server = try await bench.serve()
            for name in ["b & more", "A=first", "c more"] {
                _ = try await server.tenant(of: try await server.createProject(name))
            }
            let third = try await server.asked(["project", "list", "--search", "C more"]).items.first?["id"].string
            _ = try await server.asked(["project", "deactivate", third ?? ""])
            let lists: [(words: [String], names: [String?])] = [
                (["--search", "& MORE"], ["b & more"]), (["--search", "a=f"], ["A=first"]),
                (["--sort", "name"], ["A=first", "b & more", "c more"]), (["--no-active"], ["c more"]),
                (["--sort", "name", "--order", "desc"], ["c more", "b & more", "A=first"]),
                (["--search", "more", "--sort", "name", "--order", "desc", "--active"], ["b & more"]),
            ]
            for list in lists {
                let found = try await server.asked(["project", "list"] + list.words).items
                check.equal(found.map { $0["name"].string }, list.names, "names of \(list.words)")
            }
            let tokens = try await server.asked(["token", "list"]).items.compactMap { $0["id"].string }
            for (token, name) in zip(tokens, ["zoe's", "Laptop", "laptop 2"]) {
                _ = try await server.asked(["token", "update", token, "--name", name])
            }
            let words = ["token", "list", "--search", "LAPTOP", "--sort", "name", "--order", "desc"]
            let found = try await server.asked(words).items.map { $0["name"].string }
            check.equal(found, ["laptop 2", "Laptop"], "names of tokens")
        },
        CommandScenario(
            "list-command.requests.are-filtered",
            "All requests are listed without a token; each filter leaves those it names, from either end."
        ) { bench, check in
            let server = try await bench.serve()
            let (one, two) = (try await server.tenant(name: "one"), try await server.tenant(name: "two"))
            check.usual(try await server.exchange(one.request()))
            bench.upstream.script(UpstreamStep.readRequest + [.send(HTTPAnswer.json("{}", status: "404 Not Found"))])
            check.equal(try await server.exchange(two.request()).status, 404, "status of the second")
            check.usual(try await server.exchange(two.request()))
            let list = ["request", "list"]
            let areSettled = try await eventually {
                try await server.asked(list).items.compactMap { $0["status"].integer }.sorted() == [200, 200, 404]
            }
            check.that(areSettled, "the requests are not listed, or not settled")
            let ids = try await server.asked(list).items.compactMap { $0["id"].string }
            let backwards = try await server.asked(list + ["--order", "desc"]).items.compactMap { $0["id"].string }
            check.equal(backwards, ids.reversed(), "the last ones first")
            let last = try await server.asked(list + ["--order", "desc", "--limit", "1"]).items
            check.equal(last.map { $0["id"].string }, [ids.last], "the last one")
            let (one200, two200, two404) = ("\(one.tokenID) 200", "\(two.tokenID) 200", "\(two.tokenID) 404")
            let filters: [(words: [String], found: Set<String>)] = [
                (["--token-id", "\(two.tokenID)"], [two200, two404]), (["--project-id", "\(one.projectID)"], [one200]),
                (["--status", "4xx"], [two404]), (["--status", "200"], [one200, two200]),
                (["--model", "gpt-4o-mini-2024", "--token-id", "\(two.tokenID)"], [two200]),
                (["--outcome", "completed"], [one200, two200, two404]), (["--outcome", "client_left"], []),
                (["--since", "2099-01-01T00:00:00Z"], []),
                (["--until", "2099-01-01T00:00:00Z", "--status", "404"], [two404]),
            ]
            for filter in filters {
                let found = try await server.asked(list + filter.words).items
                let seen = found.map { "\($0["token_id"].string ?? "") \($0["status"].integer ?? 0)" }
                check.equal(Set(seen), filter.found, "requests of \(filter.words)")
                check.equal(seen.count, filter.found.count, "how many of \(filter.words)")
            }
        },
        CommandScenario(
            "list-command.page.empty-is-passed-over",
            "A page without anything that names a next one is not the end; one that names itself is a failure."
        ) { bench, check in
            func page(_ body: String, next: String) -> [UpstreamStep] {
                let link = "Link: </manage/requests?\(next)>; rel=\"next\"\r\n"
                return UpstreamStep.readRequest + [.send(HTTPAnswer.json(body, fields: link)), .close]
            }
            let arguments = [
                "manage", "request", "list", "--json", "--url", "http://127.0.0.1:\(bench.upstream.port)",
            ]
            let environment = ["MANAGEMENT_TOKEN": "a-token-for-this-test"]
            bench.upstream.script(page("[]", next: "limit=100&cursor=1"))
            bench.upstream.script(page(#"[{"id":"a"}]"#, next: "limit=100&cursor=2"))
            bench.upstream.script(UpstreamStep.readRequest + [.send(HTTPAnswer.json("[]")), .close])
            let whole = try await bench.finish(arguments, environment: environment)
            check.equal(whole.code, 0, "exit code: \(whole.output)")
            check.equal(whole.output, "[{\"id\":\"a\"}]\n", "output")
            check.equal(bench.upstream.received.count, 3, "pages that were read")
            bench.upstream.script(page("[]", next: "limit=100"))
            let endless = try await bench.finish(arguments, environment: environment)
            check.equal(endless.code, 1, "exit code of a list without end: \(endless.output)")
        },
    ]

    /// The names of the columns of usage as CSV.
    private static let usageHead =
        "start,key,name,requests,errors,prompt_tokens,completion_tokens,cost_usd,cache_hits,"
        + "latency_p50_ms,latency_p95_ms,latency_p99_ms"
}

/// What `llm-proxy manage` said.
private struct ManageAnswer: Sendable {
    let code: Int?
    let output: String

    var lines: [String] { output.split(separator: "\n").map { String($0) } }

    /// The value of the line that begins with `name: `.
    func value(of name: String) -> String {
        lines.first { $0.hasPrefix("\(name): ") }.map { String($0.dropFirst(name.count + 2)) } ?? ""
    }
}

extension CommandServer {
    /// Runs `llm-proxy manage` on this server, with its folder's management token or another one.
    fileprivate func told(_ arguments: [String], as credential: String? = nil) async throws -> ManageAnswer {
        let address = ["--manage-api-base-url", "http://127.0.0.1:\(port)"]
        let (code, output) = try await bench.finish(
            ["manage"] + arguments + address, environment: credential.map { ["MANAGEMENT_TOKEN": $0] } ?? [:])
        return ManageAnswer(code: code, output: output)
    }

    /// The same with `--json`, when it succeeds.
    fileprivate func asked(_ arguments: [String]) async throws -> JSONDocument {
        let answer = try await told(arguments + ["--json"])
        guard answer.code == 0, let document = JSONDocument(answer.output) else {
            throw StepFailed(description: "\(arguments) ended with \(answer.code ?? -1): \(answer.output)")
        }
        return document
    }

    /// The usage of so many usual requests, once all have ended or time is up.
    fileprivate func usage(of requests: Int) async throws -> JSONDocument {
        _ = try await eventually {
            try await asked(["usage"])["totals"]["prompt_tokens"].integer == 5 * requests
        }
        return try await asked(["usage"])
    }

    /// The secret of a new management token.
    fileprivate func credential(_ role: ManagementRole) async throws -> String {
        let words = ["access", "create", "--name", "the \(role.rawValue)", "--role", role.rawValue]
        return try await asked(words)["token"].string ?? ""
    }
}
