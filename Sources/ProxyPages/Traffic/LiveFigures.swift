import ProxyDomain

/// The dashboard's figures that change while it is looked at, out of the samples of the last minutes.
struct LiveFigures: Sendable {
    /// Texts by the names that the page has places for.
    private(set) var texts: [String: String] = [:]
    private(set) var charts: [SVGChart] = []
    /// Refusals by code since the server began, most first.
    private(set) var refusals: [(code: String, count: Int64)] = []
    let hasSamples: Bool
    /// What the charts show, a row for each sample.
    private(set) var rows: [[String]] = []

    init(_ samples: [TrafficSample]) {
        hasSamples = !samples.isEmpty
        guard let last = samples.last, let first = samples.first else { return }
        let before = samples.count > 1 ? samples[samples.count - 2] : nil
        readRates(last, before)
        readLatencies(last, samples.count > 1 ? first : nil)
        readDatabase(last)
        readCharts(samples)
        refusals = last.refusals.filter { $0.value > 0 }.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
            .map { (code: $0.key, count: Int64($0.value)) }
    }

    private mutating func readRates(_ last: TrafficSample, _ before: TrafficSample?) {
        func rate(_ value: KeyPath<TrafficSample, Double>) -> String {
            Self.rate(last, before, value).map { Shown.decimal($0, 1) } ?? Shown.nothing
        }
        texts["requests_per_second"] = rate(\.requests)
        texts["errors_per_second"] = rate(\.errors)
        texts["tokens_per_second"] = rate(\.tokens)
        texts["requests_total"] = Shown.grouped(Int64(last.requests))
        for kind in ["2xx", "4xx", "5xx", "none"] {
            texts["answers_\(kind)"] = Shown.grouped(Int64(last.answers[kind] ?? 0))
        }
        texts["in_flight"] = whole(last, "requests_in_flight")
        texts["connections"] = whole(last, "client_connections")
        texts["refusals"] = whole(last, "refusals_total")
        texts["shadow_refusals"] = whole(last, "shadow_refusals_total")
    }

    private func whole(_ sample: TrafficSample, _ name: String) -> String {
        sample.figure(name).map { Shown.decimal($0, 0) } ?? Shown.nothing
    }

    /// Per second between two samples.
    private static func rate(
        _ last: TrafficSample, _ before: TrafficSample?, _ value: KeyPath<TrafficSample, Double>
    ) -> Double? {
        guard let before else { return nil }
        let seconds = Double(last.at.milliseconds - before.at.milliseconds) / 1000
        return seconds > 0 ? max(0, last[keyPath: value] - before[keyPath: value]) / seconds : nil
    }

    private static let quantiles = [("p50", 0.5), ("p95", 0.95), ("p99", 0.99)]
    private static let histograms = [
        ("added", "added_latency_seconds"), ("upstream", "upstream_first_byte_seconds"),
        ("duration", "request_duration_seconds"), ("commit", "database_commit_seconds"),
    ]

    /// Of the last minutes where something happened in them, or else since the server began.
    private mutating func readLatencies(_ last: TrafficSample, _ first: TrafficSample?) {
        for (name, metric) in Self.histograms {
            let all = last.buckets(metric)
            let recent = first.map { all.since($0.buckets(metric)) } ?? all
            let shown = recent.total > 0 ? recent : all
            for (label, share) in Self.quantiles {
                texts["\(name)_\(label)"] = Shown.milliseconds(shown.quantile(share).map { $0 * 1000 })
            }
        }
        let sizes = last.buckets("database_ledger_batch_size")
        texts["batch_p50"] = sizes.quantile(0.5).map { Shown.decimal($0, 1) } ?? Shown.nothing
        texts["batch_p99"] = sizes.quantile(0.99).map { Shown.decimal($0, 1) } ?? Shown.nothing
    }

    private mutating func readDatabase(_ last: TrafficSample) {
        texts["pool_in_use"] = whole(last, "database_pool_in_use_connections")
        texts["pool_idle"] = whole(last, "database_pool_idle_connections")
        texts["pool_waiting"] = whole(last, "database_pool_waiting_calls")
        texts["queue_depth"] = whole(last, "ledger_queue_depth")
        texts["drift"] = last.figure("database_drift_requests").map { Shown.decimal($0, 0) } ?? "not looked at yet"
        texts["drift_state"] = (last.figure("database_drift_requests") ?? 0) == 0 ? "as it must be" : "look with verify"
        let size = last.figure("database_file_size_bytes") ?? last.figure("database_size_bytes")
        texts["database_size"] = Shown.bytes(size)
        texts["wal_size"] = Shown.bytes(last.figure("database_wal_size_bytes"))
    }

    private mutating func readCharts(_ samples: [TrafficSample]) {
        var (requests, errors): ([Double?], [Double?]) = ([], [])
        var (p50, p95, p99): ([Double?], [Double?], [Double?]) = ([], [], [])
        for (before, after) in zip(samples, samples.dropFirst()) {
            let metric = "added_latency_seconds"
            let added = after.buckets(metric).since(before.buckets(metric))
            requests.append(Self.rate(after, before, \.requests))
            errors.append(Self.rate(after, before, \.errors))
            p50.append(added.quantile(0.5).map { $0 * 1000 })
            p95.append(added.quantile(0.95).map { $0 * 1000 })
            p99.append(added.quantile(0.99).map { $0 * 1000 })
            rows.append([
                Shown.instant(after.at.text), Shown.decimal(requests.last.flatMap { $0 } ?? 0, 1),
                Shown.decimal(errors.last.flatMap { $0 } ?? 0, 1), Shown.milliseconds(p50.last.flatMap { $0 }),
                Shown.milliseconds(p95.last.flatMap { $0 }), Shown.milliseconds(p99.last.flatMap { $0 }),
            ])
        }
        let traffic = SVGChart(
            title: "Requests per second", summary: "Requests and errors per second in the last minutes.",
            shape: .lines,
            series: [.init(name: "requests", values: requests), .init(name: "errors", values: errors)],
            name: "traffic")
        let latency = SVGChart(
            title: "Added latency", summary: "Time added by the proxy in the last minutes: p50, p95 and p99.",
            shape: .lines,
            series: [
                .init(name: "p50", values: p50), .init(name: "p95", values: p95), .init(name: "p99", values: p99),
            ], name: "latency")
        charts = [traffic, latency]
        texts["traffic_top"] = "\(Shown.decimal(traffic.top, 1)) /s"
        texts["latency_top"] = Shown.milliseconds(latency.top)
    }
}
