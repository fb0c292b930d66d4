import ProxyDomain

extension CommandScenario {
    /// What is promised while the way to the database is blocked.
    static let outages: [CommandScenario] = [
        CommandScenario(
            "fault.wire.frozen-is-answered-in-time",
            "While nothing passes to PostgreSQL and nobody says so, clients get a 503 in time; then all goes on, within 2 s.",
            tags: [.slow, .fault]
        ) { bench, check in
            let database = try await bench.makeDatabase(hasOwnServer: false, hasWire: true)
            let server = try await bench.serve(on: database, ["DATABASE_WAIT": "500ms"])
            let tenants = [try await server.tenant(), try await server.tenant(cap: 1000, name: "capped")]
            let strange = try await server.tenant(name: "not looked up yet")
            for tenant in tenants { check.usual(try await server.exchange(tenant.request())) }
            try await database.freeze()
            let clock = ContinuousClock()
            try await withThrowingTaskGroup { group in
                for tenant in tenants + [strange] {
                    group.addTask {
                        for round in 1...2 {
                            let start = clock.now
                            let response = try await server.exchange(tenant.request())
                            check.refusal(response, 503, "database_unavailable", "round \(round)")
                            check.that(response.fields.first("retry-after") != nil, "no Retry-After")
                            check.that(clock.now - start < .seconds(2), "answered after \(clock.now - start)")
                        }
                    }
                }
                try await group.waitForAll()
            }
            try await database.thaw()
            let thawed = clock.now
            for tenant in tenants + [strange] {
                check.that(
                    try await eventually { try await server.exchange(tenant.request()).status == 200 },
                    "not served again")
            }
            check.that(clock.now - thawed < .seconds(2), "served again after \(clock.now - thawed)")
            check.equal(try await server.stop(), 0, "exit code")
            let verified = try await bench.verify(database)
            check.equal(verified.code, 0, "db verify: \(verified.output)")
            let open = try await database.run("SELECT count(*) FROM requests WHERE settled_at IS NULL")
            check.equal(open, [["0"]], "open requests")
        }
    ]
}
