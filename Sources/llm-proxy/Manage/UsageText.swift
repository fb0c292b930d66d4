import ProxyManagement

/// What requests used, as the API tells it, in text.
struct UsageText {
    /// The API's answer.
    let report: JSONValue

    /// Whether the time is divided into hours or days.
    private var isDivided: Bool { report["interval"] != .string("total") }

    /// The figures of each group, and of each start where the time is divided; one for all where nothing is told apart.
    /// Each has its `start`.
    private var rows: [JSONValue] {
        guard isDivided else {
            let isGrouped = report["group_by"] != .string("none")
            let all = isGrouped ? report["groups"].items : [report["totals"]]
            return all.map { $0.setting([("start", report["since"])]) }
        }
        return report["series"].items.flatMap { part in
            part["groups"].items.map { $0.setting([("start", part["start"])]) }
        }
    }
}

// MARK: - For people

extension UsageText {
    /// A table, and what it adds up to.
    func lines(on terminal: Terminal) -> [String] {
        Table(columns: starts + keys + Self.figures, isPast: { _ in false }).lines(rows, on: terminal) + closing
    }

    private var starts: [Table.Column] {
        guard isDivided else { return [] }
        let length = report["interval"] == .string("day") ? 10 : 16
        return [Table.Column("START", .word) { $0["start"].instant(length) }]
    }

    private var keys: [Table.Column] {
        switch report["group_by"].string {
        case "project", "token":
            [Table.Column("ID", .identifier, of: "key"), Table.Column("NAME", .text, of: "name")]
        case "model": [Table.Column("MODEL", .text, of: "key")]
        case "status": [Table.Column("STATUS", .text, of: "key")]
        default: []
        }
    }

    private static let figures = [
        Table.Column("REQUESTS", .figure, of: "requests"), Table.Column("ERRORS", .figure, of: "errors"),
        Table.Column("TOKENS", .figure) { tokens(of: $0) }, Table.Column("USD", .figure, of: "cost_usd"),
        Table.Column("CACHED", .figure, of: "cache_hits"),
        Table.Column("P50 MS", .figure) { $0["latency_ms"]["p50"].cell },
        Table.Column("P95 MS", .figure) { $0["latency_ms"]["p95"].cell },
        Table.Column("P99 MS", .figure) { $0["latency_ms"]["p99"].cell },
    ]

    /// Prompt and completion.
    private static func tokens(of figures: JSONValue) -> String {
        "\(figures["prompt_tokens"].cell)+\(figures["completion_tokens"].cell)"
    }

    private var closing: [String] {
        let totals = report["totals"]
        let sum =
            "in all \(totals["requests"].cell) requests, \(totals["errors"].cell) errors, "
            + "\(Self.tokens(of: totals)) tokens, \(totals["cost_usd"].cell) USD"
        let time = "from \(report["since"].instant(16)) to \(report["until"].instant(16)), UTC"
        let more = "There are more groups: these have the most requests."
        return ["\(sum); \(time)".printable] + (report["truncated"] == .bool(true) ? [more] : [])
    }
}

// MARK: - For other programs

extension UsageText {
    private static let counts = [
        "requests", "errors", "prompt_tokens", "completion_tokens", "cost_usd", "cache_hits",
    ]
    private static let latencies = ["p50", "p95", "p99"]

    /// CSV (RFC 4180) but for its line ends, which are this system's: a head with the names of the columns, always the
    /// same ones, and a line for each of the rows.
    var commaSeparated: [String] {
        let head = ["start", "key", "name"] + Self.counts + Self.latencies.map { "latency_\($0)_ms" }
        var lines = [head.joined(separator: ",")]
        for row in rows {
            var cells = [Self.plain(row["start"]), Self.quoted(row["key"]), Self.quoted(row["name"])]
            cells += Self.counts.map { Self.plain(row[$0]) }
            cells += Self.latencies.map { Self.plain(row["latency_ms"][$0]) }
            lines.append(cells.joined(separator: ","))
        }
        return lines
    }

    /// A word or a number as it is; nothing for `null`.
    private static func plain(_ value: JSONValue) -> String {
        value == .null ? "" : (value.string ?? value.text).printable
    }

    /// A text in quotes, and none that a spreadsheet takes for a formula.
    private static func quoted(_ value: JSONValue) -> String {
        let text = plain(value)
        let isFormula = text.first.map { "=+-@".contains($0) } ?? false
        return "\"\(isFormula ? "'" : "")\(text.replacing("\"", with: "\"\""))\""
    }
}
