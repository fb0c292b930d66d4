import ArgumentParser
import Glibc
import ProxyFleet
import ProxyLoad

/// What is sent, and when.
struct TrafficOptions: ParsableArguments {
    @Option(help: "A second URL that takes turns with the first, to be compared.")
    var compare: String?

    @Option(help: "Requests per second to each URL: 200, or 200..2000 to grow evenly, or 100,200,400 for steps.")
    var rate = "100"

    @Flag(help: "Requests come as from many clients that know nothing of each other, instead of evenly.")
    var poisson = false

    @Option(help: "With --poisson: which of all such histories.")
    var seed: UInt64 = 1

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

    @Option(help: "What is sent in shares, instead of one request: such as chat=8,stream:4096=1,embeddings=1.")
    var mix: String?

    @Option(help: "Method.")
    var method = "POST"

    @Option(help: "Body.")
    var body = #"{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Hello"}]}"#

    @Option(help: "A header, 'Name: value'; may be given again.")
    var header: [String] = []

    @Option(
        help: "A file with a token on each line, chosen by --skew; otherwise LLM_PROXY_TOKEN is sent.",
        completion: .file())
    var tokenFile: String?

    @Option(help: "How unevenly tokens are used: 0 is all alike, 1 as customers do.")
    var skew = 0.0

    @Option(help: "For https: a PEM file with the certificates to trust instead of the system's.", completion: .file())
    var caFile: String?

    @Option(help: "Threads that send.")
    var loops = 1

    @Flag(
        help: "Every answer must be the same bytes as one that --compare, or else the first URL, gives before the run.")
    var checkContent = false

    func validate() throws {
        guard SchedulePlan(rate) != nil else {
            throw ValidationError(
                "--rate must be a number above 0 and at most 1000000, or two with '..', or several with commas.")
        }
        guard (1...100_000).contains(streams ?? 1) else { throw ValidationError("--streams must be 1…100000.") }
        guard Double(streams ?? 0) <= 1000 * (warmUp + duration) else {
            throw ValidationError("--streams are opened at 1000 a second: give them a longer --warm-up.")
        }
        guard (0.1...86_400).contains(duration) else { throw ValidationError("--duration must be 0.1…86400.") }
        guard (0...3600).contains(warmUp) else { throw ValidationError("--warm-up must be 0…3600.") }
        if let startAt, !(abs(startAt - Double(time(nil))) <= 3600) {
            throw ValidationError("--start-at must be within an hour of now, in seconds since 1970.")
        }
        guard (1...65_535).contains(connections) else { throw ValidationError("--connections must be 1…65535.") }
        guard (0.001...3600).contains(timeout) else { throw ValidationError("--timeout must be 0.001…3600.") }
        guard (0...10).contains(skew) else { throw ValidationError("--skew must be 0…10.") }
        guard (1...64).contains(loops) else { throw ValidationError("--loops must be 1…64.") }
    }

    func plan(to urls: [String]) throws -> LoadPlan {
        let parts = try parts()
        let mix = try LoadMix(parts, tokens: try tokens(), skew: skew)
        var sides = [LoadPlan.Side(targets: try urls.map { try LoadTarget(url: $0) }, mix: mix)]
        if let compare { sides.append(LoadPlan.Side(targets: [try LoadTarget(url: compare)], mix: mix)) }
        let isSecure = sides.flatMap(\.targets).contains(where: \.isTLS)
        return LoadPlan(
            mode: mode(sides: sides.count), sides: sides, warmUp: .seconds(warmUp), duration: .seconds(duration),
            connections: connections, timeout: .seconds(timeout), loops: loops, startsAt: startAt,
            contentReference: checkContent ? sides.last?.targets.first : nil,
            tls: isSecure ? try LoadTLS(roots: caFile) : nil)
    }

    func fleetTraffic(isCompared: Bool) throws -> FleetRun.Traffic {
        FleetRun.Traffic(
            mode: mode(sides: isCompared ? 2 : 1), parts: try parts(moreHeaders: ["X-Sim-Number: 1"]), skew: skew,
            warmUp: .seconds(warmUp), duration: .seconds(duration), connections: connections,
            timeout: .seconds(timeout), loops: loops, isCompared: isCompared, checksContent: streams == nil)
    }

    private func parts(moreHeaders: [String] = []) throws -> [LoadMix.Part] {
        let headers = header + moreHeaders
        if let mix { return try LoadMix.parts(mix, headers: headers) }
        return [
            LoadMix.Part(
                try LoadRequest(method: method, body: method == "GET" ? [] : Array(body.utf8), headers: headers))
        ]
    }

    private func tokens() throws -> [String] {
        guard let tokenFile else { return ProcessEnvironment.variables["LLM_PROXY_TOKEN"].map { [$0] } ?? [] }
        guard let text = (try? TextFile.read(tokenFile)) ?? nil else {
            throw ValidationError("--token-file \(tokenFile) can't be read.")
        }
        let tokens = text.split(whereSeparator: \.isWhitespace).map(String.init)
        guard !tokens.isEmpty else { throw ValidationError("--token-file \(tokenFile) holds no token.") }
        return tokens
    }

    private func mode(sides: Int) -> LoadPlan.Mode {
        if let streams { return .streams(streams, opening: Schedule(ratePerSide: 1000, sides: sides)) }
        let plan = SchedulePlan(rate) ?? .steady(100)  // validate() has refused what can't be read.
        return .rate(
            plan.schedule(
                warmUp: .seconds(warmUp), duration: .seconds(duration),
                arrivals: poisson ? .poisson(seed: seed) : .even, sides: sides))
    }
}

/// Servers that are started for the run.
struct SpawnOptions: ParsableArguments {
    @Option(
        help:
            "Start an upstream, a database and servers of our own, and stop them afterwards: sqlite, sqlite-memory or postgres.",
        completion: .words(of: FleetPlan.Backend.self),
        transform: { text in
            guard let backend = FleetPlan.Backend(rawValue: text) else {
                throw ValidationError("--spawn must be sqlite, sqlite-memory or postgres.")
            }
            return backend
        })
    var spawn: FleetPlan.Backend?

    @Option(help: "With --spawn postgres: how many servers.")
    var instances = 1

    @Option(help: "With --spawn: how many tokens requests are sent under.")
    var tokens = 1

    @Option(help: "With --spawn: cap of each token; 0 for none.")
    var cap = 0

    @Option(
        help: "With --spawn: a setting of every server, NAME=value; may be given again.",
        completion: SettingsOptions.names)
    var set: [String] = []

    @Flag(help: "With --spawn: don't compare with requests that go to the upstream directly.")
    var noDirect = false

    func validate() throws {
        guard (1...20).contains(instances), instances == 1 || spawn?.isShared == true else {
            throw ValidationError("--instances must be 1…20, and 1 unless the database is PostgreSQL.")
        }
        guard (1...100_000).contains(tokens) else { throw ValidationError("--tokens must be 1…100000.") }
        guard cap >= 0 else { throw ValidationError("--cap must not be below 0.") }
        for setting in set where !setting.contains("=") {
            throw ValidationError("--set wants NAME=value, not '\(setting)'.")
        }
    }

    func plan(_ backend: FleetPlan.Backend) throws -> FleetPlan {
        var settings: [String: String] = [:]
        for setting in set {
            let name = setting.prefix { $0 != "=" }
            settings[String(name)] = String(setting.dropFirst(name.count + 1))
        }
        return FleetPlan(
            backend: backend, instances: instances, settings: settings, tokens: tokens, cap: cap,
            program: try FleetPlan.ownProgram)
    }

    func title(_ backend: FleetPlan.Backend) -> String {
        "Load on \(instances == 1 ? "one server" : "\(instances) servers"), \(backend.rawValue)"
    }
}

/// What must hold.
struct BoundOptions: ParsableArguments {
    @Option(help: "A bound such as 'p99(added)<5ms', 'errors==0', 'lost==0' or 'rate>=990'; may be given again.")
    var threshold: [String] = []

    @Option(help: "Most requests that may fail or be dropped; none, unless a --threshold bounds 'errors'.")
    var maxErrors: Int?

    @Option(help: "Bound on p99 from plan to end, in milliseconds.")
    var maxP99: Double?

    @Option(help: "Bound on what the first URL adds at p50, in milliseconds.")
    var maxAddedP50: Double?

    @Option(help: "Bound on what the first URL adds at p99, in milliseconds.")
    var maxAddedP99: Double?

    @Option(
        help:
            "A run whose generator was later than this at p99, in milliseconds, tells nothing and fails; 5, unless a --threshold bounds it."
    )
    var maxLag: Double?

    var needsComparison: Bool { maxAddedP50 != nil || maxAddedP99 != nil }

    func validate() throws {
        for bound in [maxP99, maxAddedP50, maxAddedP99, maxLag].compactMap({ $0 }) {
            guard bound.isFinite, bound >= 0 else {
                throw ValidationError("A bound in milliseconds must be a number from 0.")
            }
        }
        guard maxErrors ?? 0 >= 0 else { throw ValidationError("--max-errors must not be below 0.") }
    }

    /// All bounds alike, those of options of their own too.
    func thresholds() throws(LoadError) -> [Threshold] {
        var thresholds: [Threshold] = []
        for text in threshold { thresholds.append(try Threshold(text)) }
        let bounded = Set(thresholds.map(\.figure))
        var texts: [String] = []
        if let most = maxErrors ?? (bounded.contains("errors") ? nil : 0) { texts.append("errors<=\(most)") }
        if let most = maxLag ?? (bounded.contains("p99(lag)") ? nil : 5) { texts.append("p99(lag)<=\(most)ms") }
        if let maxP99 { texts.append("p99(corrected)<=\(maxP99)ms") }
        if let maxAddedP50 { texts.append("p50(added)<=\(maxAddedP50)ms") }
        if let maxAddedP99 { texts.append("p99(added)<=\(maxAddedP99)ms") }
        for text in texts { thresholds.append(try Threshold(text)) }
        return thresholds
    }
}

extension RunRecord {
    /// What did not hold, a line each.
    var faults: [String] {
        let broken = outcomes.filter { !$0.holds }
            .map { "\($0.threshold) does not hold: measured \($0.measured.map { "\($0)" } ?? "nothing")" }
        let silent = report.sides.filter { !$0.hasFigures }.map { "nothing came from \($0.url)" }
        let miscounted = [audit].compactMap { $0 }.filter { !$0.isExact }.map(\.text)
        return broken + silent + miscounted
    }
}
