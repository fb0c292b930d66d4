extension LoadReport {
    /// The report for people.
    public var text: String {
        let what = rate.map { "\($0) requests/s" } ?? "held streams"
        var lines = ["\(what) for \(duration.seconds) s on \(cores) cores, open loop; latencies in ms"]
        for side in sides { lines += Self.lines(side, carried: carriedRate(side)) }
        if let p50 = added(\.p50), let p99 = added(\.p99) {
            lines.append("added by the first: p50 \(p50.shown), p99 \(p99.shown)")
        }
        lines.append(
            "generator's own lag: p50 \(lag.p50.shown), p99 \(lag.p99.shown), max \(lag.max.shown); it sends "
                + "\(Int(requestsPerCore)) requests/s per core of its own")
        return lines.joined(separator: "\n")
    }

    private static func lines(_ side: Side, carried: Double) -> [String] {
        let failures = side.namedFailures.map { ", \($0.count) failed: \($0.name)" }.joined()
        var lines = [
            side.url,
            "  \(side.planned) planned, \(side.succeeded) answered, \(Int(carried.rounded()))/s carried, "
                + "\(side.dropped) dropped\(failures); "
                + "\(side.warmedUp) in the warm-up, \(side.warmUpErrors) failed there; at most \(side.mostOpen) at once",
        ]
        let rows = [
            ("from plan to end", side.corrected), ("from sending to end", side.uncorrected),
            ("to first byte", side.firstByte), ("between events", side.gaps),
        ]
        for (name, each) in rows where each.count > 0 {
            lines.append(
                "  \(name): p50 \(each.p50.shown), p90 \(each.p90.shown), p99 \(each.p99.shown), "
                    + "p99.9 \(each.p999.shown), max \(each.max.shown) (\(each.count))")
        }
        if side.events > 0 { lines.append("  \(side.events) events") }
        return lines
    }

    /// The report for programs: one JSON object; durations in milliseconds.
    public var json: String {
        let sides = sides.map(Self.document).joined(separator: ",")
        let rate = rate.map { "\($0)" } ?? "null"
        return #"{"rate":\#(rate),"seconds":\#(duration.seconds),"cores":\#(cores),"lag":\#(lag.document),"#
            + #""generator":{"processor_seconds":\#(processorTime.seconds),"requests_per_core_second":\#(Int(requestsPerCore))},"#
            + #""sides":[\#(sides)]}"#
    }

    /// Each side (1 or 2) second by second, for spreadsheets; durations in milliseconds.
    public var csv: String {
        var lines = ["side,second,planned,answered,failed,dropped,events,open,p50_ms,p99_ms,max_ms"]
        for (side, seconds) in sides.map(\.seconds).enumerated() {
            for (second, each) in seconds.enumerated() {
                let counts = [
                    side + 1, second, each.planned, each.answered, each.failed, each.dropped, each.events, each.open,
                ]
                let durations = [each.latency.p50, each.latency.p99, each.latency.max]
                lines.append((counts.map(String.init) + durations.map(\.shown)).joined(separator: ","))
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func document(_ side: Side) -> String {
        let failures = side.namedFailures.map { #""\#($0.name)":\#($0.count)"# }.joined(separator: ",")
        // A URL that was read holds no byte that JSON would have to escape but these two.
        let url = side.url.split(separator: "\\", omittingEmptySubsequences: false).joined(separator: "\\\\")
            .split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\\\"")
        return
            #"{"url":"\#(url)","planned":\#(side.planned),"succeeded":\#(side.succeeded),"carried":\#(side.carried),"failures":{\#(failures)},"#
            + #""dropped":\#(side.dropped),"sent":\#(side.sent),"acknowledged":\#(side.acknowledged),"warmed_up":\#(side.warmedUp),"warm_up_errors":\#(side.warmUpErrors),"most_open":\#(side.mostOpen),"#
            + #""events":\#(side.events),"corrected":\#(side.corrected.document),"#
            + #""uncorrected":\#(side.uncorrected.document),"first_byte":\#(side.firstByte.document),"#
            + #""gaps":\#(side.gaps.document),"seconds":[\#(side.seconds.map(\.document).joined(separator: ","))],"#
            + #""corrected_distribution":[\#(side.distribution.map(\.document).joined(separator: ","))]}"#
    }
}

extension LoadReport.Second {
    fileprivate var document: String {
        #"{"planned":\#(planned),"answered":\#(answered),"failed":\#(failed),"dropped":\#(dropped),"#
            + #""events":\#(events),"open":\#(open),"p50":\#(latency.p50.shown),"#
            + #""p99":\#(latency.p99.shown),"max":\#(latency.max.shown)}"#
    }
}

extension LatencyCount {
    fileprivate var document: String { "[\(latency.shown),\(count)]" }
}

extension Percentiles {
    fileprivate var document: String {
        #"{"count":\#(count),"mean":\#(mean.shown),"p50":\#(p50.shown),"p90":\#(p90.shown),"p99":\#(p99.shown),"#
            + #""p999":\#(p999.shown),"max":\#(max.shown)}"#
    }
}

extension Duration {
    /// Milliseconds with three decimals.
    var shown: String {
        let microseconds = wholeNanoseconds / 1000
        let fraction = String(microseconds.magnitude % 1000)
        let sign = microseconds < 0 ? "-" : ""
        return "\(sign)\(microseconds.magnitude / 1000).\(String(repeating: "0", count: 3 - fraction.count))\(fraction)"
    }
}
