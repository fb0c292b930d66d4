extension CommandScenario {
    /// What the audit tells of commands that change a database by themselves, without a server.
    static let auditedCommands: [CommandScenario] = [
        CommandScenario(
            "audit-command.repair.in-a-file",
            "A repair of a SQLite file that changes something is one event with its counts; any other is none."
        ) { bench, check in
            let server = try await bench.serve()
            let tenant = try await server.tenant()
            check.usual(try await server.exchange(tenant.request()))
            try await expectRepairsTold(by: server, [:], check) {
                try await bench.harm(.countsOneTooMany(tenant.tokenID), at: "data/llm-proxy.db")
            }
        },
        CommandScenario(
            "audit-command.repair.on-postgres",
            "A repair of a PostgreSQL is told as one of a file is; where the event can't be written, nothing is repaired."
        ) { bench, check in
            let database = try await bench.makeDatabase(hasOwnServer: false)
            let settings = bench.settings(for: database).merging(["DATABASE_WAIT": "500ms"]) { $1 }
            let server = try await bench.serve(settings)
            check.usual(try await server.exchange(try await server.tenant().request()))
            let damage = "UPDATE tokens SET request_count = request_count + 1"
            try await expectRepairsTold(by: server, settings, check) { try await database.run(damage) }
            try await database.run(damage)
            try await database.hold("UPDATE audit_chain SET last_number = last_number")
            let failed = try await bench.finish(["db", "repair"], environment: settings)
            check.equal(failed.code, 3, "exit code without an event: \(failed.output)")
            try await database.release()
            let told = try await bench.finish(["db", "repair", "--dry-run"], environment: settings)
            check.that(told.output.contains("1 counters would be set right"), "said: \(told.output)")
            check.equal(try await server.commandEvents().count, 1, "events after what failed")
            let repaired = try await bench.finish(["db", "repair"], environment: settings)
            check.equal(repaired.code, 0, "exit code afterwards: \(repaired.output)")
            check.equal(try await server.commandEvents().count, 2, "events afterwards")
            try await bench.expectSound(database, check)
        },
        CommandScenario(
            "audit-command.keys.in-files",
            "A key that is made beside a SQLite file is an event with the key's id and how many were sealed, and no key."
        ) { bench, check in
            let server = try await bench.serve()
            _ = try await server.tenant()
            let plain = try await bench.finish(["db", "encrypt"], environment: [:])
            check.equal(plain.code, 0, "encrypt: \(plain.output)")
            let rotated = try await bench.finish(["db", "rotate-key", "--json"], environment: [:])
            let id = JSONDocument(rotated.output)?["key_id"].string ?? "none"
            let silent = try await bench.finish(["db", "rotate-key"], environment: ["AUDIT_ENABLED": "false"])
            check.equal(silent.code, 0, "rotate-key without the audit: \(silent.output)")
            let answer = try await server.manage("GET", "/manage/audit")
            let events = answer.json["events"].items.filter { $0["actor"].string == "command-line" }
            check.equal(events.map { $0["action"].string }, ["database.rotate_key"], "actions")
            let wanted = counts(["found": "1", "sealed": "1", "key_id": id])
            check.equal(events.first?["metadata"] ?? .null, wanted, "facts")
            for file in ["data/encryption-key", "data/encryption-key.former"] {
                for key in String(decoding: bench.bytes(of: file) ?? [], as: UTF8.self).split(separator: "\n") {
                    check.that(!answer.text.contains(String(key)), "a key of \(file) is in the audit")
                }
            }
            let verified = try await bench.finish(["db", "verify"], environment: [:])
            check.equal(verified.code, 0, "db verify: \(verified.output)")
        },
        CommandScenario(
            "audit-command.keys.on-postgres",
            "Keys that are sealed under another of the settings, or that were plain, are an event each; nothing to seal is none."
        ) { bench, check in
            let database = try await bench.makeDatabase(hasOwnServer: false)
            let old = bench.settings(for: database).merging(["ENCRYPTION_KEY": firstKey]) { $1 }
            let new = old.merging(["ENCRYPTION_KEY": secondKey, "ENCRYPTION_KEYS_ACCEPTED": firstKey]) { $1 }
            let server = try await bench.serve(old.merging(["ENCRYPTION_KEYS_ACCEPTED": secondKey]) { $1 })
            _ = try await server.tenant()
            for _ in 1...2 {
                let rotated = try await bench.finish(["db", "rotate-key"], environment: new)
                check.equal(rotated.code, 0, "rotate-key: \(rotated.output)")
            }
            try await database.run("UPDATE projects SET sealed_key = '\(upstreamKey)'")
            for _ in 1...2 {
                let sealed = try await bench.finish(["db", "encrypt"], environment: new)
                check.equal(sealed.code, 0, "encrypt: \(sealed.output)")
            }
            let events = try await server.commandEvents()
            check.equal(events.map { $0["action"].string }, ["database.encrypt", "database.rotate_key"], "actions")
            check.equal(events.map { $0["metadata"]["sealed"].string }, ["1", "1"], "sealed")
            check.equal(Set(events.map { $0["metadata"]["key_id"] }).count, 1, "keys that they were sealed under")
            try await bench.expectSound(database, check)
        },
        CommandScenario(
            "audit-command.import.from-the-go-proxy",
            "An import from the Go proxy is one event with its counts, in a file and on PostgreSQL; what changes nothing is none."
        ) { bench, check in
            try await bench.makeSQLite(GoProxyFixture.schema + GoProxyFixture.rows, at: "old.db")
            let database = try await bench.makeDatabase(hasOwnServer: false)
            let settings = bench.settings(for: database).merging(["ENCRYPTION_KEY": firstKey]) { $1 }
            let typed = ["import", "go-proxy", "--from", "sqlite:old.db"]
            for place in [[:], settings] as [[String: String]] {
                for arguments in [typed + ["--dry-run"], typed, typed] {
                    let imported = try await bench.finish(arguments, environment: place, within: .seconds(30))
                    check.equal(imported.code, 0, "imported: \(imported.output)")
                }
                let server = try await bench.serve(place)
                let events = try await server.commandEvents()
                check.equal(events.map { $0["action"].string }, ["import.go_proxy"], "actions")
                let facts = events.first?["metadata"] ?? .null
                let names = ["projects", "tokens", "requests", "reissued"]
                check.equal(names.map { facts[$0].string }, ["1", "3", "8", "0"], "counts")
                check.that(facts["source"].string?.hasSuffix("old.db") == true, "from: \(facts)")
                check.equal(try await server.stop(), 0, "exit code")
                let verified = try await bench.finish(["db", "verify"], environment: place)
                check.equal(verified.code, 0, "db verify: \(verified.output)")
            }
        },
        CommandScenario(
            "audit-command.import.from-litellm",
            "Projects that are made of LiteLLM's file are one event; without the audit in the database they are none."
        ) { bench, check in
            let file = """
                model_list:
                  - model_name: gpt-4o
                    litellm_params: { model: openai/gpt-4o, api_key: os.environ/LOCAL_KEY }
                """
            try bench.write(file, to: "config.yaml")
            let typed = ["import", "litellm", "--json", "--config", "config.yaml"]
            let (asked, silent) = (typed + ["--create-projects"], ["--database-path", "data/silent.db"])
            let off = ["--set", "AUDIT_STORE_IN_DB=false"]
            for arguments in [typed, asked + ["--dry-run"], asked, asked, asked + silent + off] {
                let imported = try await bench.finish(
                    arguments, environment: ["LOCAL_KEY": upstreamKey], within: .seconds(30))
                check.equal(imported.code, 0, "imported: \(imported.output)")
            }
            let server = try await bench.serve()
            let events = try await server.commandEvents()
            check.equal(events.map { $0["action"].string }, ["import.litellm"], "actions")
            let wanted = counts(["projects": "1", "tokens": "0", "config": "config.yaml"])
            check.equal(events.first?["metadata"] ?? .null, wanted, "facts")
            check.equal(try await server.stop(), 0, "exit code")
            let other = try await bench.serve(arguments: silent)
            let projects = try await other.manage("GET", "/manage/projects").json.items
            check.equal(projects.map { $0["name"].string }, ["openai"], "projects without the audit")
            check.equal(try await other.commandEvents().count, 0, "events without the audit")
        },
    ]

    /// Expects repairs of a database, which `damage` makes say one request too many of one token, to be told when they should be.
    private static func expectRepairsTold(
        by server: CommandServer, _ settings: [String: String], _ check: Check, damage: () async throws -> Void
    ) async throws {
        func repair(_ more: [String: String] = [:], _ options: [String] = []) async throws {
            let ran = try await server.bench.finish(
                ["db", "repair"] + options, environment: settings.merging(more) { $1 })
            check.equal(ran.code, 0, "exit code of a repair: \(ran.output)")
        }
        try await repair()
        try await damage()
        try await repair([:], ["--dry-run"])
        try await repair(["AUDIT_STORE_IN_DB": "false"])
        check.equal(try await server.commandEvents().count, 0, "events of what changed nothing, or is not kept")
        try await damage()
        for _ in 1...2 { try await repair() }
        let events = try await server.commandEvents()
        check.equal(events.map { $0["action"].string }, ["database.repair"], "actions")
        let event = events.first ?? .null
        check.equal(event["metadata"], counts(["counters": "1", "tokens": "1", "projects": "0"]), "counts")
        check.equal(
            ["outcome", "method", "path", "request_id", "client_ip"].map { event[$0].string },
            ["success", "COMMAND", "llm-proxy db repair", "", ""], "what else is told")
        let verified = try await server.bench.finish(["db", "verify"], environment: settings)
        check.equal(verified.code, 0, "db verify: \(verified.output)")
    }

    /// An object of texts.
    private static func counts(_ texts: [String: String]) -> JSONDocument {
        .object(texts.mapValues { .string($0) })
    }

    private static let firstKey = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
    private static let secondKey = "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8="
}

extension CommandServer {
    /// The events of commands, the latest first.
    fileprivate func commandEvents() async throws -> [JSONDocument] {
        try await manage("GET", "/manage/audit?actor=command-line").json["events"].items
    }
}
