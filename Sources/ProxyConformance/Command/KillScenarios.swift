import ProxyDomain
import ProxyStorage
import Synchronization

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
            let storage = try await bench.openStorage(at: "data/llm-proxy.db")
            var stored: [TokenID: [String]] = [:]
            for tenant in [traffic.free, traffic.capped] {
                var last: RequestID?
                while true {
                    let page = try await storage.requests(of: tenant.tokenID, after: last, limit: 1000)
                    stored[tenant.tokenID, default: []] += page.map(\.admission.requestID.text)
                    guard let end = page.last else { break }
                    last = end.admission.requestID
                }
            }
            let findings = try await storage.verify()
            check.equal(findings.filter { !$0.holds }, [], "broken invariants")
            let open = "request-open-is-known-to-a-writer"
            check.that(findings.contains { $0.invariant == open }, "\(open) is not looked at")
            await storage.close()
            traffic.audit(stored, check)
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

/// Clients that go on whatever happens to their servers, and note each answer whose first byte they saw.
private final class Traffic: Sendable {
    private static let clients = 12
    private static let cap = 150

    private struct State {
        var servers: [CommandServer]
        var answered: [TokenID: [String]] = [:]
        var isStopped = false
    }

    let free: Tenant
    let capped: Tenant
    private let state: Mutex<State>

    var servers: [CommandServer] { state.withLock { $0.servers } }

    init(over servers: [CommandServer]) async throws {
        free = try await servers[0].tenant(name: "free")
        capped = try await servers[0].tenant(cap: Self.cap, name: "capped")
        state = Mutex(State(servers: servers))
    }

    /// Kills one of the servers at a random moment and starts another in its place, `rounds` times, under load.
    func run(rounds: Int, start: @Sendable () async throws -> CommandServer) async throws {
        try await withThrowingTaskGroup { group in
            for number in 0..<Self.clients { group.addTask { [self] in await ask(number) } }
            defer { state.withLock { $0.isStopped = true } }
            for _ in 0..<rounds {
                try await Task.sleep(for: .milliseconds(Int.random(in: 20...200)))
                let victim = Int.random(in: servers.indices)
                try await servers[victim].kill()
                let fresh = try await start()
                state.withLock { $0.servers[victim] = fresh }
            }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    private func ask(_ number: Int) async {
        let tenant = number % 3 == 0 ? capped : free
        while let server = state.withLock({ $0.isStopped ? nil : $0.servers.randomElement() }) {
            guard var conversation = try? await server.talk() else {
                try? await Task.sleep(for: .milliseconds(5))
                continue
            }
            for _ in 0..<20 {
                guard (try? await conversation.send(tenant.request())) != nil,
                    let head = try? await conversation.head()
                else { break }
                if head.status == 200, let id = head.fields.first("x-proxy-request-id") {
                    state.withLock { $0.answered[tenant.tokenID, default: []].append(id) }
                }
                guard (try? await conversation.body(of: head)) != nil else { break }
            }
            await conversation.connection.close()
        }
    }

    /// What clients saw against what the database holds: nothing lost, nothing twice, no cap passed.
    func audit(_ stored: [TokenID: [String]], _ check: Check) {
        let answered = state.withLock { $0.answered }
        for (name, tenant) in [("free", free), ("capped", capped)] {
            let (seen, kept) = (answered[tenant.tokenID] ?? [], stored[tenant.tokenID] ?? [])
            check.that(seen.count > 50, "\(name): only \(seen.count) answers")
            check.equal(Set(seen).count, seen.count, "\(name): identifiers of answers, each once")
            check.equal(Set(kept).count, kept.count, "\(name): rows, each once")
            check.equal(Set(seen).subtracting(kept).count, 0, "\(name): lost, of \(seen.count) answers")
        }
        check.that((stored[capped.tokenID] ?? []).count <= Self.cap, "the cap was passed")
    }
}
