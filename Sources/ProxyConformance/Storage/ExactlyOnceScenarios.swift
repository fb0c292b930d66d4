import ProxyDomain
import ProxyStorage

extension StorageScenario {
    /// What the ledger promises of a batch that is given again because nobody knows whether it was written.
    static let exactlyOnce: [StorageScenario] = [
        StorageScenario("ledger.retry.writes-once", "A batch that was written is looked up, not written again.") {
            site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1)
            let first = try await tenancy.admit(1...3, of: token)
            let again = try await tenancy.clerk.retryLast()
            check.equal(again.map(\.isAdmitted), first.map(\.isAdmitted), "verdicts")
            check.equal(try await tenancy.tally(token), Tally(3), "tally")
        },
        StorageScenario("ledger.retry.writes-what-was-lost", "A batch that was not written is written by its retry.") {
            site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1, cap: 5)
            let verdicts = try await tenancy.clerk.commit([.sample(1, of: token)], isRetry: true)
            check.equal(verdicts, [.admitted(remaining: 4)], "verdict")
            check.equal(try await tenancy.tally(token), Tally(1), "tally")
        },
        StorageScenario("ledger.retry.settles-once", "A retried settlement adds its usage once.") { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1)
            try await tenancy.admit(1...1, of: token)
            try await tenancy.clerk.commit(
                [.sample(2, of: token, settlement: .sample())], settling: [.sample(1, of: token)])
            for _ in 1...3 { try await tenancy.clerk.retryLast() }
            check.equal(try await tenancy.storage.token(token.id).promptTokens, 14, "prompt tokens")
            check.equal(try await tenancy.tally(token), Tally(2), "tally")
        },
        StorageScenario(
            "ledger.retry.repeats-the-choice", "A retry grants the same requests that the first try granted."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1, cap: 2)
            try await tenancy.admit(1...4, of: token)
            let again = try await tenancy.clerk.retryLast()
            check.equal(again.map(\.isAdmitted), [true, true, false, false], "verdicts")
            check.equal(again.last, .refused(.capUsedUp), "the last")
            check.equal(try await tenancy.tally(token), Tally(2), "tally")
        },
        StorageScenario(
            "ledger.retry.minds-no-later-revocation",
            "What was written stays admitted, whatever happened to its token since."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1)
            try await tenancy.admit(1...2, of: token)
            _ = try await tenancy.storage.revoke(token.id, at: .noon)
            check.equal(try await tenancy.clerk.retryLast().map(\.isAdmitted), [true, true], "verdicts")
            check.equal(try await tenancy.tally(token), Tally(2), "tally")
        },
        StorageScenario(
            "ledger.retry.repeats-mixed-verdicts", "A retry tells refusals from admissions in the batch's order."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let good = try await tenancy.issue(1)
            let revoked = try await tenancy.issue(2)
            _ = try await tenancy.storage.revoke(revoked.id, at: .noon)
            try await tenancy.clerk.commit([.sample(1, of: revoked), .sample(2, of: good), .sample(3, of: .sample(9))])
            let wanted: [AdmissionVerdict] = [
                .refused(.tokenRevoked), .admitted(remaining: nil), .refused(.unknownToken),
            ]
            check.equal(try await tenancy.clerk.retryLast(), wanted, "verdicts")
        },
        StorageScenario(
            "ledger.retry.tells-instances-apart", "Two instances' batches of the same number are two batches."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1)
            for instance in 1...3 {
                let clerk = Clerk(tenancy.storage, instance: instance)
                try await clerk.commit([.sample(instance, of: token)], isRetry: true)
            }
            check.equal(try await tenancy.tally(token), Tally(3), "tally")
        },
        StorageScenario(
            "ledger.retry.knows-only-the-last", "After many batches, the last is still known to be written."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1)
            for number in 1...20 { try await tenancy.admit(number...number, of: token) }
            check.equal(try await tenancy.clerk.retryLast().map(\.isAdmitted), [true], "verdict")
            check.equal(try await tenancy.tally(token), Tally(20), "tally")
            check.equal(try await tenancy.admit(21...21, of: token), [.admitted(remaining: nil)], "the next batch")
            check.equal(try await tenancy.tally(token), Tally(21), "tally after it")
        },
        StorageScenario(
            "ledger.retry.survives-reopening", "A batch written before a restart is known to be written after it.",
            needs: .durable
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1)
            try await tenancy.admit(1...2, of: token)
            await tenancy.storage.close()
            let storage = try await site.open()
            check.equal(try await tenancy.clerk.retryLast(on: storage).map(\.isAdmitted), [true, true], "verdicts")
            check.equal(try await storage.token(token.id).requestCount, 2, "count")
            await storage.close()
        },
    ]
}
