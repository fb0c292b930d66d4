import ProxyDomain
import ProxyStorage

extension CommandScenario {
    /// What the program does when it starts.
    static let starting: [CommandScenario] = [
        CommandScenario(
            "command.server.needs-no-configuration",
            "In an empty folder with an empty environment it serves, and keeps its token for its owner alone (G01)."
        ) { bench, check in
            let server = try await bench.serve()
            check.usual(try await server.exchange(try await server.tenant().request()), "first request")
            check.that(bench.bytes(of: "data/llm-proxy.db") != nil, "no database: \(bench.files())")
            check.equal(bench.mode(of: "data/management-token"), 0o600, "mode of the token")
            check.equal(bench.mode(of: "data/llm-proxy.db"), 0o600, "mode of the database")
            check.that(server.command.output.contains("data/management-token"), "the token's place is not printed")
            check.that(!server.command.output.contains(server.managementToken), "the token itself is printed")
            check.that(server.command.output.contains("curl"), "nothing to paste is printed")
            check.equal(try await server.stop(), 0, "exit code")
        },
        CommandScenario(
            "command.server.keeps-what-it-has",
            "A second start has the same token, the same projects and the same keys."
        ) { bench, check in
            let first = try await bench.serve()
            let tenant = try await first.tenant()
            check.usual(try await first.exchange(tenant.request()), "first")
            check.equal(try await first.stop(), 0, "exit code")
            let second = try await bench.serve()
            check.equal(second.managementToken, first.managementToken, "management token")
            check.usual(try await second.exchange(tenant.request()), "second")
            check.equal(bench.upstream.received.last?.fields.all("authorization"), ["Bearer \(upstreamKey)"], "key")
        },
        CommandScenario(
            "command.database.is-where-it-is-put",
            "DATABASE_PATH names the file; folders that are missing are made (G02)."
        ) { bench, check in
            let server = try await bench.serve([
                "DB_DRIVER": "sqlite", "DATABASE_PATH": "./deep/er/my.db", "MANAGEMENT_TOKEN": "a-token-for-this-test",
            ])
            check.usual(try await server.exchange(try await server.tenant().request()), "first request")
            check.that(bench.bytes(of: "deep/er/my.db") != nil, "no database: \(bench.files())")
            check.equal(bench.bytes(of: "data/llm-proxy.db"), nil, "the usual database")
        },
        CommandScenario(
            "command.database.memory-leaves-no-file",
            "With :memory: it serves, from exactly one connection, and leaves no file (G02, G05)."
        ) { bench, check in
            let server = try await bench.serve([
                "DATABASE_PATH": ":memory:", "MANAGEMENT_TOKEN": "a-token-for-this-test", "DATABASE_POOL_SIZE": "7",
            ])
            let tenant = try await server.tenant()
            for _ in 1...5 { check.usual(try await server.exchange(tenant.request())) }
            let text = try await server.exchange(HTTPRequest(method: "GET", target: "/metrics")).text
            let open = text.split(separator: "\n").filter {
                $0.contains("database_pool") && $0.contains("connections") && !$0.hasPrefix("#")
            }
            let total = open.filter { !$0.contains("max") && !$0.contains("limit") }.compactMap {
                $0.split(separator: " ").last.flatMap { Double($0) }
            }
            check.equal(total.reduce(0, +), 1, "connections, of \(open)")
            check.equal(bench.files().filter { $0.hasSuffix(".db") }, [], "files")
        },
        CommandScenario(
            "command.metrics.grep-database", "What grep finds of 'database' in the metrics tells of SQLite (G14)."
        ) { bench, check in
            let server = try await bench.serve()
            let tenant = try await server.tenant()
            for _ in 1...3 { check.usual(try await server.exchange(tenant.request())) }
            let text = try await server.exchange(HTTPRequest(method: "GET", target: "/metrics")).text
            let found = text.split(separator: "\n").filter { $0.contains("database") }
            check.that(found.count > 20, "only \(found.count) lines")
            check.that(found.contains { $0.contains("sqlite") }, "nothing says sqlite")
            let written = found.first { $0.hasPrefix("llm_proxy_database_ledger_batch_size_count") }
            check.that(
                written?.split(separator: " ").last.flatMap { Double($0) }.map { $0 >= 1 } == true,
                "no batch was counted: \(written ?? "")")
        },
        CommandScenario("command.settings.dot-env-is-read", ".env is read, and the environment wins over it.") {
            bench, check in
            try bench.write("MANAGEMENT_TOKEN=\"from-the-file-of-settings\"\nMAX_REQUEST_SIZE=2KiB\n", to: ".env")
            let server = try await bench.serve(["MANAGEMENT_TOKEN": "from-the-environment"])
            let tenant = try await server.tenant()
            let large = tenant.request(body: [UInt8](repeating: 97, count: 3000))
            check.refusal(try await server.exchange(large), 413, "request_too_large")
        },
        CommandScenario(
            "command.simulator.needs-no-key", "With --upstream simulator it can be tried without any provider."
        ) { bench, check in
            let server = try await bench.serve(arguments: ["--upstream", "simulator"])
            let response = try await server.exchange(try await server.tenant().request())
            check.equal(response.status, 200, "status")
            check.equal(response.json["object"].string, "chat.completion", "object")
        },
        CommandScenario(
            "command.help.has-examples", "Each command explains itself with an example; the version is told."
        ) { bench, check in
            for arguments in [
                ["--help"], ["server", "--help"], ["simulate", "--help"], ["load", "--help"],
                ["db", "verify", "--help"],
            ] {
                let (code, output) = try await bench.finish(arguments)
                check.equal(code, 0, "\(arguments)")
                check.that(output.lowercased().contains("example"), "\(arguments) has no example")
            }
            let (code, output) = try await bench.finish(["--version"])
            check.equal(code, 0, "--version")
            check.that(output.contains("."), "the version is '\(output)'")
        },
    ]

    /// What the program refuses to start with.
    static let refusing: [CommandScenario] = [
        CommandScenario(
            "command.settings.faults-are-all-named", "Every bad setting is named at once, and nothing is made."
        ) { bench, check in
            let bad = [
                "MAX_REQUEST_SIZE": "lots", "REQUEST_TIMEOUT": "soon", "ENABLE_METRICS": "perhaps",
                "DB_DRIVER": "mysql", "LISTEN_ADDR": "nowhere:at:all",
            ]
            let (code, output) = try await bench.finish(["server"], environment: bad)
            check.equal(code, 2, "exit code")
            for name in bad.keys { check.that(output.contains(name), "\(name) is not named: \(output)") }
            check.equal(bench.files(), ["output-1.txt"], "files")
        },
        CommandScenario(
            "command.providers.file-is-obeyed",
            "The providers file names the upstream, its path, and which endpoints and methods are allowed."
        ) { bench, check in
            try bench.write(
                """
                default_api: local
                apis:
                  local:
                    base_url: http://127.0.0.1:\(bench.upstream.port)/base
                    allowed_endpoints: [/v1/chat/completions, /v1/models]
                    allowed_methods: [POST, GET]
                """, to: "providers.yaml")
            let server = try await bench.serve(["API_CONFIG_PATH": "providers.yaml", "OPENAI_API_URL": ""])
            let tenant = try await server.tenant()
            check.usual(try await server.exchange(tenant.request()))
            check.equal(bench.upstream.received.map(\.target), ["/base/v1/chat/completions"], "targets")
            let other = try await server.exchange(tenant.request("/v1/chatter"))
            check.refusal(other, 404, "endpoint_not_found", "another endpoint")
            let deletion = try await server.exchange(tenant.request("/v1/models/x", method: "DELETE", body: nil))
            check.refusal(deletion, 405, "method_not_allowed", "another method")
            check.equal(deletion.fields.first("allow"), "POST, GET", "Allow")
        },
        CommandScenario(
            "command.providers.unknown-key-is-refused",
            "A key of the providers file that this version does not know stops the start, with its line."
        ) { bench, check in
            try bench.write(
                "apis:\n  openai:\n    base_url: https://api.openai.com\n    retry: 3\n", to: "providers.yaml")
            let (code, output) = try await bench.finish(["server"], environment: ["API_CONFIG_PATH": "providers.yaml"])
            check.that(code != 0 && code != nil, "exit code \(String(describing: code))")
            check.equal(output.split(separator: "\n").count, 1, "lines of '\(output)'")
            check.that(output.contains("line 4") && output.contains("apis.openai.retry"), "output: \(output)")
        },
        CommandScenario(
            "command.providers.file-is-read-again",
            "A changed providers file is in force without a restart, at once with SIGHUP; one that can't be used changes nothing."
        ) { bench, check in
            func file(_ more: String) -> String {
                "apis:\n  openai:\n    base_url: http://127.0.0.1:\(bench.upstream.port)\n\(more)"
            }
            try bench.write(file("    allowed_endpoints: [/v1/models]\n"), to: "providers.yaml")
            let server = try await bench.serve(["API_CONFIG_PATH": "providers.yaml", "OPENAI_API_URL": ""])
            let tenant = try await server.tenant()
            check.refusal(try await server.exchange(tenant.request()), 404, "endpoint_not_found", "at first")
            try bench.write(file("    allowed_endpoints: [/v1/chat, /v1/models]\n"), to: "providers.yaml")
            let isSeen = try await eventually { try await server.exchange(tenant.request()).status == 200 }
            check.that(isSeen, "a changed file is not seen")

            try bench.write(file("    no_such_key: 1\n"), to: "providers.yaml")
            server.command.hangUp()
            let isSaid = try await eventually { server.command.output.contains("no_such_key") }
            check.that(isSaid, "what is wrong is not logged: \(server.command.output.suffix(300))")
            check.equal(try await server.exchange(tenant.request()).status, 200, "while it can't be used")
            let figures = try await server.exchange(HTTPRequest(method: "GET", target: "/metrics", body: nil)).text
            check.that(figures.contains("llm_proxy_providers_file_usable 0"), "metrics say nothing of it")

            try bench.write(file("    allowed_methods: [GET]\n"), to: "providers.yaml")
            server.command.hangUp()
            let isRead = try await eventually { try await server.exchange(tenant.request()).status == 405 }
            check.that(isRead, "the file is not read again")
            let before = try await server.metric("llm_proxy_providers_reloads_total") ?? 0
            server.command.hangUp()
            let isAsked = try await eventually {
                (try await server.metric("llm_proxy_providers_reloads_total") ?? 0) > before
            }
            check.that(isAsked, "SIGHUP is not heard while the file stays as it is")
            server.command.terminate()
        },
        CommandScenario("command.settings.usage-exits-2", "What the command line does not know ends with 2.") {
            bench, check in
            for arguments in [
                ["server", "--no-such-option"], ["no-such-command"], ["server", "--set", "NO_SUCH_SETTING=1"],
            ] {
                let (code, output) = try await bench.finish(arguments)
                check.equal(code, 2, "\(arguments): \(output)")
            }
        },
        CommandScenario(
            "command.database.unknown-driver-is-one-line",
            "A driver that is not there is one clear line and a failure (G03)."
        ) { bench, check in
            let (code, output) = try await bench.finish(["server"], environment: ["DB_DRIVER": "oracle"])
            check.that(code != 0 && code != nil, "exit code \(String(describing: code))")
            check.that(output.contains("DB_DRIVER") && output.contains("sqlite"), "output: \(output)")
        },
        CommandScenario(
            "command.database.second-server-is-refused",
            "A second server on one file is refused with one clear line; the first goes on (G16)."
        ) { bench, check in
            let first = try await bench.serve()
            let tenant = try await first.tenant()
            let (code, output) = try await bench.finish(["server", "--listen", "127.0.0.1:0"])
            check.that(code != 0 && code != nil, "exit code \(String(describing: code))")
            check.equal(output.split(separator: "\n").count, 1, "lines of '\(output)'")
            check.that(output.contains("another server") && output.contains("llm-proxy.db"), "output: \(output)")
            check.usual(try await first.exchange(tenant.request()), "the first")
        },
        CommandScenario(
            "command.schema.newer-is-refused",
            "A database of a newer program is refused with one clear line, and not changed (G08)."
        ) { bench, check in
            check.equal(try await bench.serve().stop(), 0, "exit code")
            try await bench.harm(.claimsNewerSchema, at: "data/llm-proxy.db")
            let before = bench.bytes(of: "data/llm-proxy.db")
            let (code, output) = try await bench.finish(["server", "--listen", "127.0.0.1:0"])
            check.that(code != 0 && code != nil, "exit code \(String(describing: code))")
            check.equal(output.split(separator: "\n").count, 1, "lines of '\(output)'")
            check.that(output.contains("newer"), "output: \(output)")
            check.that(before != nil && bench.bytes(of: "data/llm-proxy.db") == before, "the file was changed")
        },
        CommandScenario(
            "command.database.other-file-is-refused", "A file that is no database is refused, and not changed."
        ) { bench, check in
            let text = String(repeating: "Dear diary, this is no database. ", count: 200)
            try bench.write(text, to: "diary.txt")
            let (code, output) = try await bench.finish(
                ["server", "--listen", "127.0.0.1:0"],
                environment: ["DATABASE_PATH": "diary.txt", "MANAGEMENT_TOKEN": "a-token-for-this-test"])
            check.that(code != 0 && code != nil, "exit code \(String(describing: code))")
            check.that(output.contains("diary.txt"), "output: \(output)")
            check.that(bench.bytes(of: "diary.txt") == Array(text.utf8), "the file was changed")
        },
        CommandScenario(
            "command.listen.taken-port-is-one-line", "A port that is taken is one clear line and a failure."
        ) { bench, check in
            let (code, output) = try await bench.finish(["server", "--listen", "127.0.0.1:\(bench.upstream.port)"])
            check.that(code != 0 && code != nil, "exit code \(String(describing: code))")
            check.that(output.contains("LISTEN_ADDR"), "output: \(output)")
        },
        CommandScenario(
            "command.retention.removes-old-requests",
            "A server with REQUEST_RETENTION_DAYS removes the requests of older days; counters and db verify stay as they were."
        ) { bench, check in
            let path = "data/llm-proxy.db"
            let first = try await bench.serve()
            let tenant = try await first.tenant(cap: 20)
            check.usual(try await first.exchange(tenant.request()))
            check.equal(try await first.stop(), 0, "exit code")
            let storage = try await bench.openStorage(at: path)
            let token = try await storage.token(tenant.tokenID)
            // Of three days in 2026, which are over whenever this runs.
            for day in 0..<3 {
                try await Clerk(storage, instance: 7 + day).commit(
                    (1...5).map {
                        .sample(-864_000_000 + day * 86_400_000 + $0, of: token, settlement: .sample(cost: 1))
                    })
            }
            await storage.close()
            let server = try await bench.serve(["REQUEST_RETENTION_DAYS": "1"])
            let isRemoved = try await eventually { server.command.output.contains("old requests were removed") }
            check.that(isRemoved, "nothing was removed: \(server.command.output)")
            let shown = try await server.manage("GET", "/manage/tokens/\(tenant.tokenID)").json
            check.equal(shown["request_count"].integer, 16, "request_count")
            let rows = try await server.manage("GET", "/manage/requests?token_id=\(tenant.tokenID)").json
            check.equal(rows.items.count, 1, "rows")
            check.equal(try await bench.finish(["db", "verify"]).code, 0, "db verify beside the server")
            check.equal(try await server.stop(), 0, "exit code")
        },
        CommandScenario(
            "command.verify.tells-sound-from-broken",
            "db verify ends with 0 on sound data, and with 4 when a count is wrong."
        ) { bench, check in
            let server = try await bench.serve()
            let tenant = try await server.tenant()
            check.usual(try await server.exchange(tenant.request()))
            check.equal(try await server.stop(), 0, "exit code of the server")
            let sound = try await bench.finish(["db", "verify"])
            check.equal(sound.code, 0, "sound: \(sound.output)")
            try await bench.harm(.countsOneTooMany(tenant.tokenID), at: "data/llm-proxy.db")
            let broken = try await bench.finish(["db", "verify", "--json"])
            check.equal(broken.code, 4, "broken: \(broken.output)")
            check.that(broken.output.contains(tenant.tokenID.text), "the token is not named: \(broken.output)")
            let wanted = "token \(tenant.tokenID): request_count 2 -> 1"
            let told = try await bench.finish(["db", "repair", "--dry-run"])
            check.that(told.code == 0 && told.output.contains(wanted), "db repair --dry-run: \(told.output)")
            check.equal(try await bench.finish(["db", "verify"]).code, 4, "after a dry run")
            let repaired = try await bench.finish(["db", "repair"])
            check.that(repaired.code == 0 && repaired.output.contains(wanted), "db repair: \(repaired.output)")
            check.equal(try await bench.finish(["db", "verify"]).code, 0, "after the repair")
        },
    ]
}
