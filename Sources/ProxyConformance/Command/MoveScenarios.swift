import ProxyDomain
import ProxyStorage

extension CommandScenario {
    /// What is promised when a database moves while servers use it.
    static let moves: [CommandScenario] = [
        CommandScenario(
            "move.file-to-server.loses-nothing",
            "A SQLite file moves to PostgreSQL at 500 requests a second: its server goes along, nobody waits for more than 2 s, no request "
                + "fails, each is counted once, and no server starts on the old one (G19).",
            tags: [.slow]
        ) { bench, check in
            let database = try await bench.makeDatabase(hasOwnServer: false)
            let server = try await bench.serve()
            let traffic = try await Traffic(over: [server], rate: 500)
            try await traffic.run {
                try await Task.sleep(for: .milliseconds(500))
                let moved = try await bench.move("data/llm-proxy.db", database.url)
                bench.expectMoved(moved, servers: 1, check)
                let late = try await server.tenant(name: "late")
                check.usual(try await server.exchange(late.request()), "made after the move")
                try await Task.sleep(for: .milliseconds(500))
            }
            bench.expectCalm(traffic, check)
            check.equal(try await database.run("SELECT count(*) FROM projects"), [["3"]], "projects")
            let health = try await server.exchange(HTTPRequest(method: "GET", target: "/health")).json
            check.equal(health["database"]["driver"].string, "postgres", "driver")
            check.that(
                health["warnings"].items.contains { $0.string?.contains("change DB_DRIVER") == true },
                "warned: \(health)")
            check.equal(try await server.stop(), 0, "exit code")
            try await traffic.audit(database, check)
            try await bench.expectSound(database, check)
            let old = try await bench.finish(["server", "--listen", "127.0.0.1:0"])
            check.equal(old.code, 1, "a server on the old database")
            check.that(old.output.contains("has moved to postgres"), "said: \(old.output)")
            let next = try await bench.serve(bench.settings(for: database).merging(bench.generatedSecrets) { $1 })
            check.usual(try await next.exchange(traffic.free.request()), "after the next start")
        },
        CommandScenario(
            "move.server-to-file.loses-nothing",
            "PostgreSQL moves to a SQLite file while a server uses it, which then has the file for itself.",
            tags: [.slow]
        ) { bench, check in
            let database = try await bench.makeDatabase(hasOwnServer: false)
            let server = try await bench.serve(on: database, bench.sharedKey)
            let traffic = try await Traffic(over: [server], rate: 300)
            try await traffic.run {
                let moved = try await bench.move(database.url, "moved/llm-proxy.db", bench.sharedKey)
                bench.expectMoved(moved, servers: 1, check)
                let second = try await bench.finish(
                    ["server", "--listen", "127.0.0.1:0"],
                    environment: bench.sharedKey.merging(["DATABASE_PATH": "moved/llm-proxy.db"]) { $1 })
                check.equal(second.code, 1, "a second server on the file")
                check.that(second.output.contains("another server"), "said: \(second.output)")
            }
            bench.expectCalm(traffic, check)
            check.equal(try await server.stop(), 0, "exit code")
            try await traffic.audit(file: "moved/llm-proxy.db", of: bench, check)
        },
        CommandScenario(
            "move.several-servers.go-together",
            "Three servers on one PostgreSQL go to another together: caps hold over all of them before and after.",
            tags: [.slow]
        ) { bench, check in
            let database = try await bench.makeDatabase(hasOwnServer: false)
            let other = try await bench.makeDatabase(hasOwnServer: false)
            let traffic = try await Traffic(over: bench.serve(3, on: database, bench.sharedKey), rate: 500)
            try await traffic.run {
                let moved = try await bench.move(database.url, other.url, bench.sharedKey)
                bench.expectMoved(moved, servers: 3, check)
                let late = try await traffic.servers[0].tenant(name: "late")
                for server in traffic.servers { check.usual(try await server.exchange(late.request()), "afterwards") }
                _ = try await traffic.servers[1].manage("DELETE", "/manage/tokens/\(late.tokenID)")
                for server in traffic.servers {
                    check.refusal(try await server.exchange(late.request()), 401, "token_inactive")
                }
                try await Task.sleep(for: .milliseconds(500))
            }
            bench.expectCalm(traffic, check)
            for server in traffic.servers { check.equal(try await server.stop(), 0, "exit code") }
            try await traffic.audit(other, check)
            try await bench.expectSound(other, check)
        },
        CommandScenario(
            "move.kill.goes-on-or-ends",
            "A move that is killed half-way harms no request; the same command goes on with it, or --abandon ends it.",
            tags: [.slow]
        ) { bench, check in
            let database = try await bench.makeDatabase(hasOwnServer: false)
            let server = try await bench.serve()
            let tenant = try await server.tenant()
            check.usual(try await server.exchange(tenant.request()))
            let half = try await bench.moveHalf("data/llm-proxy.db", to: database, check)
            check.usual(try await server.exchange(tenant.request()), "half-way")
            let early = try await bench.finish(
                ["server", "--listen", "127.0.0.1:0"], environment: bench.settings(for: database))
            check.that(
                early.code == 1 && early.output.contains("did not end"), "on half of it: \(half) \(early.output)")
            let status = try await bench.finish(["db", "status", "--json"]).output
            check.that(JSONDocument(status)?["moves_to"].string?.hasPrefix("postgres") == true, "status: \(status)")
            let doctor = try await bench.finish(["doctor", "--offline"]).output
            check.that(doctor.contains("being copied to postgres"), "doctor: \(doctor)")
            let other = try await bench.move("data/llm-proxy.db", "elsewhere.db")
            check.that(other.code == 4 && other.output.contains("--abandon"), "elsewhere: \(other.output)")

            try await bench.expectBackupThatStays(check)
            let ended = try await bench.finish(["db", "copy", "--abandon", "--from", "data/llm-proxy.db"])
            check.that(ended.code == 0 && ended.output.contains("does not move"), "abandoned: \(ended.output)")
            check.usual(try await server.exchange(tenant.request()), "after the end")
            let third = try await bench.makeDatabase(hasOwnServer: false)
            _ = try await bench.moveHalf("data/llm-proxy.db", to: third, check)
            check.usual(try await server.exchange(tenant.request()), "half-way again")
            let moved = try await bench.move("data/llm-proxy.db", third.url)
            bench.expectMoved(moved, servers: 1, check)
            check.equal(moved.json["went_on"], .bool(true), "it went on")
            check.usual(try await server.exchange(tenant.request()), "in PostgreSQL")
            let there = try await bench.finish(["db", "status", "--json"]).output
            check.equal(JSONDocument(there)?["has_moved"], .bool(true), "status: \(there)")
            check.equal(try await third.run("SELECT count(*) FROM requests"), [["5"]], "requests")
            check.equal(try await server.stop(), 0, "exit code")
            try await bench.expectSound(third, check)
        },
        CommandScenario(
            "move.back.works-without-a-restart",
            "A server that went from its file to PostgreSQL goes back to the same file, with all that was counted meanwhile.",
            tags: [.slow]
        ) { bench, check in
            let database = try await bench.makeDatabase(hasOwnServer: false)
            let server = try await bench.serve()
            let tenant = try await server.tenant(cap: 4)
            check.usual(try await server.exchange(tenant.request()))
            bench.expectMoved(try await bench.move("data/llm-proxy.db", database.url), servers: 1, check)
            check.usual(try await server.exchange(tenant.request()), "in PostgreSQL")
            let other = try await server.tenant(name: "made there")
            let back = try await bench.move(
                database.url, "data/llm-proxy.db", bench.generatedSecrets, more: ["--replace"])
            bench.expectMoved(back, servers: 1, check)
            for number in 3...4 { check.usual(try await server.exchange(tenant.request()), "request \(number)") }
            check.refusal(try await server.exchange(tenant.request()), 429, "quota_exceeded")
            check.usual(try await server.exchange(other.request()), "what was made meanwhile")
            let health = try await server.exchange(HTTPRequest(method: "GET", target: "/health")).json
            check.equal(health["warnings"].items.count, 0, "warnings: \(health)")
            check.equal(try await server.stop(), 0, "exit code")
            try await bench.expectSoundAndSettled("data/llm-proxy.db", check)
            let next = try await bench.serve()
            check.usual(try await next.exchange(other.request()), "after the next start")
        },
        CommandScenario(
            "move.restart-while-closed.opens",
            "A server that starts on a file that a dead command left closed waits, and opens it again.", tags: [.slow]
        ) { bench, check in
            let database = try await bench.makeDatabase(hasOwnServer: false)
            let server = try await bench.serve()
            let tenant = try await server.tenant()
            _ = try await bench.moveHalf("data/llm-proxy.db", to: database, check)
            try await server.kill()
            try await bench.makeSQLite("UPDATE moves SET state = 'closed'", at: "data/llm-proxy.db")
            let next = try await bench.serve()
            check.usual(try await next.exchange(tenant.request()), "after it waited")
            bench.expectMoved(try await bench.move("data/llm-proxy.db", database.url), servers: 1, check)
            check.usual(try await next.exchange(tenant.request()), "in PostgreSQL")
        },
        CommandScenario(
            "move.second-command.puts-the-first-aside",
            "Of two commands on one database the later one goes on, and the earlier one ends without having lost anything.",
            tags: [.slow]
        ) { bench, check in
            let database = try await bench.makeDatabase(hasOwnServer: false)
            let server = try await bench.serve()
            let tenant = try await server.tenant()
            _ = try await bench.moveHalf("data/llm-proxy.db", to: database, check)
            let both = try await withThrowingTaskGroup(of: MoveResult.self) { group in
                for _ in 1...2 { group.addTask { try await bench.move("data/llm-proxy.db", database.url) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            check.equal(both.count { $0.code == 0 }, 1, "that moved it: \(both.map(\.output))")
            check.usual(try await server.exchange(tenant.request()), "in PostgreSQL")
            check.equal(try await server.stop(), 0, "exit code")
            try await bench.expectSound(database, check)
        },
        CommandScenario(
            "move.unable-server.keeps-all-where-they-are",
            "A server that can't go over keeps the others from it: the command says why, and all serve as before.",
            tags: [.slow]
        ) { bench, check in
            let database = try await bench.makeDatabase(hasOwnServer: false)
            let server = try await bench.serve()
            let tenant = try await server.tenant()
            let other = try await bench.move(
                "data/llm-proxy.db", database.url, ["ENCRYPTION_KEY": "bm90IHRoZSBzZXJ2ZXIncyBrZXksIGJ1dCAzMiBsb24="])
            check.equal(other.code, 4, "exit code: \(other.output)")
            check.that(other.output.contains("can't go to postgres"), "said: \(other.output)")
            check.usual(try await server.exchange(tenant.request()), "afterwards")
            check.equal(try await server.stop(), 0, "exit code")
        },
        CommandScenario(
            "move.dead-command.reopens",
            "When the command dies while the database is closed, the servers open it again by themselves.",
            tags: [.slow]
        ) { bench, check in
            let database = try await bench.makeDatabase(hasOwnServer: false)
            let target = try await bench.makeDatabase(hasOwnServer: false)
            let server = try await bench.serve(
                on: database, bench.sharedKey.merging(["DATABASE_WAIT": "1s"]) { $1 })
            let tenant = try await server.tenant(cap: 10)
            _ = try await bench.moveHalf(database.url, to: target, check, bench.sharedKey)
            try await database.run("UPDATE moves SET state = 'closed'")
            check.refusal(try await server.exchange(tenant.request()), 503, "database_unavailable")
            let isOpen = try await eventually(within: .seconds(20)) {
                try await server.exchange(tenant.request()).status == 200
            }
            check.that(isOpen, "still closed: \(server.command.output)")
            let moved = try await bench.move(database.url, target.url, bench.sharedKey)
            bench.expectMoved(moved, servers: 1, check)
            let served = "SELECT count(*) FROM requests WHERE status = 200"
            check.equal(try await target.run(served), [["1"]], "served")
            check.usual(try await server.exchange(tenant.request()), "in the other")
        },
    ]
}

/// What `db copy --live --json` said.
private struct MoveResult {
    let code: Int?
    let output: String
    /// For how long this machine stood still meanwhile.
    let stalled: Duration

    var json: JSONDocument { JSONDocument(output) ?? .null }
}

extension CommandBench {
    /// A key that servers and commands are given alike.
    fileprivate var sharedKey: [String: String] {
        ["ENCRYPTION_KEY": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="]
    }

    fileprivate func move(
        _ source: String, _ target: String, _ environment: [String: String] = [:], more: [String] = []
    ) async throws -> MoveResult {
        let start = ContinuousClock.now
        let (code, output) = try await finish(
            ["db", "copy", "--live", "--json", "--from", source, "--to", target] + more, environment: environment,
            within: .seconds(60))
        return MoveResult(code: code, output: output, stalled: StallWatch.shared.stalledTime(since: start))
    }

    /// Begins a move and kills the command once tokens have arrived, before requests can.
    fileprivate func moveHalf(
        _ source: String, to database: any CommandDatabase, _ check: Check, _ environment: [String: String] = [:]
    ) async throws -> String {
        if try await database.run("SELECT to_regclass('requests')") == [[nil]] {
            check.equal(try await serve(on: database).stop(), 0, "the tables are made")
        }
        try await database.hold("LOCK TABLE requests IN SHARE MODE")
        let moving = try await start(
            ["db", "copy", "--live", "--from", source, "--to", database.url], environment: environment)
        let isHalfDone = try await eventually { try await database.run("SELECT count(*) FROM tokens") == [["1"]] }
        check.that(isHalfDone, "tokens never arrive: \(moving.output)")
        moving.kill()
        check.that(try await eventually { moving.exitCode == 137 }, "it did not end")
        try await database.release()
        return moving.output
    }

    /// A backup that is made during a move comes back as a database that moves nowhere.
    fileprivate func expectBackupThatStays(_ check: Check) async throws {
        let restored = ["DATABASE_PATH": "restored.db"]
        for (arguments, environment) in [
            (["db", "backup", "--to", "half.db"], [:]), (["db", "restore", "--from", "half.db"], restored),
        ] {
            let (code, output) = try await finish(arguments, environment: environment)
            check.equal(code, 0, "\(arguments[1]): \(output)")
        }
        let status = JSONDocument(try await finish(["db", "status", "--json"], environment: restored).output) ?? .null
        check.equal(status["moves_to"], .null, "the restored one moves")
        check.equal(status["rows"]["requests"].integer, 2, "rows of requests")
    }

    fileprivate func expectMoved(_ moved: MoveResult, servers: Int, _ check: Check) {
        check.equal(moved.code, 0, "moved: \(moved.output)")
        check.equal(moved.json["invariants_hold"], .bool(true), "invariants")
        check.equal(moved.json["servers"].integer, servers, "servers that went over")
        let pause = moved.json["pause_milliseconds"].double ?? .infinity
        check.that(
            pause < 2000 + moved.stalled / .milliseconds(1), "closed for \(pause) ms, stalled for \(moved.stalled)")
    }

    /// No request failed, and at no time were all of them kept waiting for long.
    fileprivate func expectCalm(_ traffic: Traffic, _ check: Check) {
        check.equal(traffic.statuses.keys.filter { ![200, 429].contains($0) }, [], "other statuses")
        check.equal(traffic.cutShort, 0, "answers cut short")
        check.that(traffic.longestSilence < .seconds(2), "no answer for \(traffic.longestSilence)")
    }
}
