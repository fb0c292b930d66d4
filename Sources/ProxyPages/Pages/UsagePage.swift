import ProxyDomain
import ProxyManagement

/// `/admin/usage`: what was used by whom, when, and at what cost.
enum UsagePage {
    static let routes = [PageRoute("GET", "usage", show), PageRoute("GET", "usage.csv", table)]

    private static let metrics = [
        ("requests", "requests"), ("errors", "errors"), ("tokens", "tokens"), ("cost_usd", "cost"),
        ("cache_hits", "cache hits"),
    ]
    /// Groups with a colour of their own; the others are one.
    private static let shownGroups = 5

    private static func show(_ context: PageContext) async -> PageAnswer {
        let query = UsageQuery(context.query, at: context.now)
        let answer = await context.api.get("/manage/usage", query.parameters)
        if let fault = answer.fault, answer.status != 400 { return context.failure(fault, in: .usage) }
        let projects = await ProjectDirectory(context.api)
        let metric = metrics.first { $0.0 == context.query["metric"] } ?? metrics[0]
        let usage = answer.document
        let rows = usage["groups"].items.map { row(of: $0, query) }
        let isGrouped = query.group != "none"
        let groupLabel = isGrouped ? query.group.capitalizedFirst : "Total"
        let groupTitle = isGrouped ? "By \(query.group)" : "In total"
        var view: View = [
            "spans": FieldValues.options(UsageQuery.spans, chosen: query.span),
            "groupChoices": FieldValues.options(UsageQuery.groups, chosen: query.group),
            "intervals": FieldValues.options(["hour", "day"], chosen: query.interval),
            "metrics": FieldValues.options(metrics, chosen: metric.0),
            "projects": projects.options(chosen: context.query["project_id"]),
            "tokenID": context.query["token_id"], "model": context.query["model"],
            "since": Shown.field(ofText: query.since),
            "until": Shown.field(ofText: query.until), "rows": rows, "hasRows": !rows.isEmpty,
            "groupLabel": groupLabel, "groupTitle": groupTitle,
            "isTruncated": usage["truncated"].isTrue, "totals": UsageCharts.totals(usage["totals"]),
            "csvPath": Percent.target("/admin/usage.csv", query.repeated),
        ]
        view["chart"] = answer.isGood ? chart(usage, query, metric, until: context.now) : nil
        view["fault"] = answer.fault?.view
        return context.page("usage", "usage", "Usage", in: .usage, view)
    }

    private static func row(of group: Document, _ query: UsageQuery) -> View {
        var row = UsageCharts.totals(group)
        let key = group["key"].plain
        row["groupName"] = query.group == "none" ? "all" : name(of: group)
        switch query.group {
        case "project": row["groupPath"] = "/admin/projects/\(Percent.encoded(key))"
        case "token": row["groupPath"] = "/admin/tokens/\(Percent.encoded(key))"
        case "model": row["groupPath"] = Percent.target("/admin/requests", [("model", key)])
        case "status" where key == "open": break
        case "status":
            row["groupPath"] = Percent.target("/admin/requests", [(key.hasSuffix("xx") ? "status" : "outcome", key)])
        default: break
        }
        if key.isEmpty { row["groupPath"] = nil }
        return row
    }

    private static func name(of group: Document) -> String {
        let (name, key) = (group["name"].plain, group["key"].plain)
        return !name.isEmpty ? name : key.isEmpty ? "(none)" : key
    }

    private static func value(_ group: Document, _ metric: String) -> Double {
        guard metric == "tokens" else { return group[metric].number ?? 0 }
        return (group["prompt_tokens"].number ?? 0) + (group["completion_tokens"].number ?? 0)
    }

    /// Bars for the groups that used most, and one colour for all others.
    private static func chart(
        _ usage: Document, _ query: UsageQuery, _ metric: (String, String), until now: Timestamp
    ) -> View {
        let starts = UsageCharts.starts(usage, interval: query.interval, until: now)
        let series = UsageCharts.series(usage)
        let leaders = usage["groups"].items.prefix(shownGroups)
        let keys = leaders.map { $0["key"].plain }
        func values(_ isMeant: (String) -> Bool) -> [Double?] {
            starts.map { start in
                var sum = 0.0
                for group in series[start.milliseconds] ?? [] where isMeant(group["key"].plain) {
                    sum += value(group, metric.0)
                }
                return sum
            }
        }
        var lines: [SVGChart.Series] = []
        for leader in leaders {
            let key = leader["key"].plain
            lines.append(.init(name: query.group == "none" ? "all" : name(of: leader), values: values { $0 == key }))
        }
        if usage["groups"].items.count > shownGroups {
            lines.append(.init(name: "others", values: values { !keys.contains($0) }))
        }
        let chart = SVGChart(
            title: "\(metric.1.capitalizedFirst) by \(query.group == "none" ? query.interval : query.group)",
            summary: UsageCharts.summary(starts, query.interval), shape: .bars, series: lines)
        return UsageCharts.view(chart, starts) { metric.0 == "cost_usd" ? Shown.money($0) : Shown.decimal($0, 0) }
    }

    private static let columns = [
        "requests", "errors", "prompt_tokens", "completion_tokens", "cost_usd", "cache_hits",
    ]

    /// The series as CSV (RFC 4180), a line for each start and group.
    private static func table(_ context: PageContext) async -> PageAnswer {
        let query = UsageQuery(context.query, at: context.now)
        let answer = await context.api.get("/manage/usage", query.parameters)
        if let fault = answer.fault { return context.failure(fault, in: .usage) }
        let latencies = ["latency_p50_ms", "latency_p95_ms", "latency_p99_ms"]
        var lines = [(["start", "key", "name"] + columns + latencies).joined(separator: ",")]
        for part in answer.document["series"].items {
            for group in part["groups"].items {
                var cells = [part["start"].plain, cell(group["key"].plain), cell(group["name"].plain)]
                cells += columns.map { group[$0].plain }
                cells += ["p50", "p95", "p99"].map { group["latency_ms"][$0].plain }
                lines.append(cells.joined(separator: ","))
            }
        }
        return PageAnswer.text(lines.joined(separator: "\r\n") + "\r\n", type: "text/csv; charset=utf-8")
            .with("Content-Disposition", "attachment; filename=\"usage.csv\"")
    }

    /// A text in quotes, and never a formula to the program that opens the file.
    private static func cell(_ text: String) -> String {
        // By scalars: a Character may be a sign with an accent, which spreadsheets take for the sign.
        let isFormula = text.unicodeScalars.first.map { "=+-@\t\r".unicodeScalars.contains($0) } ?? false
        var quoted = isFormula ? "\"'" : "\""
        for scalar in text.unicodeScalars {
            quoted.unicodeScalars.append(scalar)
            if scalar == "\"" { quoted.append("\"") }
        }
        return quoted + "\""
    }
}

extension String {
    /// The same with its first letter in upper case.
    var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
