import ProxyDomain
import ProxyStorage

extension StorageScenario {
    /// What checking every invariant promises.
    static let verification: [StorageScenario] = [
        StorageScenario("verify.sound.holds", "After mixed traffic every invariant holds, and each was really checked.")
        { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1, cap: 3)
            let other = try await tenancy.issue(2)
            try await tenancy.admit(1...5, of: token)
            try await tenancy.clerk.commit(
                [.sample(6, of: other, settlement: .sample(cost: 9))], settling: [.sample(1, of: token)])
            try await tenancy.clerk.retryLast()
            let findings = try await tenancy.storage.verify()
            check.that(!findings.isEmpty, "no invariant was checked")
            check.equal(findings.filter { !$0.holds }, [], "broken invariants")
            check.that(findings.contains { $0.checked > 0 }, "nothing was checked")
            check.equal(Set(findings.map(\.invariant)).count, findings.count, "invariants named once each")
        },
        StorageScenario("verify.empty.holds", "On an empty database every invariant holds.") { site, check in
            let findings = try await site.open().verify()
            check.that(!findings.isEmpty, "no invariant was checked")
            check.equal(findings.filter { !$0.holds }, [], "broken invariants")
        },
        StorageScenario(
            "verify.drift.finds-a-wrong-count", "A counter that says too much is found and named.", needs: .tampering
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1)
            try await tenancy.admit(1...2, of: token)
            try await site.harm(.countsOneTooMany(token.id))
            let broken = try await tenancy.storage.verify().filter { !$0.holds }
            check.equal(broken.map(\.violations), [1], "violations")
            check.equal(broken.first?.examples, [token.id.text], "examples")
        },
        StorageScenario(
            "verify.repair.makes-counters-say-what-rows-do",
            "A repair changes the counters that are wrong, tells each, and leaves what is right alone.",
            needs: .tampering
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1, limits: TokenLimits(budget: Budget(NanoDollars(500))))
            let other = try await tenancy.issue(2)
            let aside = Reservation(promptTokens: 5, completionTokens: 5, cost: NanoDollars(7))
            _ = try await tenancy.decide(1...3, of: token, reserving: aside)
            try await tenancy.end(
                1...1, of: token, reserving: aside, usage: TokenUsage(promptTokens: 4, completionTokens: 4), cost: 6)
            try await tenancy.admit(4...5, of: other)
            check.equal(try await tenancy.storage.drift(), 0, "drift before")
            check.equal(try await tenancy.storage.repair(isDryRun: false), [], "repairs of what is sound")
            let sound = try await [tenancy.storage.token(token.id), tenancy.storage.token(other.id)]
            try await site.harm(.countsOneTooMany(token.id))
            try await site.harm(.losesRequest(.sample(3)))
            check.equal(try await tenancy.storage.drift(), 2, "drift")
            let wanted = [
                CounterRepair(owner: "token", id: token.id.text, counter: "request_count", found: 4, counted: 2),
                CounterRepair(
                    owner: "token", id: token.id.text, counter: "budget_reserved_nano", found: 14, counted: 7),
                CounterRepair(
                    owner: "project", id: tenancy.project.id.text, counter: "budget_reserved_nano", found: 14,
                    counted: 7),
            ]
            check.equal(try await tenancy.storage.repair(isDryRun: true), wanted, "what a dry run tells")
            check.equal(try await tenancy.storage.repair(isDryRun: false), wanted, "repairs")
            check.equal(try await tenancy.storage.repair(isDryRun: false), [], "repairs a second time")
            check.equal(try await tenancy.storage.verify().filter { !$0.holds }, [], "broken invariants")
            check.equal(try await tenancy.storage.token(other.id), sound[1], "the other token")
            check.equal(try await tenancy.storage.token(token.id).cost, sound[0].cost, "cost")
        },
        StorageScenario("verify.drift.finds-a-lost-row", "A request that vanished is found.", needs: .tampering) {
            site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1)
            try await tenancy.admit(1...2, of: token)
            try await site.harm(.losesRequest(.sample(1)))
            let broken = try await tenancy.storage.verify().filter { !$0.holds }
            check.equal(broken.map(\.examples), [[token.id.text]], "examples")
        },
        StorageScenario(
            "verify.drift.finds-wrong-usage", "A usage sum that is not its requests' sum is found.", needs: .tampering
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1)
            try await tenancy.clerk.commit([.sample(1, of: token, settlement: .sample())])
            try await site.harm(.countsOnePromptTokenTooMany(token.id))
            let broken = try await tenancy.storage.verify().filter { !$0.holds }
            check.that(broken.contains { $0.examples.contains(token.id.text) }, "not found: \(broken)")
        },
    ]

    /// What lists promise of their pages.
    static let paging: [StorageScenario] = [
        StorageScenario(
            "page.projects.come-in-order-and-once",
            "Page after page, every project comes once, in order of identifiers."
        ) { site, check in
            let storage = try await site.open()
            for number in [5, 1, 7, 3, 2, 6, 4] { try await storage.create(.sample(number)) }
            var seen: [ProjectID] = []
            repeat {
                let page = try await storage.projects(after: seen.last, limit: 3)
                check.that((1...3).contains(page.count), "page of \(page.count)")
                guard !page.isEmpty else { break }
                seen += page.map(\.id)
            } while seen.count < 7
            check.equal(seen, (1...7).map(ProjectID.sample), "all projects")
            check.equal(try await storage.projects(after: .sample(7), limit: 3), [], "after the last")
        },
        StorageScenario(
            "page.tokens.come-in-order-and-once", "Page after page, every token comes once, in order of identifiers."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            for number in [5, 1, 4, 3, 2] { _ = try await tenancy.issue(number) }
            var seen: [TokenID] = []
            for wanted in [2, 2, 1, 0] {
                let page = try await tenancy.storage.tokens(TokenFilter(now: .noon), after: seen.last, limit: 2)
                check.equal(page.count, wanted, "page after \(seen.count)")
                seen += page.map(\.id)
            }
            check.equal(seen, (1...5).map(TokenID.sample), "all tokens")
        },
        StorageScenario(
            "page.tokens.filter-before-they-limit", "A page is filled with tokens that match, not cut from all of them."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            try await tenancy.storage.create(.sample(2))
            for number in 1...6 { _ = try await tenancy.issue(number, of: .sample(number > 3 ? 2 : 1)) }
            let filter = TokenFilter(projectID: .sample(2), now: .noon)
            let page = try await tenancy.storage.tokens(filter, after: nil, limit: 2)
            check.equal(page.map(\.id), [4, 5].map(TokenID.sample), "first page")
            let rest = try await tenancy.storage.tokens(filter, after: .sample(5), limit: 2)
            check.equal(rest.map(\.id), [.sample(6)], "second page")
        },
        StorageScenario(
            "page.requests.come-in-order-and-once",
            "Page after page, every request of a token comes once, and no others."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1)
            let other = try await tenancy.issue(2)
            try await tenancy.clerk.commit([9, 2, 7, 4].map { .sample($0, of: token) } + [.sample(3, of: other)])
            let first = try await tenancy.storage.requests(of: token.id, after: nil, limit: 3)
            check.equal(first.map(\.admission.requestID), [2, 4, 7].map(RequestID.sample), "first page")
            let second = try await tenancy.storage.requests(of: token.id, after: .sample(7), limit: 3)
            check.equal(second.map(\.admission.requestID), [.sample(9)], "second page")
        },
        StorageScenario(
            "page.cursor.needs-no-row", "A cursor that is nobody's identifier still divides before from after."
        ) { site, check in
            let storage = try await site.open()
            for number in [1, 3] { try await storage.create(.sample(number)) }
            let page = try await storage.projects(after: .sample(2), limit: 10)
            check.equal(page.map(\.id), [.sample(3)], "after the gap")
        },
    ]
}
