import Glibc
import ProxyLoad
import ProxySimulator
import Testing

/// Whole runs against the simulator, whose own counts are the truth.
@Suite("A load run", .timeLimit(.minutes(1)))
struct LoadRunTests {
    private func with(_ script: SimulatorScript = .init(), _ body: (Simulator) async throws -> Void) async throws {
        let simulator = try await Simulator.start(recording: .off, script: script)
        do { try await body(simulator) } catch {
            try await simulator.stop()
            throw error
        }
        try await simulator.stop()
    }

    private func side(_ simulator: Simulator, _ body: String = "") throws -> LoadPlan.Side {
        let path = body.isEmpty ? "/v1/models" : "/v1/chat/completions"
        return try LoadPlan.Side(
            target: try LoadTarget(url: "http://127.0.0.1:\(simulator.port)\(path)"),
            request: try LoadRequest(method: body.isEmpty ? "GET" : "POST", body: Array(body.utf8)))
    }

    private func run(
        _ simulator: Simulator, rate: Double = 200, connections: Int = 64, timeout: Duration = .seconds(10),
        loops: Int = 1
    ) async throws -> LoadReport {
        try await LoadRun.run(
            LoadPlan(
                mode: .rate(Schedule(ratePerSide: rate)), sides: [try side(simulator)], warmUp: .milliseconds(100),
                duration: .milliseconds(500), connections: connections, timeout: timeout, loops: loops))
    }

    @Test(arguments: [1, 2])
    func countsWhatTheOtherSideCounts(loops: Int) async throws {
        try await with { simulator in
            // As many as there are requests, so that a machine that is busy with other tests drops none.
            let report = try await run(simulator, connections: 128, loops: loops)
            let only = report.sides[0]
            #expect(only.planned == 100 && only.warmedUp == 20 && only.errors == 0)
            #expect(only.succeeded == 100 && only.corrected.count == 100)
            // It counts an answer once it has given it away.
            for _ in 0..<1000 where simulator.truth.completedAnswers < 120 {
                try await ContinuousClock().sleep(for: .milliseconds(10))
            }
            #expect(simulator.truth.completedAnswers == 120)
            // Nothing is sent before it is due: what counts from the plan is never less.
            #expect(only.corrected.p50 >= only.uncorrected.p50 && only.corrected.max >= only.uncorrected.max)
            #expect(report.text.contains("100 planned, 100 answered") && report.json.contains(#""planned":100"#))
        }
    }

    @Test func dropsAndCountsWhatFindsNoConnection() async throws {
        var slow = SimulatorScript()
        slow.headDelay = .milliseconds(60)
        try await with(slow) { simulator in
            // Longer than a busy machine stands still.
            let only = try await LoadRun.run(
                LoadPlan(
                    mode: .rate(Schedule(ratePerSide: 50)), sides: [try side(simulator)], warmUp: .milliseconds(100),
                    duration: .seconds(8), connections: 1)
            ).sides[0]
            #expect(only.planned == 400 && only.dropped > 200 && only.succeeded > 0)
            #expect(only.succeeded + only.dropped == 400)
            #expect(only.errors == only.dropped)
        }
    }

    /// What is answered later than it was planned was not carried in its time, and yet is no failure.
    @Test func tellsWhatWasCarriedInTime() async throws {
        var slow = SimulatorScript()
        // So long a time that a machine which is busy with other tests carries some.
        slow.headDelay = .seconds(2)
        try await with(slow) { simulator in
            let report = try await LoadRun.run(
                LoadPlan(
                    mode: .rate(Schedule(ratePerSide: 20)), sides: [try side(simulator)], warmUp: .milliseconds(500),
                    duration: .seconds(12), connections: 256, timeout: .seconds(30)))
            let only = report.sides[0]
            #expect(only.planned == 240 && only.succeeded == 240 && only.errors == 0)
            // Those of the warm-up's half second and of the first ten seconds after it.
            #expect(only.carried > 0 && only.carried <= 211)
            #expect(only.seconds.reduce(0) { $0 + $1.answered } == only.carried)
            #expect(report.figures["rate"] == Double(only.carried) / 12)
        }
    }

    @Test func writesEachSecondOfEachSide() async throws {
        try await with { simulator in
            let side = try side(simulator)
            let report = try await LoadRun.run(
                LoadPlan(
                    mode: .rate(Schedule(ratePerSide: 20, sides: 2)), sides: [side, side], warmUp: .zero,
                    duration: .seconds(2)))
            let lines = report.csv.split(separator: "\n")
            #expect(lines[0] == "side,second,planned,answered,failed,dropped,events,open,p50_ms,p99_ms,max_ms")
            #expect(
                lines.count == 5 && lines.dropFirst().map { $0.prefix(6) } == ["1,0,20", "1,1,20", "2,0,20", "2,1,20"])
        }
    }

    /// Streams that are asked for at a rate have gaps too.
    @Test func measuresTheGapsOfStreams() async throws {
        var paced = SimulatorScript()
        paced.chunkDelay = .milliseconds(30)
        try await with(paced) { simulator in
            let side = try side(simulator, #"{"stream":true,"messages":[]}"#)
            let live = LiveFigures()
            let report = try await LoadRun.run(
                LoadPlan(mode: .rate(Schedule(ratePerSide: 10)), sides: [side], warmUp: .zero, duration: .seconds(2)),
                live: live)
            let only = report.sides[0]
            #expect(only.errors == 0 && only.gaps.count > 20 && only.gaps.p50 > .milliseconds(10))
            #expect(only.firstByte.count == 20 && only.seconds.contains { $0.events > 0 })
            #expect(live.moment.map { $0.errors == 0 } == true)
        }
    }

    @Test(arguments: [
        (FailureKind.reset, SimulatorFault.closeBeforeHead), (.reset, .resetInBody), (.malformed, .garbage),
        (.timeout, .hang), (.malformed, .twoLengths),
    ])
    func tellsFailuresApart(kind: FailureKind, fault: SimulatorFault) async throws {
        var script = SimulatorScript()
        script.fault = fault
        try await with(script) { simulator in
            let only = try await run(simulator, rate: 50, timeout: kind == .timeout ? .milliseconds(150) : .seconds(10))
                .sides[0]
            #expect(only.planned == 25 && only.succeeded == 0 && only.failures == [kind: 25])
        }
    }

    @Test func countsAnotherStatusAsAFailure() async throws {
        var script = SimulatorScript()
        script.status = 503
        try await with(script) { simulator in
            let only = try await run(simulator, rate: 50).sides[0]
            #expect(only.failures == [.status: 25])
        }
    }

    @Test func tellsWhatOneSideAddsToTheOther() async throws {
        var slow = SimulatorScript()
        slow.headDelay = .milliseconds(30)
        try await with(slow) { slowOne in
            try await with { fastOne in
                let report = try await LoadRun.run(
                    LoadPlan(
                        mode: .rate(Schedule(ratePerSide: 20, sides: 2)),
                        sides: [try side(slowOne), try side(fastOne)],
                        warmUp: .zero, duration: .seconds(12)))
                // Longer than a busy machine stands still, so that the median is of requests that nothing held up.
                #expect(report.sides.map(\.planned) == [240, 240] && report.sides.allSatisfy { $0.errors == 0 })
                // Whatever else the machine does meanwhile: the slow one answers nothing sooner.
                let quickest = try #require(report.sides[0].distribution.first)
                #expect(quickest.latency >= .milliseconds(29))
                #expect(report.added(\.p50).map { $0 > .milliseconds(15) } == true)
            }
        }
    }

    /// However many loops share them.
    @Test(arguments: [(4, 3), (5, 2), (7, 4)])
    func asksBothSidesForTheSame(streams: Int, loops: Int) async throws {
        var paced = SimulatorScript()
        paced.chunkDelay = .milliseconds(20)
        paced.chunkCount = 100_000
        try await with(paced) { simulator in
            let side = try side(simulator, #"{"stream":true,"messages":[]}"#)
            let report = try await LoadRun.run(
                LoadPlan(
                    mode: .streams(streams, opening: Schedule(ratePerSide: 1000, sides: 2)), sides: [side, side],
                    warmUp: .zero, duration: .seconds(4), silence: .seconds(30), loops: loops))
            let planned = report.sides.map(\.planned)
            #expect(planned == [streams, streams] && report.sides.map(\.mostOpen) == planned)
            // They outlast the run: none has come to its end.
            #expect(report.figures["p50(added)"] == nil && report.figures["p50(added_first_byte)"] != nil)
        }
    }

    @Test func holdsStreamsAndCountsTheirEvents() async throws {
        var paced = SimulatorScript()
        paced.chunkDelay = .milliseconds(20)
        try await with(paced) { simulator in
            let body = #"{"stream":true,"messages":[]}"#
            let report = try await LoadRun.run(
                LoadPlan(
                    mode: .streams(10, opening: Schedule(ratePerSide: 1000)), sides: [try side(simulator, body)],
                    warmUp: .milliseconds(100), duration: .seconds(8), silence: .seconds(30)))
            let only = report.sides[0]
            #expect(only.mostOpen == 10 && only.errors == 0 && only.events > 50 && only.gaps.count > 50)
            #expect(only.firstByte.count >= 10 && only.seconds.contains { $0.open == 10 })
        }
    }

    @Test func sendsNothingWhereNothingListens() async throws {
        // Bound and not listening: connections are refused, and nobody else can be given the port meanwhile.
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
            }
        }
        try #require(isBound)
        let url = "http://127.0.0.1:\(in_port_t(bigEndian: address.sin_port))/v1/models"
        let side = try LoadPlan.Side(
            target: try LoadTarget(url: url), request: try LoadRequest(method: "GET", body: []))
        let plan = LoadPlan(mode: .rate(Schedule(ratePerSide: 1)), sides: [side])
        await #expect(throws: LoadError.self) { try await LoadRun.run(plan) }
    }
}
