import ProxyDomain
import ProxyStorage

extension Upstream {
    /// A way nobody cares about except for what is said here.
    static func sample(
        _ number: Int, of project: ProjectID = .sample(1), baseURL: String? = nil, priority: Int64 = 1,
        weight: Int64 = 100, deactivatedAt: Timestamp? = nil
    ) -> Upstream {
        Upstream(
            id: .sample(number), projectID: project, provider: "openai", sealedKey: "sealed \(number)",
            keyHint: "sk-…\(number)", baseURL: baseURL, priority: priority, weight: weight,
            deactivatedAt: deactivatedAt, createdAt: .noon, updatedAt: .noon)
    }
}

extension StorageScenario {
    /// What a store of further ways promises, in the order of the protocol's calls.
    static let upstreams: [StorageScenario] = [
        StorageScenario("upstream.create.reads-back", "A way reads back exactly as it was created.") { site, check in
            let storage = try await site.open()
            try await storage.create(Project.sample(1))
            let plain = Upstream.sample(1)
            let full = Upstream.sample(
                2, baseURL: "https://example.org/a", priority: 0, weight: 1000, deactivatedAt: .noon(plus: 5))
            for upstream in [plain, full] { try await storage.create(upstream) }
            check.equal(try await storage.upstream(plain.id), plain, "way without options")
            check.equal(try await storage.upstream(full.id), full, "way with all options")
        },
        StorageScenario(
            "upstream.create.refuses-what-does-not-fit",
            "A way of no project, or with a taken identifier, is refused, and nothing of it is kept."
        ) { site, check in
            let storage = try await site.open()
            try await storage.create(Project.sample(1))
            try await storage.create(Upstream.sample(1))
            await check.fails(.missingReference, "no such project") {
                try await storage.create(Upstream.sample(2, of: .sample(9)))
            }
            await check.fails(.alreadyExists(field: "id"), "same id") {
                try await storage.create(Upstream.sample(1, weight: 7))
            }
            check.equal(try await storage.upstreams(of: nil, after: nil, limit: 10), [.sample(1)], "ways")
        },
        StorageScenario("upstream.list.by-project", "Ways are listed by page, of one project or of all.") {
            site, check in
            let storage = try await site.open()
            for number in 1...2 { try await storage.create(Project.sample(number)) }
            for number in 1...5 { try await storage.create(Upstream.sample(number, of: .sample(number % 2 + 1))) }
            let all = try await storage.upstreams(of: nil, after: nil, limit: 3)
            check.equal(all.map(\.id), [.sample(1), .sample(2), .sample(3)], "first page")
            let rest = try await storage.upstreams(of: nil, after: .sample(3), limit: 3)
            check.equal(rest.map(\.id), [.sample(4), .sample(5)], "second page")
            let odd = try await storage.upstreams(of: .sample(2), after: .sample(1), limit: 10)
            check.equal(odd.map(\.id), [.sample(3), .sample(5)], "of one project")
        },
        StorageScenario("upstream.update.changes-only-what-was-asked", "A change touches the parts it names.") {
            site, check in
            let storage = try await site.open()
            try await storage.create(Project.sample(1))
            try await storage.create(Upstream.sample(1, baseURL: "https://example.org"))
            var wanted = Upstream.sample(1, baseURL: "https://example.org", weight: 7)
            wanted.updatedAt = .noon(plus: 1)
            check.equal(
                try await storage.update(.sample(1), UpstreamChange(weight: 7), at: .noon(plus: 1)), wanted, "weight")
            (wanted.provider, wanted.priority, wanted.baseURL) = ("other", 0, nil)
            (wanted.sealedKey, wanted.keyHint) = ("anew", "hint")
            (wanted.deactivatedAt, wanted.updatedAt) = (.noon(plus: 2), .noon(plus: 2))
            let change = UpstreamChange(
                provider: "other", key: SealedKey(ciphertext: "anew", hint: "hint"), baseURL: "", priority: 0,
                isActive: false)
            check.equal(try await storage.update(.sample(1), change, at: .noon(plus: 2)), wanted, "all the rest")
            let again = try await storage.update(.sample(1), UpstreamChange(isActive: false), at: .noon(plus: 3))
            check.equal(again.deactivatedAt, .noon(plus: 2), "first deactivation")
            let active = try await storage.update(.sample(1), UpstreamChange(isActive: true), at: .noon(plus: 4))
            check.equal(active.deactivatedAt, nil, "active again")
            await check.fails(.notFound, "unknown") {
                try await storage.update(UpstreamID.sample(9), UpstreamChange(weight: 1), at: .noon)
            }
        },
        StorageScenario("upstream.remove.is-gone", "A way that was removed is gone, and its grant with it.") {
            site, check in
            let storage = try await site.open()
            try await storage.create(Project.sample(1))
            try await storage.create(Token.sample(1), digest: .sample(1))
            try await storage.create(Upstream.sample(1))
            check.equal(try await storage.grant(for: .sample(1))?.upstreams, [.sample(1)], "ways before")
            try await storage.remove(UpstreamID.sample(1))
            check.equal(try await storage.grant(for: .sample(1))?.upstreams, [], "ways after")
            await check.fails(.notFound, "read") { try await storage.upstream(.sample(1)) }
            await check.fails(.notFound, "removed twice") { try await storage.remove(UpstreamID.sample(1)) }
        },
        StorageScenario(
            "upstream.grant.in-order",
            "A grant has its project's active ways, in the order of priority, then of creation."
        ) { site, check in
            let storage = try await site.open()
            for number in 1...2 { try await storage.create(Project.sample(number)) }
            try await storage.create(Token.sample(1), digest: .sample(1))
            let ways: [Upstream] = [
                .sample(1, priority: 5), .sample(2, priority: 0), .sample(3, priority: 5), .sample(4, of: .sample(2)),
                .sample(5, priority: 1, deactivatedAt: .noon),
            ]
            for way in ways { try await storage.create(way) }
            let found = try await storage.grant(for: .sample(1))?.upstreams.map(\.id)
            check.equal(found, [.sample(2), .sample(1), .sample(3)], "ways")
        },
        StorageScenario(
            "settle.attempts.read-back", "The attempts of a request read back as they were settled, at once or later."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            let token = try await tenancy.issue(1)
            let attempts = [
                UpstreamAttempt(provider: "openai", upstream: nil, result: .connect),
                UpstreamAttempt(provider: "open-ai.2", upstream: .sample(7), result: .status(200)),
            ]
            let end = Settlement(
                outcome: .completed, status: 200, settledAt: .noon, durationMicroseconds: 1, sentMicroseconds: 0,
                firstByteMicroseconds: nil, usage: nil, cost: .zero, model: nil, attempts: attempts)
            // One that ends with its batch, alone and beside others; and one that ends later.
            try await tenancy.clerk.commit([.sample(1, of: token, settlement: end)])
            try await tenancy.clerk.commit([
                .sample(2, of: token, settlement: end), .sample(3, of: token, settlement: .sample()),
                .sample(4, of: token),
            ])
            try await tenancy.clerk.commit(settling: [.sample(4, of: token, end)])
            for number in [1, 2, 4] {
                let found = try await tenancy.storage.request(.sample(number)).admission.settlement
                check.equal(found, end, "request \(number)")
            }
            let plain = try await tenancy.storage.request(.sample(3)).admission.settlement
            check.equal(plain?.attempts, [], "a request without a choice")
        },
    ]
}
