import ProxyDomain
import ProxyStorage

extension StorageScenario {
    /// What is promised of requests that a dead server left open.
    static let abandonment: [StorageScenario] = [
        StorageScenario("abandoned.settle.puts-in-doubt", "Open requests become in doubt; ended ones are left alone.") {
            site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1)
            try await tenancy.admit(1...3, of: token)
            try await tenancy.clerk.commit(settling: [.sample(2, of: token)])
            check.equal(try await tenancy.storage.settleAbandoned(at: .noon(plus: 90)), 2, "settled")
            let rows = try await tenancy.storage.requests(of: token.id, after: nil, limit: 9)
            let outcomes = rows.map(\.admission.settlement?.outcome)
            check.equal(outcomes, [.inDoubt, .completed, .inDoubt], "outcomes")
            check.equal(rows.first?.admission.settlement?.settledAt, .noon(plus: 90), "instant")
        },
        StorageScenario("abandoned.settle.finds-none-twice", "A second time there is nothing left to settle.") {
            site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1)
            try await tenancy.admit(1...2, of: token)
            check.equal(try await tenancy.storage.settleAbandoned(at: .noon), 2, "first")
            check.equal(try await tenancy.storage.settleAbandoned(at: .noon), 0, "second")
        },
        StorageScenario("abandoned.settle.keeps-counts", "A request in doubt stays counted: it never vanishes.") {
            site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1, cap: 3)
            try await tenancy.admit(1...3, of: token)
            _ = try await tenancy.storage.settleAbandoned(at: .noon)
            check.equal(try await tenancy.tally(token), Tally(3), "tally")
            check.equal(try await tenancy.storage.verify().filter { !$0.holds }, [], "broken invariants")
        },
        StorageScenario("abandoned.settle.takes-many", "Thousands of open requests are all settled.", tags: .slow) {
            site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1)
            for start in stride(from: 1, to: 3500, by: 700) { try await tenancy.admit(start...start + 699, of: token) }
            check.equal(try await tenancy.storage.settleAbandoned(at: .noon), 3500, "settled")
            check.equal(try await tenancy.storage.settleAbandoned(at: .noon), 0, "left")
            check.equal(try await tenancy.storage.token(token.id).requestCount, 3500, "count")
        },
        StorageScenario(
            "abandoned.settle.estimates",
            "What a request in doubt used is taken to be what its token's requests use, says so, and goes into the sums."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1)
            try await tenancy.admit(1...3, of: token)
            try await tenancy.end(
                1...2, of: token, usage: TokenUsage(promptTokens: 15, completionTokens: 30), cost: 60)
            check.equal(try await tenancy.storage.settleAbandoned(at: .noon(plus: 5)), 1, "settled")
            let end = try await tenancy.storage.request(.sample(3)).admission.settlement
            check.equal(end?.usage, TokenUsage(promptTokens: 10, completionTokens: 20, source: .estimate), "usage")
            check.equal(end?.cost, NanoDollars(40), "cost")
            let found = try await tenancy.storage.token(token.id)
            check.equal([found.promptTokens, found.completionTokens, found.cost.amount], [40, 80, 160], "sums")
        },
        StorageScenario(
            "abandoned.settle.after-reopening", "What a server left open is settled by the next.", needs: .durable
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1)
            try await tenancy.admit(1...4, of: token)
            await tenancy.storage.close()
            let storage = try await site.open()
            check.equal(try await storage.settleAbandoned(at: .noon(plus: 5)), 4, "settled")
            let end = try await storage.request(.sample(1)).admission.settlement
            check.equal(end?.outcome, .inDoubt, "outcome")
            check.equal(end?.usage, TokenUsage(promptTokens: 0, completionTokens: 0, source: .estimate), "usage")
            await storage.close()
        },
    ]

    /// What a storage promises of itself.
    static let operations: [StorageScenario] = [
        StorageScenario(
            "storage.probe.answers", "An open storage answers a probe; a closed one says that it is unavailable."
        ) { site, check in
            let storage = try await site.open()
            try await storage.probe()
            check.that(["sqlite", "postgres"].contains(storage.driver), "driver is called \(storage.driver)")
            await storage.close()
            await check.fails(.unavailable, "probe after closing") { try await storage.probe() }
        },
        StorageScenario(
            "storage.figures.name-the-database", "Figures are there, each named for the database, with words of help."
        ) { site, check in
            let figures = await (try await site.open()).figures()
            check.that(!figures.isEmpty, "no figures")
            for figure in figures {
                check.that(figure.name.contains("database"), "\(figure.name) does not name the database")
                check.that(!figure.help.isEmpty, "\(figure.name) has no help")
            }
        },
        StorageScenario("storage.figures.survive-closing", "Asking a closed storage for figures is harmless.") {
            site, check in
            let storage = try await site.open()
            try await storage.create(.sample(1))
            check.equal(try await storage.projects(after: nil, limit: 1).count, 1, "before closing")
            await storage.close()
            check.that(await storage.figures().allSatisfy { !$0.name.isEmpty }, "a figure without a name")
        },
    ]
}
