import Glibc
import ProxyLoad

extension RunRecord {
    /// One self-contained page for somebody who wasn't there.
    /// - Parameter command: what was typed, without secrets.
    public func page(command: String) -> String {
        let charts = [latencyCurve] + overTime + [processorTime, memory, batches, commits]
        return """
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
            <title>\(title.escaped)</title><style>\(RunPageStyle.css)</style></head><body><main>
            <h1>\(title.escaped)</h1>
            <p class="verdict \(isGood ? "good" : "bad")">\(isGood ? "Every bound held." : "A bound did not hold.")</p>
            <p><code>\(command.escaped)</code></p>
            \(origin)\(summary)\(latencies)\(failures)\(verdicts)\(charts.map(\.html).joined())
            \(auditTable)
            <p class="note">Latency counts from the instant a request was planned for, so that a server that stalls can't hide it. \
            What found no free connection was dropped and counted, never sent later. The generator itself was \
            \(report.lag.p99.milliseconds.shown) ms late at p99; on one core of its own it sends \(Int(report.requestsPerCore)) requests/s.</p>
            </main></body></html>

            """
    }

    private var summary: String {
        let rows = report.sides.map { side in
            "<tr><th scope=\"row\">\(side.url.escaped)</th><td>\(side.planned)</td><td>\(side.succeeded)</td>"
                + "<td>\(side.errors)</td><td>\(side.dropped)</td><td>\(report.carriedRate(side).shown)</td>"
                + "<td>\(side.events > 0 ? "\(side.events)" : "–")</td><td>\(side.mostOpen)</td></tr>"
        }
        let heads = [
            "to", "planned", "answered", "failed or dropped", "dropped", "carried per second", "events", "most at once",
        ]
        let table = "<table><tr>\(heads.map { "<th scope=\"col\">\($0)</th>" }.joined())</tr>\(rows.joined())</table>"
        return table.scrolling("Requests")
            + "<p>\(report.duration.seconds.shown) s measured, \(report.cores) cores, open loop.</p>"
    }

    private var origin: String {
        provenance.map {
            "<p class=\"note\">\($0.date.escaped), llm-proxy \($0.version.escaped), \($0.machine.escaped)</p>"
        } ?? ""
    }

    private var latencies: String {
        func row(_ name: String, _ percentile: (KeyPath<Percentiles, Duration>) -> Duration?) -> String {
            let cells = Percentiles.shown.map { "<td>\(percentile($0.path)?.milliseconds.shown ?? "")</td>" }
            return "<tr><th scope=\"row\">\(name.escaped)</th>\(cells.joined())</tr>"
        }
        var rows: [String] = []
        for (index, side) in report.sides.enumerated() {
            let series = [
                ("from plan to end", side.corrected), ("from sending to end", side.uncorrected),
                ("from sending to first byte", side.firstByte), ("between events", side.gaps),
            ]
            for (what, values) in series where values.count > 0 {
                rows.append(row("\(name(index)), \(what)") { values[keyPath: $0] })
            }
        }
        if report.sides.count == 2, report.sides.allSatisfy({ $0.corrected.count > 0 }) {
            rows.append(row("added by the proxy, from plan to end") { report.added($0) })
        }
        let heads = Percentiles.shown.map { "<th scope=\"col\">\($0.name) ms</th>" }
        let table = "<table><tr><td></td>\(heads.joined())</tr>\(rows.joined())</table>"
        return "<h2>Latency</h2>\(table.scrolling("Latency"))"
    }

    private var failures: String {
        let rows = report.sides.enumerated().flatMap { index, side in
            side.namedFailures.map {
                "<tr><th scope=\"row\">\(name(index)), \($0.name.escaped)</th><td>\($0.count)</td></tr>"
            }
        }
        return rows.isEmpty
            ? "" : "<h2>Failures</h2>\("<table>\(rows.joined())</table>".scrolling("Failures"))"
    }

    private var verdicts: String {
        guard !outcomes.isEmpty else { return "" }
        let rows = outcomes.map {
            "<tr class=\"\($0.holds ? "good" : "bad")\"><td><code>\($0.threshold.description.escaped)</code></td>"
                + "<td>\($0.measured?.shown ?? "nothing")</td><td>\($0.holds ? "holds" : "fails")</td></tr>"
        }
        let table =
            "<table><tr><th scope=\"col\">bound</th><th scope=\"col\">measured</th>"
            + "<th scope=\"col\">verdict</th></tr>\(rows.joined())</table>"
        return "<h2>Bounds</h2>\(table.scrolling("Bounds"))"
    }

    private var auditTable: String {
        guard let audit else { return "" }
        let rows: [(String, String)] = [
            ("sent", "\(audit.sent)"), ("acknowledged", "\(audit.acknowledged)"),
            ("reached the upstream", "\(audit.served)"), ("in counters", "\(audit.counted)"),
            ("tokens served", "\(audit.tokensServed)"), ("tokens in counters", "\(audit.tokensCounted)"),
            (
                "tokens",
                audit.tokenDifference.map { "differ by \($0)" }
                    ?? "not compared: not every answer of the upstream came to its end, or a server was killed"
            ),
            ("servers", audit.serversEnded ? "ended in order" : "did not end in order"), ("lost", "\(audit.lost)"),
            ("duplicated", "\(audit.duplicated)"), ("over a cap", "\(audit.overAdmitted)"),
            ("counters and rows", audit.isSound.map { $0 ? "agree" : "disagree" } ?? "in memory, not compared"),
        ]
        let cells = rows.map { "<tr><th scope=\"row\">\($0.0)</th><td>\($0.1)</td></tr>" }
        return "<h2>What everybody counted</h2>"
            + "<table>\(cells.joined())</table>".scrolling("What everybody counted")
    }

    // MARK: Charts

    private func name(_ side: Int) -> String { side == 0 ? "through the proxy" : "direct" }

    /// By how many nines a request is fast enough: each step to the right is a tenth of the requests left. Of streams that are held,
    /// what can be late is their first byte and each event.
    private var latencyCurve: LineChart {
        let shares = [0.0, 50, 75, 90, 95, 99, 99.5, 99.9, 99.99]
        func place(_ share: Double) -> Double { -log10(1 - share / 100) }
        func line(_ name: String, _ distribution: [LatencyCount]) -> LineChart.Line {
            LineChart.Line(
                name: name,
                points: shares.compactMap { share in
                    distribution.latency(ofShare: share).map { (place(share), $0.milliseconds) }
                })
        }
        let lines = report.sides.enumerated().flatMap { index, side in
            report.rate == nil
                ? [
                    line("first byte, \(name(index))", side.firstByteDistribution),
                    line("between events, \(name(index))", side.gapDistribution),
                ] : [line(name(index), side.distribution)]
        }
        return LineChart(
            title: "Latency by percentile", measure: "ms", over: "percentile", lines: lines,
            ticks: [0, 50, 90, 99, 99.9, 99.99].map {
                LineChart.Tick(place: place($0), text: $0 < 99.9 ? $0.brief : "\($0)")
            })
    }

    /// Second by second, through the proxy.
    private var overTime: [LineChart] {
        report.rate == nil
            ? [
                overTime("Open streams, through the proxy", "", [("open", { Double($0.open) })]),
                overTime(
                    "Events, and streams that ended or broke, through the proxy", "/s",
                    [
                        ("events", { Double($0.events) }), ("ended", { Double($0.answered) }),
                        ("broke", { Double($0.failed) }),
                    ]),
            ]
            : [
                overTime(
                    "Latency over time, through the proxy", "ms",
                    [("p50", { $0.latency.p50.milliseconds }), ("p99", { $0.latency.p99.milliseconds })]),
                overTime(
                    "Planned and achieved rate, through the proxy", "/s",
                    [
                        ("planned", { Double($0.planned) }), ("answered", { Double($0.answered) }),
                        ("failed or dropped", { Double($0.failed) }),
                    ]),
            ]
    }

    private func overTime(
        _ title: String, _ measure: String, _ lines: [(String, (LoadReport.Second) -> Double)]
    ) -> LineChart {
        let seconds = report.sides[0].seconds
        return LineChart(
            title: title, measure: measure, over: "seconds",
            lines: lines.map { name, value in
                LineChart.Line(name: name, points: seconds.enumerated().map { (Double($0), value($1)) })
            })
    }

    private func ofProcesses(_ title: String, _ measure: String, _ value: (FleetSample.Process) -> Double) -> LineChart
    {
        let names = Set(samples.flatMap(\.processes.keys)).sorted()
        return LineChart(
            title: title, measure: measure, over: "seconds since the start",
            lines: names.map { name in
                LineChart.Line(
                    name: name,
                    points: samples.compactMap { sample in
                        sample.processes[name].map { (sample.second.rounded(), value($0)) }
                    })
            })
    }

    private var processorTime: LineChart { ofProcesses("CPU of each process", "cores") { $0.cores } }

    private var memory: LineChart {
        ofProcesses("Resident memory of each process", "MiB") { Double($0.residentBytes) / 1_048_576 }
    }

    private func ofLedger(
        _ title: String, _ measure: String, _ name: String, _ value: (FleetSample) -> Double?
    ) -> LineChart {
        let points = samples.compactMap { sample in value(sample).map { (sample.second.rounded(), $0) } }
        return LineChart(
            title: title, measure: measure, over: "seconds since the start",
            lines: [LineChart.Line(name: name, points: points)])
    }

    private var batches: LineChart { ofLedger("Requests that shared a commit", "", "batch size") { $0.batchSize } }

    private var commits: LineChart { ofLedger("Time of a commit", "ms", "commit") { $0.commitMilliseconds } }
}

extension Percentiles {
    /// Those that pages show.
    fileprivate static var shown: [(name: String, path: KeyPath<Percentiles, Duration>)] {
        [("p50", \.p50), ("p90", \.p90), ("p99", \.p99), ("p99.9", \.p999), ("max", \.max)]
    }
}
