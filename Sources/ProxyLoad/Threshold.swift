/// A bound that decides whether a run was good: `p99(added)<5ms`, `errors==0`, `rate>=9900`.
public struct Threshold: Hashable, Sendable, CustomStringConvertible {
    /// How a figure is compared with the bound.
    public enum Comparison: String, CaseIterable, Sendable {
        // Longer ones first: they begin with the shorter.
        case atMost = "<="
        case atLeast = ">="
        case equal = "=="
        case unequal = "!="
        case below = "<"
        case above = ">"

        func holds(_ figure: Double, _ bound: Double) -> Bool {
            switch self {
            case .atMost: figure <= bound
            case .atLeast: figure >= bound
            case .equal: figure == bound
            case .unequal: figure != bound
            case .below: figure < bound
            case .above: figure > bound
            }
        }
    }

    /// What is bounded, such as `p99(added)` or `errors`.
    public let figure: String
    public let comparison: Comparison
    /// Milliseconds for durations, bytes for sizes, otherwise a plain number.
    public let bound: Double
    /// As it was written.
    public let description: String

    private static let units: [(suffix: String, factor: Double)] = [
        ("us", 1e-3), ("ms", 1), ("KiB", 1024), ("MiB", 1_048_576), ("GiB", 1_073_741_824), ("s", 1e3), ("", 1),
    ]

    /// Every figure that there may be.
    static let names: Set<String> = {
        let series = ["corrected", "uncorrected", "first_byte", "gaps", "lag", "direct", "added", "added_first_byte"]
        let latencies = Percentiles.named.flatMap { entry in series.map { "\(entry.name)(\($0))" } }
        return Set(latencies).union([
            "errors", "dropped", "content", "planned", "succeeded", "rate", "streams", "events", "requests_per_core",
            "lost", "duplicated", "over_admitted", "token_difference", "sound", "rss(server)", "cores(server)",
            "bytes_per_stream", "mean(commit)", "mean(batch)", "most(pool_waiting)",
        ])
    }()

    /// - Throws: ``LoadError/malformedThreshold(_:)`` when the text is no comparison of a figure with a number,
    ///   ``LoadError/unknownFigure(_:known:)`` when there is no such figure.
    public init(_ text: String) throws(LoadError) {
        let plain = text.filter { $0 != " " }
        for comparison in Comparison.allCases {
            guard let place = plain.firstRange(of: comparison.rawValue) else { continue }
            guard let bound = Self.number(plain[place.upperBound...]), place.lowerBound > plain.startIndex else {
                break
            }
            let figure = String(plain[..<place.lowerBound])
            guard Self.names.contains(figure) else {
                throw .unknownFigure(figure, known: Self.names.sorted().joined(separator: ", "))
            }
            self.figure = figure
            self.comparison = comparison
            self.bound = bound
            description = plain
            return
        }
        throw .malformedThreshold(text)
    }

    private static func number(_ text: Substring) -> Double? {
        for (suffix, factor) in units where text.hasSuffix(suffix) {
            return Double(text.dropLast(suffix.count)).flatMap { $0.isFinite ? $0 * factor : nil }
        }
        return nil
    }

    /// How a threshold came out.
    public struct Outcome: Sendable {
        public let threshold: Threshold
        /// In the unit of the bound; `nil` when the run has measured no such thing, and then it does not hold.
        public let measured: Double?
        public let holds: Bool
    }

    /// - Parameter figures: by name.
    public func judge(_ figures: [String: Double]) -> Outcome {
        guard let measured = figures[figure] else { return Outcome(threshold: self, measured: nil, holds: false) }
        return Outcome(threshold: self, measured: measured, holds: comparison.holds(measured, bound))
    }
}

extension LoadReport {
    /// All that thresholds may bound, by name; durations in milliseconds.
    public var figures: [String: Double] {
        var figures: [String: Double] = [
            "errors": Double(sides.reduce(0) { $0 + $1.errors }),
            "dropped": Double(sides.reduce(0) { $0 + $1.dropped }), "requests_per_core": requestsPerCore,
            "streams": Double(sides[0].mostOpen), "events": Double(sides[0].events),
            "planned": Double(sides[0].planned), "succeeded": Double(sides[0].succeeded),
            "rate": carriedRate(sides[0]),
            "content": Double(sides[0].failures[.content] ?? 0),
        ]
        let first = sides[0]
        var series: [(name: String, values: Percentiles)] = [
            ("corrected", first.corrected), ("uncorrected", first.uncorrected), ("first_byte", first.firstByte),
            ("gaps", first.gaps), ("lag", lag),
        ]
        if sides.count == 2 { series.append(("direct", sides[1].corrected)) }
        // What was not measured has no figure, so that no bound on it holds.
        for (name, values) in series where values.count > 0 {
            for (percentile, path) in Percentiles.named {
                figures["\(percentile)(\(name))"] = values[keyPath: path].milliseconds
            }
        }
        guard sides.count == 2, sides.allSatisfy({ $0.corrected.count > 0 }) else { return figures }
        for (percentile, path) in Percentiles.named {
            figures["\(percentile)(added)"] = added(path)?.milliseconds
            figures["\(percentile)(added_first_byte)"] =
                (first.firstByte[keyPath: path] - sides[1].firstByte[keyPath: path]).milliseconds
        }
        return figures
    }
}

extension Percentiles {
    /// What there is, by the name that thresholds and reports have for it.
    static var named: [(name: String, path: KeyPath<Percentiles, Duration>)] {
        [
            ("p50", \.p50), ("p90", \.p90), ("p99", \.p99), ("p999", \.p999), ("max", \.max), ("mean", \.mean),
        ]
    }
}
