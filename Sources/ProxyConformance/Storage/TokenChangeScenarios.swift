import ProxyDomain
import ProxyStorage

extension StorageScenario {
    /// What a token store promises of changing tokens.
    static let tokenChanges: [StorageScenario] = [
        StorageScenario(
            "token.access.reads-back-and-changes",
            "What a token may use reads back as it was written, also in its grant, and changes by what is said."
        ) { site, check in
            let storage = try await site.open()
            var project = Project.sample(1)
            project.access = AccessScope(models: ["gpt-*"])
            try await storage.create(project)
            var wanted = Token.sample(1)
            wanted.access = AccessScope(models: ["gpt-4o*", "caf\u{e9}"], paths: ["/v1/chat", "/v1/files"])
            try await storage.create(wanted, digest: .sample(1))
            check.equal(try await storage.token(.sample(1)), wanted, "token")
            check.equal(
                try await storage.grant(for: .sample(1)), GrantRecord(token: wanted, project: project), "grant")
            wanted.access.paths = []
            let change = TokenChange(allowedPaths: [])
            check.equal(try await storage.update(.sample(1), change, at: .noon(plus: 1)), wanted, "after a change")
            check.equal(
                try await storage.update(.sample(1), TokenChange(name: ""), at: .noon(plus: 1)), wanted, "after another"
            )
        },
        StorageScenario("token.update.changes-only-what-was-asked", "A change touches the parts it names.") {
            site, check in
            let tenancy = try await Tenancy(site)
            var wanted = try await tenancy.issue(1, cap: 3, expiresAt: .noon(plus: 60))
            let other = try await tenancy.issue(2)
            wanted.name = "phone"
            let given = try await tenancy.storage.update(wanted.id, TokenChange(name: "phone"), at: .noon)
            check.equal(given, wanted, "token given back")
            check.equal(try await tenancy.storage.token(wanted.id), wanted, "token read back")
            check.equal(try await tenancy.storage.token(other.id), other, "the other token")
        },
        StorageScenario("token.update.moves-expiry", "An expiry can be set, moved and taken away.") { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1)
            for expiry in [Timestamp.noon(plus: 5), .noon(plus: -5)] {
                let changed = try await tenancy.storage.update(token.id, TokenChange(expiry: .at(expiry)), at: .noon)
                check.equal(changed.expiresAt, expiry, "expiry set")
            }
            let changed = try await tenancy.storage.update(token.id, TokenChange(expiry: .never), at: .noon)
            check.equal(changed.expiresAt, nil, "expiry taken away")
        },
        StorageScenario("token.update.changes-cap", "A cap can be raised, lowered and taken away.") { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1, cap: 5)
            for cap: Int64 in [9, 1, 0] {
                let changed = try await tenancy.storage.update(token.id, TokenChange(maxRequests: cap), at: .noon)
                check.equal(changed.maxRequests, cap, "cap")
            }
        },
        StorageScenario(
            "token.update.never-writes-counters", "No change touches what the ledger counted."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1, cap: 9)
            try await tenancy.admit(1...3, of: token)
            try await tenancy.clerk.commit(settling: [.sample(1, of: token, .sample(cost: 13))])
            let before = try await tenancy.storage.token(token.id)
            let change = TokenChange(name: "n", isActive: true, maxRequests: 4, expiry: .at(.noon(plus: 99)))
            let after = try await tenancy.storage.update(token.id, change, at: .noon(plus: 9))
            check.equal(after.requestCount, 3, "requests")
            check.equal([after.promptTokens, after.completionTokens, after.cost.amount], [7, 11, 13], "usage")
            check.equal(after.lastUsedAt, before.lastUsedAt, "last use")
        },
        StorageScenario(
            "token.update.deactivation-revokes", "Deactivating is revoking: the first instant is kept."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1)
            for second: Int64 in [1, 2] {
                let change = TokenChange(isActive: false)
                let changed = try await tenancy.storage.update(token.id, change, at: .noon(plus: second))
                check.equal(changed.revokedAt, .noon(plus: 1), "revocation at second \(second)")
            }
            check.equal(try await tenancy.storage.revoke(token.id, at: .noon(plus: 3)), false, "revoking once more")
        },
        StorageScenario(
            "token.update.reactivation-keeps-cap-and-count", "A reactivated token goes on where it was."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1, cap: 3)
            try await tenancy.admit(1...2, of: token)
            _ = try await tenancy.storage.revoke(token.id, at: .noon)
            let changed = try await tenancy.storage.update(token.id, TokenChange(isActive: true), at: .noon)
            check.equal(changed.revokedAt, nil, "revocation")
            check.equal([changed.requestCount, changed.maxRequests], [2, 3], "count and cap")
            let verdicts = try await tenancy.admit(3...4, of: token)
            check.equal(verdicts, [.admitted(remaining: 0), .refused(.capUsedUp)], "the next two requests")
        },
        StorageScenario("token.update.refuses-unknown", "A token nobody has can't be changed.") { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1)
            await check.fails(.notFound, "change of nothing") {
                try await tenancy.storage.update(.sample(2), TokenChange(name: "x"), at: .noon)
            }
            check.equal(try await tenancy.storage.token(token.id), token, "the other token")
        },
    ]

    /// What looking up a secret's digest promises.
    static let grants: [StorageScenario] = [
        StorageScenario("grant.find.gives-token-and-project", "A digest finds its token with its project.") {
            site, check in
            let tenancy = try await Tenancy(site)
            try await tenancy.storage.create(.sample(2))
            let mine = try await tenancy.issue(1)
            let other = try await tenancy.issue(2, of: .sample(2))
            let found = try await tenancy.storage.grant(for: .sample(1))
            check.equal(found, GrantRecord(token: mine, project: tenancy.project), "first digest")
            let second = try await tenancy.storage.grant(for: .sample(2))
            check.equal(second, GrantRecord(token: other, project: .sample(2)), "second digest")
        },
        StorageScenario("grant.find.gives-nothing-for-unknown", "A digest nobody has finds nothing.") { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1)
            check.equal(try await tenancy.storage.grant(for: .sample(1))?.token, token, "the known digest")
            check.equal(try await tenancy.storage.grant(for: .sample(2)), nil, "the unknown digest")
            check.equal(try await tenancy.storage.grant(for: TokenDigest(text: "")), nil, "the empty digest")
        },
        StorageScenario("grant.find.minds-every-character", "A digest in upper case is another digest.") {
            site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1)
            let upper = TokenDigest(text: TokenDigest.sample(1).text.uppercased())
            check.equal(try await tenancy.storage.grant(for: upper), nil, "in upper case")
            check.equal(try await tenancy.storage.grant(for: .sample(1))?.token, token, "as it was")
        },
        StorageScenario(
            "grant.find.shows-every-change-at-once", "A revocation, a rename or a deactivation is in the next answer."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1)
            _ = try await tenancy.storage.revoke(token.id, at: .noon(plus: 1))
            let change = ProjectChange(name: "other", isActive: false)
            _ = try await tenancy.storage.update(.sample(1), change, at: .noon(plus: 2))
            let found = try await tenancy.storage.grant(for: .sample(1))
            check.equal(found?.token.revokedAt, .noon(plus: 1), "revocation")
            check.equal(found?.project.deactivatedAt, .noon(plus: 2), "deactivation")
            check.equal(found?.project.name, "other", "name")
        },
        StorageScenario("grant.find.shows-counts", "What the ledger counted is in the next answer.") { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1)
            try await tenancy.admit(1...4, of: token)
            check.equal(try await tenancy.storage.grant(for: .sample(1))?.token.requestCount, 4, "requests")
        },
    ]
}
