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

    @Test("lets others have the core when it gathers, until a job says otherwise")
    func schedule() async throws {
        let found = Log()
        let lane = try Lane(name: "test", gathers: true) {}
        lane.enqueue { found.add("\(ThreadSchedule.patient.holds) \(ThreadSchedule.prompt.holds)") }
        lane.enqueue { ThreadSchedule.prompt.apply() }
        lane.enqueue { found.add("\(ThreadSchedule.patient.holds) \(ThreadSchedule.prompt.holds)") }
        try await eventually { found.all.count == 2 }
        #expect(found.all == [try await "\(isHeeded(.patient)) false", try await "false \(isHeeded(.prompt))"])
    }

    @Test("that goes ahead of others does not hand that on to threads that it starts")
    func children() async throws {
        let found = Log()
        let lane = try Lane(name: "test") {}
        lane.enqueue {
            ThreadSchedule.prompt.apply()
            try? startThread { found.add("\(ThreadSchedule.prompt.holds)") }
        }
        try await eventually { found.all == ["false"] }
    }
}
