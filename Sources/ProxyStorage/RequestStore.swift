public import ProxyDomain

/// Reads what the ledger wrote, and ends what a dead server left open.
public protocol RequestStore: Sendable {
    /// Finds a request.
    /// - Throws: `.notFound`.
    func request(_ id: RequestID) async throws(StorageError) -> RequestRecord

    /// Lists a token's requests in the order of their identifiers, which is about that of their arrival.
    /// - Parameter limit: most requests to give, 1…1000.
    func requests(of token: TokenID, after cursor: RequestID?, limit: Int) async throws(StorageError) -> [RequestRecord]

    /// Settles every open request as ``RequestOutcome/inDoubt``, in bounded steps.
    ///
    /// For the start of a server that is the only one on its database: at that moment every open request is a dead
    /// server's.
    /// - Returns: how many were settled.
    func settleAbandoned(at now: Timestamp) async throws(StorageError) -> Int

    /// Settles the open requests of one instance, which is dead, as ``RequestOutcome/inDoubt``, and forgets it.
    ///
    /// `sweeper` holds a lease on it meanwhile, until it dies itself: never do two sweep the same. Each step makes sure of the
    /// lease, and that `instance` has made no progress since it was seen: one that was not dead after all keeps what is left,
    /// and loses nothing that it had written; how its requests ended that were settled by then stays in doubt.
    /// - Returns: how many were settled by this call.
    func settleAbandoned(
        of instance: InstanceRecord, by sweeper: InstanceID, at now: Timestamp
    ) async throws(StorageError) -> Int

    /// Makes room for the rows of a day and of the week after it, where the engine keeps days apart. For the start, and once a
    /// day: a day without room of its own only takes longer to remove.
    func prepareDays(from now: Timestamp) async throws(StorageError)

    /// Removes settled requests of days (UTC) that had ended before `instant`'s began; what they count stays, by token and day.
    ///
    /// One step, over in an instant: a whole day where the engine keeps days apart, or else the first `limit` rows.
    /// - Returns: how many were removed, which for a whole day may be 0; `nil` when there is nothing left to remove.
    func prune(before instant: Timestamp, atMost limit: Int) async throws(StorageError) -> Int?
}

/// Tells servers on one database of each other.
public protocol InstanceStore: Sendable {
    /// Tells the others that `instance` is alive.
    func beat(_ instance: InstanceID, at now: Timestamp) async throws(StorageError)

    /// Every instance that has written, and has not been forgotten.
    func instances() async throws(StorageError) -> [InstanceRecord]

    /// Forgets an instance that stops in good order. One with open requests is kept, for them to be settled.
    func forget(_ instance: InstanceID) async throws(StorageError)

    /// Calls `changed` soon after another instance has changed projects or tokens, and with the number of changes so far
    /// at least once a second while the database can be reached; until the storage is closed. A storage that only one
    /// server uses never calls it.
    func watchChanges(_ changed: @escaping @Sendable (Int64) -> Void)
}

/// What is known of a server on the database.
public struct InstanceRecord: Hashable, Sendable {
    public let instance: InstanceID
    /// Grows while the instance lives: with each batch and each beat.
    public let progress: Int64

    public init(instance: InstanceID, progress: Int64) {
        self.instance = instance
        self.progress = progress
    }
}

/// One admitted request as it is stored.
public struct RequestRecord: Hashable, Sendable {
    public let admission: Admission

    /// `admission.settlement` is set when the request has ended.
    public init(admission: Admission) { self.admission = admission }
}
