import ProxyDomain
import ProxyStorage

extension CommandScenario {
    /// What moving a database promises.
    static let copies: [CommandScenario] = [
        CommandScenario(
            "copy.both-ways.keeps-everything",
            "What SQLite counted is in PostgreSQL, and back again: tokens, caps, rows; each side is compared with the other (G09)."
        ) { bench, check in
            let database = try await bench.makeDatabase(hasOwnServer: false)
            let first = try await bench.serve()
            let tenant = try await first.tenant(cap: 5)
            let other = try await first.tenant(name: "other")
            for _ in 1...3 { check.usual(try await first.exchange(tenant.request())) }
            _ = try await first.manage("DELETE", "/manage/tokens/\(other.tokenID)")
            check.equal(try await first.stop(), 0, "the first server's exit code")
            let secrets = bench.generatedSecrets

            let there = try await bench.copy("sqlite:data/llm-proxy.db", database.url)
            check.equal(there.code, 0, "copied: \(there.output)")
            check.equal(there.json["invariants_hold"], .bool(true), "invariants")
            let second = try await bench.serve(bench.settings(for: database).merging(secrets) { $1 })
            check.usual(try await second.exchange(tenant.request()), "the token in PostgreSQL")
            check.refusal(try await second.exchange(other.request()), 401, "token_inactive")
            check.equal(try await second.stop(), 0, "the second server's exit code")
            try await bench.expectSound(database, check)

            let back = try await bench.copy(database.url, "back/llm-proxy.db")
            check.equal(back.code, 0, "copied back: \(back.output)")
            check.equal(back.rows(of: "requests"), 4, "rows of requests")
            check.equal(back.checksum(of: "projects"), there.checksum(of: "projects"), "nothing changed the projects")
            let third = try await bench.serve(secrets.merging(["DATABASE_PATH": "back/llm-proxy.db"]) { $1 })
            check.usual(try await third.exchange(tenant.request()), "the fifth of five")
            check.refusal(try await third.exchange(tenant.request()), 429, "quota_exceeded")
            let token = try await third.manage("GET", "/manage/tokens/\(tenant.tokenID)").json
            check.equal(token["request_count"].integer, 5, "count after two moves")
        },
        CommandScenario(
            "copy.kill.goes-on",
            "A copy that is killed half-way is no database to serve from, and the same command makes it whole."
        ) { bench, check in
            let database = try await bench.makeDatabase(hasOwnServer: false)
            let tenant = try await bench.makeSource()
            check.equal(try await bench.serve(on: database).stop(), 0, "the tables are made")
            try await database.hold("LOCK TABLE requests IN EXCLUSIVE MODE")
            let copying = try await bench.start(
                ["db", "copy", "--from", "data/llm-proxy.db", "--to", database.url],
                environment: ["DATABASE_WAIT": "60s"])
            let isHalfDone = try await eventually {
                try await database.run("SELECT count(*) FROM tokens") == [["1"]]
            }
            check.that(isHalfDone, "tokens never arrive: \(copying.output)")
            copying.kill()
            check.that(try await eventually { copying.exitCode == 137 }, "it did not end")
            try await database.release()

            let early = try await bench.finish(
                ["server", "--listen", "127.0.0.1:0"], environment: bench.settings(for: database))
            check.equal(early.code, 1, "a server on half a database")
            check.that(
                early.output.contains("did not end") && early.output.contains("db copy"), "said: \(early.output)")
            check.equal(early.output.split(separator: "\n").count, 1, "lines")
            let copied = try await bench.copy("data/llm-proxy.db", database.url)
            check.equal(copied.code, 0, "copied: \(copied.output)")
            check.equal(copied.json["went_on"], .bool(true), "it went on")
            check.equal(copied.rows(of: "requests"), 2, "rows of requests")
            let server = try await bench.serve(
                bench.settings(for: database).merging(bench.generatedSecrets) { $1 })
            check.usual(try await server.exchange(tenant.request()), "afterwards")
        },
        CommandScenario(
            "copy.target.not-empty-is-refused",
            "A target with something in it stays as it is; told to replace it, the copy does, and nothing is left of what was there."
        ) { bench, check in
            let database = try await bench.makeDatabase(hasOwnServer: false)
            _ = try await bench.makeSource()
            let other = try await bench.serve(on: database)
            let stranger = try await other.tenant(name: "stranger")
            check.usual(try await other.exchange(stranger.request()))
            check.equal(try await other.stop(), 0, "exit code")
            for more in [[], ["--dry-run"]] {
                let refused = try await bench.copy("data/llm-proxy.db", database.url, more)
                check.equal(refused.code, 4, "exit code with \(more)")
                check.that(refused.output.contains("--replace"), "said: \(refused.output)")
            }
            check.equal(try await database.run("SELECT name FROM projects"), [["stranger"]], "the target's projects")
            let looked = try await bench.copy("data/llm-proxy.db", database.url, ["--dry-run", "--replace"])
            check.equal(looked.rows(of: "requests"), 2, "rows it would copy: \(looked.output)")
            check.equal(try await database.run("SELECT name FROM projects"), [["stranger"]], "after a dry run")
            let copied = try await bench.copy("data/llm-proxy.db", database.url, ["--replace"])
            check.equal(copied.code, 0, "replaced: \(copied.output)")
            check.equal(try await database.run("SELECT name FROM projects"), [["acme"]], "the projects in the end")
        },
        CommandScenario(
            "copy.server.is-not-copied-under",
            "While a server uses one of the databases, nothing is copied: it would count what the copy does not have."
        ) { bench, check in
            let database = try await bench.makeDatabase(hasOwnServer: false)
            let server = try await bench.serve()
            let busy = try await bench.copy("data/llm-proxy.db", database.url)
            check.equal(busy.code, 4, "exit code beside the source's server")
            check.that(busy.output.contains("stop"), "said: \(busy.output)")
            check.equal(try await server.stop(), 0, "exit code")
            let other = try await bench.serve(on: database)
            let taken = try await bench.copy("data/llm-proxy.db", database.url)
            check.equal(taken.code, 4, "exit code beside the target's server")
            check.that(taken.output.contains("in use by 1 server"), "said: \(taken.output)")
            check.equal(try await other.stop(), 0, "exit code")
        },
        CommandScenario(
            "copy.difference.is-found",
            "A row that arrives otherwise than it was sent fails the copy, which says where."
        ) { bench, check in
            let database = try await bench.makeDatabase(hasOwnServer: false)
            _ = try await bench.makeSource()
            check.equal(try await bench.serve(on: database).stop(), 0, "the tables are made")
            try await database.run(
                """
                CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN NEW.request_count := NEW.request_count + 1; RETURN NEW; END $$;
                CREATE TRIGGER meddler BEFORE INSERT ON tokens FOR EACH ROW EXECUTE FUNCTION meddle();
                """)
            for _ in 1...2 {
                let copied = try await bench.copy("data/llm-proxy.db", database.url)
                check.equal(copied.code, 1, "exit code")
                check.that(copied.output.contains("tokens is not the same"), "said: \(copied.output)")
            }
            let further = try await bench.copy(database.url, "further.db")
            check.equal(further.code, 4, "a copy of what is no whole copy: \(further.output)")
            try await database.run("DROP TRIGGER meddler ON tokens")
            let mended = try await bench.copy("data/llm-proxy.db", database.url, ["--replace"])
            check.equal(mended.code, 0, "copied again, from the beginning: \(mended.output)")
        },
        CommandScenario(
            "copy.itself.is-refused",
            "A database that is both sides, under whatever name, is not copied over itself, nor emptied."
        ) { bench, check in
            let database = try await bench.makeDatabase(hasOwnServer: false)
            let server = try await bench.serve(on: database)
            let tenant = try await server.tenant()
            check.usual(try await server.exchange(tenant.request()))
            check.equal(try await server.stop(), 0, "exit code")
            let other = database.url + (database.url.contains("?") ? "&" : "?") + "application_name=other"
            let named = other.replacing("postgres://postgres@", with: "postgres://postgres:any@")
            for target in [other, named] {
                let refused = try await bench.copy(database.url, target, ["--replace"])
                check.that(
                    refused.code == 4 || refused.code == 2, "onto itself: \(refused.code ?? -1) \(refused.output)")
            }
            check.equal(try await database.run("SELECT count(*) FROM requests"), [["1"]], "requests")
        },
        CommandScenario(
            "copy.faults.are-clear",
            "What can't be copied is said in one line, without passwords, with the exit code for it."
        ) { bench, check in
            let away = "postgres://user:hidden-word@127.0.0.1:1/db"
            _ = try await bench.makeSource()
            let faults: [(from: String, to: String, code: Int, said: String)] = [
                ("data/llm-proxy.db", away, 3, "Connection refused"), ("data/nothing.db", away, 3, "nothing.db"),
                ("mysql://user:hidden-word@host/db", away, 2, "--from"), ("data/llm-proxy.db", "sqlite:", 2, "--to"),
                ("data/llm-proxy.db", "sqlite:./data/../data/llm-proxy.db", 2, "same database"),
                ("data/management-token", "new.db", 3, "management-token"),
            ]
            for fault in faults {
                let (code, output) = try await bench.finish(
                    ["db", "copy", "--from", fault.from, "--to", fault.to], environment: ["DATABASE_WAIT": "100ms"])
                check.equal(code, fault.code, "exit code for \(fault.said): \(output)")
                check.that(output.contains(fault.said), "said: \(output)")
                check.equal(output.split(separator: "\n").count, 1, "lines: \(output)")
                check.that(!output.contains("hidden-word"), "the password is shown: \(output)")
            }
            check.equal(bench.mode(of: "new.db"), nil, "what was made for nothing")
        },
    ]
}

/// What `db copy --json` said.
private struct CopyResult {
    let code: Int?
    let output: String

    var json: JSONDocument { JSONDocument(output) ?? .null }

    func rows(of table: String) -> Int? { entry(table)["rows"].integer }
    func checksum(of table: String) -> String? { entry(table)["checksum"].string }

    private func entry(_ table: String) -> JSONDocument {
        json["tables"].items.first { $0["name"].string == table } ?? .null
    }
}

extension CommandBench {
    fileprivate func copy(_ source: String, _ target: String, _ more: [String] = []) async throws -> CopyResult {
        let (code, output) = try await finish(
            ["db", "copy", "--json", "--from", source, "--to", target] + more, within: .seconds(30))
        return CopyResult(code: code, output: output)
    }

    /// A SQLite database with one tenant and two requests, and no server.
    fileprivate func makeSource() async throws -> Tenant {
        let server = try await serve()
        let tenant = try await server.tenant()
        for _ in 1...2 { _ = try await server.exchange(tenant.request()) }
        guard try await server.stop() == 0 else { throw StepFailed(description: "the source's server did not stop") }
        return tenant
    }

    /// What the first server in this folder made for itself, as settings for others.
    var generatedSecrets: [String: String] {
        let files = ["ENCRYPTION_KEY": "data/encryption-key", "MANAGEMENT_TOKEN": "data/management-token"]
        return files.compactMapValues { file in
            bytes(of: file).map { String(decoding: $0, as: UTF8.self).filter { !$0.isWhitespace } }
        }
    }
}
