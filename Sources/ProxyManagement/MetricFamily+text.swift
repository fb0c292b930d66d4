import ProxyStorage

/// The Prometheus text format, version 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats).
extension MetricFamily {
    /// All families as one page.
    package static func exposition(of families: [MetricFamily]) -> String {
        var page = ""
        for family in families { family.write(to: &page) }
        return page
    }

    private func write(to page: inout String) {
        page += "# HELP \(name) \(Self.escaped(help, quotes: false))\n# TYPE \(name) \(kind.rawValue)\n"
        for sample in samples {
            switch sample.value {
            case .number(let number):
                page += "\(name)\(Self.text(of: sample.labels)) \(Self.text(of: number))\n"
            case .histogram(let buckets, let sum, let count):
                for bucket in buckets where bucket.upperBound.isFinite {
                    let labels = Self.text(of: sample.labels, bound: Self.text(of: bucket.upperBound))
                    page += "\(name)_bucket\(labels) \(bucket.count)\n"
                }
                page += "\(name)_bucket\(Self.text(of: sample.labels, bound: "+Inf")) \(count)\n"
                page += "\(name)_sum\(Self.text(of: sample.labels)) \(Self.text(of: sum))\n"
                page += "\(name)_count\(Self.text(of: sample.labels)) \(count)\n"
            }
        }
    }

    /// Labels in order of name, so that a page's lines stay where they are from one reading to the next.
    private static func text(of labels: [String: String], bound: String? = nil) -> String {
        var parts = labels.sorted { $0.key < $1.key }.map { "\($0.key)=\"\(escaped($0.value, quotes: true))\"" }
        if let bound { parts.append("le=\"\(bound)\"") }
        return parts.isEmpty ? "" : "{\(parts.joined(separator: ","))}"
    }

    private static func text(of number: Double) -> String {
        if number.isNaN { return "NaN" }
        if number.isInfinite { return number < 0 ? "-Inf" : "+Inf" }
        return number.shortText
    }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": escaped += #"\\"#
            case "\n": escaped += #"\n"#
            case "\"" where quotes: escaped += #"\""#
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
