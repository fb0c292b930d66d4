import ProxyDomain
import ProxyStorage

/// `/manage/usage`.
struct UsageRoutes: Sendable {
    private let dependencies: ManagementDependencies

    init(_ dependencies: ManagementDependencies) { self.dependencies = dependencies }

    var endpoints: [Endpoint] { [Endpoint("GET", "/manage/usage", .server, show)] }

    private static let names = ["group_by", "interval", "since", "until", "project_id", "token_id", "model"]
    private static let hour: Int64 = 3_600_000
    /// A day of hours, a quarter of days: what is told when nothing is said.
    private static let usualSpan: [UsageQuery.Interval: Int64] = [.hour: 24, .day: 30 * 24, .total: 30 * 24]
    /// In hours. By the hour there are more figures for the same time.
    private static let longestSpan: [UsageQuery.Interval: Int64] = [
        .hour: 31 * 24, .day: 10 * 366 * 24, .total: 10 * 366 * 24,
    ]

    private func show(_ call: Call) async throws -> Answer {
        let query = try QueryFields(of: call, known: Self.names)
        let interval: UsageQuery.Interval = try query.choice("interval") ?? .total
        let now = dependencies.now()
        let until = Self.wholeHour(try query.instant("until") ?? now, roundingUp: true)
        let usual = Timestamp(milliseconds: until.milliseconds - (Self.usualSpan[interval] ?? 24) * Self.hour)
        let since = Self.wholeHour(try query.instant("since") ?? usual, roundingUp: false)
        let longest = Self.longestSpan[interval] ?? 24
        guard since < until else {
            throw ManagementFailure.input(.invalid(name: "since", rule: "must be earlier than 'until'"))
        }
        guard until.milliseconds - since.milliseconds <= longest * Self.hour else {
            throw ManagementFailure.input(
                .invalid(name: "since", rule: "must be at most \(longest / 24) days before 'until' by the \(interval)"))
        }
        let usage = UsageQuery(
            grouping: try query.choice("group_by") ?? .none, interval: interval, since: since, until: until,
            project: try query.identifier("project_id"), token: try query.identifier("token_id"), model: query["model"])
        return .json(try await dependencies.storage.usage(usage).json(of: usage))
    }

    private static func wholeHour(_ instant: Timestamp, roundingUp: Bool) -> Timestamp {
        let rest = ((instant.milliseconds % hour) + hour) % hour
        let start = instant.milliseconds - rest
        return Timestamp(milliseconds: roundingUp && rest > 0 ? start + hour : start)
    }
}

extension UsageReport {
    fileprivate func json(of query: UsageQuery) -> JSONValue {
        .object([
            ("since", .string(query.since.text)), ("until", .string(query.until.text)),
            ("interval", .string(query.interval.rawValue)), ("group_by", .string(query.grouping.rawValue)),
            ("totals", .object(totals.members)), ("groups", .array(groups.map(\.json))),
            ("truncated", .bool(isTruncated)),
            (
                "series",
                .array(
                    query.interval == .total
                        ? []
                        : series.map {
                            .object([("start", .string($0.start.text)), ("groups", .array($0.groups.map(\.json)))])
                        })
            ),
        ])
    }
}

extension UsageReport.Group {
    fileprivate var json: JSONValue {
        .object([("key", .string(key)), ("name", .text(name))] + figures.members)
    }
}

extension UsageFigures {
    fileprivate var members: [(String, JSONValue)] {
        [
            ("requests", .integer(requests)), ("errors", .integer(errors)),
            ("prompt_tokens", .integer(promptTokens)), ("completion_tokens", .integer(completionTokens)),
            ("cost_usd", cost.json), ("cache_hits", .integer(cacheHits)),
            (
                "latency_ms",
                latencies.percentile(0.5) == nil
                    ? .null
                    : .object(
                        [("p50", 0.5), ("p95", 0.95), ("p99", 0.99)].map { name, part in
                            (name, .measured(Double(latencies.percentile(part) ?? 0) / 1000))
                        })
            ),
        ]
    }
}
