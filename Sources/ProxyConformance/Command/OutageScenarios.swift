import ProxyDomain
import ProxyStorage

extension CommandScenario {
    /// What is promised while the database can't be had.
    static let outages: [CommandScenario] = [
        CommandScenario(
            "fault.wire.frozen-is-answered-in-time",
            "While nothing passes to PostgreSQL and nobody says so, clients get a 503 in time; then all goes on, within 2 s.",
            tags: [.slow, .fault]
        ) { bench, check in
            let database = try await bench.makeDatabase(hasOwnServer: false, hasWire: true, hasStandby: false)
            let server = try await bench.serve(on: database, ["DATABASE_WAIT": "500ms"])
            try await sitOut(server, check, begin: database.freeze, end: database.thaw)
            try await bench.expectSound(database, check)
            let open = try await database.run("SELECT count(*) FROM requests WHERE settled_at IS NULL")
            check.equal(open, [["0"]], "open requests")
            // One batch was on its way, with a request of each token or of one; what waited behind it is not counted.
            let counts = try await database.run("SELECT sum(request_count) <= 5 + 3 FROM tokens")
            check.equal(counts, [["t"]], "refused requests are counted")
        },
        CommandScenario(
            "fault.pool.stuck-transaction-is-outlived",
            "A transaction that is stuck with locks on tokens keeps connections busy until none is left: all are answered in time, and "
                + "when it is gone all goes on, within 2 s.",
            tags: [.slow, .fault]
        ) { bench, check in
            let database = try await bench.makeDatabase(hasOwnServer: false)
            let server = try await bench.serve(on: database, ["DATABASE_WAIT": "500ms", "DATABASE_POOL_SIZE": "3"])
            let tenants = [try await server.tenant(), try await server.tenant(cap: 100, name: "capped")]
            for tenant in tenants { check.usual(try await server.exchange(tenant.request())) }
            try await database.hold("SELECT 1 FROM tokens FOR UPDATE")
            try await withThrowingTaskGroup { group in
                for tenant in tenants + tenants {
                    group.addTask {
                        let start = ContinuousClock.now
                        let answer = try await server.exchange(tenant.request())
                        check.refusal(answer, 503, "database_unavailable")
                        let took = StallWatch.shared.runningTime(since: start)
                        check.that(took < .seconds(2), "answered after \(took)")
                    }
                    group.addTask {
                        let path = "/manage/tokens/\(tenant.tokenID)"
                        for _ in 1...2 {
                            let start = ContinuousClock.now
                            let answer = try await server.manage("PATCH", path, #"{"name":"x"}"#)
                            check.equal(answer.status, 503, "management")
                            let took = StallWatch.shared.runningTime(since: start)
                            check.that(took < .seconds(3), "answered after \(took)")
                        }
                    }
                }
                try await group.waitForAll()
            }
            try await database.release()
            let over = ContinuousClock.now
            for tenant in tenants {
                let isServed = try await eventually { try await server.exchange(tenant.request()).status == 200 }
                check.that(isServed, "not served again")
            }
            check.equal(try await server.manage("GET", "/manage/projects").status, 200, "management afterwards")
            FaultFigures.note(.rounds, 1)
            FaultFigures.noteBack(since: over)
            let back = StallWatch.shared.runningTime(since: over)
            check.that(back < .seconds(2), "served again after \(back)")
            check.equal(try await server.stop(), 0, "exit code")
            try await bench.expectSound(database, check)
        },
        CommandScenario(
            "fault.file.held-is-answered-in-time",
            "While another program holds the SQLite file, clients get a 503 in time; then all goes on, within 2 s.",
            tags: [.slow, .fault]
        ) { bench, check in
            let server = try await bench.serve(["DATABASE_WAIT": "500ms"])
            let path = "data/llm-proxy.db"
            try await sitOut(
                server, check, begin: { try await bench.holdFile(at: path) },
                end: {
                    // In the long form it is held for as long as anybody would look at it.
                    if bench.faultRounds >= 20 { try await Task.sleep(for: .seconds(10)) }
                    await bench.releaseFile()
                })
            try await bench.expectSoundAndSettled(path, check)
        },
        CommandScenario(
            "fault.file.held-counts-as-ours",
            "What a request waits for the database is what the proxy added: it says so, and no more than the client's clock.",
            tags: [.slow, .fault]
        ) { bench, check in
            let server = try await bench.serve(["DATABASE_WAIT": "30s"])
            let capped = try await server.tenant(cap: 10)
            check.usual(try await server.exchange(capped.request()))
            let clock = ContinuousClock()
            let held = Duration.milliseconds(400)
            try await bench.holdFile(at: "data/llm-proxy.db")
            let start = clock.now
            async let answering = server.exchange(capped.request())
            // Once the server has it, which a busy machine may bring about late.
            let isThere = try await eventually {
                let metrics = try await server.exchange(HTTPRequest(method: "GET", target: "/metrics")).text
                return metrics.split(separator: "\n").contains {
                    $0.hasPrefix("llm_proxy_requests_in_flight") && $0.hasSuffix(" 1")
                }
            }
            check.that(isThere, "the request never came")
            try await clock.sleep(for: held)
            await bench.releaseFile()
            let answer = try await answering
            let whole = clock.now - start
            check.usual(answer)
            let told = answer.fields.first("x-proxy-overhead-us").flatMap { Int64($0) } ?? 0
            check.that(
                .microseconds(told) >= held && .microseconds(told) <= whole,
                "told \(told) µs of \(whole), of which the file was held for \(held)")
        },
        CommandScenario(
            "fault.file.deleted-is-noticed",
            "When the SQLite file is deleted, nobody is told that anything was counted, and no empty file takes its place.",
            tags: [.slow, .fault]
        ) { bench, check in
            let server = try await bench.serve(["DATABASE_WAIT": "300ms"])
            let path = "data/llm-proxy.db"
            let tenants = [try await server.tenant(), try await server.tenant(cap: 1000, name: "capped")]
            for tenant in tenants { check.usual(try await server.exchange(tenant.request())) }
            for part in ["", "-wal", "-shm"] { bench.remove(path + part) }
            for round in 1...3 {
                for tenant in tenants {
                    let refused = try await server.exchange(tenant.request())
                    check.refusal(refused, 503, "database_unavailable", "round \(round)")
                }
                let ready = try await server.exchange(HTTPRequest(method: "GET", target: "/ready"))
                check.equal(ready.status, 503, "/ready")
            }
            check.that(server.command.output.contains("a ledger batch failed"), "nothing is logged")
            check.equal(try await server.stop(), 0, "exit code")
            check.equal(bench.bytes(of: path), nil, "a file made in its place")
            FaultFigures.note(.rounds, 1)
        },
        CommandScenario(
            "fault.file.moved-is-noticed",
            "Nothing is counted in a SQLite file that was moved away; when it is back all goes on, and nothing is missing.",
            tags: [.slow, .fault]
        ) { bench, check in
            let server = try await bench.serve(["DATABASE_WAIT": "500ms"])
            let path = "data/llm-proxy.db"
            let parts = ["", "-wal", "-shm"]
            let refused = try await sitOut(
                server, check, begin: { for part in parts { bench.rename(path + part, to: "away.db" + part) } },
                end: {
                    // What was asked for last is given up by then: what comes back finds nothing left to be written.
                    try await Task.sleep(for: .seconds(3))
                    check.equal(bench.bytes(of: path), nil, "a file made in its place")
                    for part in parts { bench.rename("away.db" + part, to: path + part) }
                })
            let storage = try await bench.openStorage(at: path)
            check.equal(try await storage.verify().filter { !$0.holds }, [], "broken invariants")
            let counts = try await storage.tokens(TokenFilter(now: .noon), after: nil, limit: 9).map(\.requestCount)
            FaultFigures.note(.lost, max(0, 5 - Int(counts.reduce(0, +))))
            FaultFigures.note(.duplicated, max(0, Int(counts.reduce(0, +)) - 5 - refused))
            // Its commit may outlast what a client waits, once the file is back: refused, and yet counted.
            check.that(
                (5...5 + Int64(refused)).contains(counts.reduce(0, +)), "\(counts) are counted, \(refused) refused")
            await storage.close()
        },
    ]

    /// Uses three tokens before an outage, during it, and after it: five requests that succeed.
    ///
    /// - Returns: how many requests were refused after the outage's end.
    @discardableResult
    static func sitOut(
        _ server: CommandServer, _ check: Check, begin: @Sendable () async throws -> Void,
        end: @Sendable () async throws -> Void
    ) async throws -> Int {
        let strange = try await server.tenant(name: "not looked up yet")
        let tenants = [try await server.tenant(), try await server.tenant(cap: 1000, name: "capped")]
        for tenant in tenants { check.usual(try await server.exchange(tenant.request())) }
        try await begin()
        let clock = ContinuousClock()
        try await withThrowingTaskGroup { group in
            for tenant in tenants + [strange] {
                group.addTask {
                    for round in 1...2 {
                        let start = clock.now
                        let response = try await server.exchange(tenant.request())
                        check.refusal(response, 503, "database_unavailable", "round \(round)")
                        check.that(response.fields.first("retry-after") != nil, "no Retry-After")
                        let took = StallWatch.shared.runningTime(since: start)
                        check.that(took < .seconds(2), "answered after \(took)")
                    }
                }
            }
            try await group.waitForAll()
        }
        try await end()
        let over = clock.now
        var refused = 0
        for tenant in tenants + [strange] {
            let served = try await eventually {
                if try await server.exchange(tenant.request()).status == 200 { return true }
                refused += 1
                return false
            }
            check.that(served, "not served again")
        }
        FaultFigures.note(.rounds, 1)
        FaultFigures.noteBack(since: over)
        let back = StallWatch.shared.runningTime(since: over)
        check.that(back < .seconds(2), "served again after \(back)")
        check.equal(try await server.stop(), 0, "exit code")
        return refused
    }
}
