public import ProxyLoad

/// A claim of the database guide that load can prove.
public struct ClaimCheck: Sendable {
    /// Such as `G10`.
    public let claim: String
    public let text: String
    private let measure:
        @Sendable (ClaimBench) async throws -> (measurements: [ClaimResult.Measurement], multiple: Double?)

    init(
        _ claim: String, _ text: String,
        measure: @escaping @Sendable (ClaimBench) async throws -> ([ClaimResult.Measurement], Double?)
    ) {
        self.claim = claim
        self.text = text
        self.measure = measure
    }

    /// All of them, in the guide's order.
    public static let all = [sqliteRate, postgresInstances, manyConnections, sizingTable, edge]

    /// - Throws: `FleetError`, `LoadError` when it can't be measured.
    public func run(_ bench: ClaimBench) async throws -> ClaimResult {
        let (measurements, multiple) = try await measure(bench)
        return ClaimResult(claim: claim, text: text, measurements: measurements, multiple: multiple)
    }
}

/// What claims are measured with.
public struct ClaimBench: Sendable {
    public let program: String
    /// How much is measured.
    public enum Form: Sendable {
        /// That counts are exact, at a twentieth of the rate and whatever else the machine does; no rate is looked for.
        case correctness
        /// As long as it takes to see where the claims stand.
        case short
        /// As long as they deserve.
        case long
    }

    public let form: Form
    /// Told what is done now.
    public let report: @Sendable (String) -> Void
    /// Told how a run goes.
    public let watch: @Sendable (LiveFigures, Duration) async -> Void
    /// Told of all that is started and made.
    public let remains: FleetRemains

    public init(
        program: String, form: Form, report: @escaping @Sendable (String) -> Void,
        watch: @escaping @Sendable (LiveFigures, Duration) async -> Void = { _, _ in },
        remains: FleetRemains = FleetRemains()
    ) {
        self.program = program
        self.form = form
        self.report = report
        self.watch = watch
        self.remains = remains
    }

    /// Whether speed counts.
    var measures: Bool { form != .correctness }

    func seconds(short: Double, long: Double) -> Duration {
        switch form {
        case .correctness: .seconds(2)
        case .short: .seconds(short)
        case .long: .seconds(long)
        }
    }

    /// A rate of the guide, as the form has it.
    func rate(_ rate: Double) -> Double { measures ? rate : rate / 20 }

    /// A chat request whose answer is the same bytes each time.
    static func chat() throws(LoadError) -> [LoadMix.Part] {
        try LoadMix.parts("chat", headers: ["X-Sim-Number: 1"])
    }

    /// Runs traffic through a fleet of its own.
    func run(
        _ what: String, _ fleet: FleetPlan, _ traffic: FleetRun.Traffic, _ thresholds: [String],
        disturbance: @escaping @Sendable (Fleet) async -> Void = { _ in }
    ) async throws -> RunRecord {
        report(what)
        var (fleet, traffic) = (fleet, traffic)
        fleet.remains = remains
        var thresholds = thresholds
        if measures {
            thresholds.append("p99(lag)<50ms")
        } else {
            // A machine that stalls may leave many waiting, and lose none.
            traffic.connections = 4096
            traffic.timeout = .seconds(60)
            fleet.settings["DATABASE_WAIT"] = "20s"
        }
        let live = LiveFigures()
        let watching = Task { await watch(live, traffic.warmUp + traffic.duration) }
        defer { watching.cancel() }
        return try await FleetRun.run(
            fleet, traffic, title: what,
            thresholds: try thresholds.map { text throws(LoadError) in try Threshold(text) }, live: live,
            disturbance: disturbance)
    }

    /// The highest rate that is carried, found by raising it until something breaks.
    struct Ceiling {
        /// Requests per second that were carried.
        let rate: Double
        /// Why the next was not.
        let reason: String
        let audit: FleetAudit
    }

    /// Raises the rate by half each time, at last by a fifth, until errors appear, p99 passes 100 ms, or the generator itself is late.
    /// - Returns: `nil` where speed doesn't count.
    func ceiling(_ what: String, _ fleetPlan: FleetPlan, from first: Double) async throws -> Ceiling? {
        guard measures else { return nil }
        var fleetPlan = fleetPlan
        fleetPlan.remains = remains
        let fleet = try await Fleet.start(fleetPlan)
        do {
            let found = try await climb(what, fleet, from: first)
            await fleet.stop()
            return found
        } catch {
            await fleet.stop()
            throw error
        }
    }

    private func climb(_ what: String, _ fleet: Fleet, from first: Double) async throws -> Ceiling {
        var (rate, carried, reason) = (first, 0.0, "")
        var reports: [LoadReport] = []
        var factor = 1.5
        while rate < 200_000 {
            report("\(what): \(Int(rate)) requests/s")
            let traffic = FleetRun.Traffic(
                mode: .rate(Schedule(ratePerSide: rate)), parts: try Self.chat(), warmUp: .seconds(1),
                duration: seconds(short: 2, long: 8), connections: 2048,
                isCompared: false)
            let result = try await LoadRun.run(try traffic.plan(through: fleet))
            reports.append(result)
            if let broken = Self.whatBroke(result) {
                reason = "at \(Int(rate))/s \(broken)"
                if carried == 0, rate > 10 {
                    rate /= 2
                    continue
                }
                guard factor > 1.3, carried > 0 else { break }
                factor = 1.2
                rate = carried * factor
            } else {
                carried = max(carried, rate)
                rate *= factor
            }
        }
        return Ceiling(rate: carried, reason: reason, audit: try await fleet.audit(reports))
    }

    private static func whatBroke(_ report: LoadReport) -> String? {
        let side = report.sides[0]
        if side.errors > 0 { return "\(side.errors) of \(side.planned) failed or found no connection" }
        if report.lag.p99 > .milliseconds(50) {
            return "the generator itself was late, by \(report.lag.p99.milliseconds.shown) ms at p99"
        }
        if side.corrected.p99 > .milliseconds(100) { return "p99 was \(side.corrected.p99.milliseconds.shown) ms" }
        return nil
    }
}

extension RunRecord {
    func figure(_ name: String) -> Double { figures[name] ?? .nan }

    /// That everything was carried and counted, in a line.
    func measurement(_ what: String, required: String, _ measured: String) -> ClaimResult.Measurement {
        let broken = outcomes.filter { !$0.holds }.map { "\($0.threshold) measured \($0.measured?.shown ?? "nothing")" }
        let counted = audit.map { $0.isExact ? "" : "; \($0.text)" } ?? ""
        return ClaimResult.Measurement(
            what: what, required: required,
            measured: measured + (broken.isEmpty ? "" : "; BROKEN: \(broken.joined(separator: ", "))") + counted,
            holds: isGood)
    }

    /// Errors, what was lost, and latency.
    var carried: String {
        let added =
            figures["p99(added)"].map { ", added p50 \(figure("p50(added)").shown) ms, p99 \($0.shown) ms" } ?? ""
        return
            "\(figure("rate").shown)/s answered, \(Int(figure("errors"))) errors, \(Int(figure("lost"))) lost\(added)"
    }
}

extension ClaimBench.Ceiling {
    func measurement(_ what: String, above least: Double) -> ClaimResult.Measurement {
        ClaimResult.Measurement(
            what: what, required: "above \(Int(least))/s, count exact",
            measured:
                "\(Int(rate))/s, with all there is on the same cores; \(reason)\(audit.isExact ? "" : "; \(audit.text)")",
            holds: rate > least && audit.isExact)
    }
}
