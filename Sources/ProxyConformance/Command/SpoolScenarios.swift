import ProxyDomain
import ProxyStorage

extension CommandScenario {
    private static let spooling = ["DATABASE_OUTAGE": "spool", "DATABASE_WAIT": "500ms"]

    /// What is promised of servers that go on while PostgreSQL is away.
    static let spools: [CommandScenario] = [
        CommandScenario(
            "fault.spool.serves-through-an-outage",
            "With DATABASE_OUTAGE=spool tokens without limits are served while PostgreSQL is away, others are refused; then all is "
                + "counted, once.",
            tags: [.slow, .fault]
        ) { bench, check in
            let database = try await bench.makeDatabase(hasOwnServer: true)
            let server = try await bench.serve(on: database, spooling)
            let (free, capped) = (try await server.tenant(), try await server.tenant(cap: 100, name: "capped"))
            let strange = try await server.tenant(name: "not looked up yet")
            for tenant in [free, capped] { check.usual(try await server.exchange(tenant.request())) }
            try await database.crash()
            for number in 1...30 { check.usual(try await server.exchange(free.request()), "away, request \(number)") }
            for tenant in [capped, strange] {
                let refused = try await server.exchange(tenant.request())
                check.refusal(refused, 503, "database_unavailable")
                check.that(refused.fields.first("retry-after") != nil, "no Retry-After")
            }
            let ready = try await server.exchange(HTTPRequest(method: "GET", target: "/ready"))
            check.equal(ready.status, 200, "/ready meanwhile")
            let metrics = try await server.manage("GET", "/metrics").text
            check.that(
                metrics.contains("\nllm_proxy_spool_batches ") && !metrics.contains("\nllm_proxy_spool_batches 0\n"),
                "the spool is not told of")
            try await database.resume()
            let over = ContinuousClock.now
            let isServed = try await eventually { try await server.exchange(capped.request()).status == 200 }
            check.that(isServed, "not served again")
            FaultFigures.note(.rounds, 1)
            FaultFigures.noteBack(since: over)
            check.equal(try await server.stop(), 0, "exit code")
            let counts = try await database.run(
                "SELECT request_count FROM tokens WHERE id IN ('\(free.tokenID)', '\(capped.tokenID)') ORDER BY 1 DESC")
            check.equal(counts, [["31"], ["2"]], "counts")
            let ends = try await database.run("SELECT DISTINCT outcome FROM requests")
            check.equal(ends, [["completed"]], "outcomes")
            try await bench.expectSound(database, check)
        },
        CommandScenario(
            "fault.spool.survives-kills",
            "Servers killed in an outage, or while they write what they spooled: every answer that began is counted, once.",
            tags: [.slow, .fault]
        ) { bench, check in
            let database = try await bench.makeDatabase(hasOwnServer: true)
            let traffic = try await Traffic(over: [bench.serve(on: database, spooling)])
            try await traffic.run(
                rounds: max(3, bench.faultRounds / 2), start: { try await bench.serve(on: database, spooling) },
                end: { server in
                    try await database.crash()
                    try await Task.sleep(for: .milliseconds(Int.random(in: 600...1200)))
                    let diesFirst = Bool.random()
                    if diesFirst { try await server.kill() }
                    try await database.resume()
                    // It tries the database each half second, and so may be anywhere in what it has to write.
                    if !diesFirst { try await Task.sleep(for: .milliseconds(Int.random(in: 0...700))) }
                    if !diesFirst { try await server.kill() }
                })
            check.equal(try await traffic.servers[0].stop(), 0, "exit code")
            try await traffic.audit(database, check)
            try await bench.expectSound(database, check)
        },
        CommandScenario(
            "fault.spool.outlasts-silence",
            "A PostgreSQL that says nothing any more is given up after a while; from then on tokens without limits are served at once.",
            tags: [.slow, .fault]
        ) { bench, check in
            let database = try await bench.makeDatabase(hasOwnServer: false, hasWire: true, hasStandby: false)
            let server = try await bench.serve(on: database, spooling)
            let (free, capped) = (try await server.tenant(), try await server.tenant(cap: 100, name: "capped"))
            for tenant in [free, capped] { check.usual(try await server.exchange(tenant.request())) }
            try await database.freeze()
            let isServed = try await eventually(within: .seconds(15)) {
                try await server.exchange(free.request()).status == 200
            }
            check.that(isServed, "not served")
            var longest = Duration.zero
            for number in 1...40 {
                let start = ContinuousClock.now
                check.usual(try await server.exchange(free.request()), "silent, request \(number)")
                longest = max(longest, StallWatch.shared.runningTime(since: start))
                try await Task.sleep(for: .milliseconds(50))
            }
            check.that(longest < .milliseconds(800), "one took \(longest)")
            try await database.thaw()
            let over = ContinuousClock.now
            let isCapped = try await eventually { try await server.exchange(capped.request()).status == 200 }
            check.that(isCapped, "a capped token is not served again")
            FaultFigures.note(.rounds, 1)
            FaultFigures.noteBack(since: over)
            check.equal(try await server.stop(), 0, "exit code")
            let count = try await database.run(
                "SELECT count(*) >= 42 FROM requests WHERE token_id = '\(free.tokenID)' AND status = 200")
            check.equal(count, [["t"]], "what was served is counted")
            try await bench.expectSound(database, check)
        },
        CommandScenario(
            "fault.spool.full-is-refused",
            "A spool that is full refuses what it can't keep, and what it has kept is counted.",
            tags: [.slow, .fault]
        ) { bench, check in
            let database = try await bench.makeDatabase(hasOwnServer: true)
            let server = try await bench.serve(on: database, spooling.merging(["SPOOL_MAX_SIZE": "64KiB"]) { $1 })
            let free = try await server.tenant()
            check.usual(try await server.exchange(free.request()))
            try await database.crash()
            var served: Int64 = 1
            for _ in 0..<2000 {
                guard try await server.exchange(free.request()).status == 200 else { break }
                served += 1
            }
            check.that((50..<1000).contains(served), "\(served) served")
            try await database.resume()
            var refused: Int64 = 1
            let isServed = try await eventually {
                if try await server.exchange(free.request()).status == 200 { return true }
                refused += 1
                return false
            }
            check.that(isServed, "not served again")
            check.equal(try await server.stop(), 0, "exit code")
            let rows = try await database.run("SELECT count(*) FROM requests WHERE status = 200")
            let count = rows.first?.first.flatMap { $0 }.flatMap { Int64($0) } ?? 0
            // One that nobody could be told of in time may have been counted all the same.
            check.that(
                (served + 1...served + 1 + refused).contains(count), "\(count) of \(served + 1) and \(refused) refused")
            FaultFigures.note(.lost, Int(max(0, served + 1 - count)))
            FaultFigures.note(.rounds, 1)
            try await bench.expectSound(database, check)
        },
        CommandScenario(
            "command.spool.wants-postgres", "DATABASE_OUTAGE=spool with a SQLite file is one clear line and a failure."
        ) { bench, check in
            let (code, output) = try await bench.finish(
                ["server", "--listen", "127.0.0.1:0"], environment: ["DATABASE_OUTAGE": "spool"])
            check.that(code != 0 && code != nil, "exit code \(String(describing: code))")
            check.that(output.contains("DATABASE_OUTAGE") && output.contains("DB_DRIVER"), "output: \(output)")
        },
    ]
}
