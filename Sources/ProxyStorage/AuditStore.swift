public import ProxyDomain

/// Keeps what was done, and by whom, in a chain of hashes: each event's holds all before it, so that one which was changed or taken out
/// shows.
public protocol AuditStore: Sendable {
    /// Records an event for itself, of which nothing else comes.
    func record(_ event: AuditEvent) async throws(StorageError)

    /// The same storage for one change: it records `event` in that change's transaction, and nothing when there is no change.
    func recording(_ event: AuditEvent) -> any Storage

    /// Finds an event.
    /// - Throws: `.notFound`.
    func auditEvent(_ id: AuditEventID) async throws(StorageError) -> AuditEvent

    /// Lists events, the latest first.
    /// - Parameters:
    ///   - skipped: how many are passed over.
    ///   - limit: most events to give, 1…1000.
    /// - Returns: the events, and how many there are in all.
    func auditEvents(
        _ filter: AuditFilter, skipping skipped: Int, limit: Int
    ) async throws(StorageError) -> (events: [AuditEvent], total: Int)

    /// Removes the first events of the chain, those before `instant`; what is left begins where they end.
    /// - Returns: how many were removed, `limit` at most.
    func pruneAudit(before instant: Timestamp, atMost limit: Int) async throws(StorageError) -> Int
}

/// Which events to list. Every part that is set must hold.
public struct AuditFilter: Sendable {
    public var action: String?
    public var actor: String?
    public var outcome: AuditEvent.Outcome?
    public var method: String?
    public var path: String?
    public var requestID: String?
    public var correlationID: String?
    public var clientAddress: String?
    public var projectID: ProjectID?
    public var tokenID: TokenID?
    /// The first instant, and the last.
    public var since: Timestamp?
    public var until: Timestamp?
    /// A member of the metadata, and its value.
    public var metadata: (name: String, value: String)?
    /// Words that all must be somewhere in the event (``SearchWords``); a text without any is in none.
    public var words: String?

    public init() {}
}
