import ProxyDomain
import ProxyStorage
import SQLDatabase
import SQLStorage
import SQLiteDriver
import Testing

@Suite("The storage on SQLite")
struct StorageTests {
    private func kind(_ body: () async throws -> Void) async -> StorageError.Kind? {
        do {
            try await body()
            return nil
        } catch {
            return (error as? StorageError)?.kind
        }
    }

    @Test("gives a project back as it was, and refuses a second of the same name or identifier")
    func projects() async throws {
        let world = try await World.memory()
        let storage = world.storage
        var other = Project.sample("beta")
        other.baseURL = "https://example.com"
        other.deactivatedAt = noon
        try await storage.create(other)
        #expect(try await storage.project(other.id) == other)
        #expect(await kind { try await storage.create(other) } == .alreadyExists(field: "id"))
        #expect(await kind { try await storage.create(.sample("beta")) } == .alreadyExists(field: "name"))
        try await storage.create(.sample("BETA"))
        #expect(await kind { _ = try await storage.project(.fresh()) } == .notFound)
        let all = try await storage.projects(after: nil, limit: 1000)
        #expect(all.count == 3)
        #expect(all == all.sorted { $0.id < $1.id })
        #expect(try await storage.projects(after: all[0].id, limit: 1) == [all[1]])
        await storage.close()
    }

    @Test("changes of a project only what is asked, keeps its first deactivation, and revokes its tokens with it")
    func projectChanges() async throws {
        let world = try await World.memory()
        let storage = world.storage
        let later = noon + .seconds(5)
        let token = try await world.token()
        var expected = world.project
        expected.deactivatedAt = later
        expected.updatedAt = later
        let change = ProjectChange(isActive: false, revokesTokens: true)
        #expect(try await storage.update(world.project.id, change, at: later) == expected)
        #expect(try await storage.token(token.id).revokedAt == later)
        let again = try await storage.update(world.project.id, ProjectChange(isActive: false), at: later + .seconds(1))
        #expect(again.deactivatedAt == later)
        let renamed = try await storage.update(
            world.project.id, ProjectChange(name: "new", key: SealedKey(ciphertext: "c", hint: "h"), isActive: true),
            at: later)
        #expect((renamed.name, renamed.sealedKey, renamed.keyHint, renamed.deactivatedAt) == ("new", "c", "h", nil))
        try await storage.create(.sample("taken"))
        #expect(
            await kind { _ = try await storage.update(renamed.id, ProjectChange(name: "taken"), at: noon) }
                == .alreadyExists(field: "name"))
        #expect(await kind { _ = try await storage.update(.fresh(), ProjectChange(), at: noon) } == .notFound)
        await storage.close()
    }

    @Test("gives a token back as it was, by identifier and by digest")
    func tokens() async throws {
        let world = try await World.memory()
        let storage = world.storage
        let token = try await world.token(max: 9, expiresAt: noon + .seconds(60))
        #expect(try await storage.token(token.id) == token)
        let grant = try await storage.grant(for: TokenDigest(text: token.id.text))
        #expect(grant == GrantRecord(token: token, project: world.project))
        #expect(try await storage.grant(for: TokenDigest(text: "none")) == nil)
        #expect(await kind { _ = try await storage.token(.fresh()) } == .notFound)
        let orphan = Token(id: .fresh(), projectID: .fresh(), hint: "", createdAt: noon)
        #expect(await kind { try await storage.create(orphan, digest: TokenDigest(text: "o")) } == .missingReference)
        let twin = Token(id: .fresh(), projectID: world.project.id, hint: "", createdAt: noon)
        #expect(
            await kind { try await storage.create(twin, digest: TokenDigest(text: token.id.text)) }
                == .alreadyExists(field: "digest"))
        await storage.close()
    }

    @Test("changes of a token only what is asked, and never a counter")
    func tokenChanges() async throws {
        let world = try await World.memory()
        let storage = world.storage
        let token = try await world.token(max: 9, expiresAt: noon + .seconds(60))
        _ = try await storage.commit(Batches().next([world.admission(token, settled: .sample())]))
        let used = try await storage.token(token.id)
        #expect(try await storage.update(token.id, TokenChange(), at: noon) == used)
        let change = TokenChange(name: "n", isActive: false, maxRequests: 1, expiry: .never)
        let changed = try await storage.update(token.id, change, at: noon)
        #expect((changed.name, changed.revokedAt, changed.maxRequests, changed.expiresAt) == ("n", noon, 1, nil))
        #expect((changed.requestCount, changed.promptTokens) == (1, 10))
        let revived = try await storage.update(
            token.id, TokenChange(isActive: true, expiry: .at(noon + .seconds(9))), at: noon)
        #expect((revived.revokedAt, revived.expiresAt) == (nil, noon + .seconds(9)))
        #expect(await kind { _ = try await storage.update(.fresh(), TokenChange(), at: noon) } == .notFound)
        await storage.close()
    }

    @Test("revokes once, one or all of a project's")
    func revocation() async throws {
        let world = try await World.memory()
        let storage = world.storage
        let token = try await world.token()
        try await world.token()
        #expect(try await storage.revoke(token.id, at: noon))
        #expect(try await storage.revoke(token.id, at: noon + .seconds(1)) == false)
        #expect(try await storage.token(token.id).revokedAt == noon)
        #expect(await kind { _ = try await storage.revoke(.fresh(), at: noon) } == .notFound)
        let summary = try await storage.revokeTokens(of: world.project.id, at: noon)
        #expect(summary == RevocationSummary(revoked: 1, alreadyRevoked: 1))
        #expect(await kind { _ = try await storage.revokeTokens(of: .fresh(), at: noon) } == .notFound)
        await storage.close()
    }

    @Test("lists tokens by project and by whether they may be used, in pages")
    func tokenLists() async throws {
        let world = try await World.memory()
        let storage = world.storage
        let other = Project.sample("other")
        try await storage.create(other)
        let living = try await world.token()
        let expired = try await world.token(expiresAt: noon)
        let revoked = try await world.token()
        _ = try await storage.revoke(revoked.id, at: noon)
        let foreign = Token(id: .fresh(), projectID: other.id, hint: "", createdAt: noon)
        try await storage.create(foreign, digest: TokenDigest(text: "f"))
        func ids(_ project: ProjectID?, _ isActive: Bool?) async throws -> Set<TokenID> {
            let filter = TokenFilter(projectID: project, isActive: isActive, now: noon)
            return Set(try await storage.tokens(filter, after: nil, limit: 100).map(\.id))
        }
        #expect(try await ids(nil, nil) == [living.id, expired.id, revoked.id, foreign.id])
        #expect(try await ids(nil, true) == [living.id, foreign.id])
        #expect(try await ids(world.project.id, true) == [living.id])
        #expect(try await ids(world.project.id, false) == [expired.id, revoked.id])
        var pages: [TokenID] = []
        while true {
            let page = try await storage.tokens(TokenFilter(now: noon), after: pages.last, limit: 1)
            if page.isEmpty { break }
            pages += page.map(\.id)
        }
        #expect(pages == [living, expired, revoked, foreign].map(\.id).sorted())
        await storage.close()
    }

    @Test("ends what a dead server left open, in steps, as in doubt")
    func abandoned() async throws {
        let world = try await World.memory()
        let storage = world.storage
        let token = try await world.token()
        let open = (0..<1200).map { _ in world.admission(token) }
        let ended = world.admission(token, settled: .sample())
        _ = try await storage.commit(Batches().next(open + [ended]))
        #expect(try await storage.settleAbandoned(at: noon + .seconds(2)) == 1200)
        #expect(try await storage.settleAbandoned(at: noon + .seconds(3)) == 0)
        let settlement = try await storage.request(open[0].requestID).admission.settlement
        #expect(settlement?.outcome == .inDoubt)
        #expect(settlement?.durationMicroseconds == 2_000_000)
        #expect(try await storage.request(ended.requestID).admission == ended)
        #expect(try await world.broken() == [])
        await storage.close()
    }

    @Test("a file keeps what was written; memory forgets it")
    func durability() async throws {
        let folder = TemporaryFolder()
        let world = try await World.file(folder)
        let token = try await world.token()
        _ = try await world.storage.commit(Batches().next([world.admission(token)]))
        await world.storage.close()
        let pool = try await SQLiteDatabase.open(.file(folder.database))
        let again = try await SQLStorage.open(pool, now: noon)
        #expect(try await again.token(token.id).requestCount == 1)
        await again.close()
    }

    @Test("a closed storage is unavailable")
    func closed() async throws {
        let world = try await World.file()
        try await world.storage.probe()
        await world.storage.close()
        #expect(await kind { try await world.storage.probe() } == .unavailable)
        #expect(await kind { try await world.storage.create(.sample("x")) } == .unavailable)
    }

    @Test("shows the figures that operators look for, all with database in their name")
    func figures() async throws {
        let world = try await World.file()
        let token = try await world.token()
        _ = try await world.storage.commit(Batches().next([world.admission(token), world.admission(token)]))
        let figures = await world.storage.figures()
        let values = Dictionary(figures.map { ($0.name, $0.value) }) { first, _ in first }
        #expect(figures.allSatisfy { $0.name.hasPrefix("database_") })
        for name in [
            "file_size_bytes", "wal_size_bytes", "page_count", "cache_used_bytes", "commit_seconds",
            "pool_opened_total",
        ] {
            #expect(values["database_" + name, default: 0] > 0, "\(name)")
        }
        for name in ["busy_total", "checkpoint_total", "pool_in_use_connections", "pool_waiting_calls"] {
            #expect(values["database_" + name] != nil, "\(name)")
        }
        let batch = try #require(figures.first { $0.name == "database_ledger_batch_size" })
        guard case .histogram(let buckets, let sum) = batch.kind else {
            Issue.record("not a histogram")
            return
        }
        #expect(sum == 2)
        #expect(buckets.map(\.count).prefix(3) == [0, 1, 1])
        #expect(figures.contains { $0.labels == ["operation": "create_token"] })
        await world.storage.close()
    }
}
