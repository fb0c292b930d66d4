import Foundation
import ProxyFleet
import ProxyLoad
import ProxySimulator
import Testing

extension AdminPageTests {
    /// The page that a load run leaves, as somebody sees it who opens the file.
    @Suite struct LoadPageTests {
        @Test(arguments: Look.all)
        func theReportOfARunCanBeReadHeardAndUsedByKeyboard(look: Look) async throws {
            let folder = FileManager.default.temporaryDirectory.appending(path: "load-page-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: folder) }
            let pages = try await Self.pages()
            try await Visit.walk(look, as: nil) { visit in
                for (name, page) in pages {
                    let file = folder.appending(path: "\(name).html")
                    try page.write(to: file, atomically: true, encoding: .utf8)
                    try await visit.browser.open(file.absoluteString)
                    #expect(try await visit.browser.elements("svg polyline.line").count > 2)
                    // One page stands for itself.
                    try await PageTests.check(visit, name, but: ["no nav"])
                }
            }
        }

        /// Of a run at a rate beside the upstream itself, and of held streams.
        private static func pages() async throws -> [(name: String, page: String)] {
            var script = SimulatorScript()
            script.chunkDelay = .milliseconds(20)
            let simulator = try await Simulator.start(recording: .off, script: script)
            do {
                let url = "http://127.0.0.1:\(simulator.port)/v1/chat/completions"
                let side = LoadPlan.Side(
                    targets: [try LoadTarget(url: url)], mix: try LoadMix(LoadMix.parts("chat=3,stream=1")))
                let streams = LoadPlan.Side(
                    targets: side.targets, mix: try LoadMix(LoadMix.parts("stream", headers: ["X-Sim-Chunks: 1000"])))
                let rate = LoadPlan(
                    mode: .rate(Schedule(ratePerSide: 50, sides: 2)), sides: [side, side], warmUp: .zero,
                    duration: .seconds(3))
                let held = LoadPlan(
                    mode: .streams(5, opening: Schedule(ratePerSide: 100)), sides: [streams],
                    warmUp: .milliseconds(200), duration: .seconds(3))
                var pages: [(name: String, page: String)] = []
                for (name, plan) in [("load-rate", rate), ("load-streams", held)] {
                    let record = RunRecord(
                        title: "Load on \(url)", provenance: RunProvenance(version: "1.2.3"),
                        report: try await LoadRun.run(plan), thresholds: [try Threshold("errors==0")])
                    pages.append((name, record.page(command: "llm-proxy load \(url) --html load.html")))
                }
                try await simulator.stop()
                return pages
            } catch {
                try await simulator.stop()
                throw error
            }
        }
    }
}
