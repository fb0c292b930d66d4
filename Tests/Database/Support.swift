import Foundation
import ProxyDomain
import ProxyStorage
import SQLDatabase
import SQLStorage
import SQLiteDriver
import Synchronization
import Testing

let noon = Timestamp(milliseconds: 1_795_600_000_000)

/// A folder that is removed when the last reference to it goes.
final class TemporaryFolder: Sendable {
    let path: String
    init() {
        path = NSTemporaryDirectory() + "llm-proxy-" + UUID().uuidString
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }
    deinit { try? FileManager.default.removeItem(atPath: path) }
    var database: String { path + "/store/proxy.db" }
}

/// A storage with one project, in memory or in a file.
struct World {
    let storage: SQLStorage
    let pool: ConnectionPool
    let project: Project
    let folder: TemporaryFolder?

    static func memory() async throws -> World { try await make(.memory, nil) }

    static func file(_ folder: TemporaryFolder = TemporaryFolder()) async throws -> World {
        try await make(.file(folder.database), folder)
    }

    private static func make(_ place: SQLiteDatabase.Place, _ folder: TemporaryFolder?) async throws -> World {
        let pool = try await SQLiteDatabase.open(
            place, limits: .init(readers: 2, wait: .seconds(60)), busyTimeout: .milliseconds(100))
        return try await on(pool, folder)
    }

    static func on(_ pool: ConnectionPool, _ folder: TemporaryFolder? = nil) async throws -> World {
        let storage = try await SQLStorage.open(pool, now: noon)
        let project = Project.sample("acme")
        try await storage.create(project)
        return World(storage: storage, pool: pool, project: project, folder: folder)
    }

    @discardableResult
    func token(max: Int64 = 0, expiresAt: Timestamp? = nil) async throws -> Token {
        let token = Token(
            id: .fresh(), projectID: project.id, name: "t", hint: "sk-1…", expiresAt: expiresAt, maxRequests: max,
            createdAt: noon)
        try await storage.create(token, digest: TokenDigest(text: token.id.text))
        return token
    }

    func admission(_ token: Token, settled: Settlement? = nil, at instant: Timestamp = noon) -> Admission {
        Admission(
            requestID: .fresh(), tokenID: token.id, projectID: project.id, admittedAt: instant, method: "POST",
            path: "/v1/chat/completions", settlement: settled)
    }

    /// Runs SQL of ours as it is, for planting faults.
    func sql(_ text: String) async throws {
        try await pool.write { try $0.runScript(text) }
    }

    func findings() async throws -> [String: Int64] {
        Dictionary(uniqueKeysWithValues: try await storage.verify().map { ($0.invariant, $0.violations) })
    }

    func broken() async throws -> Set<String> { Set(try await findings().filter { $0.value > 0 }.keys) }
}

/// Hands out an instance's batches in order.
final class Batches: Sendable {
    let instance = InstanceID.fresh()
    private let last = Mutex<Int64>(0)

    func next(
        _ admissions: [Admission] = [], ends settlements: [RequestSettlement] = [], now: Timestamp = noon
    ) -> LedgerBatch {
        let sequence = last.withLock { last in
            last += 1
            return last
        }
        return LedgerBatch(
            instance: instance, sequence: sequence, now: now, admissions: admissions, settlements: settlements)
    }
}

extension LedgerStore {
    /// One batch in one turn.
    func commit(_ batch: LedgerBatch) async throws(StorageError) -> [AdmissionVerdict] {
        let outcome: Result<[AdmissionVerdict], StorageError> = await withCheckedContinuation { continuation in
            enqueueTurn(after: .zero) { writer in
                do throws(StorageError) {
                    continuation.resume(returning: .success(try writer.commit(batch)))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
        return try outcome.get()
    }
}

extension TypedIdentifier {
    static func fresh(at instant: Timestamp = noon) -> Self {
        var random = SystemRandomNumberGenerator()
        return Self(at: instant, using: &random)
    }
}

extension Project {
    static func sample(_ name: String) -> Project {
        Project(
            id: .fresh(), name: name, sealedKey: "sealed", keyHint: "sk-…1234", provider: "openai", createdAt: noon,
            updatedAt: noon)
    }
}

extension Settlement {
    static func sample(
        _ outcome: RequestOutcome = .completed, prompt: Int64 = 10, completion: Int64 = 5, cost: Int64 = 100
    ) -> Settlement {
        Settlement(
            outcome: outcome, status: 200, settledAt: noon + .seconds(1), durationMicroseconds: 900_000,
            sentMicroseconds: 2_000, firstByteMicroseconds: 300_000,
            usage: TokenUsage(promptTokens: prompt, completionTokens: completion),
            cost: NanoDollars(cost), model: "gpt-4o")
    }
}

/// Waits for a condition that another thread brings about, for at most ten seconds.
func eventually(_ condition: () async throws -> Bool, sourceLocation: SourceLocation = #_sourceLocation) async throws {
    let start = ContinuousClock.now
    // By count too: other tests may have kept this one's thread busy for all that time.
    var looks = 0
    while ContinuousClock.now - start < .seconds(10) || looks < 1000 {
        if try await condition() { return }
        looks += 1
        try await Task.sleep(for: .milliseconds(1))
    }
    Issue.record("did not come true within ten seconds", sourceLocation: sourceLocation)
}

/// Whether the system does as a thread asks it to: it may refuse, or be too old.
func isHeeded(_ schedule: ThreadSchedule) async throws -> Bool {
    let lane = try Lane(name: "test") {}
    return await withCheckedContinuation { told in
        lane.enqueue {
            schedule.apply()
            told.resume(returning: schedule.holds)
        }
    }
}

/// A gate that a thread waits at until it is opened.
final class Gate: Sendable {
    private let semaphore = DispatchSemaphore(value: 0)
    func pass() { semaphore.wait() }
    func open() { semaphore.signal() }
}
