import ProxyDomain
import ProxyStorage

extension CommandScenario {
    /// What is promised while the disk under a SQLite file fails.
    static let diskFaults: [CommandScenario] =
        [
            (.full, "is full"), (.failing, "fails"), (.unsynced, "can't be synced"), (.readOnly, "may only be read"),
        ].map { (fault: DiskFault, says: String) in
            CommandScenario(
                "fault.disk.\(fault.rawValue)-is-answered-in-time",
                "While the disk \(says), clients get a 503 in time; then all goes on, within 2 s, and nothing is missing.",
                tags: [.slow, .fault]
            ) { bench, check in
                let faults = try await bench.makeFaults(in: "llm-proxy.db")
                let server = try await bench.serve(faults.environment.merging(["DATABASE_WAIT": "500ms"]) { $1 })
                try await sitOut(
                    server, check, begin: { try faults.disk(fault) },
                    end: {
                        let ready = try await server.exchange(HTTPRequest(method: "GET", target: "/ready"))
                        check.equal(ready.status, 503, "/ready meanwhile")
                        check.that(server.command.output.contains("a ledger batch failed"), "nothing is logged")
                        try faults.disk(.none)
                        let isReady = try await eventually(within: .seconds(2)) {
                            try await server.exchange(HTTPRequest(method: "GET", target: "/ready")).status == 200
                        }
                        check.that(isReady, "/ready after it")
                    })
                try await bench.expectSoundAndSettled("data/llm-proxy.db", check)
            }
        } + [
            CommandScenario(
                "fault.disk.comes-and-goes-under-load",
                "A disk that is full, fails or is not synced at random moments: every answer that began is counted, once.",
                tags: [.slow, .fault]
            ) { bench, check in
                let faults = try await bench.makeFaults(in: "llm-proxy.db")
                let server = try await bench.serve(faults.environment.merging(["DATABASE_WAIT": "500ms"]) { $1 })
                let traffic = try await Traffic(over: [server])
                try await traffic.run {
                    for _ in 0..<bench.faultRounds * 2 {
                        let fault: DiskFault = [.full, .failing, .unsynced, .short, .readOnly].randomElement() ?? .full
                        try await Task.sleep(for: .milliseconds(Int.random(in: 50...200)))
                        FaultFigures.note(.rounds, 1)
                        try faults.disk(fault)
                        try await Task.sleep(for: .milliseconds(Int.random(in: 10...200)))
                        try faults.disk(.none)
                    }
                }
                let others = traffic.statuses.keys.filter { ![200, 429, 503].contains($0) }
                check.equal(others, [], "other statuses")
                check.equal(try await server.stop(), 0, "exit code")
                try await traffic.audit(file: "data/llm-proxy.db", of: bench, check)
            },
            CommandScenario(
                "fault.disk.short-writes-are-made-up-for", "A disk that does half of each write refuses no client.",
                tags: [.slow, .fault]
            ) { bench, check in
                let faults = try await bench.makeFaults(in: "llm-proxy.db")
                let server = try await bench.serve(faults.environment)
                let tenant = try await server.tenant()
                try faults.disk(.short)
                for number in 1...20 { check.usual(try await server.exchange(tenant.request()), "request \(number)") }
                check.equal(try await server.stop(), 0, "exit code")
                let storage = try await bench.openStorage(at: "data/llm-proxy.db")
                check.equal(try await storage.verify().filter { !$0.holds }, [], "broken invariants")
                check.equal(try await storage.token(tenant.tokenID).requestCount, 20, "count")
                await storage.close()
            },
        ]

    /// What is promised of SIGTERM while clients send.
    static let stops: [CommandScenario] = [
        CommandScenario(
            "fault.stop.under-load-cuts-nothing",
            "SIGTERM under load, again and again: no answer that began is cut short, each is counted once, the exit is 0.",
            tags: [.slow, .fault]
        ) { bench, check in
            let traffic = try await Traffic(over: [bench.serve(["SHUTDOWN_GRACE": "5s"])])
            try await traffic.run(
                rounds: bench.faultRounds, start: { try await bench.serve(["SHUTDOWN_GRACE": "5s"]) },
                end: { server in
                    let start = ContinuousClock.now
                    check.equal(try await server.stop(), 0, "exit code")
                    let took = StallWatch.shared.runningTime(since: start)
                    check.that(took < .seconds(5), "stopped after \(took)")
                })
            check.equal(try await traffic.servers[0].stop(), 0, "exit code")
            check.equal(traffic.cutShort, 0, "answers cut short")
            try await traffic.audit(file: "data/llm-proxy.db", of: bench, check)
            let storage = try await bench.openStorage(at: "data/llm-proxy.db")
            check.equal(try await storage.settleAbandoned(at: .noon), 0, "open requests")
            let ends = try await storage.requests(of: traffic.free.tokenID, after: nil, limit: 1000)
            check.equal(ends.count { $0.admission.settlement?.outcome == .inDoubt }, 0, "requests in doubt")
            await storage.close()
        }
    ]

    /// What is promised when the clock steps.
    static let clocks: [CommandScenario] = [
        CommandScenario(
            "fault.clock.steps-are-survived",
            "A clock that steps an hour to and fro shuts nobody out who may come in, and lets nobody in who may not.",
            tags: [.slow, .fault]
        ) { bench, check in
            let faults = try await bench.makeFaults(in: "no file")
            let server = try await bench.serve(faults.environment)
            let (free, other) = (try await server.tenant(), try await server.tenant(perMinute: 30, name: "limited"))
            let lasting = try await server.manage(
                "PATCH", "/manage/tokens/\(free.tokenID)", #"{"never_expires":true}"#)
            check.equal(lasting.status, 200, "never_expires")
            _ = try await server.manage("PATCH", "/manage/tokens/\(other.tokenID)", #"{"never_expires":true}"#)
            let brief = try await server.tenant(name: "for an hour")
            for ahead in [0, 3700, 0, -3700, 0, 3700, -3700, 0] as [Int64] {
                try faults.clock(ahead: ahead)
                for number in 1...3 {
                    check.usual(try await server.exchange(free.request()), "\(ahead) s ahead, request \(number)")
                    check.usual(try await server.exchange(other.request()), "\(ahead) s ahead, limited, \(number)")
                }
                let response = try await server.exchange(brief.request())
                check.equal(response.status, ahead > 0 ? 401 : 200, "\(ahead) s ahead, a token for an hour")
            }
            check.equal(try await server.stop(), 0, "exit code")
            let storage = try await bench.openStorage(at: "data/llm-proxy.db")
            check.equal(try await storage.verify().filter { !$0.holds }, [], "broken invariants")
            let rows = try await storage.requests(of: free.tokenID, after: nil, limit: 1000)
            check.equal(rows.count, 24, "rows")
            let durations = rows.compactMap(\.admission.settlement?.durationMicroseconds)
            check.that(durations.allSatisfy { (0..<60_000_000).contains($0) }, "durations \(durations)")
            await storage.close()
        }
    ]
}
