import Foundation
import ProxyFleet
import ProxyLoad
import Testing

/// Whole runs through servers of our own, started as processes.
@Suite("A fleet", .serialized, .timeLimit(.minutes(5)))
struct FleetTests {
    /// The program: beside the test bundle, or where `LLM_PROXY` says.
    static let program: String = {
        if let named = ProcessInfo.processInfo.environment["LLM_PROXY"] { return named }
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        let beside = URL(filePath: own).deletingLastPathComponent().path() + "llm-proxy"
        let built = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../.build/debug/llm-proxy")
        return FileManager.default.isExecutableFile(atPath: beside) ? beside : built.standardizedFileURL.path()
    }()

    /// A server for one run on a machine that may stall.
    private static func plan(
        _ backend: FleetPlan.Backend = .sqlite, instances: Int = 1, tokens: Int = 1, cap: Int = 0
    ) -> FleetPlan {
        FleetPlan(
            backend: backend, instances: instances, settings: ["DATABASE_WAIT": "20s"], tokens: tokens, cap: cap,
            program: program)
    }

    private static func traffic(
        _ mode: LoadPlan.Mode, mix: String = "chat=2,stream=1,embeddings=1", isCompared: Bool = false
    ) throws -> FleetRun.Traffic {
        FleetRun.Traffic(
            mode: mode, parts: try LoadMix.parts(mix, headers: ["X-Sim-Number: 1"]), skew: 1,
            warmUp: .milliseconds(200), duration: .seconds(1), isCompared: isCompared)
    }

    @Test(arguments: FleetPlan.Backend.allCases)
    func countsExactlyWhatWasServed(backend: FleetPlan.Backend) async throws {
        let plan = Self.plan(backend, instances: backend.isShared ? 2 : 1, tokens: 5)
        let record = try await FleetRun.run(
            plan,
            try Self.traffic(.rate(Schedule(ratePerSide: 20, arrivals: .poisson(seed: 3), sides: 2)), isCompared: true),
            title: "<a test>",
            thresholds: try ["errors==0", "lost==0", "content==0", "p99(added)<60s"].map { try Threshold($0) })
        let audit = try #require(record.audit)
        #expect(record.isGood, "\(record.text)")
        #expect(audit.sent == audit.served && audit.served == audit.counted && audit.counted > 8)
        #expect(audit.tokensServed == audit.tokensCounted && audit.tokensServed > 0)
        #expect(audit.isSound == (backend == .sqliteMemory ? nil : true))
        let page = record.page(command: "llm-proxy load")
        #expect(page.contains("&lt;a test&gt;") && page.contains("<svg") && !page.contains("<script"))
        let document = try JSONSerialization.jsonObject(with: Data(record.json.utf8)) as? [String: Any]
        #expect(document?["good"] as? Bool == true && document?["audit"] != nil)
    }

    @Test(arguments: ["chat", "stream"])
    func seesAnAnswerWhoseBytesDiffer(kind: String) async throws {
        let plan = Self.plan()
        var traffic = try Self.traffic(.rate(Schedule(ratePerSide: 20)), mix: kind)
        // Without a number of its own, each answer's identifier is another.
        traffic.parts = try LoadMix.parts(kind)
        let record = try await FleetRun.run(plan, traffic, title: "different")
        #expect(record.figures["content"] == record.figures["planned"])
    }

    /// What a cap refuses was sent too; what was answered under it is compared to the token.
    @Test func comparesTokensUnderACap() async throws {
        let record = try await FleetRun.run(
            Self.plan(cap: 5),
            try Self.traffic(.rate(Schedule(ratePerSide: 20)), mix: "chat"), title: "capped")
        let audit = try #require(record.audit)
        #expect(audit.acknowledged == 5 && audit.sent > 5 && audit.tokenDifference == 0 && audit.isExact)
        #expect(record.figures["token_difference"] == 0)
    }

    /// The page of held streams has their own plots.
    @Test func drawsHeldStreams() async throws {
        var traffic = try Self.traffic(.streams(4, opening: Schedule(ratePerSide: 100)))
        traffic.parts = try LoadMix.parts("stream", headers: ["X-Sim-Chunks: 1000", "X-Sim-Chunk-Delay: 20"])
        traffic.checksContent = false
        let record = try await FleetRun.run(
            Self.plan(), traffic, title: "held",
            provenance: RunProvenance(version: "1.2.3"))
        let page = record.page(command: "llm-proxy load")
        for title in ["Latency by percentile", "Open streams", "Events, and streams that ended"] {
            #expect(page.contains("<figcaption>\(title)"), "\(title)")
        }
        #expect(page.contains("first byte, through the proxy") && page.contains("llm-proxy 1.2.3"))
        #expect(record.json.contains(#""version":"1.2.3""#))
    }

    @Test func seesThatACountIsMissing() async throws {
        let fleet = try await Fleet.start(FleetPlan(backend: .sqlite, program: Self.program))
        defer { Task { await fleet.stop() } }
        // What goes past the servers is acknowledged by somebody, and counted by nobody.
        let side = try LoadPlan.Side(target: fleet.direct, request: LoadMix.parts("chat")[0].request)
        let report = try await LoadRun.run(
            LoadPlan(
                mode: .rate(Schedule(ratePerSide: 20)), sides: [side], warmUp: .zero, duration: .milliseconds(500)))
        let audit = try await fleet.audit([report])
        #expect(audit.lost == 10 && !audit.isExact && audit.text.contains("lost 10"))
    }

    @Test func saysWhatDidNotStart() async throws {
        let plan = FleetPlan(backend: .sqlite, settings: ["LOG_LEVEL": "loud"], program: Self.program)
        let error = try await #require(throws: FleetError.self) { _ = try await Fleet.start(plan) }
        #expect("\(error)".contains("server-1") && "\(error)".contains("LOG_LEVEL"))
    }
}
