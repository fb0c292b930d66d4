import ProxyDomain
import ProxyStorage

extension StorageScenario {
    /// What removing old requests promises.
    static let retention: [StorageScenario] = [
        StorageScenario(
            "retention.prune.keeps-what-they-count",
            "Settled requests of ended days are removed, step by step, and every counter still equals what is counted."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let tokens = [try await tenancy.issue(1, cap: 9), try await tenancy.issue(2)]
            try await tenancy.storage.prepareDays(from: .noon(of: 100))
            for (day, token) in [(100, tokens[0]), (100, tokens[1]), (101, tokens[0]), (102, tokens[0])] {
                try await tenancy.fill(day, of: token)
            }
            let before = try await tenancy.storage.token(tokens[0].id)
            check.equal(try await tenancy.pruneAll(before: .noon(of: 102), atMost: 4), 9, "removed")
            check.equal(try await tenancy.pruneAll(before: .noon(of: 102), atMost: 4), 0, "removed a second time")
            check.equal(try await tenancy.tally(tokens[0]), Tally(counted: 9, rows: 3), "the first token's")
            check.equal(try await tenancy.tally(tokens[1]), Tally(counted: 3, rows: 0), "the second token's")
            check.equal(try await tenancy.storage.token(tokens[0].id), before, "the token itself")
            check.equal(try await tenancy.storage.verify().filter { !$0.holds }, [], "broken invariants")
            check.equal(try await tenancy.storage.drift(), 0, "drift")
            check.equal(try await tenancy.storage.repair(isDryRun: false), [], "what a repair would change")
            let refused = try await tenancy.admit(7...7, of: tokens[0], at: .noon(of: 103))
            check.equal(refused, [.refused(.capUsedUp)], "the cap still counts what was removed")
        },
        StorageScenario(
            "retention.prune.stays-with-open-requests",
            "Nothing is removed of a day with an open request, and of none after it; once that is settled, all is."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1)
            try await tenancy.storage.prepareDays(from: .noon(of: 100))
            for day in 100...102 { try await tenancy.fill(day, of: token) }
            let open = Admission.sample(onDay: 101, 9, of: token)
            try await tenancy.clerk.commit([open], at: .noon(of: 102))
            check.equal(try await tenancy.pruneAll(before: .noon(of: 103)), 3, "removed beside an open one")
            check.equal(try await tenancy.tally(token), Tally(counted: 10, rows: 7), "kept")
            try await tenancy.clerk.commit(
                settling: [RequestSettlement(of: open, .sample(at: .noon(of: 102)))], at: .noon(of: 102))
            check.equal(try await tenancy.pruneAll(before: .noon(of: 103)), 7, "removed when it has ended")
            check.equal(try await tenancy.storage.verify().filter { !$0.holds }, [], "broken invariants")
        },
        StorageScenario(
            "retention.prune.any-day", "Days that nothing was prepared for are removed like others, in steps."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1)
            for day in [0, 500, 501, 502] { try await tenancy.fill(day, of: token) }
            check.equal(try await tenancy.pruneAll(before: .noon(of: 502), atMost: 2), 9, "removed")
            check.equal(try await tenancy.tally(token), Tally(counted: 12, rows: 3), "kept")
            try await tenancy.storage.prepareDays(from: .noon(of: 501))
            try await tenancy.fill(503, of: token)
            check.equal(try await tenancy.tally(token), Tally(counted: 15, rows: 6), "with days prepared late")
            check.equal(try await tenancy.pruneAll(before: .noon(of: 505)), 6, "removed at last")
            check.equal(try await tenancy.storage.verify().filter { !$0.holds }, [], "broken invariants")
        },
        StorageScenario(
            "retention.prune.by-two-at-once", "Two that prune at once remove each request once, while a third writes.",
            needs: .manyInstances
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1)
            try await tenancy.storage.prepareDays(from: .noon(of: 100))
            for day in 100...105 { try await tenancy.fill(day, of: token) }
            for day in 500...503 { try await tenancy.fill(day, of: token) }
            let other = try await site.open()
            let removed = try await withThrowingTaskGroup(of: Int.self) { group in
                for storage in [tenancy.storage, other] {
                    group.addTask {
                        var removed = 0
                        for _ in 0..<60 {
                            // One that finds the other at work comes again.
                            removed += (try? await storage.prune(before: .noon(of: 600), atMost: 2)) ?? 0
                        }
                        return removed
                    }
                }
                for number in 1...20 {
                    try await tenancy.clerk.commit([.sample(onDay: 601, number, of: token)], at: .noon(of: 601))
                }
                return try await group.reduce(0, +)
            }
            check.equal(removed, 30, "removed by both")
            check.equal(try await tenancy.tally(token), Tally(counted: 50, rows: 20), "tally")
            check.equal(try await tenancy.storage.verify().filter { !$0.holds }, [], "broken invariants")
        },
        StorageScenario(
            "retention.midnight.loses-nothing",
            "Requests of two days in one batch, and ends that come a day later, are written like any other."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1)
            try await tenancy.storage.prepareDays(from: .noon(of: 100))
            let (evening, morning) = (1...4, 5...8)
            let first = evening.map { Admission.sample(onDay: 100, $0, of: token) }
            let second = morning.map { Admission.sample(onDay: 101, $0, of: token) }
            try await tenancy.clerk.commit(first, at: .noon(of: 100))
            try await tenancy.clerk.commit(second, at: .noon(of: 100))
            try await tenancy.clerk.commit(
                [.sample(onDay: 101, 9, of: token), .sample(onDay: 102, 10, of: token)],
                settling: (first + second).map { RequestSettlement(of: $0, .sample(at: .noon(of: 101))) },
                at: .noon(of: 101))
            try await tenancy.clerk.retryLast()
            check.equal(try await tenancy.tally(token), Tally(10), "tally")
            let rows = try await tenancy.storage.requests(of: token.id, after: nil, limit: 99)
            check.equal(rows.filter { $0.admission.settlement == nil }.count, 2, "open")
            check.equal(rows.map(\.admission.requestID), rows.map(\.admission.requestID).sorted(), "in order")
            check.equal(try await tenancy.storage.verify().filter { !$0.holds }, [], "broken invariants")
        },
    ]
}

extension Timestamp {
    /// Noon of the day that is `day` days after that of ``noon``.
    fileprivate static func noon(of day: Int) -> Timestamp { noon + .seconds(86_400 * Int64(day)) }
}

extension Admission {
    /// The request numbered `number` of the day that is `day` days after that of ``Timestamp/noon``.
    fileprivate static func sample(
        onDay day: Int, _ number: Int, of token: Token, settlement: Settlement? = nil
    ) -> Admission {
        .sample(
            day * 86_400_000 + number * 1000 + Int(token.id.identifier.low & 0xFF), of: token,
            at: .noon(of: day) + .seconds(Int64(number)), settlement: settlement)
    }
}

extension Tenancy {
    /// Three settled requests of a day, written on that day.
    fileprivate func fill(_ day: Int, of token: Token) async throws {
        try await clerk.commit(
            (1...3).map { number in
                .sample(onDay: day, number, of: token, settlement: .sample(at: .noon(of: day), cost: Int64(day)))
            }, at: .noon(of: day))
    }

    /// Prunes until nothing is left to be.
    fileprivate func pruneAll(before instant: Timestamp, atMost limit: Int = 100) async throws -> Int {
        var removed = 0
        while let step = try await storage.prune(before: instant, atMost: limit) { removed += step }
        return removed
    }
}
