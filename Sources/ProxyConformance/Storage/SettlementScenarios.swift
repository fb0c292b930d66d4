import ProxyDomain
import ProxyStorage

extension StorageScenario {
    /// What the ledger promises of how requests end.
    static let settlements: [StorageScenario] = [
        StorageScenario("ledger.settle.reads-back", "A settled request reads back with all that is known of its end.") {
            site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1)
            try await tenancy.admit(1...2, of: token)
            check.equal(try await tenancy.storage.request(.sample(1)).admission.settlement, nil, "before")
            try await tenancy.clerk.commit(settling: [.sample(1, of: token, .sample(cost: 5))])
            let wanted = Admission.sample(1, of: token, settlement: .sample(cost: 5))
            check.equal(try await tenancy.storage.request(.sample(1)).admission, wanted, "settled request")
            check.equal(try await tenancy.storage.request(.sample(2)).admission.settlement, nil, "open request")
        },
        StorageScenario("ledger.settle.adds-to-the-token", "Usage and cost of settled requests add up in their token.")
        { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1)
            let other = try await tenancy.issue(2)
            try await tenancy.admit(1...3, of: token)
            let ends = [1, 2, 3].map { RequestSettlement.sample($0, of: token, .sample(cost: 100)) }
            try await tenancy.clerk.commit(settling: ends)
            let found = try await tenancy.storage.token(token.id)
            check.equal([found.promptTokens, found.completionTokens, found.cost.amount], [21, 33, 300], "sums")
            check.equal(try await tenancy.storage.token(other.id), other, "the other token")
        },
        StorageScenario(
            "ledger.settle.keeps-what-is-unknown",
            "An end that was not sent, or without usage, first byte or model, stays without."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1)
            let bare = Settlement(
                outcome: .upstreamUnreachable, status: 502, settledAt: .noon, durationMicroseconds: 0,
                firstByteMicroseconds: nil, usage: nil, cost: .zero, model: nil)
            try await tenancy.admit(1...1, of: token)
            try await tenancy.clerk.commit(settling: [.sample(1, of: token, bare)])
            check.equal(try await tenancy.storage.request(.sample(1)).admission.settlement, bare, "settlement")
            check.equal(try await tenancy.storage.token(token.id).promptTokens, 0, "prompt tokens")
        },
        StorageScenario("ledger.settle.tells-zero-from-unknown", "A usage of zero tokens is not an unknown usage.") {
            site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1)
            let zero = TokenUsage(promptTokens: 0, completionTokens: 0)
            try await tenancy.admit(1...1, of: token)
            try await tenancy.clerk.commit(settling: [.sample(1, of: token, .sample(usage: zero))])
            check.equal(try await tenancy.storage.request(.sample(1)).admission.settlement?.usage, zero, "usage")
        },
        StorageScenario("ledger.settle.keeps-every-outcome", "Each way to end is told apart for ever.") { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1)
            let outcomes = RequestOutcome.allCases
            try await tenancy.admit(1...outcomes.count, of: token)
            let ends = outcomes.enumerated().map {
                RequestSettlement.sample($0.offset + 1, of: token, .sample($0.element))
            }
            try await tenancy.clerk.commit(settling: ends)
            let rows = try await tenancy.storage.requests(of: token.id, after: nil, limit: 20)
            check.equal(rows.map(\.admission.settlement?.outcome), outcomes, "outcomes")
        },
        StorageScenario(
            "ledger.settle.keeps-the-first-end", "A request ends once: a second end changes and adds nothing."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1)
            try await tenancy.admit(1...1, of: token)
            try await tenancy.clerk.commit(settling: [.sample(1, of: token)])
            let second = Settlement.sample(
                .refused, status: 503, usage: TokenUsage(promptTokens: 1, completionTokens: 1))
            try await tenancy.clerk.commit(settling: [.sample(1, of: token, second)])
            check.equal(try await tenancy.storage.request(.sample(1)).admission.settlement, .sample(), "settlement")
            check.equal(try await tenancy.storage.token(token.id).promptTokens, 7, "prompt tokens")
        },
        StorageScenario(
            "ledger.settle.ignores-what-was-never-admitted", "The end of a request without a row changes nothing."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1)
            try await tenancy.clerk.commit(settling: [.sample(1, of: token)])
            check.equal(try await tenancy.storage.token(token.id), token, "token")
            await check.fails(.notFound, "the row") { try await tenancy.storage.request(.sample(1)) }
        },
        StorageScenario(
            "ledger.settle.with-its-admission", "A request that ended before it was written is one settled row."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1)
            let admission = Admission.sample(1, of: token, settlement: .sample(cost: 3))
            check.equal(try await tenancy.clerk.commit([admission]), [.admitted(remaining: nil)], "verdict")
            check.equal(try await tenancy.storage.request(.sample(1)).admission, admission, "row")
            let found = try await tenancy.storage.token(token.id)
            let figures = [found.requestCount, found.promptTokens, found.completionTokens, found.cost.amount]
            check.equal(figures, [1, 7, 11, 3], "the token's figures")
        },
        StorageScenario(
            "ledger.settle.drops-with-a-refused-admission",
            "A refused request has no row and adds no usage, ended or not."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1, cap: 1)
            let batch = (1...2).map { Admission.sample($0, of: token, settlement: .sample()) }
            let verdicts = try await tenancy.clerk.commit(batch)
            check.equal(verdicts, [.admitted(remaining: 0), .refused(.capUsedUp)], "verdicts")
            check.equal(try await tenancy.storage.token(token.id).promptTokens, 7, "prompt tokens")
            check.equal(try await tenancy.tally(token), Tally(1), "tally")
        },
        StorageScenario(
            "ledger.settle.together-with-others", "One batch admits some requests and settles earlier ones."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1)
            try await tenancy.admit(1...2, of: token)
            try await tenancy.clerk.commit(
                [.sample(3, of: token)], settling: [.sample(1, of: token), .sample(2, of: token)])
            let rows = try await tenancy.storage.requests(of: token.id, after: nil, limit: 9)
            check.equal(rows.map { $0.admission.settlement != nil }, [true, true, false], "settled")
            check.equal(try await tenancy.storage.token(token.id).completionTokens, 22, "completion tokens")
        },
        StorageScenario(
            "ledger.settle.works-after-revocation", "A request admitted before its token was revoked still ends."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1)
            try await tenancy.admit(1...1, of: token)
            _ = try await tenancy.storage.revoke(token.id, at: .noon)
            try await tenancy.clerk.commit(settling: [.sample(1, of: token)])
            check.equal(try await tenancy.storage.request(.sample(1)).admission.settlement, .sample(), "settlement")
            check.equal(try await tenancy.storage.token(token.id).promptTokens, 7, "prompt tokens")
        },
        StorageScenario(
            "ledger.settle.takes-any-model",
            "Whatever an upstream calls its model, zero bytes too, no batch fails for it."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1)
            let models = ["a\0b", "\0", "", "\"quoted\" {1,2} \\ \n", "né 模型 🙂"]
            try await tenancy.admit(1...models.count, of: token)
            let ends = models.enumerated().map { number, model in
                RequestSettlement.sample(
                    number + 1, of: token,
                    Settlement(
                        outcome: .completed, status: 200, settledAt: .noon(plus: 1), durationMicroseconds: 5,
                        firstByteMicroseconds: nil, usage: nil, cost: .zero, model: model))
            }
            try await tenancy.clerk.commit(settling: ends)
            let rows = try await tenancy.storage.requests(of: token.id, after: nil, limit: 9)
            check.equal(
                rows.map { $0.admission.settlement?.model },
                ["a\u{FFFD}b", "\u{FFFD}", "", "\"quoted\" {1,2} \\ \n", "né 模型 🙂"], "models")
        },
    ]
}
