import ProxyStorage

/// The same figures as JSON.
extension MetricFamily {
    /// `{"metrics":[{"name","help","type","samples":[…]}]}`.
    static func document(of families: [MetricFamily]) -> JSONValue {
        .object([("metrics", .array(families.map(\.json)))])
    }

    private var json: JSONValue {
        .object([
            ("name", .string(name)), ("help", .string(help)), ("type", .string(kind.rawValue)),
            ("samples", .array(samples.map(\.json))),
        ])
    }
}

extension MetricFamily.Sample {
    fileprivate var json: JSONValue {
        let labels: JSONValue = .object(self.labels.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) })
        switch value {
        case .number(let number): return .object([("labels", labels), ("value", .measured(number))])
        case .histogram(let buckets, let sum, let count):
            let steps: [JSONValue] = buckets.filter(\.upperBound.isFinite).map {
                .object([("le", .measured($0.upperBound)), ("count", .integer($0.count))])
            }
            return .object([
                ("labels", labels), ("count", .integer(count)), ("sum", .measured(sum)), ("buckets", .array(steps)),
            ])
        }
    }
}
