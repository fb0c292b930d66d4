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

    /// - Throws: ``LoadError/malformedThreshold(_:)`` when the text is no comparison of a figure with a number.
    public init(_ text: String) throws(LoadError) {
        let plain = text.filter { $0 != " " }
        for comparison in Comparison.allCases {
            guard let place = plain.firstRange(of: comparison.rawValue) else { continue }
            guard let bound = Self.number(plain[place.upperBound...]), place.lowerBound > plain.startIndex else {
                break
            }
            figure = String(plain[..<place.lowerBound])
            self.comparison = comparison
            self.bound = bound
            description = plain
            return
        }
        throw .malformedThreshold(text)
    }

    private static func number(_ text: Substring) -> Double? {
        for (suffix, factor) in units where text.hasSuffix(suffix) {
            return Double(text.dropLast(suffix.count)).map { $0 * factor }
        }
        return nil
    }

    /// How a threshold came out.
    public struct Outcome: Sendable {
        public let threshold: Threshold
        /// In the unit of the bound.
        public let measured: Double
        public let holds: Bool
    }

    /// - Parameter figures: by name.
    /// - Throws: ``LoadError/unknownFigure(_:known:)`` when the run has no such figure.
    public func judge(_ figures: [String: Double]) throws(LoadError) -> Outcome {
        guard let measured = figures[figure] else {
            throw .unknownFigure(figure, known: figures.keys.sorted().joined(separator: ", "))
        }
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
            "rate": Double(sides[0].succeeded) / duration.seconds,
            "content": Double(sides[0].failures[.content] ?? 0),
        ]
        for (name, path) in Percentiles.named {
            figures["\(name)(corrected)"] = sides[0].corrected[keyPath: path].milliseconds
            figures["\(name)(uncorrected)"] = sides[0].uncorrected[keyPath: path].milliseconds
            figures["\(name)(first_byte)"] = sides[0].firstByte[keyPath: path].milliseconds
            figures["\(name)(gaps)"] = sides[0].gaps[keyPath: path].milliseconds
            figures["\(name)(lag)"] = lag[keyPath: path].milliseconds
            guard sides.count == 2 else { continue }
            figures["\(name)(direct)"] = sides[1].corrected[keyPath: path].milliseconds
            figures["\(name)(added)"] = added(path)?.milliseconds
            figures["\(name)(added_first_byte)"] =
                (sides[0].firstByte[keyPath: path] - sides[1].firstByte[keyPath: path]).milliseconds
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
