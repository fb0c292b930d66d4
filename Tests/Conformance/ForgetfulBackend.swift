import ProxyConformance
import ProxyDomain
import ProxyStorage

/// Claims everything, accepts everything, keeps nothing. For testing the scenarios, not for storing.
struct ForgetfulBackend: StorageBackend, StorageSite, Storage, LedgerWriter {
    let name = "forgetful"
    let capabilities: StorageCapabilities = [.durable, .manyInstances, .tampering, .wire]
    let driver = "forgetful"

    func withSite(_ body: @Sendable (any StorageSite) async throws -> Void) async throws { try await body(self) }
    func open() async throws -> any Storage { self }
    func harm(_ harm: StorageHarm) async throws {}
    func openOverWire() async throws -> (storage: any Storage, wire: any CuttableWire) { (self, UncutWire()) }

    func create(_ project: Project) async throws(StorageError) {}
    func project(_ id: ProjectID) async throws(StorageError) -> Project { throw StorageError(.notFound) }
    func projects(after cursor: ProjectID?, limit: Int) async throws(StorageError) -> [Project] { [] }
    func update(_ id: ProjectID, _ change: ProjectChange, at now: Timestamp) async throws(StorageError) -> Project {
        throw StorageError(.notFound)
    }

    func create(_ upstream: Upstream) async throws(StorageError) {}
    func upstream(_ id: UpstreamID) async throws(StorageError) -> Upstream { throw StorageError(.notFound) }
    func upstreams(
        of project: ProjectID?, after cursor: UpstreamID?, limit: Int
    ) async throws(StorageError) -> [Upstream] { [] }
    func update(_ id: UpstreamID, _ change: UpstreamChange, at now: Timestamp) async throws(StorageError) -> Upstream {
        throw StorageError(.notFound)
    }
    func remove(_ id: UpstreamID) async throws(StorageError) {}

    func create(_ token: Token, digest: TokenDigest) async throws(StorageError) {}
    func token(_ id: TokenID) async throws(StorageError) -> Token { throw StorageError(.notFound) }
    func tokens(_ filter: TokenFilter, after cursor: TokenID?, limit: Int) async throws(StorageError) -> [Token] { [] }
    func update(_ id: TokenID, _ change: TokenChange, at now: Timestamp) async throws(StorageError) -> Token {
        throw StorageError(.notFound)
    }
    func revoke(_ id: TokenID, at now: Timestamp) async throws(StorageError) -> Bool { true }
    func revokeTokens(of project: ProjectID, at now: Timestamp) async throws(StorageError) -> RevocationSummary {
        RevocationSummary(revoked: 0, alreadyRevoked: 0)
    }
    func grant(for digest: TokenDigest) async throws(StorageError) -> GrantRecord? { nil }

    func create(_ token: ManagementToken, digest: TokenDigest) async throws(StorageError) {}
    func managementToken(_ digest: TokenDigest) async throws(StorageError) -> ManagementToken? { nil }
    func managementTokens(
        after cursor: ManagementTokenID?, limit: Int
    ) async throws(StorageError) -> [ManagementToken] { [] }
    func revoke(managementToken id: ManagementTokenID, at now: Timestamp) async throws(StorageError) {}
    func begin(_ session: AdminSession) async throws(StorageError) {}
    func adminSession(_ digest: TokenDigest) async throws(StorageError) -> AdminSession? { nil }
    func touch(_ digest: TokenDigest, at now: Timestamp) async throws(StorageError) {}
    func endSession(_ digest: TokenDigest) async throws(StorageError) {}
    func endSessions(of credential: TokenDigest) async throws(StorageError) {}
    func forgetSessions(seenBefore: Timestamp, begunBefore: Timestamp) async throws(StorageError) {}

    func projects(
        _ listing: ProjectListing, after cursor: ListCursor<ProjectID>?, limit: Int
    ) async throws(StorageError) -> [Project] { [] }
    func tokens(
        _ listing: TokenListing, after cursor: ListCursor<TokenID>?, limit: Int
    ) async throws(StorageError) -> [Token] { [] }
    func requests(
        _ listing: RequestListing, after cursor: RequestID?, limit: Int
    ) async throws(StorageError) -> RequestPage { RequestPage(records: [], next: nil) }
    func history() async throws(StorageError) -> DatabaseHistory { DatabaseHistory(migrations: [], copies: []) }

    func usage(_ query: UsageQuery) async throws(StorageError) -> UsageReport {
        UsageReport(totals: UsageFigures(), groups: [], series: [], isTruncated: false)
    }
    func sumUsage(at now: Timestamp) async throws(StorageError) -> Bool { false }

    func enqueueTurn(after delay: Duration, _ turn: @escaping @Sendable (any LedgerWriter) -> Void) { turn(self) }
    func commit(_ batch: LedgerBatch) throws(StorageError) -> [AdmissionVerdict] {
        batch.admissions.map { _ in .admitted(remaining: nil) }
    }

    func request(_ id: RequestID) async throws(StorageError) -> RequestRecord { throw StorageError(.notFound) }
    func requests(
        of token: TokenID, after cursor: RequestID?, limit: Int
    ) async throws(StorageError) -> [RequestRecord] { [] }
    func settleAbandoned(at now: Timestamp) async throws(StorageError) -> Int { 0 }
    func settleAbandoned(
        of instance: InstanceRecord, by sweeper: InstanceID, at now: Timestamp
    ) async throws(StorageError) -> Int { 0 }

    func cachedResponse(_ key: String, at now: Timestamp) async throws(StorageError) -> CachedResponse? { nil }
    func noteCacheUses(_ keys: Set<String>, at now: Timestamp) async throws(StorageError) {}
    func keep(_ response: CachedResponse, lastPurge: Int64, at now: Timestamp) async throws(StorageError) -> Bool {
        true
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

    let isShared = true
    var changesSeen: Int64? { nil }
    func beat(_ instance: InstanceID, at now: Timestamp) async throws(StorageError) {}
    func instances() async throws(StorageError) -> [InstanceRecord] { [] }
    func forget(_ instance: InstanceID) async throws(StorageError) {}
    func watchChanges(_ changed: @escaping @Sendable (Int64) -> Void) {}

    func probe() async throws(StorageError) {}
    func verify() async throws(StorageError) -> [InvariantFinding] { [] }
    func drift() async throws(StorageError) -> Int64 { 0 }
    func repair(isDryRun: Bool) async throws(StorageError) -> [CounterRepair] { [] }
    func unfinishedCopy() async throws(StorageError) -> CopyRecord? { nil }
    func rememberedAnswer(
        _ key: String, since instant: Timestamp
    ) async throws(StorageError) -> RememberedAnswer? { nil }
    func forgetAnswers(before instant: Timestamp) async throws(StorageError) {}
    func remembering(_ answer: RememberedAnswer) -> any Storage { self }
    func record(_ event: AuditEvent) async throws(StorageError) {}
    func recording(_ event: AuditEvent) -> any Storage { self }
    func auditEvent(_ id: AuditEventID) async throws(StorageError) -> AuditEvent { throw StorageError(.notFound) }
    func auditEvents(
        _ filter: AuditFilter, skipping skipped: Int, limit: Int
    ) async throws(StorageError) -> (events: [AuditEvent], total: Int) { ([], 0) }
    func pruneAudit(before instant: Timestamp, atMost limit: Int) async throws(StorageError) -> Int { 0 }
    func figures() async -> [DatabaseFigure] { [] }
    func close() async {}
}

private struct UncutWire: CuttableWire {
    func cut(afterPassing count: Int, from speaker: WireSpeaker) {}
    func heal() -> Bool { false }
    func stop() {}
}
