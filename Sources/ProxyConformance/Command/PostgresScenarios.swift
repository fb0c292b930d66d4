extension CommandScenario {
    /// What a server promises of the PostgreSQL it stands on.
    static let postgres: [CommandScenario] = [
        CommandScenario(
            "postgres.start.faults-are-one-line",
            "A missing, unreadable or unreachable DATABASE_URL is one clear line without the password, and a failure (G03)."
        ) { bench, check in
            let faults: [(url: String?, code: Int, said: String)] = [
                (nil, 2, "must be set with DB_DRIVER=postgres"), ("mysql://host/db", 2, "postgres://"),
                ("postgres://user:hidden-word@127.0.0.1:99999/db", 1, "port '99999'"),
                ("postgres://user:hidden-word@127.0.0.1:1/db?sslmode=sometimes", 1, "sslmode=sometimes"),
                ("postgres://user:hidden%2-word@127.0.0.1:1/db", 1, "%-escape in the password"),
                ("postgres://user:hidden-word@127.0.0.1:1/db?nonsense=1", 1, "nonsense"),
                ("postgres://user:hidden-word@127.0.0.1:1/db", 1, "Connection refused"),
            ]
            for fault in faults {
                var environment = ["DB_DRIVER": "postgres", "DATABASE_WAIT": "100ms"]
                environment["DATABASE_URL"] = fault.url
                let (code, output) = try await bench.finish(["server"], environment: environment)
                check.equal(code, fault.code, "exit code for \(fault.said)")
                check.that(output.contains("DATABASE_URL") && output.contains(fault.said), "said: \(output)")
                check.that(!output.contains("hidden"), "the password is shown: \(output)")
                if fault.code == 1 { check.equal(output.split(separator: "\n").count, 1, "lines: \(output)") }
            }
        },
        CommandScenario(
            "postgres.start.wrong-password-is-one-line",
            "A server that refuses us is named with its own words, at once, and the password nowhere."
        ) { bench, check in
            let database = try await bench.makeDatabase(hasOwnServer: false)
            let url = database.url.replacing("/postgres@", with: "/nobody-we-know:hidden-word@").replacing(
                "//postgres@", with: "//nobody-we-know:hidden-word@")
            let environment = bench.settings(for: database).merging(["DATABASE_URL": url, "DATABASE_WAIT": "60s"]) {
                $1
            }
            let (code, output) = try await bench.finish(["server"], environment: environment, within: .seconds(20))
            check.equal(code, 1, "exit code")
            check.that(output.contains("nobody-we-know:***@") && output.contains("does not exist"), "said: \(output)")
            check.that(!output.contains("hidden-word"), "the password is shown: \(output)")
        },
        CommandScenario(
            "postgres.pool.keeps-its-bounds",
            "Under load and at rest the server has no more connections than its settings say, and renews them (G04)."
        ) { bench, check in
            let database = try await bench.makeDatabase(hasOwnServer: false)
            let server = try await bench.serve(
                on: database,
                [
                    "DATABASE_POOL_SIZE": "5", "DATABASE_MAX_IDLE_CONNS": "2", "DATABASE_CONN_MAX_LIFETIME": "1s",
                    "EVENT_LOOPS": "2",
                ])
            let project = try await server.createProject()
            var (most, areFew) = (0, true)
            try await withThrowingTaskGroup { group in
                for _ in 0..<40 {
                    group.addTask {
                        for _ in 0..<5 { _ = try await server.manage("GET", "/manage/projects/\(project)") }
                    }
                }
                for _ in 0..<20 {
                    let crowd = Set(try await connections(of: server, to: database))
                    most = max(most, crowd.count)
                    // One that was closed is seen until its process has ended.
                    let few = try await eventually {
                        crowd.intersection(try await connections(of: server, to: database)).count <= 5
                    }
                    areFew = areFew && few
                }
                try await group.waitForAll()
            }
            check.that(most >= 2 && areFew, "\(most) connections under load")
            check.that(
                try await eventually { try await connections(of: server, to: database).count <= 2 },
                "more than 2 connections at rest")
            let before = try await connections(of: server, to: database)
            let isRenewed = try await eventually {
                _ = try await server.manage("GET", "/manage/projects")
                return Set(try await connections(of: server, to: database)).isDisjoint(with: before)
            }
            check.that(isRenewed, "a connection outlived DATABASE_CONN_MAX_LIFETIME")
        },
        CommandScenario(
            "postgres.monitoring.queries-run",
            "The guide's monitoring queries run, and tell each server by its instance id (G15)."
        ) { bench, check in
            let database = try await bench.makeDatabase(hasOwnServer: false)
            let servers = try await bench.serve(2, on: database)
            check.usual(try await servers[0].exchange(try await servers[0].tenant().request()))
            let count = try await database.run(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
            check.that(
                count.first?.first.flatMap { $0 }.flatMap { Int($0) }.map { $0 >= 3 } ?? false, "count: \(count)")
            let sizes = try await database.run(
                """
                SELECT relname, pg_size_pretty(pg_total_relation_size(relid))
                FROM pg_catalog.pg_statio_user_tables
                ORDER BY pg_total_relation_size(relid) DESC
                """)
            check.that(
                sizes.contains { $0.first.flatMap { $0 }?.hasPrefix("requests_2") == true }, "sizes: \(sizes)")
            let names = try await database.run(
                """
                SELECT DISTINCT application_name FROM pg_stat_activity
                WHERE datname = current_database() AND application_name LIKE 'llm-proxy %'
                """)
            let instances = try await database.run("SELECT 'llm-proxy ' || instance_id FROM ledger_writers")
            check.equal(Set(names), Set(instances), "names")
            check.equal(names.count, 2, "instances")
        },
        CommandScenario(
            "postgres.metrics.grep-database", "What grep finds of 'database' in the metrics tells of PostgreSQL (G14)."
        ) { bench, check in
            let database = try await bench.makeDatabase(hasOwnServer: false)
            let server = try await bench.serve(on: database)
            let tenant = try await server.tenant()
            check.usual(try await server.exchange(tenant.request()))
            for name in [
                "database_info", "database_pool_in_use_connections", "database_pool_idle_connections",
                "database_pool_waiting_calls", "database_pool_opened_total", "database_pool_closed_total",
                "database_pool_oldest_connection_seconds", "database_operation_seconds", "database_ledger_batch_size",
                "database_commit_seconds", "database_size_bytes", "database_server_connections",
                "database_connect_total", "database_conflict_total",
            ] {
                check.that(try await server.metric("llm_proxy_\(name)") != nil, "\(name) is missing")
            }
        },
        CommandScenario(
            "postgres.restart.is-survived",
            "After its PostgreSQL crashed, or was stopped, and came back, a server serves again by itself, within 2 s, and "
                + "lost no count."
        ) { bench, check in
            let database = try await bench.makeDatabase(hasOwnServer: true)
            let server = try await bench.serve(on: database, ["DATABASE_WAIT": "300ms"])
            let tenant = try await server.tenant(cap: 1000)
            for stop in [database.crash, database.shutDown] {
                for _ in 1...3 { check.usual(try await server.exchange(tenant.request())) }
                try await stop()
                for _ in 1...3 {
                    let response = try await server.exchange(tenant.request())
                    check.refusal(response, 503, "database_unavailable")
                    check.that(response.fields.first("retry-after") != nil, "no Retry-After")
                }
                check.equal(try await server.manage("GET", "/manage/projects").status, 503, "management meanwhile")
                let ready = HTTPRequest(method: "GET", target: "/ready")
                check.equal(try await server.exchange(ready).status, 503, "/ready")
                try await database.resume()
                let over = ContinuousClock.now
                check.that(try await isAnswered(tenant, by: server, within: .seconds(2)), "not served after 2 s")
                FaultFigures.note(.rounds, 1)
                FaultFigures.noteBack(since: over)
                check.equal(try await server.manage("GET", "/manage/projects").status, 200, "management afterwards")
            }
            check.equal(try await server.stop(), 0, "exit code")
            check.equal(
                try await database.run("SELECT request_count - (SELECT count(*) FROM requests) FROM tokens"), [["0"]],
                "counted less rows")
            try await bench.expectSound(database, check)
        },
    ]

    /// The process numbers behind a server's connections.
    private static func connections(
        of server: CommandServer, to database: any CommandDatabase
    ) async throws -> [String] {
        try await database.run(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'llm-proxy %'"
        ).compactMap { $0.first ?? nil }
    }
}
