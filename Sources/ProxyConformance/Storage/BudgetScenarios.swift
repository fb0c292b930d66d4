import ProxyDomain
import ProxyStorage

extension StorageScenario {
    /// What budgets of tokens and projects promise.
    static let budgets: [StorageScenario] = [
        StorageScenario(
            "budgets.strict.is-never-passed",
            "Under a strict budget a request begins only if what it can cost at most fits in with all that is under way."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let budget = Budget(NanoDollars(100), mode: .strict)
            let token = try await tenancy.issue(limits: TokenLimits(budget: budget))
            let verdicts = try await tenancy.decide(1...4, of: token, reserving: aside(30))
            check.equal(verdicts, [granted, granted, granted, usedUp(budget, of: .token)], "verdicts")
            try await tenancy.end(1...2, of: token, reserving: aside(30), cost: 5)
            let account = try await tenancy.storage.token(token.id).budget
            check.equal(account?.spent, NanoDollars(10), "spent")
            check.equal(account?.reserved, NanoDollars(30), "set aside")
            check.equal(
                try await tenancy.decide(5...7, of: token, reserving: aside(30)),
                [granted, granted, usedUp(budget, of: .token)], "what was not used is free again")
            check.equal(try await tenancy.decide(8...8, of: token), [granted], "what costs nothing")
            check.equal(try await tenancy.storage.verify().filter { !$0.holds }, [], "broken invariants")
        },
        StorageScenario(
            "budgets.normal.is-passed-by-what-is-under-way-at-most",
            "Under a budget requests begin while it isn't used up: it is passed by no more than those then under way cost."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let budget = Budget(NanoDollars(100))
            let token = try await tenancy.issue(limits: TokenLimits(budget: budget))
            let verdicts = try await tenancy.decide(1...5, of: token, reserving: aside(30))
            check.equal(verdicts, [granted, granted, granted, granted, usedUp(budget, of: .token)], "verdicts")
            try await tenancy.end(1...4, of: token, reserving: aside(30), cost: 45)
            check.equal(try await tenancy.storage.token(token.id).budget?.spent, NanoDollars(180), "spent")
            check.equal(
                try await tenancy.decide(6...6, of: token, reserving: aside(1)), [usedUp(budget, of: .token)], "after")
        },
        StorageScenario(
            "budgets.period.begins-anew",
            "A budget for a day begins anew at midnight, one for a month on the first, in UTC."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            // Noon is on 23 November.
            for (number, period, seconds) in [
                (1, BudgetPeriod.day, Int64(12 * 3600)), (2, .month, 7 * 86_400 + 12 * 3600),
            ] {
                let budget = Budget(NanoDollars(100), per: period)
                let token = try await tenancy.issue(number, limits: TokenLimits(budget: budget))
                let first = number * 10
                check.equal(
                    try await tenancy.decide(first...first, of: token, reserving: aside(60)), [granted],
                    "\(period): first")
                try await tenancy.end(first...first, of: token, reserving: aside(60), cost: 100)
                let late = usedUp(budget, of: .token, until: .noon(plus: seconds))
                check.equal(
                    try await tenancy.decide(first + 1...first + 1, of: token, at: .noon(plus: seconds - 1)), [late],
                    "\(period): a second before")
                check.equal(
                    try await tenancy.decide(first + 2...first + 2, of: token, at: .noon(plus: seconds)), [granted],
                    "\(period): anew")
                check.equal(try await tenancy.storage.token(token.id).budget?.spent, .zero, "\(period): spent")
            }
        },
        StorageScenario(
            "budgets.project.is-shared-by-its-tokens",
            "All tokens of a project spend its budget; other projects' don't."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let budget = Budget(NanoDollars(100), mode: .strict)
            let changed = try await tenancy.storage.update(
                tenancy.project.id, ProjectChange(limits: ProjectLimits(budget: budget)), at: .noon)
            check.equal(changed.limits, ProjectLimits(budget: budget), "limits")
            let other = Project.sample(2)
            try await tenancy.storage.create(other)
            let tokens = [
                try await tenancy.issue(1), try await tenancy.issue(2), try await tenancy.issue(3, of: other.id),
            ]
            let asked = (1...6).map { Admission.sample($0, of: tokens[$0 % 3], reservation: aside(40)) }
            let verdicts = try await tenancy.clerk.commit(asked).map(\.withoutHeadroom)
            check.equal(verdicts.count(where: \.isAdmitted), 4, "admitted")
            check.equal([verdicts[1], verdicts[4]], [granted, granted], "of the other project")
            check.equal(
                verdicts.filter { !$0.isAdmitted }, Array(repeating: usedUp(budget, of: .project), count: 2), "refused")
            let account = try await tenancy.storage.project(tenancy.project.id).budget
            check.equal(account?.reserved, NanoDollars(80), "set aside")
            check.equal(try await tenancy.storage.project(other.id).budget, nil, "the other project's")
            check.equal(try await tenancy.storage.verify().filter { !$0.holds }, [], "broken invariants")
        },
        StorageScenario(
            "budgets.doubt.goes-off-once",
            "What is set aside for a request of a dead server goes off the budget as its estimate, once."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let budget = Budget(NanoDollars(100), mode: .strict)
            let token = try await tenancy.issue(limits: TokenLimits(tokensPerMinute: 1000, budget: budget))
            let reservation = Reservation(promptTokens: 20, completionTokens: 30, cost: NanoDollars(40))
            _ = try await tenancy.decide(1...2, of: token, reserving: reservation)
            check.equal(try await tenancy.storage.settleAbandoned(at: .noon(plus: 30)), 2, "put in doubt")
            let found = try await tenancy.storage.token(token.id)
            check.equal(found.budget?.reserved, .zero, "set aside")
            check.equal(found.budget?.spent, NanoDollars(80), "spent")
            check.equal(found.cost, NanoDollars(80), "cost")
            check.equal([found.promptTokens, found.completionTokens], [40, 60], "tokens")
            let end = try await tenancy.storage.request(.sample(1)).admission.settlement
            check.equal(
                end?.usage, TokenUsage(promptTokens: 20, completionTokens: 30, source: .estimate), "usage of a row")
            check.equal(try await tenancy.storage.settleAbandoned(at: .noon(plus: 31)), 0, "put in doubt again")
            check.equal(try await tenancy.storage.verify().filter { !$0.holds }, [], "broken invariants")
        },
        StorageScenario(
            "budgets.edit.keeps-what-was-spent",
            "A budget that is raised keeps what was spent; one with another period begins anew."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(limits: TokenLimits(budget: Budget(NanoDollars(50))))
            _ = try await tenancy.decide(1...1, of: token, reserving: aside(10))
            try await tenancy.end(1...1, of: token, reserving: aside(10), cost: 50)
            let raised = TokenLimits(budget: Budget(NanoDollars(80), mode: .strict))
            let changed = try await tenancy.storage.update(token.id, TokenChange(limits: raised), at: .noon)
            check.equal(changed.budget?.spent, NanoDollars(50), "spent, after raising")
            let daily = TokenLimits(budget: Budget(NanoDollars(80), per: .day))
            let renewed = try await tenancy.storage.update(token.id, TokenChange(limits: daily), at: .noon)
            check.equal(renewed.budget?.spent, .zero, "spent, with another period")
            check.equal(renewed.cost, NanoDollars(50), "what the token has cost")
        },
        StorageScenario(
            "budgets.servers.keep-them-together",
            "Servers on one storage keep a strict budget together, of a token and of its project.",
            needs: .manyInstances
        ) { site, check in
            let tenancy = try await Tenancy(site)
            _ = try await tenancy.storage.update(
                tenancy.project.id,
                ProjectChange(limits: ProjectLimits(budget: Budget(NanoDollars(1000), mode: .strict))), at: .noon)
            var tokens: [Token] = []
            for number in 1...4 {
                let budget = Budget(NanoDollars(400), mode: .strict)
                tokens.append(try await tenancy.issue(number, limits: TokenLimits(budget: budget)))
            }
            let other = try await site.open()
            let clerks = [tenancy.clerk, Clerk(other, instance: 2), Clerk(tenancy.storage, instance: 3)]
            let issued = tokens
            let granted = try await withThrowingTaskGroup { group in
                for (place, clerk) in clerks.enumerated() {
                    group.addTask {
                        var granted = 0
                        for round in 0..<20 {
                            let first = place * 1000 + round * 8
                            let verdicts = try await clerk.commit(
                                (1...8).map { .sample(first + $0, of: issued[$0 % 4], reservation: aside(10)) })
                            granted += verdicts.count { $0.isAdmitted }
                        }
                        return granted
                    }
                }
                return try await group.reduce(0, +)
            }
            check.equal(granted, 100, "granted of 10 nano-dollars each")
            let reserved = try await tenancy.storage.project(tenancy.project.id).budget?.reserved
            check.equal(reserved, NanoDollars(1000), "set aside of the project's")
            check.equal(try await tenancy.storage.verify().filter { !$0.holds }, [], "broken invariants")
            await other.close()
        },
    ]

    private static func aside(_ cost: Int64) -> Reservation {
        Reservation(promptTokens: cost, completionTokens: cost, cost: NanoDollars(cost))
    }

    private static func usedUp(
        _ budget: Budget, of owner: BudgetOwner, until end: Timestamp? = nil
    ) -> AdmissionVerdict {
        .refused(.budgetUsedUp(of: owner, budget: budget, resetsAt: end))
    }
}
