import ArgumentParser
import Glibc
import ProxyLoad

/// `llm-proxy load`: open-loop load, and whether it was carried.
struct LoadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load",
        abstract: "Send requests at a steady rate, whatever becomes of those before, and tell how long they took.",
        discussion: """
            Example:
              LLM_PROXY_TOKEN=sk-… llm-proxy load http://localhost:8080/v1/models --method GET --rate 100 --duration 10

            With --compare two URLs take turns, and what the first adds to the second is told. Latency counts from the
            planned instant, so that a server that stalls can't hide it. Exit codes: 0 carried, 1 a bound was passed,
            2 usage, 3 can't reach.
            """)

    @Argument(help: "Where requests go: http://host[:port]/path.")
    var url: String

    @Option(help: "A second URL that takes turns with the first, to be compared.")
    var compare: String?

    @Option(help: "Requests per second to each URL.")
    var rate = 100.0

    @Option(help: "Instead of a rate: so many streams held open at once.")
    var streams: Int?

    @Option(help: "Seconds that are measured.")
    var duration = 10.0

    @Option(help: "Seconds before that.")
    var warmUp = 2.0

    @Option(
        help: "When the first request is due, in seconds since 1970 (fractions count): for generators that act as one.")
    var startAt: Double?

    @Option(help: "Connections to each URL; a request that finds all busy is dropped and counted.")
    var connections = 256

    @Option(help: "Seconds that an answer may take.")
    var timeout = 30.0

    @Option(help: "Method.")
    var method = "POST"

    @Option(help: "Body.")
    var body = #"{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Hello"}]}"#

    @Option(help: "A header, 'Name: value'; may be given again.")
    var header: [String] = []

    @Option(help: "Most requests that may fail or be dropped.")
    var maxErrors = 0

    @Option(help: "Bound on p99 from plan to end, in milliseconds.")
    var maxP99: Double?

    @Option(help: "Bound on what the first URL adds at p50, in milliseconds.")
    var maxAddedP50: Double?

    @Option(help: "Bound on what the first URL adds at p99, in milliseconds.")
    var maxAddedP99: Double?

    @Option(help: "A run whose generator was later than this at p99, in milliseconds, tells nothing and fails.")
    var maxLag = 5.0

    @Flag(help: "One JSON object.")
    var json = false

    func validate() throws {
        guard rate > 0, rate <= 1_000_000 else { throw ValidationError("--rate must be above 0 and at most 1000000.") }
        guard (streams ?? 1) > 0 else { throw ValidationError("--streams must be above 0.") }
        guard (0.1...86_400).contains(duration) else { throw ValidationError("--duration must be 0.1…86400.") }
        guard (0...3600).contains(warmUp) else { throw ValidationError("--warm-up must be 0…3600.") }
        if let startAt, abs(startAt - Double(time(nil))) > 3600 {
            throw ValidationError("--start-at must be within an hour of now, in seconds since 1970.")
        }
        guard (1...65_535).contains(connections) else { throw ValidationError("--connections must be 1…65535.") }
        guard (0.001...3600).contains(timeout) else { throw ValidationError("--timeout must be 0.001…3600.") }
        guard compare != nil || (maxAddedP50 == nil && maxAddedP99 == nil) else {
            throw ValidationError("--max-added-p50 and --max-added-p99 need --compare.")
        }
    }

    func run() async throws {
        let report: LoadReport
        do throws(LoadError) {
            report = try await LoadRun.run(try plan())
        } catch {
            StandardError.write("llm-proxy load: \(error)")
            throw ExitCode(error.isUsage ? 2 : 3)
        }
        StandardOutput.write(json ? report.json : report.text)
        let faults = faults(report)
        for fault in faults { StandardError.write("llm-proxy load: \(fault)") }
        if !faults.isEmpty { throw ExitCode(1) }
    }

    private func plan() throws(LoadError) -> LoadPlan {
        let request = try LoadRequest(
            method: method, body: method == "GET" ? [] : Array(body.utf8), headers: header,
            token: ProcessEnvironment.variables["LLM_PROXY_TOKEN"])
        var sides = [LoadPlan.Side(target: try LoadTarget(url: url), request: request)]
        if let compare { sides.append(LoadPlan.Side(target: try LoadTarget(url: compare), request: request)) }
        let schedule = Schedule(ratePerSide: streams == nil ? rate : 1000, sides: sides.count)
        return LoadPlan(
            mode: streams.map { .streams($0, opening: schedule) } ?? .rate(schedule), sides: sides,
            warmUp: .seconds(warmUp), duration: .seconds(duration), connections: connections,
            timeout: .seconds(timeout), startsAt: startAt)
    }

    private func faults(_ report: LoadReport) -> [String] {
        var faults: [String] = []
        func bound(_ what: String, _ found: Duration?, _ most: Double?) {
            guard let found, let most, found > .seconds(most / 1000) else { return }
            faults.append("\(what) is above its bound of \(most) ms")
        }
        let errors = report.sides.reduce(0) { $0 + $1.errors }
        if errors > maxErrors { faults.append("\(errors) requests failed or were dropped, at most \(maxErrors) may") }
        for side in report.sides where !side.hasFigures { faults.append("nothing came from \(side.url)") }
        bound("p99", report.sides[0].corrected.p99, maxP99)
        bound("p50 added", report.added(\.p50), maxAddedP50)
        bound("p99 added", report.added(\.p99), maxAddedP99)
        bound("the generator's own lag at p99", report.lag.p99, maxLag)
        return faults
    }
}
