import ArgumentParser
import Glibc
import ProxyFleet
import ProxyLoad
import ProxyServer

/// `llm-proxy load`: open-loop load, and whether it was carried.
struct LoadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load",
        abstract: "Send requests at planned instants, whatever becomes of those before, and tell how long they took.",
        discussion: """
            Examples:
              LLM_PROXY_TOKEN=sk-… llm-proxy load http://localhost:8080/v1/models --method GET --rate 100 --duration 10
              llm-proxy load --spawn sqlite --rate 200 --html load.html --threshold 'p99(added)<20ms'
              llm-proxy load --spawn postgres --instances 3 --tokens 100 --rate 100..1000 --poisson
              llm-proxy load --claims

            With --compare two URLs take turns, and what the first adds to the second is told; --spawn compares with its own
            upstream. Latency counts from the planned instant, so that a server that stalls can't hide it; what finds no free
            connection is dropped and counted. Exit codes: 0 carried, 1 a bound was passed or a count differs, 2 usage, 3 can't
            reach.
            """,
        aliases: ["benchmark"])

    @Argument(help: "Where requests go: http[s]://host[:port]/path. Several are servers of one service, asked in turn.")
    var urls: [String] = []

    @OptionGroup(title: "Servers of our own") var spawned: SpawnOptions
    @OptionGroup(title: "What is sent") var traffic: TrafficOptions
    @OptionGroup(title: "Bounds") var bounds: BoundOptions
    @OptionGroup(title: "Reports") var output: LoadOutput

    @Flag(help: "Prove the database guide's claims G10 to G13 and G18, one after the other.")
    var claims = false

    @Flag(help: "With --claims: as long as the claims deserve, instead of just long enough to see that they work.")
    var long = false

    func validate() throws {
        let ways = (urls.isEmpty ? 0 : 1) + (spawned.spawn == nil ? 0 : 1) + (claims ? 1 : 0)
        guard ways == 1 else { throw ValidationError("Name a URL, or --spawn, or --claims: one of them.") }
        let isCompared = spawned.spawn == nil ? traffic.compare != nil : !spawned.noDirect
        guard isCompared || !bounds.needsComparison else {
            throw ValidationError("--max-added-p50 and --max-added-p99 need --compare, or --spawn without --no-direct.")
        }
        guard claims || !long else { throw ValidationError("--long goes with --claims.") }
        guard !claims || (output.html == nil && output.csv == nil && bounds.threshold.isEmpty) else {
            throw ValidationError(
                "--claims has bounds and a report of its own: it takes --json, --json-file and --long alone.")
        }
        guard traffic.compare == nil || !urls.isEmpty else {
            throw ValidationError("--compare needs a URL: --spawn compares with its own upstream.")
        }
    }

    func run() async throws {
        OpenFiles.raiseLimit()
        do {
            if claims {
                try await ClaimsRun(isLong: long, output: output).run()
            } else {
                try conclude(try await measure())
            }
        } catch let error as LoadError {
            StandardError.write("llm-proxy load: \(error)")
            throw ExitCode(error.isUsage ? 2 : 3)
        } catch let error as FleetError {
            StandardError.write("llm-proxy load: \(error)")
            throw ExitCode(3)
        }
    }

    private func measure() async throws -> RunRecord {
        let thresholds = try bounds.thresholds()
        let provenance = RunProvenance(version: productVersion)
        let live = LiveFigures()
        let progress = LoadProgress(live, seconds: traffic.warmUp + traffic.duration, isShown: output.showsProgress)
        defer { progress.end() }
        guard let backend = spawned.spawn else {
            let report = try await LoadRun.run(try traffic.plan(to: urls), live: live)
            return RunRecord(
                title: "Load on \(report.sides[0].url)", provenance: provenance, report: report, thresholds: thresholds)
        }
        let plan = try spawned.plan(backend)
        await Interruption.clears(plan.remains)
        return try await FleetRun.run(
            plan, try traffic.fleetTraffic(isCompared: !spawned.noDirect), title: spawned.title(backend),
            provenance: provenance, thresholds: thresholds, live: live)
    }

    private func conclude(_ record: RunRecord) throws {
        try output.write(record)
        let faults = record.faults
        for fault in faults { StandardError.write("llm-proxy load: \(fault)") }
        if !faults.isEmpty { throw ExitCode(1) }
    }
}
