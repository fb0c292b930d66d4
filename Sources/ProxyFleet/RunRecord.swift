public import ProxyLoad

/// All that is known of one run, for reports.
public struct RunRecord: Sendable {
    public let title: String
    /// `nil` where the record goes no further than this process.
    public let provenance: RunProvenance?
    public let report: LoadReport
    /// `nil` for a run against servers that are not ours to ask.
    public let audit: FleetAudit?
    public let samples: [FleetSample]
    public let outcomes: [Threshold.Outcome]
    /// All that thresholds may bound, by name.
    public let figures: [String: Double]

    public init(
        title: String, provenance: RunProvenance? = nil, report: LoadReport, audit: FleetAudit? = nil,
        samples: [FleetSample] = [], thresholds: [Threshold] = []
    ) {
        self.title = title
        self.provenance = provenance
        self.report = report
        self.audit = audit
        self.samples = samples
        figures = Self.figures(report, audit, samples)
        outcomes = thresholds.map { [figures] in $0.judge(figures) }
    }

    private static func figures(
        _ report: LoadReport, _ audit: FleetAudit?, _ samples: [FleetSample]
    ) -> [String: Double] {
        var figures = report.figures
        if let audit { figures.merge(audit.figures) { $1 } }
        guard samples.count > 1 else { return figures }
        let servers = samples.map { sample in sample.processes.filter { $0.key.hasPrefix("server") }.values }
        figures["rss(server)"] = servers.joined().map { Double($0.residentBytes) }.max() ?? 0
        let totals = servers.map { $0.reduce(0) { $0 + $1.residentBytes } }
        let streams = report.sides[0].mostOpen
        if streams > 0 {
            figures["bytes_per_stream"] = Double((totals.max() ?? 0) - (totals.first ?? 0)) / Double(streams)
        }
        figures["cores(server)"] =
            servers.dropFirst().reduce(0.0) { $0 + $1.reduce(0) { $0 + $1.cores } } / Double(servers.count - 1)
        figures["most(pool_waiting)"] = samples.map(\.poolWaiting).max() ?? 0
        figures["mean(commit)"] = samples.compactMap(\.commitMilliseconds).mean
        figures["mean(batch)"] = samples.compactMap(\.batchSize).mean
        return figures
    }

    /// Whether the run was good: every threshold holds, and what was counted is exact.
    public var isGood: Bool {
        outcomes.allSatisfy(\.holds) && audit?.isExact != false && report.sides.allSatisfy(\.hasFigures)
    }

    /// For people.
    public var text: String {
        var lines = [report.text]
        if let audit { lines.append(audit.text) }
        for outcome in outcomes {
            lines.append(
                "\(outcome.holds ? "holds" : "FAILS"): \(outcome.threshold), measured \(outcome.measured?.shown ?? "nothing")"
            )
        }
        return lines.joined(separator: "\n")
    }

    /// For programs: the report's object with what else there is.
    public var json: String {
        var members = provenance.map { #","provenance":\#($0.json)"# } ?? ""
        if let audit { members += #","audit":\#(audit.json)"# }
        if !samples.isEmpty { members += #","samples":[\#(samples.map(\.json).joined(separator: ","))]"# }
        let outcomes = outcomes.map {
            #"{"threshold":"\#($0.threshold)","measured":\#($0.measured.map { "\($0)" } ?? "null"),"holds":\#($0.holds)}"#
        }
        return report.json.dropLast() + members
            + #","thresholds":[\#(outcomes.joined(separator: ","))],"good":\#(isGood)}"#
    }
}

extension FleetSample {
    fileprivate var json: String {
        let processes = processes.sorted { $0.key < $1.key }
            .map { #""\#($0)":{"cores":\#($1.cores.shown),"resident_bytes":\#($1.residentBytes)}"# }
        return #"{"second":\#(second.shown),"processes":{\#(processes.joined(separator: ","))},"#
            + #""batch_size":\#(batchSize?.shown ?? "null"),"commit_ms":\#(commitMilliseconds?.shown ?? "null")}"#
    }
}

extension [Double] {
    /// `nil` of none.
    var mean: Double? { isEmpty ? nil : reduce(0, +) / Double(count) }
}

extension Double {
    /// With three decimals, or without any when it is whole.
    var shown: String {
        guard isFinite else { return "–" }
        guard self.magnitude < 1e12 else { return "\(self)" }
        let thousandths = Int64((self * 1000).rounded())
        let fraction = String(thousandths.magnitude % 1000)
        let sign = thousandths < 0 ? "-" : ""
        let whole = "\(sign)\(thousandths.magnitude / 1000)"
        return thousandths % 1000 == 0
            ? whole : "\(whole).\(String(repeating: "0", count: 3 - fraction.count))\(fraction)"
    }
}
