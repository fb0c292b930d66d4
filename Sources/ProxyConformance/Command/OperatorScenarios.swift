extension CommandScenario {
    /// What is promised to who sets servers up and looks after them.
    static let operators: [CommandScenario] = [
        CommandScenario(
            "doctor.empty.says-what-will-be-made",
            "In an empty folder doctor finds nothing wrong, says what the first start makes, and makes none of it."
        ) { bench, check in
            let report = try await bench.examine(["--offline", "--listen", "127.0.0.1:0"])
            check.equal(report.code, 0, "exit code: \(report.output)")
            for name in ["database", "encryption key"] {
                check.equal(report.verdict(of: name), "ok", name)
                check.that(report.found(of: name).contains("first start"), "\(name): \(report.found(of: name))")
            }
            check.equal(report.verdict(of: "upstream"), nil, "the upstream, which was not to be asked")
            check.equal(report.found(of: "LISTEN_ADDR"), "127.0.0.1:0, from the command line", "a setting")
            check.equal(bench.files(), ["output-1.txt"], "files")
            let taken = try await bench.examine(["--offline", "--listen", "127.0.0.1:\(bench.upstream.port)"])
            check.equal(taken.code, 1, "exit code with a port that is taken")
            check.equal(taken.verdict(of: "listen address"), "failed", "a port that is taken")
            let bad = try await bench.finish(["doctor", "--set", "REQUEST_TIMEOUT=soon"])
            check.equal(bad.code, 2, "exit code of settings that can't be read: \(bad.output)")
        },
        CommandScenario(
            "doctor.sound.says-ok",
            "Beside a server and after it doctor finds everything in order; a token that others may read is a warning."
        ) { bench, check in
            let upstream = ["OPENAI_API_URL": "http://127.0.0.1:\(bench.upstream.port)"]
            let server = try await bench.serve()
            check.usual(try await server.exchange(try await server.tenant().request()))
            let beside = try await bench.examine(["--listen", "127.0.0.1:\(server.port)"], upstream)
            check.equal(try await server.stop(), 0, "exit code of the server")
            let after = try await bench.examine(["--listen", "127.0.0.1:\(server.port)"], upstream)
            for report in [beside, after] {
                check.equal(report.code, 0, "exit code: \(report.output)")
                for name in [
                    "database", "database settings", "schema", "copy", "counters", "encryption key", "listen address",
                    "upstream", "./data/management-token", "./data/encryption-key",
                ] { check.equal(report.verdict(of: name), "ok", "\(name): \(report.output)") }
                check.that(!report.output.contains(server.managementToken), "the token is shown")
            }
            bench.remove("data/management-token")
            try bench.write("\(server.managementToken)\n", to: "data/management-token")
            let isOpen = (bench.mode(of: "data/management-token") ?? 0) & 0o077 != 0
            let open = try await bench.examine(["--offline", "--listen", "127.0.0.1:0"])
            check.equal(open.verdict(of: "./data/management-token"), isOpen ? "warning" : "ok", "an open token")
            check.equal(open.code, 0, "exit code with a warning")
        },
        CommandScenario(
            "doctor.key.wrong-is-told",
            "An ENCRYPTION_KEY that does not open what is stored is a failure that names the remedy, and no key."
        ) { bench, check in
            let server = try await bench.serve()
            _ = try await server.tenant()
            check.equal(try await server.stop(), 0, "exit code of the server")
            let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
            let arguments = ["--offline", "--listen", "127.0.0.1:0"]
            let wrong = try await bench.examine(arguments, ["ENCRYPTION_KEY": key])
            check.equal(wrong.code, 1, "exit code: \(wrong.output)")
            check.equal(wrong.verdict(of: "encryption key"), "failed", "another key")
            check.that(wrong.output.contains("ENCRYPTION_KEYS_ACCEPTED"), "no remedy: \(wrong.output)")
            check.that(!wrong.output.contains(key), "the key is shown: \(wrong.output)")
            bench.rename("data/encryption-key", to: "data/elsewhere")
            let missing = try await bench.examine(arguments)
            check.equal(missing.verdict(of: "encryption key"), "failed", "no key")
            bench.rename("data/elsewhere", to: "data/encryption-key")
            check.equal(try await bench.examine(arguments).code, 0, "exit code with the right key")
        },
        CommandScenario(
            "doctor.postgres.unreachable-is-told",
            "A PostgreSQL that can't be reached is a failure without its password; one that can is read back."
        ) { bench, check in
            let arguments = ["--offline", "--listen", "127.0.0.1:0"]
            let away = try await bench.examine(
                arguments,
                [
                    "DB_DRIVER": "postgres", "DATABASE_URL": "postgres://user:hidden-word@127.0.0.1:1/db",
                    "DATABASE_WAIT": "100ms",
                ])
            check.equal(away.code, 1, "exit code: \(away.output)")
            check.equal(away.verdict(of: "database"), "failed", "database")
            check.that(away.found(of: "database").contains("Connection refused"), "said: \(away.output)")
            check.that(!away.output.contains("hidden-word"), "the password is shown: \(away.output)")
            let database = try await bench.makeDatabase(hasOwnServer: false)
            let here = try await bench.examine(arguments, bench.settings(for: database))
            check.equal(here.code, 0, "exit code: \(here.output)")
            check.that(here.found(of: "database settings").contains("server_encoding=UTF8"), "said: \(here.output)")
            for name in ["database", "clock", "schema"] { check.equal(here.verdict(of: name), "ok", name) }
        },
        CommandScenario(
            "setup.folder.is-ready",
            "After setup a server serves with the token and the key of .env, which its owner alone can read."
        ) { bench, check in
            let made = try await bench.finish(["setup", "--non-interactive", "--listen", "127.0.0.1:0"])
            check.equal(made.code, 0, "exit code: \(made.output)")
            check.equal(bench.mode(of: ".env"), 0o600, "mode of .env")
            let (token, key) = (bench.kept("MANAGEMENT_TOKEN"), bench.kept("ENCRYPTION_KEY"))
            check.that(token.count >= 40 && key.count == 44, "no secrets in .env")
            check.that(!made.output.contains(token) && !made.output.contains(key), "a secret is shown")
            check.that(made.output.contains("llm-proxy server"), "nothing to paste: \(made.output)")
            let served = try await bench.serve()
            let server = CommandServer(
                command: served.command, bench: bench, managementToken: token, port: served.port)
            check.usual(try await server.exchange(try await server.tenant().request()))
            check.equal(bench.mode(of: "data/management-token"), nil, "a token that nobody needs")
            check.equal(bench.mode(of: "data/encryption-key"), nil, "a key that nobody needs")
            let report = try await bench.examine(["--offline"])
            check.equal(report.verdict(of: "encryption key"), "ok", "what doctor says: \(report.output)")
        },
        CommandScenario(
            "setup.file.is-not-overwritten",
            "A .env that is there stays as it is; with --force it is replaced and its secrets are kept."
        ) { bench, check in
            let first = try await bench.finish(["setup", "--non-interactive"])
            check.equal(first.code, 0, "exit code: \(first.output)")
            let (before, key) = (bench.bytes(of: ".env"), bench.kept("ENCRYPTION_KEY"))
            let again = try await bench.finish(["setup", "--non-interactive", "--listen", ":9999"])
            check.equal(again.code, 4, "exit code of a second one: \(again.output)")
            check.that(before != nil && bench.bytes(of: ".env") == before, ".env was changed")
            let url = #"postgres://user:pa"ss\word@db.example/llmproxy"#
            let forced = try await bench.finish(["setup", "--force", "--listen", ":9999", "--database-url", url])
            check.equal(forced.code, 0, "exit code with --force: \(forced.output)")
            check.equal(bench.kept("ENCRYPTION_KEY"), key, "the key")
            check.equal(bench.kept("LISTEN_ADDR"), "\":9999\"", "the address")
            check.equal(bench.kept("DB_DRIVER"), "postgres", "the engine")
            check.that(!forced.output.contains("word@"), "the password is shown: \(forced.output)")
            let bad = try await bench.finish(["setup", "--force", "--listen", "nowhere"])
            check.equal(bad.code, 2, "exit code of an address that is none: \(bad.output)")
            check.equal(bench.kept("LISTEN_ADDR"), "\":9999\"", "the address afterwards")
        },
        CommandScenario(
            "openai.command.streams",
            "openai chat shows what a model says as it comes; what goes wrong is one line and an exit code."
        ) { bench, check in
            let server = try await bench.serve()
            let tenant = try await server.tenant()
            let chat = ["openai", "chat", "--url", "http://127.0.0.1:\(server.port)", "Hi"]
            let known = ["OPENAI_API_KEY": tenant.secret]
            bench.upstream.script(
                UpstreamStep.readRequest + [
                    .send(HTTPAnswer.chunkedHead() + HTTPAnswer.chunk(delta("Hello"))), .await("go on"),
                    .send(HTTPAnswer.chunk(delta(", world") + "data: [DONE]\n\n") + HTTPAnswer.lastChunk),
                ])
            let more = ["--model", "gpt-4o", "--system", "Be brief."]
            let command = try await bench.start(chat + more, environment: known)
            let isShown = try await eventually { command.output == "Hello" || command.exitCode != nil }
            check.that(isShown && command.exitCode == nil, "the first word does not come: \(command.output)")
            bench.upstream.release("go on")
            check.that(try await eventually { command.exitCode == 0 }, "it does not end: \(command.output)")
            check.equal(command.output, "Hello, world\n", "output")
            let asked = bench.upstream.received.last.flatMap { JSONDocument($0.body) }
            check.equal(asked?["stream"], .bool(true), "stream")
            check.equal(asked?["model"].string, "gpt-4o", "model")
            check.equal(asked?["messages"].items.map { $0["role"].string }, ["system", "user"], "roles")
            let whole = try await bench.finish(chat, environment: known)
            check.equal(whole.output, "Hello\n", "an answer that is no stream")
            let nobody = chat.map { $0.hasPrefix("http") ? "http://127.0.0.1:1" : $0 }
            let faults: [(arguments: [String], environment: [String: String], code: Int)] = [
                (chat, ["OPENAI_API_KEY": "sk-of-nobody"], 4), (chat, [:], 2), (nobody, known, 3),
            ]
            for fault in faults {
                let (code, output) = try await bench.finish(fault.arguments, environment: fault.environment)
                check.equal(code, fault.code, "exit code: \(output)")
                check.equal(output.split(separator: "\n").count, 1, "lines of \(output)")
                check.that(!output.contains("sk-of-nobody") && !output.contains(tenant.secret), "a token is shown")
            }
        },
        CommandScenario(
            "manage.operators.see-ways-and-events",
            "Further ways are added, changed and removed from the command line, and the audit is searched there."
        ) { bench, check in
            let server = try await bench.serve()
            let project = "\(try await server.createProject())"
            try bench.write("sk-second-key-of-the-provider\n", to: "key.txt")
            let made = try await server.managed([
                "upstream", "create", "--project-id", project, "--api-key-file", "key.txt", "--weight", "7",
            ])
            let id = made["id"].string ?? ""
            check.equal(made["weight"].integer, 7, "weight")
            let listed = try await server.run(["upstream", "list", "--project-id", project])
            check.that(listed.code == 0 && listed.output.contains(id), "listed: \(listed.output)")
            let changed = try await server.managed(["upstream", "update", id, "--priority", "3", "--no-active"])
            check.equal([changed["priority"], changed["is_active"]], [.number("3"), .bool(false)], "changed")
            check.equal(try await server.managed(["upstream", "get", id])["weight"].integer, 7, "weight afterwards")
            check.equal(try await server.run(["upstream", "remove", id]).code, 0, "exit code of the removal")
            check.equal(try await server.run(["upstream", "get", id]).code, 4, "exit code after it")
            let events = try await server.managed(["audit", "list", "--metadata", "upstream_id=\(id)"])["events"].items
            let actions = ["upstream.remove", "upstream.update", "upstream.create"]
            check.equal(events.map { $0["action"].string }, actions, "actions, the latest first")
            let paging = ["--page", "2", "--page-size", "3"]
            let page = try await server.run(["audit", "list", "--search", "upstream id"] + paging)
            check.equal(page.code, 0, "exit code: \(page.output)")
            let event = events.first?["id"].string ?? ""
            let shown = try await server.run(["audit", "get", event])
            check.that(shown.output.contains("action: upstream.remove\n"), "shown: \(shown.output)")
            for words in ["audit list", "audit get", "upstream list", "upstream create", "upstream update"] {
                let typed: [String] = words.split(separator: " ").map { String($0) }
                let help = try await bench.finish(["manage"] + typed + ["--help"])
                check.that(help.code == 0 && help.output.contains("Example"), "manage \(words) has no example")
            }
        },
    ]

    /// An event of a streamed chat that adds these words.
    private static func delta(_ words: String) -> String {
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\(words)\"}}]}\n\n"
    }
}

/// What `llm-proxy doctor` said.
private struct DoctorReport: Sendable {
    let code: Int?
    let output: String
    private let checks: [JSONDocument]

    init(code: Int?, output: String, checks: [JSONDocument]) {
        self.code = code
        self.output = output
        self.checks = checks
    }

    private func check(_ name: String) -> JSONDocument? { checks.first { $0["name"].string == name } }

    /// ok, warning or failed; `nil` when it was not looked at.
    func verdict(of name: String) -> String? { check(name)?["verdict"].string }
    func found(of name: String) -> String { check(name)?["found"].string ?? "" }
}

extension CommandBench {
    /// Lets the doctor look at this folder.
    fileprivate func examine(
        _ arguments: [String], _ environment: [String: String] = [:]
    ) async throws -> DoctorReport {
        let (code, output) = try await finish(["doctor", "--json"] + arguments, environment: environment)
        guard let document = JSONDocument(output) else {
            throw StepFailed(description: "doctor ended with \(code ?? -1): \(output)")
        }
        return DoctorReport(code: code, output: output, checks: document["checks"].items)
    }

    /// What a line of `.env` says, as it is written there; empty without one.
    fileprivate func kept(_ name: String) -> String {
        let text = String(decoding: bytes(of: ".env") ?? [], as: UTF8.self)
        let line = text.split(separator: "\n").first { $0.hasPrefix("\(name)=") }
        return line.map { String($0.dropFirst(name.count + 1)) } ?? ""
    }
}

extension CommandServer {
    /// Runs `llm-proxy manage` on this server, beside its folder's management token.
    fileprivate func run(_ arguments: [String]) async throws -> (code: Int?, output: String) {
        try await bench.finish(["manage"] + arguments + ["--url", "http://127.0.0.1:\(port)"])
    }

    /// The same with `--json`, when it succeeds.
    fileprivate func managed(_ arguments: [String]) async throws -> JSONDocument {
        let (code, output) = try await run(arguments + ["--json"])
        guard code == 0, let document = JSONDocument(output) else {
            throw StepFailed(description: "\(arguments) ended with \(code ?? -1): \(output)")
        }
        return document
    }
}
