import ProxyDomain
import ProxyStorage

extension StorageScenario {
    /// What limits per minute promise.
    static let limits: [StorageScenario] = [
        StorageScenario(
            "limits.requests.are-exact-in-a-batch", "Of a batch, as many requests as the limit allows are granted."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1, perMinute: 3)
            let free = try await tenancy.issue(2)
            let asked = (1...5).map { Admission.sample($0, of: token) } + [.sample(6, of: free)]
            let late = rateReached(3, after: 61)
            check.equal(
                try await tenancy.clerk.commit(asked).map(\.withoutHeadroom),
                [granted, granted, granted, late, late, granted], "verdicts")
            check.equal(try await tenancy.tally(token), Tally(3), "tally")
            check.equal(try await tenancy.storage.verify().filter { !$0.holds }, [], "broken invariants")
        },
        StorageScenario(
            "limits.requests.slide", "A request frees its place after a minute, each at its own time."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1, perMinute: 2)
            check.equal(try await tenancy.decide(1...1, of: token), [granted], "the first")
            check.equal(try await tenancy.decide(2...2, of: token, at: .noon(plus: 20)), [granted], "the second")
            for (number, second, left) in [(3, 20, 41), (4, 59, 2), (5, 60, 1)] as [(Int, Int64, Int64)] {
                check.equal(
                    try await tenancy.decide(number...number, of: token, at: .noon(plus: second)),
                    [rateReached(2, after: left)], "after \(second) s")
            }
            let verdicts = try await tenancy.decide(6...7, of: token, at: .noon(plus: 61))
            check.equal(verdicts, [granted, rateReached(2, after: 20)], "after 61 s")
            check.equal(try await tenancy.decide(8...8, of: token, at: .noon(plus: 81)), [granted], "after 81 s")
            check.equal(try await tenancy.tally(token), Tally(4), "tally")
        },
        StorageScenario(
            "limits.requests.beside-a-cap", "Of a cap and a limit, the one that is reached refuses, and says so."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let scarce = try await tenancy.issue(1, cap: 2, perMinute: 5)
            let slow = try await tenancy.issue(2, cap: 5, perMinute: 2)
            check.equal(
                try await tenancy.decide(1...3, of: scarce),
                [.admitted(remaining: 1), .admitted(remaining: 0), .refused(.capUsedUp)], "cap below limit")
            check.equal(
                try await tenancy.decide(4...6, of: slow),
                [.admitted(remaining: 4), .admitted(remaining: 3), rateReached(2, after: 61)], "limit below cap")
        },
        StorageScenario(
            "limits.requests.are-edited", "A limit that is lifted or set is in force for the next request."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1, perMinute: 1)
            try await tenancy.admit(1...1, of: token)
            let unlimited = try await tenancy.storage.update(token.id, TokenChange(limits: TokenLimits()), at: .noon)
            check.equal(unlimited.limits, TokenLimits(), "limits")
            check.equal(try await tenancy.decide(2...3, of: token), [granted, granted], "without a limit")
            let limits = TokenLimits(requestsPerMinute: 2)
            _ = try await tenancy.storage.update(token.id, TokenChange(limits: limits), at: .noon)
            check.equal(try await tenancy.storage.token(token.id).limits, limits, "limits")
            _ = try await tenancy.storage.update(token.id, TokenChange(name: "other"), at: .noon)
            check.equal(try await tenancy.storage.token(token.id).limits, limits, "limits after another change")
            let verdicts = try await tenancy.decide(4...5, of: token)
            check.equal(verdicts, [granted, rateReached(2, after: 61)], "with what counted under the limit before")
        },
        StorageScenario(
            "limits.requests.count-a-retry-once", "A batch that is given again uses no more of a limit."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1, perMinute: 4)
            try await tenancy.admit(1...2, of: token)
            for _ in 1...3 {
                check.equal(
                    try await tenancy.clerk.retryLast().map(\.withoutHeadroom), [granted, granted], "the retry")
            }
            let verdicts = try await tenancy.decide(3...5, of: token)
            check.equal(verdicts, [granted, granted, rateReached(4, after: 61)], "after it")
            check.equal(try await tenancy.clerk.retryLast().map(\.withoutHeadroom), verdicts, "its retry")
        },
        StorageScenario(
            "limits.requests.outlive-a-wrong-clock",
            "Requests granted by a clock that ran an hour ahead don't shut a token out, nor do those of one behind."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1, perMinute: 2)
            try await tenancy.admit(1...2, of: token, at: .noon(plus: 3600))
            check.equal(try await tenancy.decide(3...4, of: token), [granted, granted], "the right time")
            check.equal(try await tenancy.decide(5...5, of: token), [rateReached(2, after: 61)], "the limit")
            check.equal(
                try await tenancy.decide(6...7, of: token, at: .noon(plus: -3600)), [granted, granted], "an hour back")
        },
        StorageScenario(
            "limits.requests.are-shared", "Two servers on one storage keep a limit together.", needs: .manyInstances
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1, perMinute: 50)
            let other = try await site.open()
            let clerks = [tenancy.clerk, Clerk(other, instance: 2)]
            let granted = try await withThrowingTaskGroup { group in
                for (place, clerk) in clerks.enumerated() {
                    group.addTask {
                        var granted = 0
                        for round in 0..<20 {
                            let first = place * 1000 + round * 5
                            let verdicts = try await clerk.commit((1...5).map { .sample(first + $0, of: token) })
                            granted += verdicts.count { $0.isAdmitted }
                        }
                        return granted
                    }
                }
                return try await group.reduce(0, +)
            }
            check.equal(granted, 50, "granted")
            check.equal(try await tenancy.tally(token), Tally(50), "tally")
            await other.close()
        },
    ]

    static let granted = AdmissionVerdict.admitted(remaining: nil)

    private static func rateReached(_ limit: Int64, after seconds: Int64) -> AdmissionVerdict {
        .refused(.requestRateReached(limit: limit, retryAfterSeconds: seconds))
    }
}
