import ProxyDomain
import ProxyStorage

extension StorageScenario {
    /// What the ledger promises of requests it admits.
    static let admissions: [StorageScenario] = [
        StorageScenario("ledger.admit.counts-and-keeps-a-row", "An admitted request is counted and has a row.") {
            site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1)
            let admission = Admission.sample(1, of: token, at: .noon(plus: 2))
            let verdicts = try await tenancy.clerk.commit([admission], at: .noon(plus: 2))
            check.equal(verdicts, [.admitted(remaining: nil)], "verdict")
            check.equal(try await tenancy.storage.request(.sample(1)), RequestRecord(admission: admission), "row")
            check.equal(try await tenancy.tally(token), Tally(1), "tally")
        },
        StorageScenario("ledger.admit.notes-last-use", "The last admitted request is the token's last use.") {
            site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1)
            check.equal(try await tenancy.storage.token(token.id).lastUsedAt, nil, "before")
            for second in 1...2 {
                try await tenancy.admit(second...second, of: token, at: .noon(plus: Int64(second)))
            }
            check.equal(try await tenancy.storage.token(token.id).lastUsedAt, .noon(plus: 2), "after")
        },
        StorageScenario(
            "ledger.admit.is-exact-at-the-cap", "A batch gets what its cap still holds, the first requests first."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1, cap: 3)
            let verdicts = try await tenancy.admit(1...5, of: token)
            let refused = AdmissionVerdict.refused(.capUsedUp)
            let admitted = [2, 1, 0].map { AdmissionVerdict.admitted(remaining: $0) }
            check.equal(verdicts, admitted + [refused, refused], "verdicts")
            check.equal(try await tenancy.tally(token), Tally(3), "tally")
            let rows = try await tenancy.storage.requests(of: token.id, after: nil, limit: 9)
            check.equal(rows.map(\.admission.requestID), [1, 2, 3].map(RequestID.sample), "rows")
        },
        StorageScenario(
            "ledger.admit.tells-what-is-left", "A capped admission tells what the cap still held after it."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1, cap: 5)
            let first = try await tenancy.admit(1...2, of: token)
            check.equal(first, [.admitted(remaining: 4), .admitted(remaining: 3)], "batch of two")
            check.equal(try await tenancy.admit(3...3, of: token), [.admitted(remaining: 2)], "batch of one")
        },
        StorageScenario(
            "ledger.admit.holds-the-cap-across-batches", "Batch after batch, a cap lets through exactly what it says."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1, cap: 10)
            var admitted = 0
            for batch in 0..<6 {
                let verdicts = try await tenancy.admit(batch * 3 + 1...batch * 3 + 3, of: token)
                admitted += verdicts.count { $0.isAdmitted }
            }
            check.equal(admitted, 10, "admitted of 18")
            check.equal(try await tenancy.tally(token), Tally(10), "tally")
        },
        StorageScenario("ledger.admit.opens-with-a-raised-cap", "A raised cap lets exactly the difference in.") {
            site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1, cap: 1)
            try await tenancy.admit(1...1, of: token)
            check.equal(try await tenancy.admit(2...2, of: token), [.refused(.capUsedUp)], "at the cap")
            _ = try await tenancy.storage.update(token.id, TokenChange(maxRequests: 2), at: .noon)
            let verdicts = try await tenancy.admit(3...4, of: token)
            check.equal(verdicts, [.admitted(remaining: 0), .refused(.capUsedUp)], "after raising it by one")
        },
        StorageScenario(
            "ledger.admit.stops-at-a-lowered-cap", "A cap lowered below what was used refuses, and counts nothing."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1, cap: 5)
            try await tenancy.admit(1...3, of: token)
            _ = try await tenancy.storage.update(token.id, TokenChange(maxRequests: 2), at: .noon)
            check.equal(try await tenancy.admit(4...4, of: token), [.refused(.capUsedUp)], "verdict")
            check.equal(try await tenancy.tally(token), Tally(3), "tally")
        },
        StorageScenario("ledger.admit.frees-with-no-cap", "A cap taken away stops nobody.") { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1, cap: 1)
            try await tenancy.admit(1...1, of: token)
            _ = try await tenancy.storage.update(token.id, TokenChange(maxRequests: 0), at: .noon)
            check.equal(try await tenancy.admit(2...2, of: token), [.admitted(remaining: nil)], "verdict")
        },
        StorageScenario(
            "ledger.admit.keeps-the-batch-order", "Verdicts come in the batch's order, however its tokens are mixed."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let capped = try await tenancy.issue(2, cap: 1)
            let open = try await tenancy.issue(1)
            let unknown = Token.sample(3)
            let order = [capped, open, unknown, capped, open]
            let batch = order.enumerated().map { Admission.sample($0.offset + 1, of: $0.element) }
            let wanted: [AdmissionVerdict] = [
                .admitted(remaining: 0), .admitted(remaining: nil), .refused(.unknownToken), .refused(.capUsedUp),
                .admitted(remaining: nil),
            ]
            check.equal(try await tenancy.clerk.commit(batch), wanted, "verdicts")
        },
        StorageScenario("ledger.admit.takes-a-large-batch", "A thousand requests of fifty tokens are one batch.") {
            site, check in
            let tenancy = try await Tenancy(site)
            var tokens: [Token] = []
            for number in 1...50 { tokens.append(try await tenancy.issue(number, cap: number % 2 == 0 ? 7 : 0)) }
            let batch = (0..<1000).map { Admission.sample($0 + 1, of: tokens[$0 * 7 % 50]) }
            let verdicts = try await tenancy.clerk.commit(batch)
            check.equal(verdicts.count { $0.isAdmitted }, 25 * 7 + 25 * 20, "admitted")
            for token in tokens {
                check.equal(try await tenancy.tally(token), Tally(token.maxRequests == 0 ? 20 : 7), "\(token.id)")
            }
        },
        StorageScenario("ledger.admit.takes-an-empty-batch", "A batch of nothing is written as nothing.") {
            site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1)
            check.equal(try await tenancy.clerk.commit(), [], "verdicts of nothing")
            check.equal(try await tenancy.admit(1...1, of: token), [.admitted(remaining: nil)], "the batch after it")
            check.equal(try await tenancy.tally(token), Tally(1), "tally")
        },
    ]

    /// What the ledger promises of requests it refuses.
    static let refusals: [StorageScenario] = [
        StorageScenario("ledger.refuse.unknown-token", "A token nobody has is refused as unknown.") { site, check in
            let tenancy = try await Tenancy(site)
            check.equal(try await tenancy.admit(1...1, of: .sample(9)), [.refused(.unknownToken)], "verdict")
            await check.fails(.notFound, "its row") { try await tenancy.storage.request(.sample(1)) }
        },
        StorageScenario(
            "ledger.refuse.revoked-token", "A revoked token is refused from the first batch after its revocation."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1)
            check.equal(try await tenancy.admit(1...1, of: token), [.admitted(remaining: nil)], "before")
            _ = try await tenancy.storage.revoke(token.id, at: .noon)
            check.equal(try await tenancy.admit(2...2, of: token), [.refused(.tokenRevoked)], "after")
            check.equal(try await tenancy.tally(token), Tally(1), "tally")
        },
        StorageScenario(
            "ledger.refuse.expired-token", "A token is refused from its expiry on, to the millisecond."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1, expiresAt: .noon(plus: 10))
            let before = Timestamp.noon(plus: 10) + .milliseconds(-1)
            check.equal(
                try await tenancy.admit(1...1, of: token, at: before), [.admitted(remaining: nil)], "1 ms before")
            let at = Timestamp.noon(plus: 10)
            check.equal(try await tenancy.admit(2...2, of: token, at: at), [.refused(.tokenExpired)], "at its expiry")
            check.equal(try await tenancy.tally(token), Tally(1), "tally")
        },
        StorageScenario(
            "ledger.refuse.inactive-project", "Tokens of a deactivated project are refused until it is active again."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1)
            for (active, wanted) in [
                (false, AdmissionVerdict.refused(.projectInactive)), (true, .admitted(remaining: nil)),
            ] {
                let change = ProjectChange(isActive: active)
                _ = try await tenancy.storage.update(.sample(1), change, at: .noon)
                check.equal(try await tenancy.admit(1...1, of: token), [wanted], "active \(active)")
            }
        },
        StorageScenario(
            "ledger.refuse.names-the-first-reason", "Revoked comes before expired, before inactive, before used up."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1, cap: 1, expiresAt: .noon(plus: 5))
            try await tenancy.admit(1...1, of: token)
            check.equal(try await tenancy.admit(2...2, of: token), [.refused(.capUsedUp)], "used up")
            _ = try await tenancy.storage.update(.sample(1), ProjectChange(isActive: false), at: .noon)
            check.equal(try await tenancy.admit(3...3, of: token), [.refused(.projectInactive)], "and inactive")
            let late = Timestamp.noon(plus: 5)
            check.equal(try await tenancy.admit(4...4, of: token, at: late), [.refused(.tokenExpired)], "and expired")
            _ = try await tenancy.storage.revoke(token.id, at: late)
            check.equal(try await tenancy.admit(5...5, of: token, at: late), [.refused(.tokenRevoked)], "and revoked")
        },
        StorageScenario(
            "ledger.refuse.spares-the-rest-of-the-batch", "One token's refusal leaves the others of its batch admitted."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let good = try await tenancy.issue(1)
            let revoked = try await tenancy.issue(2)
            _ = try await tenancy.storage.revoke(revoked.id, at: .noon)
            let verdicts = try await tenancy.clerk.commit([.sample(1, of: revoked), .sample(2, of: good)])
            check.equal(verdicts, [.refused(.tokenRevoked), .admitted(remaining: nil)], "verdicts")
            check.equal(try await tenancy.tally(good), Tally(1), "tally of the good one")
            check.equal(try await tenancy.tally(revoked), Tally(0), "tally of the revoked one")
        },
        StorageScenario(
            "ledger.refuse.moves-no-last-use", "A refused request is no use of its token."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1, cap: 1)
            try await tenancy.admit(1...1, of: token, at: .noon(plus: 1))
            try await tenancy.admit(2...2, of: token, at: .noon(plus: 2))
            check.equal(try await tenancy.storage.token(token.id).lastUsedAt, .noon(plus: 1), "last use")
        },
        StorageScenario(
            "admission.served.is-counted-whatever-its-standing",
            "What was served without the database is counted, though its token is revoked, expired, capped or its project inactive."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let tokens = [
                try await tenancy.issue(1), try await tenancy.issue(2, expiresAt: .noon(plus: 5)),
                try await tenancy.issue(3, cap: 2), try await tenancy.issue(4, perMinute: 1),
            ]
            check.that(try await tenancy.storage.revoke(tokens[0].id, at: .noon), "the first was not revoked")
            let served = (1...12).map { number in
                Admission.sample(
                    number, of: tokens[(number - 1) / 3], settlement: number % 2 == 0 ? .sample(cost: 5) : nil,
                    basis: .served)
            }
            let verdicts = try await tenancy.clerk.commit(served, at: .noon(plus: 60)).map(\.withoutHeadroom)
            check.equal(
                verdicts.count {
                    $0 == .admitted(remaining: nil) || $0 == .admitted(remaining: 1) || $0 == .admitted(remaining: 0)
                }, 12, "admitted")
            try await tenancy.clerk.retryLast()
            for token in tokens { check.equal(try await tenancy.tally(token), Tally(3), "of \(token.id)") }
            let refused = try await tenancy.admit(13...13, of: tokens[2], at: .noon(plus: 61))
            check.equal(refused, [.refused(.capUsedUp)], "the cap holds for all others")
            check.equal(
                try await tenancy.clerk.commit([.sample(14, of: .sample(77), basis: .served)]),
                [.refused(.unknownToken)],
                "of a token that nobody knows")
            check.equal(try await tenancy.storage.verify().filter { !$0.holds }, [], "broken invariants")
        },
    ]
}

extension AdmissionVerdict {
    /// Whether the request was counted.
    var isAdmitted: Bool {
        switch self {
        case .admitted: true
        case .refused, .unavailable: false
        }
    }
}
