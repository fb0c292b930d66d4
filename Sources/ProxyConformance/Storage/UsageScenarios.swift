import ProxyDomain
import ProxyStorage

extension StorageScenario {
    /// What is told of what requests used.
    static let usage: [StorageScenario] = [
        StorageScenario(
            "usage.sums.equal-rows",
            "What is told is the same before requests are summed up, while some are, and when all are; by whatever it is asked."
        ) { site, check in
            let (tenancy, tokens) = try await Tenancy.busy(site)
            let before = try await tenancy.reports()
            check.equal(before.first?.totals.requests, 60, "requests")
            check.equal(before.first?.totals.errors, 20, "errors")
            check.equal(before.first?.totals.latencies.total, 60, "latencies")
            for minutes in [0, 61, 62, 90, 150, 26 * 60, 50 * 60] {
                try await tenancy.sumAll(at: .noon(plus: Int64(minutes * 60)))
                check.equal(try await tenancy.reports(), before, "reports \(minutes) minutes later")
            }
            var query = UsageQuery(grouping: .token, since: .dayStart, until: .dayStart + .seconds(864_000))
            query.token = tokens[0].id
            let one = try await tenancy.storage.usage(query)
            check.equal(one.groups.map(\.key), [tokens[0].id.text], "one token's")
            check.equal(one.totals.requests, 30, "requests of one token")
            check.equal(try await tenancy.storage.verify().filter { !$0.holds }, [], "broken invariants")
        },
        StorageScenario(
            "usage.report.is-exact",
            "Figures are those of the requests: by model, by status, by the hour, in time's order."
        ) { site, check in
            let (tenancy, _) = try await Tenancy.busy(site)
            try await tenancy.sumAll(at: .noon(plus: 7200))
            let span = UsageQuery(
                grouping: .status, interval: .hour, since: .dayStart, until: .dayStart + .seconds(864_000))
            let report = try await tenancy.storage.usage(span)
            check.equal(report.groups.map(\.key), ["2xx", "5xx", "upstream_unreachable"], "ends")
            check.equal(report.groups.map(\.figures.requests), [40, 10, 10], "requests by end")
            check.equal(report.groups.map(\.figures.errors), [0, 10, 10], "errors by end")
            check.equal(report.totals.promptTokens, 210, "prompt tokens")
            check.equal(report.totals.cost, NanoDollars(60 * 5), "cost")
            check.equal(report.series.map(\.start), report.series.map(\.start).sorted(), "order")
            check.equal(
                report.series.map { $0.groups.reduce(0) { $0 + $1.figures.requests } }.reduce(0, +), 60, "series")
            check.that(report.series.count > 1, "one hour only")
            var half = span
            half.until = UsageScenarioTimes.second
            check.that(try await tenancy.storage.usage(half).totals.requests < 60, "a part of the time")
            let nothing = UsageQuery(since: .dayStart + .seconds(-7200), until: .dayStart)
            check.equal(try await tenancy.storage.usage(nothing).totals, UsageFigures(), "before all of it")
        },
        StorageScenario(
            "usage.late.is-counted",
            "A request that comes to a time that is summed up already is told at once, and ever after."
        ) { site, check in
            let (tenancy, tokens) = try await Tenancy.busy(site)
            for (number, minutes) in [70, 200, 60 * 40].enumerated() {
                let now = Timestamp.noon(plus: Int64(minutes * 60))
                try await tenancy.sumAll(at: now)
                try await tenancy.clerk.commit(
                    [.sample(900 + number, of: tokens[1], settlement: .sample(at: now, cost: 5))], at: now)
                check.equal(
                    try await tenancy.reports().map(\.totals.requests), Array(repeating: 61 + Int64(number), count: 6),
                    "requests")
                try await tenancy.sumAll(at: now)
                check.equal(
                    try await tenancy.reports().map(\.totals.requests), Array(repeating: 61 + Int64(number), count: 6),
                    "requests")
            }
            check.equal(try await tenancy.storage.verify().filter { !$0.holds }, [], "broken invariants")
        },
        StorageScenario(
            "usage.open.is-told",
            "An open request is told from its row for as long as it is open, however long that is."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue()
            try await tenancy.admit(1...3, of: token)
            try await tenancy.end(1...2, of: token, cost: 5)
            let late = Timestamp.noon(plus: 86_400 * 2)
            try await tenancy.sumAll(at: late)
            let query = UsageQuery(grouping: .status, since: .dayStart, until: .dayStart + .seconds(864_000))
            check.equal(try await tenancy.storage.usage(query).groups.map(\.key), ["2xx", "open"], "ends")
            try await tenancy.end(3...3, of: token, cost: 5, at: late)
            check.equal(try await tenancy.storage.usage(query).totals.cost, NanoDollars(15), "cost at the end")
            try await tenancy.sumAll(at: late)
            check.equal(try await tenancy.storage.usage(query).groups.map(\.figures.requests), [3], "summed up")
            check.equal(try await tenancy.storage.verify().filter { !$0.holds }, [], "broken invariants")
        },
        StorageScenario(
            "usage.removed.is-kept",
            "What is removed stays told, by token, model and status, at each step of removing it."
        ) { site, check in
            let (tenancy, _) = try await Tenancy.busy(site)
            let later = Timestamp.noon(plus: 86_400 * 3)
            try await tenancy.sumAll(at: later)
            let queries = UsageQuery.Grouping.allCases.map {
                UsageQuery(grouping: $0, interval: .day, since: .dayStart, until: .dayStart + .seconds(864_000))
            }
            func figures() async throws -> [[UsageFigures]] {
                var all: [[UsageFigures]] = []
                for query in queries {
                    all.append(try await tenancy.storage.usage(query).groups.map(\.figures.withoutTimes))
                }
                return all
            }
            let before = try await figures()
            var steps = 0
            while try await tenancy.storage.prune(before: later, atMost: 7) != nil {
                steps += 1
                if steps % 2 == 0 { try await tenancy.sumAll(at: later) }
                check.equal(try await figures(), before, "figures after step \(steps)")
            }
            check.that(steps > 0, "nothing was removed")
            check.equal(try await tenancy.storage.verify().filter { !$0.holds }, [], "broken invariants")
        },
        StorageScenario(
            "usage.race.loses-nothing",
            "While requests come, late ones among them, and sums are made by several, each is told once in the end."
        ) { site, check in
            let (tenancy, tokens) = try await Tenancy.busy(site)
            let clock = Timestamp.noon(plus: 4000)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 1...3 {
                    group.addTask { for _ in 1...30 { _ = try? await tenancy.storage.sumUsage(at: clock) } }
                }
                group.addTask {
                    for number in 0..<40 {
                        try await tenancy.clerk.commit(
                            [.sample(3_000 + number, of: tokens[number % 2], settlement: .sample(at: clock, cost: 5))],
                            at: clock)
                    }
                }
                try await group.waitForAll()
            }
            check.equal(
                try await tenancy.reports().map(\.totals.requests), Array(repeating: 100, count: 6), "in between")
            try await tenancy.sumAll(at: clock)
            check.equal(
                try await tenancy.reports().map(\.totals.requests), Array(repeating: 100, count: 6), "at the end")
            check.equal(try await tenancy.storage.verify().filter { !$0.holds }, [], "broken invariants")
        },
    ]
}

private enum UsageScenarioTimes {
    static let second = Timestamp.noon(plus: 3600)
}

extension Timestamp {
    /// The beginning of the day of ``noon``.
    fileprivate static let dayStart = noon(plus: -43_200)
}

extension UsageFigures {
    /// What is left when rows are removed.
    fileprivate var withoutTimes: UsageFigures {
        var figures = self
        figures.latencies = LatencyCounts()
        return figures
    }
}

extension Tenancy {
    /// Sixty settled requests of two tokens within two hours and a day: good ones, refused ones and unanswered ones.
    fileprivate static func busy(_ site: any StorageSite) async throws -> (Tenancy, [Token]) {
        let tenancy = try await Tenancy(site)
        let tokens = [try await tenancy.issue(1), try await tenancy.issue(2)]
        for (round, millisecond) in [0, 600_000, 3_599_000, 3_600_000, 7_000_000, 86_400_000].enumerated() {
            let now = Timestamp.noon(plus: Int64(millisecond / 1000))
            try await tenancy.clerk.commit(
                (0..<10).map { number in
                    let end: Settlement =
                        switch round {
                        case 1: .sample(.upstreamUnreachable, status: 0, at: now, usage: nil, cost: 5)
                        case 3: .sample(status: 503, at: now, usage: nil, cost: 5)
                        case 4: .sample(at: now, cost: 5)
                        default: .sample(at: now, usage: TokenUsage(promptTokens: 7, completionTokens: 11), cost: 5)
                        }
                    return .sample(
                        millisecond + 100 * round + number * 3, of: tokens[number % 2], at: now,
                        settlement: round == 4 ? end.withoutUsage : end)
                }, at: now)
        }
        return (tenancy, tokens)
    }

    /// What is told by every grouping.
    fileprivate func reports() async throws -> [UsageReport] {
        var reports: [UsageReport] = []
        for grouping in UsageQuery.Grouping.allCases {
            reports.append(
                try await storage.usage(
                    UsageQuery(
                        grouping: grouping, interval: grouping == .model ? .day : .hour, since: .dayStart,
                        until: .dayStart + .seconds(864_000))))
        }
        reports.append(
            try await storage.usage(UsageQuery(since: .dayStart, until: .dayStart + .seconds(864_000))))
        return reports
    }

    /// Sums up all there is to be.
    fileprivate func sumAll(at now: Timestamp) async throws {
        var steps = 0
        while try await storage.sumUsage(at: now), steps < 100 { steps += 1 }
    }
}

extension Settlement {
    fileprivate var withoutUsage: Settlement {
        Settlement(
            outcome: outcome, status: status, settledAt: settledAt, durationMicroseconds: durationMicroseconds,
            firstByteMicroseconds: firstByteMicroseconds, usage: nil, cost: cost, model: model)
    }
}
