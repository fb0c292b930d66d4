public import ProxyStorage

/// One metric with all of its samples, as both forms of the metrics page show it.
public struct MetricFamily: Hashable, Sendable {
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        case gauge
        case counter
        case histogram
    }

    /// One bucket: how many observations were at most `upperBound`. The one without bound is added by itself.
    public typealias Bucket = DatabaseFigure.HistogramBucket

    public enum Value: Hashable, Sendable {
        case number(Double)
        /// Cumulative buckets in rising order of their bounds, the sum of all observations and their number.
        case histogram(buckets: [Bucket], sum: Double, count: Int64)
    }

    public struct Sample: Hashable, Sendable {
        /// Names of letters, digits and `_`; values may be anything but secrets.
        public let labels: [String: String]
        public let value: Value

        public init(labels: [String: String] = [:], value: Value) {
            self.labels = labels
            self.value = value
        }
    }

    /// Name with the product's prefix and its unit, for instance `llm_proxy_upstream_duration_seconds`.
    public let name: String
    public let help: String
    public let kind: Kind
    public var samples: [Sample]

    public init(name: String, help: String, kind: Kind, samples: [Sample]) {
        self.name = name
        self.help = help
        self.kind = kind
        self.samples = samples
    }
}

extension MetricFamily {
    /// The database's figures under the product's prefix, those of one name together.
    static func families(of figures: [DatabaseFigure]) -> [MetricFamily] {
        merged(
            figures.map { figure in
                let kind: Kind
                let value: Value
                switch figure.kind {
                case .gauge: (kind, value) = (.gauge, .number(figure.value))
                case .counter: (kind, value) = (.counter, .number(figure.value))
                case .histogram(let buckets, let sum):
                    kind = .histogram
                    value = .histogram(buckets: buckets, sum: sum, count: Int64(exactly: figure.value.rounded()) ?? 0)
                }
                return MetricFamily(
                    name: "llm_proxy_\(figure.name)", help: figure.help, kind: kind,
                    samples: [Sample(labels: figure.labels, value: value)])
            })
    }

    /// Families of one name made one, where the first of them stood: a name may head only one group of samples.
    static func merged(_ families: [MetricFamily]) -> [MetricFamily] {
        var merged: [MetricFamily] = []
        var places: [String: Int] = [:]
        for family in families {
            if let place = places[family.name] {
                merged[place].samples += family.samples
            } else {
                places[family.name] = merged.count
                merged.append(family)
            }
        }
        return merged
    }
}
