import ProxyDomain
import ProxyStorage

extension StorageScenario {
    /// What storages promise across closing and opening.
    static let durability: [StorageScenario] = [
        StorageScenario(
            "durable.reopen.keeps-everything", "A closed storage opens again with all it held.", needs: .durable
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1, cap: 9, expiresAt: .noon(plus: 60))
            try await tenancy.admit(1...3, of: token)
            try await tenancy.clerk.commit(settling: [.sample(2, of: token)])
            let before = try await tenancy.storage.token(token.id)
            let rows = try await tenancy.storage.requests(of: token.id, after: nil, limit: 9)
            await tenancy.storage.close()
            let storage = try await site.open()
            check.equal(try await storage.project(.sample(1)), tenancy.project, "project")
            check.equal(try await storage.grant(for: .sample(1))?.token, before, "token by its digest")
            check.equal(try await storage.requests(of: token.id, after: nil, limit: 9), rows, "requests")
            check.equal(before.requestCount, 3, "count")
            await storage.close()
        },
        StorageScenario(
            "durable.reopen.counts-on", "A cap used in part before a restart holds the rest after it.", needs: .durable
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1, cap: 5)
            try await tenancy.admit(1...3, of: token)
            await tenancy.storage.close()
            let storage = try await site.open()
            let verdicts = try await Clerk(storage, instance: 2).commit((4...6).map { .sample($0, of: token) })
            check.equal(verdicts.map(\.isAdmitted), [true, true, false], "verdicts after reopening")
            check.equal(try await storage.token(token.id).requestCount, 5, "count")
            await storage.close()
        },
        StorageScenario(
            "durable.reopen.many-times", "Opening and closing again and again changes nothing.", needs: .durable
        ) { site, check in
            for round in 1...5 {
                let storage = try await site.open()
                check.equal(try await storage.projects(after: nil, limit: 10).count, round - 1, "round \(round)")
                try await storage.create(.sample(round))
                await storage.close()
            }
        },
        StorageScenario(
            "storage.close.refuses-later-calls", "After closing, calls fail as unavailable and nothing hangs."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            check.equal(try await tenancy.storage.project(.sample(1)), tenancy.project, "before")
            await tenancy.storage.close()
            await check.fails(.unavailable, "read") { try await tenancy.storage.project(.sample(1)) }
            await check.fails(.unavailable, "write") { try await tenancy.storage.create(.sample(2)) }
            await check.fails(.unavailable, "probe") { try await tenancy.storage.probe() }
            await check.fails(.unavailable, "batch") { try await tenancy.admit(1...1, of: .sample(1)) }
        },
        StorageScenario("storage.close.may-be-repeated", "Closing twice is harmless.") { site, check in
            let tenancy = try await Tenancy(site)
            for _ in 1...2 { await tenancy.storage.close() }
            await check.fails(.unavailable, "read") { try await tenancy.storage.project(.sample(1)) }
        },
        StorageScenario(
            "schema.newer.is-refused", "A schema newer than the binary is refused, and nothing is changed.",
            needs: [.durable, .tampering]
        ) { site, check in
            let tenancy = try await Tenancy(site)
            try await site.harm(.claimsNewerSchema)
            await tenancy.storage.close()
            for attempt in 1...2 {
                do {
                    await (try await site.open()).close()
                    check.that(false, "opened at attempt \(attempt)")
                } catch {
                    check.that(true, "refused")
                }
            }
        },
        StorageScenario(
            "schema.rewritten.is-refused", "A migration that is not the one this binary has is refused.",
            needs: [.durable, .tampering]
        ) { site, check in
            let tenancy = try await Tenancy(site)
            try await site.harm(.rewritesFirstMigration)
            await tenancy.storage.close()
            do {
                await (try await site.open()).close()
                check.that(false, "opened")
            } catch {
                check.that(true, "refused")
            }
        },
        StorageScenario(
            "instances.two.see-each-other", "A revocation through one instance is seen by the other's next batch.",
            needs: .manyInstances
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let other = try await site.open()
            let token = try await tenancy.issue(1)
            _ = try await other.revoke(token.id, at: .noon)
            check.equal(try await tenancy.admit(1...1, of: token), [.refused(.tokenRevoked)], "verdict")
            await other.close()
        },
        StorageScenario(
            "instances.two.share-a-cap", "Two instances together admit no more than a cap holds.", needs: .manyInstances
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let handles = [tenancy.storage, try await site.open()]
            let token = try await tenancy.issue(1, cap: 30)
            let admitted = try await StorageScenario.race(8, on: handles, token: token, each: 10)
            check.equal(admitted, 30, "admitted of 80")
            check.equal(try await tenancy.tally(token), Tally(30), "tally")
            await handles[1].close()
        },
    ]
}
