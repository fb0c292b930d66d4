import ProxyDomain
import ProxyManagement

/// `/admin/`: what goes on now, and what went on before.
enum DashboardPage {
    static let routes = [PageRoute("GET", "", show), PageRoute("GET", "events", events)]

    private static let spans = [("24h", "24 hours", "hour"), ("7d", "7 days", "hour"), ("30d", "30 days", "day")]

    private static func show(_ context: PageContext) async -> PageAnswer {
        let live = LiveFigures(await context.site.sampler.samples(of: context))
        let span = spans.first { $0.0 == context.query["span"] } ?? spans[0]
        let since = UsageQuery.since(span.0, at: context.now)
        func usage(_ group: String, _ interval: String) async -> APIAnswer {
            await context.api.get(
                "/manage/usage", [("group_by", group), ("interval", interval), ("since", since)])
        }
        let projects = await usage("project", "total")
        let models = await usage("model", "total")
        let classes = await usage("status", span.2)
        var view = live.view
        view["spans"] = spans.map { choice in
            ["spanPath": "/admin/?span=\(choice.0)", "spanLabel": choice.1, "isCurrent": choice.0 == span.0] as View
        }
        view["spanLabel"] = span.1
        view["top"] = [
            top("Top projects", "Project", projects, "project_id", since),
            top("Top models", "Model", models, "model", since),
        ]
        view["usageFault"] = classes.fault?.view
        view["history"] = UsageCharts.history(classes.document, interval: span.2, until: context.now)
        view["totals"] = UsageCharts.totals(classes.document["totals"])
        let kept = await database(context)
        view.merge(kept) { $1 }
        return context.page("dashboard", "dashboard", "Dashboard", in: .dashboard, view)
    }

    /// Who used most, with a bar for each.
    private static func top(
        _ title: String, _ heading: String, _ answer: APIAnswer, _ parameter: String, _ since: String
    ) -> View {
        let groups = Array(answer.document["groups"].items.prefix(8))
        let most = groups.first.map { Double($0["requests"].whole) } ?? 0
        let rows: [View] = groups.map { group in
            let key = group["key"].plain
            let given = group["name"].plain
            let name = given.isEmpty ? key : given
            let bar = SVGChart.bar(Double(group["requests"].whole), of: most)
            return [
                "groupName": name.isEmpty ? "(none)" : name,
                "groupPath": Percent.target(
                    "/admin/usage", [("since", since), ("group_by", "none"), (parameter, key)]),
                "groupRequests": Shown.grouped(group["requests"].whole),
                "groupCost": Shown.money(group["cost_usd"].number),
                "groupBar": bar,
            ]
        }
        return ["topTitle": title, "topHeading": heading, "topRows": rows, "hasTopRows": !rows.isEmpty]
    }

    /// What only the database knows: how many servers are alive, and what is kept.
    private static func database(_ context: PageContext) async -> View {
        let answer = await context.api.get("/manage/database")
        guard answer.isGood else { return ["instances": Shown.nothing, "driver": ""] }
        return [
            "instances": Shown.grouped(Int64(answer.document["instances"].items.count)),
            "driver": answer.document["driver"].plain, "databaseStatus": answer.document["status"].plain,
        ]
    }

    /// One event with the figures of now; the browser asks again by itself (WHATWG HTML, section 9.2).
    private static func events(_ context: PageContext) async -> PageAnswer {
        let live = LiveFigures(await context.site.sampler.samples(of: context))
        return .text("retry: 2000\ndata: \(live.json.text)\n\n", type: "text/event-stream")
    }
}

extension LiveFigures {
    /// For the page: each figure under its name, the charts as markup.
    fileprivate var view: View {
        var view: View = ["hasSamples": hasSamples]
        view["live"] = texts
        view["refusals"] = refusals.map {
            ["refusalCode": $0.code, "refusalCount": Shown.grouped($0.count)] as View
        }
        view["hasRefusals"] = !refusals.isEmpty
        if charts.count == 2 {
            view["trafficHTML"] = charts[0].markup
            view["trafficLegend"] = charts[0].legend
            view["latencyHTML"] = charts[1].markup
            view["latencyLegend"] = charts[1].legend
        }
        view["sampleRows"] = Array(rows.suffix(30).reversed()).map { ["cells": $0] as View }
        view["hasSampleRows"] = !rows.isEmpty
        return view
    }

    /// For the page's module: the same texts, and the lines as they are to be redrawn.
    fileprivate var json: JSONValue {
        var lines: [(String, JSONValue)] = []
        for chart in charts {
            for (place, line) in chart.series.enumerated() {
                lines.append(("\(chart.name).\(place)", .string(chart.points(of: line))))
            }
        }
        let figures = texts.sorted { $0.key < $1.key }.map { ($0.key, JSONValue.string($0.value)) }
        return .object([("figures", .object(figures)), ("lines", .object(lines))])
    }
}
