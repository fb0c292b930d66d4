import ProxyDomain
import ProxyStorage

extension StorageScenario {
    /// What limits on tokens per minute promise.
    static let tokenRates: [StorageScenario] = [
        StorageScenario(
            "limits.tokens.are-reserved",
            "What a request may use counts when it begins; one that doesn't fit is refused."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(limits: TokenLimits(tokensPerMinute: 100))
            let verdicts = try await tenancy.decide(1...4, of: token, reserving: aside(30))
            check.equal(verdicts, [granted, granted, granted, tokensReached(100, asked: 30, after: 61)], "verdicts")
            check.equal(
                try await tenancy.decide(5...5, of: token, reserving: aside(10)), [granted], "what still fits")
            check.equal(
                try await tenancy.decide(6...6, of: token, reserving: aside(101)),
                [tokensReached(100, asked: 101, after: nil)], "what never fits")
        },
        StorageScenario(
            "limits.tokens.are-corrected", "What a request did use takes the place of what was set aside for it."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(limits: TokenLimits(tokensPerMinute: 100))
            check.equal(try await tenancy.decide(1...2, of: token, reserving: aside(50)), [granted, granted], "both")
            try await tenancy.end(
                1...1, of: token, reserving: aside(50), usage: TokenUsage(promptTokens: 3, completionTokens: 7))
            check.equal(
                try await tenancy.decide(3...4, of: token, reserving: aside(40)),
                [granted, tokensReached(100, asked: 40, after: 61)], "after one used 10")
            try await tenancy.end(
                2...2, of: token, reserving: aside(50), usage: TokenUsage(promptTokens: 50, completionTokens: 70),
                at: .noon(plus: 50))
            check.equal(
                try await tenancy.decide(5...5, of: token, reserving: aside(40), at: .noon(plus: 61)),
                [tokensReached(100, asked: 40, after: 50)], "70 too many count from when they are known")
            check.equal(
                try await tenancy.decide(6...6, of: token, reserving: aside(30), at: .noon(plus: 61)), [granted],
                "the others are a minute old")
            check.equal(
                try await tenancy.storage.verify().filter { !$0.holds }, [], "broken invariants")
        },
        StorageScenario(
            "limits.tokens.are-given-back",
            "A request that used no tokens and cost nothing gives back all that was set aside for it."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(limits: TokenLimits(tokensPerMinute: 100))
            check.equal(try await tenancy.decide(1...1, of: token, reserving: aside(90)), [granted], "the first")
            try await tenancy.end(1...1, of: token, reserving: aside(90))
            check.equal(try await tenancy.storage.token(token.id).tokenUse(at: .noon)?.used, 0, "after it")
            check.equal(
                try await tenancy.decide(2...3, of: token, reserving: aside(90)),
                [granted, tokensReached(100, asked: 90, after: 61)], "those that follow")
        },
        StorageScenario(
            "limits.use.is-read-with-its-token",
            "A token is read with what is taken up of its limits, by itself, in a list and by its digest."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let limits = TokenLimits(requestsPerMinute: 3, tokensPerMinute: 100)
            let token = try await tenancy.issue(1, cap: 9, limits: limits)
            let idle = try await tenancy.issue(2, limits: limits)
            _ = try await tenancy.decide(1...2, of: token, reserving: aside(30))
            _ = try await tenancy.decide(3...3, of: token, reserving: aside(30), at: .noon(plus: 20))
            let read = try await tenancy.storage.token(token.id)
            let told: [(second: Int64, requests: Int64, tokens: Int64)] = [
                (20, 3, 90), (60, 3, 90), (61, 1, 30), (81, 0, 0),
            ]
            for (second, requests, tokens) in told {
                let now = Timestamp.noon(plus: second)
                check.equal(read.requestUse(at: now)?.used, requests, "requests after \(second) s")
                check.equal(read.tokenUse(at: now)?.used, tokens, "tokens after \(second) s")
            }
            check.equal(read.requestUse(at: .noon(plus: 20))?.freeAt, .noon(plus: 61), "room for requests")
            check.equal(read.tokenUse(at: .noon(plus: 20))?.freeAt, nil, "room for tokens")
            check.equal([read.capUse?.used, read.capUse?.remaining], [3, 6], "of the cap")
            let listed = try await tenancy.storage.tokens(TokenFilter(now: .noon), after: nil, limit: 9)
            check.equal(listed, [read, idle], "in a list")
            check.equal(try await tenancy.storage.grant(for: .sample(1))?.token, read, "by its digest")
        },
        StorageScenario(
            "limits.tokens.tell-headroom", "An admission tells what its limits hold after it."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(limits: TokenLimits(requestsPerMinute: 5, tokensPerMinute: 100))
            let verdicts = try await tenancy.clerk.commit(
                (1...2).map { .sample($0, of: token, reservation: aside(30)) })
            let told = [(4, 70), (3, 40)].map { requests, tokens in
                AdmissionVerdict.admitted(
                    remaining: nil,
                    headroom: Headroom(
                        requests: .init(limit: 5, remaining: Int64(requests), resetSeconds: 61),
                        tokens: .init(limit: 100, remaining: Int64(tokens), resetSeconds: 61)))
            }
            check.equal(verdicts, told, "verdicts")
        },
        StorageScenario(
            "limits.shadow.refuses-nothing", "A limit in shadow grants what it would refuse, and counts that."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let limits = TokenLimits(requestsPerMinute: 1, tokensPerMinute: 100, shadowed: [.requestsPerMinute])
            let token = try await tenancy.issue(limits: limits)
            let verdicts = try await tenancy.clerk.commit(
                (1...4).map { .sample($0, of: token, reservation: aside(30)) })
            let told: [LimitKind?] = verdicts.map { verdict in
                if case .admitted(_, let headroom) = verdict { headroom.shadowRefusal } else { nil }
            }
            check.equal(told, [nil, .requestsPerMinute, .requestsPerMinute, nil], "would-be refusals")
            check.equal(verdicts.last, tokensReached(100, asked: 30, after: 61), "a limit that isn't in shadow")
            check.equal(try await tenancy.storage.token(token.id).shadowRefusalCount, 2, "counted")
            check.equal(try await tenancy.storage.token(token.id).limits, limits, "limits")
        },
    ]

    private static func aside(_ tokens: Int64) -> Reservation {
        Reservation(promptTokens: tokens / 2, completionTokens: tokens - tokens / 2, cost: .zero)
    }

    private static func tokensReached(_ limit: Int64, asked: Int64, after seconds: Int64?) -> AdmissionVerdict {
        .refused(.tokenRateReached(limit: limit, asked: asked, retryAfterSeconds: seconds))
    }
}
