import ProxyDomain

/// What is asked of the usage, out of the page's query.
struct UsageQuery: Sendable {
    static let spans = [
        ("24h", "last 24 hours"), ("7d", "last 7 days"), ("30d", "last 30 days"), ("90d", "last 90 days"),
    ]
    static let groups = [
        ("none", "nothing"), ("project", "project"), ("token", "token"), ("model", "model"), ("status", "status"),
    ]

    let span: String
    let group: String
    let interval: String
    /// As fields of a form hold them; empty for the span.
    let since: String
    let until: String
    private let filters: [(String, String)]
    private let now: Timestamp

    init(_ query: Form, at now: Timestamp) {
        self.now = now
        span = Self.spans.contains { $0.0 == query["span"] } ? query["span"] : "7d"
        group = Self.groups.contains { $0.0 == query["group_by"] } ? query["group_by"] : "project"
        let usual = span == "24h" ? "hour" : "day"
        interval = ["hour", "day"].contains(query["interval"]) ? query["interval"] : usual
        since = query["since"]
        until = query["until"]
        filters = query.given(["project_id", "token_id", "model"])
    }

    /// For the API.
    var parameters: [(String, String)] {
        let start = since.isEmpty ? Self.since(span, at: now) : Shown.instant(ofField: since)
        return [
            ("group_by", group), ("interval", interval), ("since", start), ("until", Shown.instant(ofField: until)),
        ] + filters
    }

    /// For links to the same.
    var repeated: [(String, String)] {
        [("span", span), ("group_by", group), ("interval", interval), ("since", since), ("until", until)] + filters
    }

    /// When a span that ends now begins, at a full hour.
    static func since(_ span: String, at now: Timestamp) -> String {
        let hours: Int64 =
            switch span {
            case "24h": 24
            case "30d": 30 * 24
            case "90d": 90 * 24
            default: 7 * 24
            }
        let hour: Int64 = 3_600_000
        return Timestamp(milliseconds: (now.milliseconds / hour - hours + 1) * hour).text
    }
}
