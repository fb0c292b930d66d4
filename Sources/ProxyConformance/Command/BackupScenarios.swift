extension CommandScenario {
    /// What backups promise, and looking after the schema.
    static let backups: [CommandScenario] = [
        CommandScenario(
            "backup.sqlite.comes-back",
            "A backup that is made under a running server is whole, comes back over what was counted since, and nothing else is lost."
        ) { bench, check in
            let server = try await bench.serve()
            let tenant = try await server.tenant()
            check.usual(try await server.exchange(tenant.request()))
            let made = try await bench.finish(["db", "backup", "--to", "backup.db"], environment: [:])
            check.equal(made.code, 0, "backup: \(made.output)")
            check.equal(bench.mode(of: "backup.db"), 0o600, "mode of the backup")
            let again = try await bench.finish(["db", "backup", "--to", "backup.db"], environment: [:])
            check.equal(again.code, 4, "over another: \(again.output)")
            check.usual(try await server.exchange(tenant.request()), "after the backup")
            let busy = try await bench.finish(["db", "restore", "--from", "backup.db", "--replace"], environment: [:])
            check.that(busy.code != 0 && busy.output.contains("stop it"), "under a server: \(busy.output)")
            check.equal(try await server.stop(), 0, "exit code")
            let kept = try await bench.finish(["db", "restore", "--from", "backup.db"], environment: [:])
            check.equal(kept.code, 4, "over a database: \(kept.output)")
            let back = try await bench.finish(["db", "restore", "--from", "backup.db", "--replace"], environment: [:])
            check.equal(back.code, 0, "restored: \(back.output)")
            let next = try await bench.serve()
            let token = try await next.manage("GET", "/manage/tokens/\(tenant.tokenID)").json
            check.equal(token["request_count"].integer, 1, "requests as of the backup")
            check.usual(try await next.exchange(tenant.request()), "afterwards")
        },
        CommandScenario(
            "backup.sqlite.broken-is-refused",
            "What is no backup of ours, or a broken one, is refused, and the database stays."
        ) { bench, check in
            let server = try await bench.serve()
            let tenant = try await server.tenant()
            check.usual(try await server.exchange(tenant.request()))
            check.equal(try await server.stop(), 0, "exit code")
            let made = try await bench.finish(["db", "backup", "--to", "backup.db"], environment: [:])
            check.equal(made.code, 0, "backup: \(made.output)")
            try await bench.harm(.countsOneTooMany(tenant.tokenID), at: "backup.db")
            try bench.write("no database", to: "text.db")
            for (file, code) in [("backup.db", 4), ("text.db", 3), ("nothing.db", 3)] {
                let refused = try await bench.finish(["db", "restore", "--from", file, "--replace"], environment: [:])
                check.equal(refused.code, code, "\(file): \(refused.output)")
            }
            let next = try await bench.serve()
            check.usual(try await next.exchange(tenant.request()), "the database as it was")
        },
        CommandScenario(
            "backup.postgres.comes-back",
            "What pg_dump wrote under running servers comes back through pg_restore, and holds."
        ) { bench, check in
            let database = try await bench.makeDatabase(hasOwnServer: false)
            let settings = bench.settings(for: database).merging(["PATH": "/usr/bin:/bin"]) { $1 }
            let server = try await bench.serve(settings)
            let tenant = try await server.tenant()
            check.usual(try await server.exchange(tenant.request()))
            let made = try await bench.finish(
                ["db", "backup", "--to", "backup.dump"], environment: settings, within: .seconds(30))
            check.equal(made.code, 0, "backup: \(made.output)")
            check.usual(try await server.exchange(tenant.request()), "after the backup")
            let busy = try await bench.finish(
                ["db", "restore", "--from", "backup.dump", "--replace"], environment: settings, within: .seconds(30))
            check.equal(busy.code, 4, "under a server: \(busy.output)")
            check.equal(try await server.stop(), 0, "exit code")
            let back = try await bench.finish(
                ["db", "restore", "--from", "backup.dump", "--replace"], environment: settings, within: .seconds(60))
            check.equal(back.code, 0, "restored: \(back.output)")
            check.equal(
                try await database.run("SELECT request_count FROM tokens"), [["1"]], "requests as of the backup")
            let next = try await bench.serve(settings.merging(bench.generatedSecrets) { $1 })
            check.usual(try await next.exchange(tenant.request()), "afterwards")
            try await bench.expectSound(database, check)
        },
        CommandScenario(
            "schema.status.is-told",
            "An empty PostgreSQL is told as it is, brought up to date, and told again; a missing file is no database."
        ) { bench, check in
            let database = try await bench.makeDatabase(hasOwnServer: false)
            let settings = bench.settings(for: database)
            let before = try await bench.finish(["db", "status", "--json"], environment: settings)
            check.equal(JSONDocument(before.output)?["schema"].integer, 0, "schema before: \(before.output)")
            let migrated = try await bench.finish(["db", "migrate"], environment: settings)
            check.equal(migrated.code, 0, "migrate: \(migrated.output)")
            let after = try await bench.finish(["db", "status", "--json"], environment: settings)
            let json = JSONDocument(after.output) ?? .null
            check.that((json["schema"].integer ?? 0) > 10, "schema after: \(after.output)")
            check.equal(json["schema"], json["known_schema"], "known schema")
            check.equal(json["rows"]["projects"].integer, 0, "projects")
            let again = try await bench.finish(["db", "migrate"], environment: settings)
            check.that(again.output.contains("nothing to do"), "a second time: \(again.output)")
            let missing = try await bench.finish(["db", "status"], environment: [:])
            check.equal(missing.code, 3, "no file: \(missing.output)")
            check.equal(bench.files().filter { $0.contains("llm-proxy.db") }, [], "what was made for nothing")
        },
    ]
}
