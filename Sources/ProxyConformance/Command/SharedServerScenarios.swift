import ProxyDomain
import ProxyStorage

extension CommandScenario {
    /// What several servers on one PostgreSQL promise together.
    static let sharedServers: [CommandScenario] = [
        CommandScenario(
            "instances.cap.is-exact", "A cap of 100 lets exactly 100 of 400 parallel requests over 3 servers through."
        ) { bench, check in
            let database = try await bench.makeDatabase(hasOwnServer: false)
            let servers = try await bench.serve(3, on: database)
            let tenant = try await servers[0].tenant(cap: 100)
            let statuses = try await statuses(of: 400, for: tenant, over: servers)
            check.equal(statuses, [200: 100, 429: 300], "statuses")
            check.equal(bench.upstream.received.count, 100, "requests at the upstream")
            let counted = try await database.run("SELECT request_count FROM tokens")
            check.equal(counted, [["100"]], "count")
            try await bench.expectSound(database, check)
        },
        CommandScenario(
            "instances.rate.is-exact",
            "A limit of 50 a minute lets exactly 50 of 200 parallel requests over 3 servers through."
        ) { bench, check in
            let database = try await bench.makeDatabase(hasOwnServer: false)
            let servers = try await bench.serve(3, on: database)
            let tenant = try await servers[0].tenant(perMinute: 50)
            let statuses = try await statuses(of: 200, for: tenant, over: servers)
            check.equal(statuses, [200: 50, 429: 150], "statuses")
            check.equal(bench.upstream.received.count, 50, "requests at the upstream")
            try await bench.expectSound(database, check)
        },
        CommandScenario(
            "instances.revocation.is-in-force", "A token revoked through one server is refused by the others at once."
        ) { bench, check in
            let database = try await bench.makeDatabase(hasOwnServer: false)
            let servers = try await bench.serve(2, on: database)
            let tenant = try await servers[0].tenant()
            for server in servers { check.usual(try await server.exchange(tenant.request())) }
            check.equal(
                try await servers[0].manage("DELETE", "/manage/tokens/\(tenant.tokenID)").status, 204, "revoked")
            check.refusal(try await servers[1].exchange(tenant.request()), 401, "token_inactive")
        },
        CommandScenario(
            "instances.expiry.is-in-force",
            "An expiry moved through one server is in force on the others: at once when sooner, within 1 s when later."
        ) { bench, check in
            let database = try await bench.makeDatabase(hasOwnServer: false)
            let servers = try await bench.serve(2, on: database)
            let tenant = try await servers[0].tenant()
            for server in servers { check.usual(try await server.exchange(tenant.request())) }
            let path = "/manage/tokens/\(tenant.tokenID)"
            let soon = try await database.run(
                "SELECT to_char((now() + '5 seconds') AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')")
            let change = #"{"expires_at":"\#(soon.first?.first.flatMap { $0 } ?? "")"}"#
            check.equal(try await servers[0].manage("PATCH", path, change).status, 200, "moved")
            check.that(
                try await eventually(within: .seconds(20)) {
                    try await servers[1].exchange(tenant.request()).status == 401
                }, "never expires")
            check.refusal(try await servers[1].exchange(tenant.request()), 401, "token_expired")
            let counted = "SELECT count(*) FROM requests WHERE admitted_at > (SELECT expires_at FROM tokens)"
            check.equal(try await database.run(counted), [["0"]], "admitted after the expiry")
            _ = try await servers[0].manage("PATCH", path, #"{"expires_at":"2090-01-01T00:00:00Z"}"#)
            check.that(try await isAnswered(tenant, by: servers[1], within: .seconds(1)), "still expired after 1 s")
        },
        CommandScenario(
            "instances.deactivation.is-in-force",
            "A project deactivated through one server is refused by the others at once, and served again within 1 s."
        ) { bench, check in
            let database = try await bench.makeDatabase(hasOwnServer: false)
            let servers = try await bench.serve(2, on: database)
            let tenant = try await servers[0].tenant()
            for server in servers { check.usual(try await server.exchange(tenant.request())) }
            let path = "/manage/projects/\(tenant.projectID)"
            _ = try await servers[0].manage("PATCH", path, #"{"is_active":false}"#)
            check.refusal(try await servers[1].exchange(tenant.request()), 403, "project_inactive")
            _ = try await servers[0].manage("PATCH", path, #"{"is_active":true}"#)
            check.that(try await isAnswered(tenant, by: servers[1], within: .seconds(1)), "still inactive after 1 s")
        },
        CommandScenario(
            "instances.key.is-in-force",
            "After a key was rotated through one server, the next request through another goes out under the new one."
        ) { bench, check in
            let database = try await bench.makeDatabase(hasOwnServer: false)
            let servers = try await bench.serve(2, on: database)
            let project = try await servers[0].createProject()
            let tenants = [
                try await servers[0].tenant(of: project), try await servers[0].tenant(cap: 1000, of: project),
            ]
            for tenant in tenants { check.usual(try await servers[1].exchange(tenant.request())) }
            for round in 1...10 {
                let key = "sk-rotated-\(round)-of-this-scenario"
                let change = try await servers[0].manage(
                    "PATCH", "/manage/projects/\(project)", #"{"api_key":"\#(key)"}"#)
                check.equal(change.status, 200, "rotated")
                let response = try await servers[1].exchange(tenants[round % 2].request())
                check.usual(response, "round \(round)")
                check.equal(
                    bench.upstream.received.last?.fields.first("authorization"), "Bearer \(key)", "round \(round)")
            }
        },
        CommandScenario(
            "instances.change.needs-no-notification",
            "A change that nobody was notified of is known to every server within about a second all the same."
        ) { bench, check in
            let database = try await bench.makeDatabase(hasOwnServer: false)
            let server = try await bench.serve(on: database)
            let tenant = try await server.tenant()
            _ = try await server.manage("DELETE", "/manage/tokens/\(tenant.tokenID)")
            check.refusal(try await server.exchange(tenant.request()), 401, "token_inactive")
            try await database.run(
                "UPDATE tokens SET revoked_at = NULL; UPDATE grant_changes SET count = count + 1")
            check.that(try await isAnswered(tenant, by: server, within: .seconds(2)), "not known after 2 s")
        },
        CommandScenario(
            "instances.edits.lose-no-count",
            "Edits through several servers while requests run through all of them lose no count."
        ) { bench, check in
            let database = try await bench.makeDatabase(hasOwnServer: false)
            let servers = try await bench.serve(3, on: database)
            let tenant = try await servers[0].tenant(cap: 100_000)
            async let edits: Void = withThrowingTaskGroup { group in
                for server in servers {
                    group.addTask {
                        for round in 1...20 {
                            let name = #"{"name":"\#(server.port)-\#(round)","max_requests":\#(100_000 + round)}"#
                            _ = try await server.manage("PATCH", "/manage/tokens/\(tenant.tokenID)", name)
                            let project = #"{"name":"\#(server.port)-\#(round)"}"#
                            _ = try await server.manage("PATCH", "/manage/projects/\(tenant.projectID)", project)
                        }
                    }
                }
                try await group.waitForAll()
            }
            let found = try await statuses(of: 300, for: tenant, over: servers)
            try await edits
            check.equal(found, [200: 300], "statuses")
            check.equal(try await database.run("SELECT request_count FROM tokens"), [["300"]], "count")
            try await bench.expectSound(database, check)
        },
        CommandScenario(
            "instances.dead.are-settled-by-the-living",
            "What a killed server left open is put in doubt by another; what a living one has open is not."
        ) { bench, check in
            let database = try await bench.makeDatabase(hasOwnServer: false)
            let servers = try await bench.serve(2, on: database)
            let tenant = try await servers[0].tenant()
            let open = UpstreamStep.readRequest + [.send(HTTPAnswer.chunkedHead()), .await("go")]
            for _ in servers { bench.upstream.script(open + [.send(HTTPAnswer.lastChunk)]) }
            var conversations: [HTTPConversation] = []
            for server in servers {
                var conversation = try await server.talk()
                try await conversation.send(tenant.request())
                check.equal(try await conversation.head().status, 200, "status")
                conversations.append(conversation)
            }
            try await servers[0].kill()
            let outcomes = "SELECT outcome FROM requests ORDER BY id"
            let isSettled = try await eventually(within: .seconds(40)) {
                try await database.run(outcomes).contains(["in_doubt"])
            }
            check.that(isSettled, "nobody settled it")
            check.equal(try await database.run(outcomes), [["in_doubt"], [nil]], "outcomes")
            bench.upstream.release("go")
            check.that(
                try await eventually { try await database.run(outcomes) == [["in_doubt"], ["completed"]] },
                "the living server's request did not end as it ended")
            try await bench.expectSound(database, check)
        },
    ]

    /// Sends `count` requests of one tenant at once, over servers in turn, and counts the answers by status.
    static func statuses(
        of count: Int, for tenant: Tenant, over servers: [CommandServer]
    ) async throws -> [Int: Int] {
        try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<count {
                group.addTask { try await servers[number % servers.count].exchange(tenant.request()).status }
            }
            return try await group.reduce(into: [:]) { $0[$1, default: 0] += 1 }
        }
    }

    /// Whether a request is answered by the upstream before `time` has passed.
    static func isAnswered(_ tenant: Tenant, by server: CommandServer, within time: Duration) async throws -> Bool {
        try await eventually(within: time) { try await server.exchange(tenant.request()).status == 200 }
    }
}
