import Glibc
import PostgresDriver
import ProxyDomain
import ProxyFixtures
import ProxyLedger
import ProxyStorage
import SQLDatabase
import SQLStorage
import SQLiteDriver
import Synchronization

/// How many requests a second the real ledger counts: waiters that ask again as soon as they are answered, nothing else.
///
/// `ledger-throughput ENGINE TOKENS WAITERS SECONDS SETTLES`, with ENGINE one of `postgres` (a durable server of its own,
/// fsync on), `sqlite` (a file under TMPDIR, synchronous=FULL); SETTLES 1 to end each request too, as a row of its own.
@main
struct LedgerThroughput {
    static func main() async throws {
        let words = CommandLine.arguments
        guard words.count == 6, let tokens = Int(words[2]), let waiters = Int(words[3]), let seconds = Double(words[4])
        else { return print("usage: ledger-throughput postgres|sqlite TOKENS WAITERS SECONDS 0|1") }
        let server = words[1] == "postgres" ? try EphemeralPostgres.start(.init(isDurable: true)) : nil
        defer { server?.remove() }
        let folder = "\(String(cString: getenv("TMPDIR") ?? strdup("/tmp")))/ledger-throughput-\(getpid())"
        let pool: ConnectionPool
        if let server {
            let name = try server.createDatabase()
            pool = try await PostgresDatabase.open(
                try PostgresAddress(server.url(database: name)), limits: .init(readers: 3))
        } else {
            pool = try await SQLiteDatabase.open(.file("\(folder)/ledger.db"))
        }
        let storage = try await SQLStorage.open(pool, now: Timestamp(milliseconds: 1_800_000_000_000))
        let grants = try await issue(tokens, in: storage)
        let run = ClosedLoop(storage, grants, settles: words[5] == "1")
        let before = processMicroseconds()
        let start = ContinuousClock.now
        run.start(waiters)
        try await Task.sleep(for: .seconds(seconds))
        let admitted = run.stop()
        let lasted = (ContinuousClock.now - start) / .seconds(1)
        let used = Double(processMicroseconds() - before)
        await run.ledger.close()
        let findings = try await storage.verify()
        let batches = await storage.figures().first { $0.name == "database_ledger_batch_size" }
        await storage.close()
        let broken = findings.filter { !$0.holds }.map(\.invariant)
        let sizes = batches.map { figure -> String in
            guard case .histogram(_, let sum) = figure.kind, figure.value > 0 else { return "-" }
            return String(Int(sum / figure.value))
        }
        print(
            "\(words[1]) tokens=\(tokens) waiters=\(waiters) settles=\(words[5]): \(Int(Double(admitted) / lasted))/s, "
                + "\(Double(Int(used / Double(max(admitted, 1)) * 10)) / 10) µs of client CPU each, "
                + "mean batch \(sizes ?? "-"), invariants \(broken.isEmpty ? "hold" : "BROKEN \(broken)")")
        if server == nil { for name in ["", "-wal", "-shm"] { unlink("\(folder)/ledger.db\(name)") } }
        rmdir(folder)
    }

    private static func issue(_ count: Int, in storage: SQLStorage) async throws -> [Token] {
        var random = SystemRandomNumberGenerator()
        let now = Timestamp(milliseconds: 1_800_000_000_000)
        let project = Project(
            id: ProjectID(at: now, using: &random), name: "benchmark", sealedKey: "sealed", keyHint: "…",
            provider: "openai", createdAt: now, updatedAt: now)
        try await storage.create(project)
        var tokens: [Token] = []
        for _ in 0..<count {
            let token = Token(
                id: TokenID(at: now, using: &random), projectID: project.id, name: "t", hint: "sk-…", expiresAt: nil,
                maxRequests: 0, createdAt: now)
            try await storage.create(token, digest: TokenDigest(text: token.id.text))
            tokens.append(token)
        }
        return tokens
    }

    private static func processMicroseconds() -> Int {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1_000_000 + usage.ru_utime.tv_usec
            + usage.ru_stime.tv_usec
    }
}

/// Waiters that ask for admission, and ask again when they have it.
private final class ClosedLoop: AdmissionReceiver {
    private struct State {
        var handles: [AdmissionHandle]
        var requests: [Admission?]
        var random = SystemRandomNumberGenerator()
        var admitted = 0
        var isStopped = false
    }

    let ledger: Ledger
    private let tokens: [Token]
    private let settles: Bool
    private let receiver = Mutex<ReceiverID?>(nil)
    private let state: Mutex<State>

    init(_ storage: SQLStorage, _ tokens: [Token], settles: Bool) {
        var random = SystemRandomNumberGenerator()
        ledger = Ledger(
            store: storage, instance: InstanceID(at: now(), using: &random), now: now,
            report: { print("a batch failed: \(String(reflecting: $0))") })
        self.tokens = tokens
        self.settles = settles
        state = Mutex(State(handles: [], requests: []))
    }

    func start(_ waiters: Int) {
        let receiver = ledger.register(self)
        self.receiver.withLock { $0 = receiver }
        state.withLock { state in
            state.handles = Array(repeating: .written, count: waiters)
            state.requests = Array(repeating: nil, count: waiters)
            for ticket in 0..<waiters { ask(ticket, receiver, &state) }
        }
    }

    /// - Returns: how many were admitted.
    func stop() -> Int {
        state.withLock { state in
            state.isStopped = true
            return state.admitted
        }
    }

    func admissionsDecided(_ decisions: [AdmissionDecision]) {
        guard let receiver = receiver.withLock({ $0 }) else { return }
        state.withLock { state in
            for decision in decisions {
                guard case .admitted = decision.verdict else { continue }
                if !state.isStopped { state.admitted += 1 }
                let ticket = Int(decision.ticket)
                if settles { settle(ticket, state) }
                if !state.isStopped { ask(ticket, receiver, &state) }
            }
        }
    }

    private func ask(_ ticket: Int, _ receiver: ReceiverID, _ state: inout State) {
        let instant = now()
        let token = tokens[Int.random(in: 0..<tokens.count, using: &state.random)]
        let request = Admission(
            requestID: RequestID(at: instant, using: &state.random), tokenID: token.id, projectID: token.projectID,
            admittedAt: instant, method: "POST", path: "/v1/chat/completions")
        state.requests[ticket] = request
        let handle = ledger.admit(request, receiver: receiver, ticket: UInt64(ticket), isWaitedFor: true)
        state.handles[ticket] = handle ?? .written
    }

    private func settle(_ ticket: Int, _ state: State) {
        guard let request = state.requests[ticket] else { return }
        ledger.settle(
            RequestSettlement(
                of: request,
                Settlement(
                    outcome: .completed, status: 200, settledAt: now(), durationMicroseconds: 1000,
                    firstByteMicroseconds: 900, usage: TokenUsage(promptTokens: 10, completionTokens: 20), cost: .zero,
                    model: "gpt-4o-mini")),
            of: state.handles[ticket])
    }
}

@Sendable private func now() -> Timestamp {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
}
