import ProxyDomain
import ProxyStorage

extension CommandScenario {
    /// What taking over from another proxy promises.
    static let imports: [CommandScenario] = goProxyImports + goProxyRefusals + liteLLMImports

    private static let goProxyImports: [CommandScenario] = [
        CommandScenario(
            "import.go-proxy.tokens-go-on",
            "Clients of the Go proxy keep their tokens: plain or hashed, each is known, counts on, and ends where its cap says."
        ) { bench, check in
            try await bench.makeSQLite(GoProxyFixture.schema + GoProxyFixture.rows, at: "old.db")
            let imported = try await bench.importGoProxy()
            check.equal(imported.code, 0, "imported: \(imported.output)")
            check.equal(imported.json["tokens"]["written"].integer, 3, "tokens: \(imported.output)")
            check.equal(imported.json["requests"].integer, 8, "requests")
            let server = try await bench.serve()
            let (plain, hashed) = (GoProxyFixture.plain, GoProxyFixture.hashed)
            for _ in 1...2 { check.usual(try await server.exchange(plain.request()), "two of nine are left") }
            check.refusal(try await server.exchange(plain.request()), 429, "quota_exceeded")
            check.usual(try await server.exchange(hashed.request()), "the hashed one")
            check.refusal(try await server.exchange(GoProxyFixture.revoked.request()), 401, "token_inactive")
            let token = try await server.manage("GET", "/manage/tokens/\(plain.tokenID)").json
            check.equal(token["request_count"].integer, 9, "counted there and here")
            check.equal(token["created_at"].string, "2026-01-01T10:00:00.000Z", "created")
            let sent = bench.upstream.received.last?.fields.first("authorization")
            check.equal(sent, "Bearer \(upstreamKey)", "the key that was sealed anew")
            check.equal(try await server.stop(), 0, "exit code")
            try await bench.expectSoundAndSettled("data/llm-proxy.db", check)
        },
        CommandScenario(
            "import.go-proxy.issued-form-goes-on",
            "A token as the Go proxy issues them, sk- and 22 characters, is taken as it is, from its text and from its hash."
        ) { bench, check in
            let rows = """
                INSERT INTO tokens (id, token, project_id, is_active, request_count, created_at)
                VALUES ('\(GoProxyFixture.issuedID)', '\(GoProxyFixture.issued)', '\(GoProxyFixture.project)', 1, 0,
                    '2026-01-01 10:00:00');
                """
            try await bench.makeSQLite(GoProxyFixture.schema + GoProxyFixture.rows + rows, at: "old.db")
            let imported = try await bench.importGoProxy()
            check.equal(imported.code, 0, "imported: \(imported.output)")
            check.equal(imported.json["refused"].items.count, 0, "refused: \(imported.output)")
            let server = try await bench.serve()
            let tenant = GoProxyFixture.tenant(GoProxyFixture.issued, GoProxyFixture.issuedID)
            check.usual(try await server.exchange(tenant.request()), "the issued one")
        },
        CommandScenario(
            "import.go-proxy.twice-changes-nothing",
            "A second import finds everything there, changes nothing and says so, whatever was counted or changed here since."
        ) { bench, check in
            try await bench.makeSQLite(GoProxyFixture.schema + GoProxyFixture.rows, at: "old.db")
            let looked = try await bench.importGoProxy(["--dry-run"])
            check.equal(looked.json["tokens"]["written"].integer, 3, "a dry run: \(looked.output)")
            check.equal(bench.mode(of: "data/llm-proxy.db"), nil, "what a dry run made")
            check.equal(try await bench.importGoProxy().code, 0, "the first time")
            let server = try await bench.serve()
            check.usual(try await server.exchange(GoProxyFixture.plain.request()))
            let path = "/manage/projects/\(GoProxyFixture.project)"
            check.equal(try await server.manage("PATCH", path, #"{"name":"renamed"}"#).status, 200, "renamed")
            let again = try await bench.importGoProxy()
            check.equal(again.code, 0, "the second time: \(again.output)")
            check.equal(again.json["changed_nothing"], .bool(true), "said: \(again.output)")
            check.equal(again.json["tokens"]["there"].integer, 3, "tokens that were there")
            let token = try await server.manage("GET", "/manage/tokens/\(GoProxyFixture.plain.tokenID)").json
            check.equal(token["request_count"].integer, 8, "counted once")
            check.equal(try await server.manage("GET", path).json["name"].string, "renamed", "the name")
        },
        CommandScenario(
            "import.go-proxy.reissues-what-is-not-taken",
            "A token of a form that servers don't take is told, and made anew on request, into a file for its owner alone."
        ) { bench, check in
            let rows = """
                INSERT INTO tokens (token, project_id, is_active, request_count, created_at)
                VALUES ('tkn_AAAAAAAAAAAAAAAAAAAAAA', '\(GoProxyFixture.project)', 1, 4, '2026-01-01 10:00:00');
                """
            try await bench.makeSQLite(GoProxyFixture.schema + GoProxyFixture.rows + rows, at: "old.db")
            let told = try await bench.importGoProxy()
            check.equal(told.code, 0, "imported: \(told.output)")
            check.that(told.json["refused"].items.contains { $0["reason"].string == "form" }, "said: \(told.output)")
            check.that(!told.output.contains("tkn_AAAAAAAAAAAAAAAAAAAAAA"), "the token is shown")
            let made = try await bench.importGoProxy(["--reissue", "new.txt"])
            check.equal(made.code, 0, "made anew: \(made.output)")
            check.equal(bench.mode(of: "new.txt"), 0o600, "mode of the file")
            let lines = String(decoding: bench.bytes(of: "new.txt") ?? [], as: UTF8.self).split(separator: "\n")
            let line = lines.last { $0.hasPrefix("tkn_") }?.split(separator: "\t").map(String.init) ?? []
            guard line.count == 4 else { throw StepFailed(description: "no line for the token: \(lines.count)") }
            check.that(!made.output.contains(line[1]), "the new token is shown")
            let server = try await bench.serve()
            let tenant = GoProxyFixture.tenant(line[1], line[2])
            check.usual(try await server.exchange(tenant.request()), "the new token")
            let again = try await bench.importGoProxy(["--reissue", "other.txt"])
            check.equal(again.json["changed_nothing"], .bool(true), "a third time: \(again.output)")
            check.equal(bench.mode(of: "other.txt"), nil, "a file for nothing")
            let token = try await server.manage("GET", "/manage/tokens/\(line[2])").json
            check.equal(token["request_count"].integer, 5, "counted there and here")
        },
        CommandScenario(
            "import.go-proxy.encrypted-keys-are-sealed-anew",
            "Upstream keys that the Go proxy encrypted are opened with its key and sealed with ours; without it, or with another, nothing is imported."
        ) { bench, check in
            let encrypt = "UPDATE projects SET openai_api_key = '\(GoProxyFixture.encryptedKey)';"
            try await bench.makeSQLite(GoProxyFixture.schema + GoProxyFixture.rows + encrypt, at: "old.db")
            try bench.write("\(GoProxyFixture.encryptionKey)\n", to: "old-key")
            try bench.write("\(GoProxyFixture.otherKey)\n", to: "other-key")
            try bench.write("hidden-word\n", to: "no-key")
            for (more, code) in [([], 4), (["other-key"], 4), (["no-key"], 2), (["nothing"], 2)] as [([String], Int)] {
                let options = more.flatMap { ["--source-encryption-key-file", $0] }
                let refused = try await bench.importGoProxy(options)
                check.equal(refused.code, code, "with \(more): \(refused.output)")
                check.equal(refused.output.split(separator: "\n").count, 1, "lines")
                check.that(!refused.output.contains("hidden-word"), "a secret is shown")
            }
            check.equal(bench.mode(of: "data/llm-proxy.db"), nil, "what was made for nothing")
            let imported = try await bench.importGoProxy(["--source-encryption-key-file", "old-key"])
            check.equal(imported.code, 0, "with the key: \(imported.output)")
            let server = try await bench.serve()
            check.usual(try await server.exchange(GoProxyFixture.plain.request()))
            let sent = bench.upstream.received.last?.fields.first("authorization")
            check.equal(sent, "Bearer \(upstreamKey)", "the key")
        },
        CommandScenario(
            "import.go-proxy.from-postgres",
            "Its database in PostgreSQL, with the columns of its newest schema, is taken over as well, beside a server that serves."
        ) { bench, check in
            let database = try await bench.makeDatabase(hasOwnServer: false)
            try await database.run(GoProxyFixture.postgres)
            let server = try await bench.serve()
            let mine = try await server.tenant(name: "mine")
            check.usual(try await server.exchange(mine.request()))
            let imported = try await bench.importGoProxy(from: database.url)
            check.equal(imported.code, 0, "imported: \(imported.output)")
            check.equal(imported.json["requests"].integer, 7, "requests")
            check.usual(try await server.exchange(GoProxyFixture.plain.request()), "a token of the Go proxy")
            check.usual(try await server.exchange(mine.request()), "the server's own")
            check.equal(try await server.stop(), 0, "exit code")
            try await bench.expectSoundAndSettled("data/llm-proxy.db", check)
        },
    ]

    private static let goProxyRefusals: [CommandScenario] = [
        CommandScenario(
            "import.go-proxy.clash-writes-nothing",
            "A project whose name another has here is named, and nothing at all is written."
        ) { bench, check in
            let more = """
                INSERT INTO projects (id, name, openai_api_key, is_active, created_at, updated_at)
                VALUES ('0b8f5a52-6d0c-4a0e-9b7e-3f1f4f3c2a22', 'further', 'sk-x', 1, '2026-01-01 10:00:00', '2026-01-01 10:00:00');
                """
            try await bench.makeSQLite(GoProxyFixture.schema + GoProxyFixture.rows + more, at: "old.db")
            let server = try await bench.serve()
            let mine = try await server.tenant(name: "acme")
            let refused = try await bench.importGoProxy()
            check.equal(refused.code, 4, "exit code")
            check.equal(refused.output.split(separator: "\n").count, 1, "lines: \(refused.output)")
            check.that(refused.output.contains("'acme'"), "said: \(refused.output)")
            check.that(!refused.output.contains("'further'"), "said of what is in nobody's way: \(refused.output)")
            let names = try await server.manage("GET", "/manage/projects").json.items.compactMap { $0["name"].string }
            check.equal(names, ["acme"], "projects")
            check.usual(try await server.exchange(mine.request()), "the server's own")
            check.refusal(try await server.exchange(GoProxyFixture.plain.request()), 401, "token_not_found")
        },
        CommandScenario(
            "import.go-proxy.faults-are-clear",
            "What is no database of the Go proxy is said in one line, with the exit code for it, and nothing is made."
        ) { bench, check in
            try bench.write("no database", to: "text.db")
            try await bench.makeSQLite(
                "CREATE TABLE projects (id TEXT); CREATE TABLE tokens (id TEXT);", at: "other.db")
            try await bench.makeSQLite(GoProxyFixture.schema + GoProxyFixture.rows, at: "old.db")
            check.equal(try await bench.importGoProxy(to: "ours.db").code, 0, "a database of ours")
            let faults: [(from: String, more: [String], code: Int, said: String)] = [
                ("text.db", [], 3, "text.db"), ("nothing.db", [], 3, "nothing.db"),
                ("other.db", [], 4, "holds no projects and tokens"), ("ours.db", [], 4, "llm-proxy db copy"),
                ("mysql://user:hidden-word@host/db", [], 2, "--from"), ("env:NOT_THERE", [], 2, "NOT_THERE"),
                ("postgres://user:hidden-word@127.0.0.1:1/db", [], 3, "Connection refused"),
                ("old.db", ["--provider", "nobody"], 2, "nobody"),
                ("old.db", ["--reissue", "text.db"], 4, "text.db is there already"),
            ]
            for fault in faults {
                let told = try await bench.importGoProxy(fault.more, from: fault.from)
                check.equal(told.code, fault.code, "exit code for \(fault.from): \(told.output)")
                check.that(told.output.contains(fault.said), "said: \(told.output)")
                check.equal(told.output.split(separator: "\n").count, 1, "lines: \(told.output)")
                check.that(!told.output.contains("hidden-word"), "the password is shown: \(told.output)")
            }
            check.equal(bench.mode(of: "data/llm-proxy.db"), nil, "what was made for nothing")
        },
    ]
}

// MARK: - LiteLLM

extension CommandScenario {
    private static let liteLLMImports: [CommandScenario] = [
        CommandScenario(
            "import.litellm.serves",
            "LiteLLM's file becomes a providers file that a server reads, and a project for each key, taken from the environment."
        ) { bench, check in
            try bench.write(liteLLMConfig(upstream: bench.upstream.port), to: "config.yaml")
            let settings = ["LOCAL_KEY": upstreamKey, "OTHER_KEY": "sk-other"]
            let imported = try await bench.importLiteLLM(
                ["--providers", "providers.yaml", "--create-projects"], settings)
            check.equal(imported.code, 0, "imported: \(imported.output)")
            check.equal(
                imported.json["projects"].items.compactMap { $0["state"].string }, ["written", "written"], "projects")
            check.that(!imported.output.contains(upstreamKey), "a key is shown")
            let server = try await bench.serve(["API_CONFIG_PATH": "providers.yaml"])
            let projects = try await server.manage("GET", "/manage/projects").json.items
            let local = projects.first { $0["name"].string == "openai-local_key" }
            guard let id = local?["id"].string.flatMap({ ProjectID($0) }) else {
                throw StepFailed(description: "no project: \(imported.output)")
            }
            let tenant = try await server.tenant(of: id)
            let allowed = Array(#"{"model":"gpt-4o-mini","messages":[]}"#.utf8)
            check.usual(try await server.exchange(tenant.request(body: allowed)), "a model of the list")
            let other = Array(#"{"model":"gpt-9","messages":[]}"#.utf8)
            check.refusal(try await server.exchange(tenant.request(body: other)), 400, "param_not_allowed")
            let again = try await bench.importLiteLLM(["--create-projects"], settings)
            check.equal(
                again.json["projects"].items.compactMap { $0["state"].string }, ["there", "there"], "a second time")
        },
        CommandScenario(
            "import.litellm.tells-what-stays-behind",
            "Everything in LiteLLM's file that has no place here is told with its line: other names, fallbacks, limits, unknown keys."
        ) { bench, check in
            try bench.write(liteLLMConfig(upstream: 9), to: "config.yaml")
            let told = try await bench.importLiteLLM([], [:])
            check.equal(told.code, 0, "exit code: \(told.output)")
            let remarks = told.json["remarks"].items.compactMap { $0["text"].string }
            for said in [
                "model_list[0] has another name: clients ask for 'gpt-4o-mini' now, not for 'small'",
                "model_list[0].litellm_params.rpm stays behind", "model_list[1] shares model_name 'small'",
                "model_list[2] stays behind: its provider 'bedrock' wants signed requests",
                "router_settings.fallbacks stays behind", "general_settings.master_key stays behind",
                "surprise stays behind",
            ] { check.that(remarks.contains { $0.hasPrefix(said) }, "not said: \(said) in \(told.output)") }
            check.that(!told.output.contains("hidden-word"), "a secret is shown: \(told.output)")
            check.equal(
                told.json["projects"].items.compactMap { $0["state"].string }, ["not_asked", "not_asked"], "projects")
            check.equal(bench.files().filter { !$0.hasPrefix("output-") }, ["config.yaml"], "what was made")
        },
        CommandScenario(
            "import.litellm.faults-are-clear",
            "A key that is missing, a file that is none of LiteLLM's, and one that would be overwritten are said in one line."
        ) { bench, check in
            try bench.write(liteLLMConfig(upstream: 9), to: "config.yaml")
            try bench.write("a: [", to: "broken.yaml")
            try bench.write("apis: {}", to: "ours.yaml")
            let faults: [(config: String, more: [String], code: Int, said: String)] = [
                ("config.yaml", ["--create-projects"], 4, "LOCAL_KEY, which model_list[0] needs"),
                ("config.yaml", ["--providers", "ours.yaml"], 4, "ours.yaml is there already"),
                ("broken.yaml", [], 2, "broken.yaml line"), ("ours.yaml", [], 2, "model_list"),
                ("nothing.yaml", [], 2, "nothing.yaml is not there"),
            ]
            for fault in faults {
                let told = try await bench.importLiteLLM(fault.more, [:], config: fault.config)
                check.equal(told.code, fault.code, "exit code for \(fault.said): \(told.output)")
                check.that(told.output.contains(fault.said), "said: \(told.output)")
                check.equal(told.output.split(separator: "\n").count, 1, "lines: \(told.output)")
            }
        },
    ]

    private static func liteLLMConfig(upstream port: Int) -> String {
        """
        model_list:
          - model_name: small
            litellm_params:
              model: openai/gpt-4o-mini
              api_base: http://127.0.0.1:\(port)/v1
              api_key: os.environ/LOCAL_KEY
              rpm: 100
          - model_name: small
            litellm_params:
              model: openai/gpt-4o
              api_base: http://127.0.0.1:\(port)/v1
              api_key: os.environ/OTHER_KEY
          - model_name: claude
            litellm_params:
              model: bedrock/anthropic.claude-v2
        router_settings:
          fallbacks: [{ small: [claude] }]
        general_settings:
          master_key: hidden-word
        surprise: hidden-word
        """
    }
}

// MARK: - Steps

/// What an import said with `--json`, or otherwise.
private struct ImportResult {
    let code: Int?
    let output: String

    var json: JSONDocument { JSONDocument(output) ?? .null }
}

extension CommandBench {
    fileprivate func importGoProxy(
        _ more: [String] = [], from source: String = "sqlite:old.db", to target: String? = nil
    ) async throws -> ImportResult {
        let place = target.map { ["--database-path", $0] } ?? []
        let (code, output) = try await finish(
            ["import", "go-proxy", "--json", "--from", source] + place + more, environment: ["DATABASE_WAIT": "500ms"],
            within: .seconds(30))
        return ImportResult(code: code, output: output)
    }

    fileprivate func importLiteLLM(
        _ more: [String], _ environment: [String: String], config: String = "config.yaml"
    ) async throws -> ImportResult {
        let (code, output) = try await finish(
            ["import", "litellm", "--json", "--config", config] + more, environment: environment,
            within: .seconds(30))
        return ImportResult(code: code, output: output)
    }
}
