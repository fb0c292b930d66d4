extension CommandScenario {
    /// How servers that start on one PostgreSQL bring it up to date.
    static let sharedMigrations: [CommandScenario] = [
        CommandScenario(
            "migrate.eight.start-at-once", "Eight servers that start at once on an empty database all serve."
        ) { bench, check in
            let database = try await bench.makeDatabase(hasOwnServer: false)
            let servers = try await bench.serve(8, on: database)
            let tenant = try await servers[0].tenant()
            for server in servers { check.usual(try await server.exchange(tenant.request())) }
            let versions = try await database.run("SELECT version FROM schema_migrations ORDER BY version")
            check.that(versions.count > 1 && Set(versions).count == versions.count, "migrations: \(versions)")
            for server in servers { check.equal(try await server.stop(), 0, "exit code") }
            check.equal(try await database.run("SELECT count(*) FROM ledger_writers"), [["0"]], "instances left behind")
        },
        CommandScenario(
            "migrate.other.is-waited-for", "A server that finds another migrating waits for it, and then serves."
        ) { bench, check in
            let database = try await bench.makeDatabase(hasOwnServer: false)
            try await database.hold("SELECT pg_advisory_xact_lock(\(migrationLock))")
            let command = try await bench.start(
                ["server", "--listen", "127.0.0.1:0"], environment: bench.settings(for: database))
            check.that(try await eventually { try await isBlocked(database) }, "it does not wait")
            check.equal(command.exitCode, nil, "exit code while it waits")
            try await database.release()
            check.that(try await eventually { command.output.contains("serves on") }, "it does not serve")
        },
        CommandScenario(
            "migrate.kill.leaves-nothing-half-done",
            "Killed in mid-migration it leaves nothing; the next server starts as on an empty database."
        ) { bench, check in
            let database = try await bench.makeDatabase(hasOwnServer: false)
            // Its own CREATE TABLE of this name waits for ours to end: by then it has made others.
            try await database.hold("CREATE TABLE ledger_writers (id INTEGER)")
            let command = try await bench.start(
                ["server", "--listen", "127.0.0.1:0"], environment: bench.settings(for: database))
            check.that(try await eventually { try await isBlocked(database) }, "it does not migrate")
            command.kill()
            check.that(try await eventually { command.exitCode == 137 }, "it did not end")
            try await database.release()
            let server = try await bench.serve(on: database)
            check.usual(try await server.exchange(try await server.tenant().request()))
            try await bench.expectSound(database, check)
        },
        CommandScenario(
            "migrate.newer.is-refused", "A PostgreSQL with a newer schema is refused in one line, and nothing changed."
        ) { bench, check in
            let database = try await bench.makeDatabase(hasOwnServer: false)
            check.equal(try await bench.serve(on: database).stop(), 0, "exit code")
            try await database.run(
                "INSERT INTO schema_migrations SELECT 9999, 'later', checksum, applied_at FROM schema_migrations LIMIT 1"
            )
            let (code, output) = try await bench.finish(["server"], environment: bench.settings(for: database))
            check.equal(code, 1, "exit code")
            check.that(output.contains("DATABASE_URL") && output.contains("9999"), "said: \(output)")
            check.equal(output.split(separator: "\n").count, 1, "lines")
            check.equal(
                try await database.run("SELECT max(version) FROM schema_migrations"), [["9999"]], "newest version")
        },
    ]

    /// What servers lock while they migrate.
    private static let migrationLock = "5489371105128823411"

    /// Whether a connection of the program waits for a lock.
    private static func isBlocked(_ database: any CommandDatabase) async throws -> Bool {
        let waiting = try await database.run(
            """
            SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
                AND application_name LIKE 'llm-proxy %' AND wait_event_type = 'Lock'
            """)
        return waiting != [["0"]]
    }
}
