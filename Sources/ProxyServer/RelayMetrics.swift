import ProxyDomain
import ProxyLedger
import ProxyManagement
import ProxyRelay
import ProxyStorage

/// The data plane's figures as the metrics page shows them.
enum RelayMetrics {
    static func families(relay: Relay, ledger: Ledger, driver: String) -> [MetricFamily] {
        let counters = relay.counters
        let labels = ["driver": driver]
        func one(_ name: String, _ help: String, _ kind: MetricFamily.Kind, _ value: some BinaryInteger) -> MetricFamily
        {
            MetricFamily(
                name: "llm_proxy_\(name)", help: help, kind: kind,
                samples: [.init(labels: labels, value: .number(Double(value)))])
        }
        return [
            answers(counters, labels),
            projectAnswers(counters, labels),
            projectTokens(counters, labels),
            tallies(
                "refusals_total",
                "Answers that were the proxy's own, and HTTP/2 connections it ended for what clients did, by code.",
                counters.refusals, by: "code", labels),
            tallies(
                "shadow_refusals_total", "Requests that limits in shadow would have refused, by limit.",
                counters.shadowRefusals, by: "limit", labels),
            histogram(
                "added_latency_seconds", "Time added by the proxy before an answer's head.", counters.overhead, labels),
            histogram(
                "upstream_first_byte_seconds", "From a request sent to the first byte of its answer.",
                counters.upstreamFirstByte, labels),
            histogram(
                "upstream_duration_seconds", "From a request sent to the end of its answer.", counters.upstreamDuration,
                labels),
            histogram(
                "first_byte_seconds", "From a request's head to the first byte of its upstream's answer.",
                counters.firstByte, labels),
            histogram(
                "request_duration_seconds", "From a request's head to the end of its answer.", counters.duration, labels
            ),
            one("requests_in_flight", "Requests whose end has not come.", .gauge, relay.requestsInFlight),
            one("client_connections", "Open client connections.", .gauge, relay.openConnections),
            one("ledger_queue_depth", "Admissions and settlements not yet in a batch.", .gauge, ledger.depth),
            one("request_body_bytes_total", "Bytes of request bodies.", .counter, counters.requestBytes),
            one("response_body_bytes_total", "Bytes of answers' bodies.", .counter, counters.responseBytes),
            one("prompt_tokens_total", "Prompt tokens, as reported or estimated.", .counter, counters.promptTokens),
            one(
                "completion_tokens_total", "Completion tokens, as reported or estimated.", .counter,
                counters.completionTokens),
            one(
                "upstream_connections_opened_total", "Connections made to upstreams.", .counter,
                counters.upstreamConnectionsOpened),
            one(
                "upstream_retries_total", "Requests sent again to the same upstream.", .counter,
                counters.upstreamRetries),
            one(
                "upstream_fallbacks_total", "Requests sent another way after one had failed.", .counter,
                counters.upstreamFallbacks),
            one(
                "upstream_circuits_opened_total", "Times an upstream was left alone for not answering.", .counter,
                counters.circuitsOpened),
            one("clients_left_total", "Requests whose client left before the end.", .counter, counters.clientsLeft),
            one("management_requests_total", "Requests not meant for an upstream.", .counter, counters.localRequests),
        ]
    }

    private static let classes = ["none", "1xx", "2xx", "3xx", "4xx", "5xx"]

    private static func answers(_ counters: RelayCounters, _ labels: [String: String]) -> MetricFamily {
        MetricFamily(
            name: "llm_proxy_requests_total", help: "Requests on /v1 by the class of their answer.", kind: .counter,
            samples: zip(classes, counters.answers).map { name, count in
                .init(labels: labels.merging(["status_class": name]) { $1 }, value: .number(Double(count)))
            })
    }

    /// Projects by their identifiers, in order; last all that there was no room for.
    private static func projects(_ counters: RelayCounters) -> [(name: String, counted: ProjectCounters)] {
        counters.projects.map { (name: $0.key?.text ?? "other", counted: $0.value) }.sorted { $0.name < $1.name }
    }

    private static func projectAnswers(_ counters: RelayCounters, _ labels: [String: String]) -> MetricFamily {
        MetricFamily(
            name: "llm_proxy_project_requests_total",
            help: "Those of known projects, by project, the first hundred that came, and by the class of their answer.",
            kind: .counter,
            samples: projects(counters).flatMap { name, counted in
                zip(classes, counted.answers).filter { $0.1 > 0 }.map { statusClass, count in
                    .init(
                        labels: labels.merging(["project": name, "status_class": statusClass]) { $1 },
                        value: .number(Double(count)))
                }
            })
    }

    private static func projectTokens(_ counters: RelayCounters, _ labels: [String: String]) -> MetricFamily {
        MetricFamily(
            name: "llm_proxy_project_tokens_total", help: "Tokens that a project's requests used, by kind.",
            kind: .counter,
            samples: projects(counters).flatMap { name, counted in
                [("prompt", counted.promptTokens), ("completion", counted.completionTokens)].map { kind, count in
                    .init(
                        labels: labels.merging(["project": name, "kind": kind]) { $1 }, value: .number(Double(count)))
                }
            })
    }

    private static func tallies(
        _ name: String, _ help: String, _ tallies: [String: Int64], by label: String, _ labels: [String: String]
    ) -> MetricFamily {
        MetricFamily(
            name: "llm_proxy_\(name)", help: help, kind: .counter,
            samples: tallies.sorted { $0.key < $1.key }.map { key, count in
                .init(labels: labels.merging([label: key]) { $1 }, value: .number(Double(count)))
            })
    }

    private static func histogram(
        _ name: String, _ help: String, _ histogram: LatencyHistogram, _ labels: [String: String]
    ) -> MetricFamily {
        var total: Int64 = 0
        let buckets = zip(LatencyHistogram.bounds, histogram.counts).map { bound, count in
            total += count
            return MetricFamily.Bucket(upperBound: Double(bound) / 1e6, count: total)
        }
        return MetricFamily(
            name: "llm_proxy_\(name)", help: help, kind: .histogram,
            samples: [
                .init(
                    labels: labels,
                    value: .histogram(
                        buckets: buckets, sum: Double(histogram.sum) / 1e6, count: histogram.counts.reduce(0, +)))
            ])
    }
}
