import ProxyDomain

/// Usage over time, as charts with the tables behind them.
enum UsageCharts {
    /// Starts of intervals, those without requests among them; at most so many are drawn.
    private static let bound = 800

    /// The starts from the usage's beginning to its end.
    static func starts(_ usage: Document, interval: String, until now: Timestamp) -> [Timestamp] {
        let step: Int64 = interval == "hour" ? 3_600_000 : 86_400_000
        guard let since = Timestamp(usage["since"].plain) else { return [] }
        let end = min(Timestamp(usage["until"].plain) ?? now, now)
        var starts: [Timestamp] = []
        var start = since.milliseconds / step * step
        while start <= end.milliseconds, starts.count < bound {
            starts.append(Timestamp(milliseconds: start))
            start += step
        }
        return starts
    }

    /// Groups of each start that has requests.
    static func series(_ usage: Document) -> [Int64: [Document]] {
        var series: [Int64: [Document]] = [:]
        for part in usage["series"].items {
            guard let start = Timestamp(part["start"].plain) else { continue }
            series[start.milliseconds, default: []] += part["groups"].items
        }
        return series
    }

    private static func sum(_ groups: [Document], _ names: [String]) -> Double {
        var sum = 0.0
        for group in groups { for name in names { sum += group[name].number ?? 0 } }
        return sum
    }

    /// The dashboard's charts: answers by class, tokens and cost.
    static func history(_ usage: Document, interval: String, until now: Timestamp) -> [View] {
        let starts = starts(usage, interval: interval, until: now)
        let series = series(usage)
        let parts = starts.map { series[$0.milliseconds] ?? [] }
        func line(_ name: String, _ names: [String]) -> SVGChart.Series {
            .init(name: name, values: parts.map { sum($0, names) })
        }
        let classes = ["2xx", "4xx", "5xx", "none"].map { kind in
            SVGChart.Series(
                name: kind == "none" ? "no answer" : kind,
                values: parts.map { groups in sum(groups.filter { Self.kind($0["key"].plain) == kind }, ["requests"]) })
        }
        let requests = SVGChart(
            title: "Requests by class of their answer", summary: summary(starts, interval), shape: .bars,
            series: classes)
        let tokens = SVGChart(
            title: "Tokens", summary: summary(starts, interval), shape: .bars,
            series: [line("prompt", ["prompt_tokens"]), line("completion", ["completion_tokens"])])
        let cost = SVGChart(
            title: "Cost", summary: summary(starts, interval), shape: .bars, series: [line("US dollars", ["cost_usd"])])
        return [
            view(requests, starts) { Shown.decimal($0, 0) }, view(tokens, starts) { Shown.decimal($0, 0) },
            view(cost, starts) { Shown.money($0) },
        ]
    }

    /// The class of a status or of a class.
    private static func kind(_ key: String) -> String {
        guard let first = key.first, "12345".contains(first) else { return "none" }
        return first == "1" || first == "3" ? "2xx" : "\(first)xx"
    }

    static func summary(_ starts: [Timestamp], _ interval: String) -> String {
        guard let first = starts.first, let last = starts.last else { return "No figures." }
        return "By the \(interval), from \(Shown.instant(first.text)) to \(Shown.instant(last.text))."
    }

    /// A chart with its legend, its scale and its table.
    static func view(_ chart: SVGChart, _ starts: [Timestamp], _ text: (Double) -> String) -> View {
        var rows: [View] = []
        for (place, start) in starts.enumerated().reversed() {
            let values = chart.series.map { place < $0.values.count ? $0.values[place] ?? 0 : 0 }
            guard values.contains(where: { $0 > 0 }) else { continue }
            rows.append(["rowStart": Shown.instant(start.text), "cells": values.map { text($0) }])
        }
        return [
            "chartTitle": chart.title, "chartHTML": chart.markup, "legend": chart.legend, "chartTop": text(chart.top),
            "chartFirst": starts.first.map { Shown.instant($0.text) } ?? "",
            "chartLast": starts.last.map { Shown.instant($0.text) } ?? "", "chartRows": rows,
            "hasChartRows": !rows.isEmpty,
        ]
    }

    /// Figures over the whole span.
    static func totals(_ totals: Document) -> View {
        let latency = totals["latency_ms"]
        return [
            "requestsText": Shown.grouped(totals["requests"].whole),
            "errorsText": Shown.grouped(totals["errors"].whole),
            "promptText": Shown.grouped(totals["prompt_tokens"].whole),
            "completionText": Shown.grouped(totals["completion_tokens"].whole),
            "costText": Shown.money(totals["cost_usd"].number),
            "cacheText": Shown.grouped(totals["cache_hits"].whole),
            "p50Text": Shown.milliseconds(latency["p50"].number), "p95Text": Shown.milliseconds(latency["p95"].number),
            "p99Text": Shown.milliseconds(latency["p99"].number),
        ]
    }
}
