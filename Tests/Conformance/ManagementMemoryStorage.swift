import ProxyDomain
import ProxyStorage
import Synchronization

/// A storage in a dictionary, for the control plane's decision tests: keeps what those tests look at, fails on demand.
final class ManagementMemoryStorage: Storage {
    struct Content {
        var projects: [ProjectID: Project] = [:]
        var tokens: [TokenID: Token] = [:]
        var upstreams: [UpstreamID: Upstream] = [:]
        var digests: [TokenDigest: TokenID] = [:]
        var requests: [RequestID: RequestRecord] = [:]
        var events: [AuditEvent] = []
        var managementTokens: [TokenDigest: ManagementToken] = [:]
        /// What every call throws while it is set.
        var failure: StorageError.Kind?
        /// Whether a probe never answers.
        var isSilent = false
        var probes = 0
        var parked: [CheckedContinuation<Void, Never>] = []
    }

    let content = Mutex(Content())
    let driver = "sqlite"

    private func step<Result: Sendable>(
        _ body: (inout Content) throws(StorageError) -> Result
    ) throws(StorageError) -> Result {
        try content.withLock { content throws(StorageError) in
            if let kind = content.failure { throw StorageError(kind, detail: "secret detail of the engine") }
            return try body(&content)
        }
    }

    func create(_ project: Project) async throws(StorageError) {
        try step { content throws(StorageError) in
            guard !content.projects.values.contains(where: { $0.name == project.name }) else {
                throw StorageError(.alreadyExists(field: "name"))
            }
            content.projects[project.id] = project
        }
    }

    func project(_ id: ProjectID) async throws(StorageError) -> Project {
        try step { content throws(StorageError) in
            guard let project = content.projects[id] else { throw StorageError(.notFound) }
            return project
        }
    }

    func projects(after cursor: ProjectID?, limit: Int) async throws(StorageError) -> [Project] {
        try step { content in
            Array(
                content.projects.values.sorted { $0.id < $1.id }.filter { project in
                    cursor.map { project.id > $0 } ?? true
                }
                .prefix(limit))
        }
    }

    func update(_ id: ProjectID, _ change: ProjectChange, at now: Timestamp) async throws(StorageError) -> Project {
        try step { content throws(StorageError) in
            guard var project = content.projects[id] else { throw StorageError(.notFound) }
            if let name = change.name { project.name = name }
            if let key = change.key { (project.sealedKey, project.keyHint) = (key.ciphertext, key.hint) }
            if let isActive = change.isActive { project.deactivatedAt = isActive ? nil : project.deactivatedAt ?? now }
            project.updatedAt = now
            content.projects[id] = project
            if change.revokesTokens { _ = Self.revokeAll(of: id, in: &content, at: now) }
            return project
        }
    }

    func create(_ upstream: Upstream) async throws(StorageError) {
        try step { content throws(StorageError) in
            guard content.projects[upstream.projectID] != nil else { throw StorageError(.missingReference) }
            content.upstreams[upstream.id] = upstream
        }
    }

    func upstream(_ id: UpstreamID) async throws(StorageError) -> Upstream {
        try step { content throws(StorageError) in
            guard let upstream = content.upstreams[id] else { throw StorageError(.notFound) }
            return upstream
        }
    }

    func upstreams(
        of project: ProjectID?, after cursor: UpstreamID?, limit: Int
    ) async throws(StorageError) -> [Upstream] {
        try step { content in
            let matching = content.upstreams.values.filter { upstream in
                project.map { $0 == upstream.projectID } ?? true && cursor.map { upstream.id > $0 } ?? true
            }
            return Array(matching.sorted { $0.id < $1.id }.prefix(limit))
        }
    }

    func update(_ id: UpstreamID, _ change: UpstreamChange, at now: Timestamp) async throws(StorageError) -> Upstream {
        try step { content throws(StorageError) in
            guard var upstream = content.upstreams[id] else { throw StorageError(.notFound) }
            if let weight = change.weight { upstream.weight = weight }
            upstream.updatedAt = now
            content.upstreams[id] = upstream
            return upstream
        }
    }

    func remove(_ id: UpstreamID) async throws(StorageError) {
        try step { content throws(StorageError) in
            guard content.upstreams.removeValue(forKey: id) != nil else { throw StorageError(.notFound) }
        }
    }

    func create(_ token: Token, digest: TokenDigest) async throws(StorageError) {
        try step { content throws(StorageError) in
            guard content.projects[token.projectID] != nil else { throw StorageError(.missingReference) }
            content.tokens[token.id] = token
            content.digests[digest] = token.id
        }
    }

    func token(_ id: TokenID) async throws(StorageError) -> Token {
        try step { content throws(StorageError) in
            guard let token = content.tokens[id] else { throw StorageError(.notFound) }
            return token
        }
    }

    func tokens(_ filter: TokenFilter, after cursor: TokenID?, limit: Int) async throws(StorageError) -> [Token] {
        try step { content in
            let matching = content.tokens.values.filter { token in
                let isActive = token.revokedAt == nil && token.expiresAt.map { $0 > filter.now } ?? true
                return filter.projectID.map { $0 == token.projectID } ?? true
                    && filter.isActive.map { $0 == isActive } ?? true && cursor.map { token.id > $0 } ?? true
            }
            return Array(matching.sorted { $0.id < $1.id }.prefix(limit))
        }
    }

    func update(_ id: TokenID, _ change: TokenChange, at now: Timestamp) async throws(StorageError) -> Token {
        try step { content throws(StorageError) in
            guard var token = content.tokens[id] else { throw StorageError(.notFound) }
            if let name = change.name { token.name = name }
            if let cap = change.maxRequests { token.maxRequests = cap }
            if let isActive = change.isActive { token.revokedAt = isActive ? nil : token.revokedAt ?? now }
            switch change.expiry {
            case .at(let instant): token.expiresAt = instant
            case .never: token.expiresAt = nil
            case nil: break
            }
            content.tokens[id] = token
            return token
        }
    }

    func revoke(_ id: TokenID, at now: Timestamp) async throws(StorageError) -> Bool {
        try step { content throws(StorageError) in
            guard var token = content.tokens[id] else { throw StorageError(.notFound) }
            defer { content.tokens[id] = token }
            guard token.revokedAt == nil else { return false }
            token.revokedAt = now
            return true
        }
    }

    func revokeTokens(of project: ProjectID, at now: Timestamp) async throws(StorageError) -> RevocationSummary {
        try step { content throws(StorageError) in
            guard content.projects[project] != nil else { throw StorageError(.notFound) }
            return Self.revokeAll(of: project, in: &content, at: now)
        }
    }

    private static func revokeAll(
        of project: ProjectID, in content: inout Content, at now: Timestamp
    ) -> RevocationSummary {
        let all = content.tokens.values.filter { $0.projectID == project }
        let open = all.filter { $0.revokedAt == nil }
        for token in open { content.tokens[token.id]?.revokedAt = now }
        return RevocationSummary(revoked: open.count, alreadyRevoked: all.count - open.count)
    }

    func grant(for digest: TokenDigest) async throws(StorageError) -> GrantRecord? { nil }

    func create(_ token: ManagementToken, digest: TokenDigest) async throws(StorageError) {
        try step { $0.managementTokens[digest] = token }
    }
    func managementToken(_ digest: TokenDigest) async throws(StorageError) -> ManagementToken? {
        try step { $0.managementTokens[digest] }
    }
    func managementTokens(
        after cursor: ManagementTokenID?, limit: Int
    ) async throws(StorageError) -> [ManagementToken] {
        try step { $0.managementTokens.values.sorted { $0.id < $1.id } }
    }
    func revoke(managementToken id: ManagementTokenID, at now: Timestamp) async throws(StorageError) {
        try step { content throws(StorageError) in
            guard let digest = content.managementTokens.first(where: { $0.value.id == id })?.key else {
                throw StorageError(.notFound)
            }
            content.managementTokens[digest]?.revokedAt = now
        }
    }
    func begin(_ session: AdminSession) async throws(StorageError) {}
    func adminSession(_ digest: TokenDigest) async throws(StorageError) -> AdminSession? { nil }
    func touch(_ digest: TokenDigest, at now: Timestamp) async throws(StorageError) {}
    func endSession(_ digest: TokenDigest) async throws(StorageError) {}
    func endSessions(of credential: TokenDigest) async throws(StorageError) {}
    func forgetSessions(seenBefore: Timestamp, begunBefore: Timestamp) async throws(StorageError) {}

    func projects(
        _ listing: ProjectListing, after cursor: ListCursor<ProjectID>?, limit: Int
    ) async throws(StorageError) -> [Project] { try await projects(after: cursor?.id, limit: limit) }
    func tokens(
        _ listing: TokenListing, after cursor: ListCursor<TokenID>?, limit: Int
    ) async throws(StorageError) -> [Token] { try await tokens(listing.filter, after: cursor?.id, limit: limit) }
    func requests(
        _ listing: RequestListing, after cursor: RequestID?, limit: Int
    ) async throws(StorageError) -> RequestPage {
        try step { content in
            let all = content.requests.values.map(\.admission).filter { admission in
                listing.token.map { $0 == admission.tokenID } ?? true && cursor.map { admission.requestID > $0 } ?? true
            }
            let page = all.sorted { $0.requestID < $1.requestID }.prefix(limit)
            return RequestPage(
                records: page.map { RequestRecord(admission: $0) },
                next: all.count > limit ? page.last?.requestID : nil)
        }
    }
    func history() async throws(StorageError) -> DatabaseHistory { DatabaseHistory(migrations: [], copies: []) }

    func usage(_ query: UsageQuery) async throws(StorageError) -> UsageReport {
        UsageReport(totals: UsageFigures(), groups: [], series: [], isTruncated: false)
    }
    func sumUsage(at now: Timestamp) async throws(StorageError) -> Bool { false }

    func enqueueTurn(after delay: Duration, _ turn: @escaping @Sendable (any LedgerWriter) -> Void) {}

    func request(_ id: RequestID) async throws(StorageError) -> RequestRecord {
        try step { content throws(StorageError) in
            guard let record = content.requests[id] else { throw StorageError(.notFound) }
            return record
        }
    }

    func requests(
        of token: TokenID, after cursor: RequestID?, limit: Int
    ) async throws(StorageError) -> [RequestRecord] {
        try step { content in
            let all = content.requests.values.map(\.admission).filter { admission in
                admission.tokenID == token && cursor.map { admission.requestID > $0 } ?? true
            }
            return all.sorted { $0.requestID < $1.requestID }.prefix(limit).map { RequestRecord(admission: $0) }
        }
    }

    func cachedResponse(_ key: String, at now: Timestamp) async throws(StorageError) -> CachedResponse? { nil }
    func noteCacheUses(_ keys: Set<String>, at now: Timestamp) async throws(StorageError) {}
    func keep(_ response: CachedResponse, lastPurge: Int64, at now: Timestamp) async throws(StorageError) -> Bool {
        false
    }
    func purgeCache(
        _ purge: CachePurge, at now: Timestamp
    ) async throws(StorageError) -> (number: Int64, removed: Int) { (1, 0) }
    func forgetCached(of project: ProjectID?, at path: String) async throws(StorageError) -> Int { 0 }
    func cachePurges(
        after number: Int64?
    ) async throws(StorageError) -> [(number: Int64, purge: CachePurge)] { [] }
    func trimCache(to maxBytes: Int64, at now: Timestamp) async throws(StorageError) -> Int { 0 }
    func prepareDays(from now: Timestamp) async throws(StorageError) {}
    func prune(before instant: Timestamp, atMost limit: Int) async throws(StorageError) -> Int? { nil }
    func settleAbandoned(at now: Timestamp) async throws(StorageError) -> Int { 0 }
    func settleAbandoned(
        of instance: InstanceRecord, by sweeper: InstanceID, at now: Timestamp
    ) async throws(StorageError) -> Int { 0 }

    let isShared = false
    func beat(_ instance: InstanceID, at now: Timestamp) async throws(StorageError) {}
    func instances() async throws(StorageError) -> [InstanceRecord] { [] }
    func forget(_ instance: InstanceID) async throws(StorageError) {}
    func watchChanges(_ changed: @escaping @Sendable (Int64) -> Void) {}

    func probe() async throws(StorageError) {
        let isSilent = content.withLock { content in
            content.probes += 1
            return content.isSilent
        }
        if isSilent { await withCheckedContinuation { park in content.withLock { $0.parked.append(park) } } }
        try step { _ in () }
    }

    /// Lets the probes that hang go on.
    func unpark() {
        let parked = content.withLock { content in
            defer { content.parked = [] }
            content.isSilent = false
            return content.parked
        }
        for probe in parked { probe.resume() }
    }

    func verify() async throws(StorageError) -> [InvariantFinding] { [] }
    func drift() async throws(StorageError) -> Int64 { 0 }
    func repair(isDryRun: Bool) async throws(StorageError) -> [CounterRepair] { [] }

    func unfinishedCopy() async throws(StorageError) -> CopyRecord? { nil }
    func rememberedAnswer(
        _ key: String, since instant: Timestamp
    ) async throws(StorageError) -> RememberedAnswer? { nil }
    func forgetAnswers(before instant: Timestamp) async throws(StorageError) {}
    func remembering(_ answer: RememberedAnswer) -> any Storage { self }
    func record(_ event: AuditEvent) async throws(StorageError) { try step { $0.events.append(event) } }
    /// The event is there before its change: enough for those who look at one of the two.
    func recording(_ event: AuditEvent) -> any Storage {
        content.withLock { $0.events.append(event) }
        return self
    }
    func auditEvent(_ id: AuditEventID) async throws(StorageError) -> AuditEvent {
        try step { content throws(StorageError) in
            guard let event = content.events.first(where: { $0.id == id }) else { throw StorageError(.notFound) }
            return event
        }
    }
    func auditEvents(
        _ filter: AuditFilter, skipping skipped: Int, limit: Int
    ) async throws(StorageError) -> (events: [AuditEvent], total: Int) {
        try step { (Array($0.events.reversed().dropFirst(skipped).prefix(limit)), $0.events.count) }
    }
    func pruneAudit(before instant: Timestamp, atMost limit: Int) async throws(StorageError) -> Int { 0 }
    func figures() async -> [DatabaseFigure] {
        [
            DatabaseFigure(name: "database_file_size_bytes", help: "Size.", kind: .gauge, value: 4096),
            DatabaseFigure(
                name: "database_commit_seconds", help: "Commits.",
                kind: .histogram(
                    buckets: [.init(upperBound: 0.001, count: 2), .init(upperBound: 0.01, count: 3)], sum: 0.5),
                value: 4, labels: ["driver": "sqlite"]),
        ]
    }

    func close() async {}
}
