import Glibc
import SQLDatabase
import Synchronization
import Testing

/// Collects what happened, from any thread.
final class Log: Sendable {
    private let entries = Mutex<[String]>([])
    func add(_ entry: String) { entries.withLock { $0.append(entry) } }
    var all: [String] { entries.withLock { $0 } }
}

private final class Resource {
    let log: Log
    init(_ log: Log) {
        self.log = log
        log.add("made")
    }
    deinit { log.add("gone") }
}

/// Whether this system lets a thread say how long its turns are.
private var hasTurns: Bool {
    var system = utsname()
    uname(&system)
    let release = withUnsafeBytes(of: system.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    let numbers = release.split { !$0.isNumber }.prefix(2).compactMap { Int($0) }
    return numbers.count == 2 && (numbers[0], numbers[1]) >= (6, 12)
}

@Suite("A lane")
struct LaneTests {
    @Test("runs jobs in the order given, on one resource that ends with it")
    func order() async throws {
        let log = Log()
        var lane: Lane<Resource>? = try Lane(name: "test") { Resource(log) }
        for number in 0..<100 { lane?.enqueue { $0.log.add("\(number)") } }
        lane = nil
        try await eventually { log.all.last == "gone" }
        #expect(log.all == ["made"] + (0..<100).map(String.init) + ["gone"])
    }

    @Test("runs delayed jobs by their due time, none too early, and others meanwhile")
    func delays() async throws {
        let log = Log()
        let lane = try Lane(name: "test") {}
        let start = ContinuousClock.now
        let early = Mutex<Duration?>(nil)
        // Until all of them are there.
        let gate = Gate()
        lane.enqueue { gate.pass() }
        lane.enqueue(after: .seconds(4)) { log.add("late") }
        lane.enqueue(after: .milliseconds(20)) {
            early.withLock { $0 = ContinuousClock.now - start }
            log.add("early")
        }
        lane.enqueue { log.add("now") }
        lane.enqueue(after: .zero) { log.add("zero") }
        gate.open()
        try await eventually { log.all.count == 4 }
        #expect(log.all == ["now", "zero", "early", "late"])
        #expect(try #require(early.withLock { $0 }) >= .milliseconds(20))
        lane.enqueue(after: .seconds(3600)) {}
        // So that it waits for that one, most likely.
        try await ContinuousClock().sleep(for: .milliseconds(50))
        lane.enqueue { log.add("meanwhile") }
        try await eventually { log.all.last == "meanwhile" }
    }

    @Test("runs what was given before it went, delayed or not")
    func drains() async throws {
        let log = Log()
        var lane: Lane<Void>? = try Lane(name: "test") {}
        lane?.enqueue(after: .seconds(3600)) { log.add("delayed") }
        lane?.enqueue { log.add("given") }
        lane = nil
        try await eventually { log.all.count == 2 }
        #expect(log.all.contains("delayed"))
    }

    @Test("lets others have the core when it gathers, and goes ahead of them when a job says so")
    func schedule() async throws {
        let found = Log()
        let told: @Sendable () -> Void = { found.add("\(ThreadSchedule.patient.holds) \(ThreadSchedule.prompt.holds)") }
        let (plain, gathering) = (try Lane(name: "test") {}, try Lane(name: "test", gathers: true) {})
        for lane in [plain, gathering] {
            lane.enqueue { told() }
            lane.enqueue { found.add("\(ThreadSchedule.prompt.apply())") }
            lane.enqueue { told() }
            let count = lane === plain ? 3 : 6
            try await eventually { found.all.count == count }
        }
        // Before Linux 6.12 nobody can ask for short turns.
        let after = "false \(hasTurns)"
        #expect(found.all == ["false false", "true", after, "true false", "true", after])
    }
}
