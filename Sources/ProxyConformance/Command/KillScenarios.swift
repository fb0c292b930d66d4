import ProxyDomain

extension CommandScenario {
    /// What is promised when servers are killed at random moments under load, again and again.
    static let kills: [CommandScenario] = [
        CommandScenario(
            "fault.kill.file-loses-nothing",
            "A server killed and started again, on a SQLite file: every answer that began is counted, once.",
            tags: [.slow, .fault]
        ) { bench, check in
            let traffic = try await Traffic(over: [bench.serve()])
            try await traffic.run(rounds: bench.faultRounds) { try await bench.serve() }
            check.equal(try await traffic.servers[0].stop(), 0, "exit code")
            try await traffic.audit(file: "data/llm-proxy.db", of: bench, check)
        },
        CommandScenario(
            "fault.kill.shared-loses-nothing",
            "Three servers on one PostgreSQL, killed one by one: every answer that began is counted, once.",
            tags: [.slow, .fault]
        ) { bench, check in
            let database = try await bench.makeDatabase(hasOwnServer: false)
            let traffic = try await Traffic(over: bench.serve(3, on: database))
            try await traffic.run(rounds: bench.faultRounds) { try await bench.serve(on: database) }
            for server in traffic.servers { check.equal(try await server.stop(), 0, "exit code") }
            try await traffic.audit(database, check)
            try await bench.expectSound(database, check)
        },
        CommandScenario(
            "fault.failover.loses-nothing",
            "PostgreSQL crashes under load and its standby takes over: every answer that began is counted, once, and service "
                + "is back within 2 s.",
            tags: [.slow, .fault]
        ) { bench, check in
            let database = try await bench.makeDatabase(hasOwnServer: true, hasWire: false, hasStandby: true)
            let traffic = try await Traffic(over: bench.serve(2, on: database, ["DATABASE_WAIT": "300ms"]))
            let late = try await traffic.servers[0].tenant(name: "late")
            try await traffic.run {
                try await Task.sleep(for: .milliseconds(700))
                try await database.failOver()
                FaultFigures.note(.rounds, 1)
                let over = ContinuousClock.now
                for server in traffic.servers {
                    let isServed = try await eventually(within: .seconds(2)) {
                        try await server.exchange(late.request()).status == 200
                    }
                    check.that(isServed, "not served 2 s after the standby took over")
                }
                FaultFigures.noteBack(since: over)
                try await Task.sleep(for: .milliseconds(300))
            }
            let others = traffic.statuses.keys.filter { ![200, 429, 503].contains($0) }
            check.equal(others, [], "other statuses")
            for server in traffic.servers { check.equal(try await server.stop(), 0, "exit code") }
            try await traffic.audit(database, check)
            try await bench.expectSound(database, check)
        },
    ]
}
