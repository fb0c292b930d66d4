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
            var stored: [TokenID: [String]] = [:]
            for tenant in [traffic.free, traffic.capped] {
                let rows = try await database.run("SELECT id FROM requests WHERE token_id = '\(tenant.tokenID.text)'")
                stored[tenant.tokenID] = rows.compactMap { $0.first.flatMap { $0 } }
            }
            let verified = try await bench.verify(database)
            check.equal(verified.code, 0, "db verify: \(verified.output)")
            traffic.audit(stored, check)
        },
    ]
}
