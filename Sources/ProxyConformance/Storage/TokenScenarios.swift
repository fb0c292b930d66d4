import ProxyDomain
import ProxyStorage

extension StorageScenario {
    /// What a token store promises of creating, reading, listing and revoking.
    static let tokens: [StorageScenario] = [
        StorageScenario("token.create.reads-back", "A token reads back exactly as it was created.") { site, check in
            let tenancy = try await Tenancy(site)
            let plain = try await tenancy.issue(1)
            let full = Token.sample(2, name: "laptop", expiresAt: .noon(plus: 60), cap: 5, createdAt: .noon(plus: -9))
            try await tenancy.storage.create(full, digest: .sample(2))
            check.equal(try await tenancy.storage.token(plain.id), plain, "token without options")
            check.equal(try await tenancy.storage.token(full.id), full, "token with all options")
        },
        StorageScenario("token.create.needs-its-project", "A token of a project nobody has is refused.") {
            site, check in
            let tenancy = try await Tenancy(site)
            await check.fails(.missingReference, "token of no project") {
                try await tenancy.storage.create(.sample(1, of: .sample(9)), digest: .sample(1))
            }
            check.equal(try await tenancy.storage.grant(for: .sample(1)), nil, "its grant")
        },
        StorageScenario(
            "token.create.refuses-taken-id", "A taken identifier is refused; the stored token is left alone."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1, cap: 3)
            await check.fails(.alreadyExists(field: "id"), "same id") {
                try await tenancy.storage.create(.sample(1, cap: 9), digest: .sample(2))
            }
            check.equal(try await tenancy.storage.token(token.id), token, "token after refusal")
        },
        StorageScenario(
            "token.create.refuses-taken-digest", "Two tokens never share a secret: a taken digest is refused."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1)
            await check.fails(.alreadyExists(field: "digest"), "same digest") {
                try await tenancy.storage.create(.sample(2), digest: .sample(1))
            }
            check.equal(try await tenancy.storage.grant(for: .sample(1))?.token, token, "the digest's token")
        },
        StorageScenario("token.read.refuses-unknown", "An identifier nobody has is not found.") { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1)
            check.equal(try await tenancy.storage.token(token.id), token, "the known one")
            await check.fails(.notFound, "the unknown one") { try await tenancy.storage.token(.sample(2)) }
        },
        StorageScenario("token.list.filters-by-project", "A list of one project's tokens has no others.") {
            site, check in
            let tenancy = try await Tenancy(site)
            try await tenancy.storage.create(.sample(2))
            for number in 1...6 { _ = try await tenancy.issue(number, of: .sample(number % 2 + 1)) }
            let filter = TokenFilter(projectID: .sample(2), now: .noon)
            let found = try await tenancy.storage.tokens(filter, after: nil, limit: 10)
            check.equal(found.map(\.id), [1, 3, 5].map(TokenID.sample), "tokens of project 2")
        },
        StorageScenario(
            "token.list.filters-by-activity",
            "Active tokens are those neither revoked nor expired at the instant asked."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            for (number, expiry) in [(1, nil), (2, Timestamp.noon), (3, .noon(plus: 1)), (4, nil)] {
                _ = try await tenancy.issue(number, expiresAt: expiry)
            }
            _ = try await tenancy.storage.revoke(.sample(4), at: .noon)
            for (active, wanted) in [(true, [1, 3]), (false, [2, 4])] {
                let filter = TokenFilter(isActive: active, now: .noon)
                let found = try await tenancy.storage.tokens(filter, after: nil, limit: 10)
                check.equal(found.map(\.id), wanted.map(TokenID.sample), "active \(active)")
            }
        },
        StorageScenario(
            "token.list.filters-by-project-and-activity", "Every part of a filter that is set must hold."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            try await tenancy.storage.create(.sample(2))
            for number in 1...4 { _ = try await tenancy.issue(number, of: .sample(number % 2 + 1)) }
            _ = try await tenancy.storage.revoke(.sample(1), at: .noon)
            let filter = TokenFilter(projectID: .sample(2), isActive: true, now: .noon)
            let found = try await tenancy.storage.tokens(filter, after: nil, limit: 10)
            check.equal(found.map(\.id), [.sample(3)], "active tokens of project 2")
        },
        StorageScenario(
            "token.revoke.happens-once",
            "The first revocation says so; a second is harmless and keeps the first instant."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1)
            check.equal(try await tenancy.storage.revoke(token.id, at: .noon(plus: 1)), true, "first")
            check.equal(try await tenancy.storage.revoke(token.id, at: .noon(plus: 2)), false, "second")
            check.equal(try await tenancy.storage.token(token.id).revokedAt, .noon(plus: 1), "instant")
        },
        StorageScenario("token.revoke.refuses-unknown", "A token nobody has can't be revoked.") { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1)
            await check.fails(.notFound, "unknown token") { try await tenancy.storage.revoke(.sample(2), at: .noon) }
            check.equal(try await tenancy.storage.token(token.id).revokedAt, nil, "the other token")
        },
        StorageScenario(
            "token.revoke-all.counts-both-kinds", "Revoking a project's tokens tells how many it did and found done."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            for number in 1...3 { _ = try await tenancy.issue(number) }
            _ = try await tenancy.storage.revoke(.sample(2), at: .noon(plus: 1))
            let summary = try await tenancy.storage.revokeTokens(of: .sample(1), at: .noon(plus: 2))
            check.equal(summary, RevocationSummary(revoked: 2, alreadyRevoked: 1), "summary")
            let instants = try await tenancy.storage.tokens(TokenFilter(now: .noon), after: nil, limit: 10)
                .map(\.revokedAt)
            check.equal(instants, [.noon(plus: 2), .noon(plus: 1), .noon(plus: 2)], "instants")
        },
        StorageScenario("token.revoke-all.spares-others", "Another project's tokens are left alone.") { site, check in
            let tenancy = try await Tenancy(site)
            try await tenancy.storage.create(.sample(2))
            let other = try await tenancy.issue(1, of: .sample(2))
            let summary = try await tenancy.storage.revokeTokens(of: .sample(1), at: .noon)
            check.equal(summary, RevocationSummary(revoked: 0, alreadyRevoked: 0), "summary of none")
            check.equal(try await tenancy.storage.token(other.id), other, "the other project's token")
        },
        StorageScenario("token.revoke-all.refuses-unknown", "Tokens of no project can't be revoked.") { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1)
            await check.fails(.notFound, "unknown project") {
                try await tenancy.storage.revokeTokens(of: .sample(2), at: .noon)
            }
            check.equal(try await tenancy.storage.token(token.id).revokedAt, nil, "a token elsewhere")
        },
    ]
}
