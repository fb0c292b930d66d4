import ProxyDomain
import ProxyStorage
import Synchronization

/// Clients that go on whatever happens to their servers, and note each answer whose first byte they saw.
final class Traffic: Sendable {
    private static let clients = 12
    private static let cap = 150
    /// Answers to either token, by which a run has shown something.
    private static let fewest = 50

    private struct State {
        var servers: [CommandServer]
        var answered: [TokenID: [String]] = [:]
        /// Answers that began and did not end.
        var cutShort = 0
        var statuses: [Int: Int] = [:]
        var isStopped = false
        var lastAnswer: ContinuousClock.Instant?
        var longestSilence = Duration.zero
    }

    let free: Tenant
    let capped: Tenant
    /// Requests per second of all clients together; `nil` for as many as they get answered.
    private let rate: Int?
    private let state: Mutex<State>

    var servers: [CommandServer] { state.withLock { $0.servers } }

    init(over servers: [CommandServer], rate: Int? = nil) async throws {
        self.rate = rate
        free = try await servers[0].tenant(name: "free")
        capped = try await servers[0].tenant(cap: Self.cap, name: "capped")
        state = Mutex(State(servers: servers))
    }

    /// Answers that began and did not end.
    var cutShort: Int { state.withLock { $0.cutShort } }
    var statuses: [Int: Int] { state.withLock { $0.statuses } }

    /// The longest time between two answers, of whichever clients, in which this machine ran.
    var longestSilence: Duration { state.withLock { $0.longestSilence } }

    /// Ends one of the servers at a random moment and starts another in its place, `rounds` times, under load.
    func run(
        rounds: Int, start: @Sendable () async throws -> CommandServer,
        end: @Sendable (CommandServer) async throws -> Void = { try await $0.kill() }
    ) async throws {
        try await run {
            for _ in 0..<rounds {
                try await Task.sleep(for: .milliseconds(Int.random(in: 20...200)))
                FaultFigures.note(.rounds, 1)
                let victim = Int.random(in: servers.indices)
                try await end(servers[victim])
                let fresh = try await start()
                state.withLock { $0.servers[victim] = fresh }
            }
        }
    }

    /// Does something under load.
    func run(_ body: () async throws -> Void) async throws {
        try await withThrowingTaskGroup { group in
            for number in 0..<Self.clients { group.addTask { [self] in await ask(number) } }
            defer { state.withLock { $0.isStopped = true } }
            try await body()
            _ = try await eventually(within: .seconds(30)) { [self] in
                state.withLock { state in
                    [free, capped].allSatisfy { state.answered[$0.tokenID, default: []].count > Self.fewest }
                }
            }
        }
    }

    private func ask(_ number: Int) async {
        let tenant = number % 3 == 0 ? capped : free
        var pace = rate.map { Pace(of: number, among: Self.clients, rate: $0) }
        while let server = state.withLock({ $0.isStopped ? nil : $0.servers.randomElement() }) {
            guard var conversation = try? await server.talk() else {
                try? await Task.sleep(for: .milliseconds(5))
                continue
            }
            for _ in 0..<20 {
                await pace?.next()
                guard (try? await conversation.send(tenant.request())) != nil,
                    let head = try? await conversation.head()
                else { break }
                state.withLock { state in
                    state.statuses[head.status, default: 0] += 1
                    let now = ContinuousClock.now
                    if let last = state.lastAnswer {
                        let silence = StallWatch.shared.runningTime(since: last, until: now)
                        state.longestSilence = max(state.longestSilence, silence)
                    }
                    state.lastAnswer = now
                    guard head.status == 200, let id = head.fields.first("x-proxy-request-id") else { return }
                    state.answered[tenant.tokenID, default: []].append(id)
                }
                guard (try? await conversation.body(of: head)) != nil else {
                    state.withLock { $0.cutShort += 1 }
                    break
                }
            }
            await conversation.connection.close()
        }
    }

    /// Reads what a SQLite file holds that no server uses any more, and compares it with what clients saw.
    func audit(file path: String, of bench: any CommandBench, _ check: Check) async throws {
        let storage = try await bench.openStorage(at: path)
        var stored: [TokenID: [String]] = [:]
        for tenant in [free, capped] {
            var last: RequestID?
            while true {
                let page = try await storage.requests(of: tenant.tokenID, after: last, limit: 1000)
                stored[tenant.tokenID, default: []] += page.map(\.admission.requestID.text)
                FaultFigures.note(.inDoubt, page.count { ($0.admission.settlement?.outcome ?? .inDoubt) == .inDoubt })
                guard let end = page.last else { break }
                last = end.admission.requestID
            }
        }
        let findings = try await storage.verify()
        check.equal(findings.filter { !$0.holds }, [], "broken invariants")
        let open = "request-open-is-known-to-a-writer"
        check.that(findings.contains { $0.invariant == open }, "\(open) is not looked at")
        await storage.close()
        audit(stored, check)
    }

    /// Compares what a database holds with what clients saw.
    func audit(_ database: any CommandDatabase, _ check: Check) async throws {
        var stored: [TokenID: [String]] = [:]
        for tenant in [free, capped] {
            let rows = try await database.run("SELECT id FROM requests WHERE token_id = '\(tenant.tokenID.text)'")
            stored[tenant.tokenID] = rows.compactMap { $0.first.flatMap { $0 } }
        }
        let inDoubt = try await database.run(
            "SELECT count(*) FROM requests WHERE outcome = 'in_doubt' OR settled_at IS NULL")
        FaultFigures.note(.inDoubt, inDoubt.first?.first.flatMap { $0 }.flatMap { Int($0) } ?? 0)
        audit(stored, check)
    }

    /// What clients saw against what the database holds: nothing lost, nothing twice, no cap passed.
    func audit(_ stored: [TokenID: [String]], _ check: Check) {
        let answered = state.withLock { $0.answered }
        for (name, tenant) in [("free", free), ("capped", capped)] {
            let (seen, kept) = (answered[tenant.tokenID] ?? [], stored[tenant.tokenID] ?? [])
            FaultFigures.note(.answers, seen.count)
            FaultFigures.note(.lost, Set(seen).subtracting(kept).count)
            FaultFigures.note(.duplicated, seen.count - Set(seen).count + kept.count - Set(kept).count)
            check.that(seen.count > Self.fewest, "\(name): only \(seen.count) answers")
            check.equal(Set(seen).count, seen.count, "\(name): identifiers of answers, each once")
            check.equal(Set(kept).count, kept.count, "\(name): rows, each once")
            check.equal(Set(seen).subtracting(kept).count, 0, "\(name): lost, of \(seen.count) answers")
        }
        let over = (stored[capped.tokenID] ?? []).count - Self.cap
        FaultFigures.note(.overAdmitted, max(0, over))
        check.that(over <= 0, "the cap was passed")
    }
}

/// When one of several clients sends: an open loop, so that what is late shows as a wait.
private struct Pace {
    private var due: ContinuousClock.Instant
    private let step: Duration

    init(of number: Int, among clients: Int, rate: Int) {
        step = .seconds(1) * clients / rate
        due = .now + step * number / clients
    }

    /// Waits until the next request is due.
    mutating func next() async {
        due += step
        try? await Task.sleep(until: due)
    }
}
