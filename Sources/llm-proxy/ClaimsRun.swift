import ArgumentParser
import FoundationEssentials
import ProxyFleet
import ProxyLoad
import ProxyServer

/// `llm-proxy load --claims`.
struct ClaimsRun {
    let isLong: Bool
    let output: LoadOutput

    func run() async throws {
        let provenance = RunProvenance(version: productVersion)
        let showsProgress = output.showsProgress
        let remains = FleetRemains()
        await Interruption.clears(remains)
        let bench = ClaimBench(
            program: try FleetPlan.ownProgram, form: isLong ? .long : .short,
            report: { StandardError.write("llm-proxy load: \($0)") },
            watch: { live, length in
                let progress = LoadProgress(live, seconds: length / .seconds(1), isShown: showsProgress)
                // Ends when the run does.
                try? await Task.sleep(for: .seconds(86_400))
                progress.end()
            }, remains: remains)
        var results: [ClaimResult] = []
        for check in ClaimCheck.all {
            let result = try await check.run(bench)
            results.append(result)
            if !output.json { for line in result.lines { StandardOutput.write(line) } }
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let document = String(
            decoding: try encoder.encode(ClaimsReport(provenance: provenance, claims: results)), as: UTF8.self)
        if output.json { StandardOutput.write(document) }
        if let file = output.jsonFile { try TextFile.write("\(document)\n", to: file) }
        let broken = results.filter { !$0.holds }
        for result in broken { StandardError.write("llm-proxy load: \(result.claim) does not hold") }
        if !broken.isEmpty { throw ExitCode(1) }
    }
}
