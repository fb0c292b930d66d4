import ProxyDomain

/// The figures of the metrics page at one instant, as far as the dashboard shows them.
struct TrafficSample: Sendable {
    /// Cumulative counts up to bounds in seconds or of size; the number of all observations beside them.
    struct Buckets: Sendable {
        var steps: [(bound: Double, count: Double)] = []
        var total = 0.0

        /// What was observed since an earlier state of the same histogram.
        func since(_ earlier: Buckets) -> Buckets {
            guard earlier.total <= total, earlier.steps.count == steps.count else { return self }
            var difference = Buckets(total: total - earlier.total)
            for (now, before) in zip(steps, earlier.steps) {
                difference.steps.append((now.bound, now.count - before.count))
            }
            return difference
        }

        /// What this share of all observations is at most, interpolated within its bucket; nothing without any.
        func quantile(_ share: Double) -> Double? {
            guard total > 0 else { return nil }
            let wanted = share * total
            var (below, lower) = (0.0, 0.0)
            for step in steps {
                if step.count >= wanted {
                    let inside = step.count - below
                    return inside > 0 ? lower + (step.bound - lower) * (wanted - below) / inside : step.bound
                }
                (below, lower) = (step.count, step.bound)
            }
            return lower
        }
    }

    let at: Timestamp
    /// Single numbers by name; those with labels add up.
    private var sums: [String: Double] = [:]
    private var histograms: [String: Buckets] = [:]
    /// Answers by the class of their status.
    private(set) var answers: [String: Double] = [:]
    /// Answers of the proxy's own by code.
    private(set) var refusals: [String: Double] = [:]

    /// Reads the metrics' JSON form.
    init(_ document: Document, at instant: Timestamp) {
        at = instant
        for family in document["metrics"].items {
            let name = String(family["name"].plain.dropFirst("llm_proxy_".count))
            // One counted by reasons shows none before the first reason has come up: then nothing was counted.
            if family["type"].plain == "counter" { sums[name, default: 0] += 0 }
            for sample in family["samples"].items { add(sample, to: name) }
        }
    }

    private mutating func add(_ sample: Document, to name: String) {
        if let value = sample["value"].number {
            sums[name, default: 0] += value
            let labels = sample["labels"]
            if name == "requests_total" { answers[labels["status_class"].plain, default: 0] += value }
            if name == "refusals_total" { refusals[labels["code"].plain, default: 0] += value }
            return
        }
        var buckets = Buckets(total: sample["count"].number ?? 0)
        for step in sample["buckets"].items {
            buckets.steps.append((step["le"].number ?? 0, step["count"].number ?? 0))
        }
        if histograms[name] == nil { histograms[name] = buckets }
    }

    /// A number; nothing where there is none of that name.
    func figure(_ name: String) -> Double? { sums[name] }

    func buckets(_ name: String) -> Buckets { histograms[name] ?? Buckets() }

    /// All requests for an upstream that were answered.
    var requests: Double { sums["requests_total"] ?? 0 }

    var errors: Double { (answers["4xx"] ?? 0) + (answers["5xx"] ?? 0) }

    var tokens: Double { (sums["prompt_tokens_total"] ?? 0) + (sums["completion_tokens_total"] ?? 0) }
}
