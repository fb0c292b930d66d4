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

    /// What a figure is of, and the units that a bound on it may have.
    enum Quantity: CaseIterable {
        case duration
        case size
        case number

        /// Longer ones first: they end with the shorter.
        var units: [(suffix: String, factor: Double)] {
            switch self {
            case .duration: [("us", 1e-3), ("ms", 1), ("s", 1e3), ("", 1)]
            case .size: [("KiB", 1024), ("MiB", 1_048_576), ("GiB", 1_073_741_824), ("", 1)]
            case .number: [("", 1)]
            }
        }

        /// All figures of this kind.
        var figures: [String] {
            switch self {
            case .duration:
                let series = [
                    "corrected", "uncorrected", "first_byte", "gaps", "lag", "direct", "added", "added_first_byte",
                ]
                return Percentiles.named.flatMap { entry in series.map { "\(entry.name)(\($0))" } } + ["mean(commit)"]
            case .size: return ["rss(server)", "bytes_per_stream"]
            case .number:
                return [
                    "errors", "warm_up_errors", "dropped", "content", "planned", "succeeded", "rate", "streams",
                    "events",
                    "requests_per_core", "lost", "duplicated", "over_admitted", "token_difference", "sound",
                    "cores(server)", "mean(batch)", "most(pool_waiting)",
                ]
            }
        }
    }

    /// Every figure that there may be.
    static let quantities: [String: Quantity] = Dictionary(
        uniqueKeysWithValues: Quantity.allCases.flatMap { quantity in quantity.figures.map { ($0, quantity) } })

    /// - Throws: ``LoadError/malformedThreshold(_:)`` when the text is no comparison of a figure with a number, or that has a unit which the
    ///   figure has not, ``LoadError/unknownFigure(_:known:)`` when there is no such figure.
    public init(_ text: String) throws(LoadError) {
        let plain = text.filter { $0 != " " }
        for comparison in Comparison.allCases {
            guard let place = plain.firstRange(of: comparison.rawValue) else { continue }
            let figure = String(plain[..<place.lowerBound])
            guard !figure.isEmpty else { break }
            guard let quantity = Self.quantities[figure] else {
                throw .unknownFigure(figure, known: Self.quantities.keys.sorted().joined(separator: ", "))
            }
            guard let bound = Self.number(plain[place.upperBound...], in: quantity.units) else { break }
            self.figure = figure
            self.comparison = comparison
            self.bound = bound
            description = plain
            return
        }
        throw .malformedThreshold(text)
    }

    private static func number(_ text: Substring, in units: [(suffix: String, factor: Double)]) -> Double? {
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
            "warm_up_errors": Double(sides.reduce(0) { $0 + $1.warmUpErrors }),
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
        let compared: [(name: String, series: KeyPath<Side, Percentiles>)] = [
            ("added", \.corrected), ("added_first_byte", \.firstByte),
        ]
        for (name, series) in compared {
            for (percentile, path) in Percentiles.named {
                figures["\(percentile)(\(name))"] = added(path, of: series)?.milliseconds
            }
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
