public import ProxyDomain

/// Where the ledger's batches go.
public protocol LedgerStore: Sendable {
    /// Runs `turn` on the store's writer, after all writes given earlier and not before `delay` has passed.
    ///
    /// Returns at once and never blocks. Turns run one at a time, on a thread where blocking is allowed. A turn given
    /// after ``Storage/close()`` began still runs, with a writer whose commits throw `.unavailable`.
    func enqueueTurn(after delay: Duration, _ turn: @escaping @Sendable (any LedgerWriter) -> Void)
}

/// The writer, lent for one turn. Synchronous and confined to the turn's thread: not to be kept.
public protocol LedgerWriter {
    /// Writes a batch in one transaction, exactly once for its instance and sequence.
    ///
    /// For each token, in key order: reads its standing, decides on the batch's requests, the first first, adds one row to
    /// `requests` for each that is admitted, and counts it. Then settles requests.
    /// - Returns: one verdict for each admission, in the batch's order; `.unavailable` only for those that can't be decided where
    ///   others were served without the database.
    /// - Throws: `.unavailable`, `.full`, … when nothing of the batch is in the database, or when that is not known:
    ///   the same batch given again with `isRetry` is then looked up, never written twice.
    func commit(_ batch: LedgerBatch) throws(StorageError) -> [AdmissionVerdict]

    /// How many changes to projects and tokens, of all instances, came before the batch that was written last. What was
    /// read when there were fewer may be old. `nil` before the first batch.
    var changesSeen: Int64? { get }
}

/// What is written together.
public struct LedgerBatch: Sendable {
    public let instance: InstanceID
    /// 1 for an instance's first batch, then one more for each. A retry keeps its number.
    public let sequence: Int64
    /// Whether this sequence was handed to ``LedgerWriter/commit(_:)`` before.
    public var isRetry: Bool
    /// The instant at which expiry is judged.
    public var now: Timestamp
    public let admissions: [Admission]
    /// Ends of requests that an earlier batch admitted.
    public let settlements: [RequestSettlement]

    public init(
        instance: InstanceID, sequence: Int64, isRetry: Bool = false, now: Timestamp, admissions: [Admission],
        settlements: [RequestSettlement]
    ) {
        self.instance = instance
        self.sequence = sequence
        self.isRetry = isRetry
        self.now = now
        self.admissions = admissions
        self.settlements = settlements
    }
}

/// A request that asks to be counted.
public struct Admission: Hashable, Sendable {
    public let requestID: RequestID
    public let tokenID: TokenID
    public let projectID: ProjectID
    public let admittedAt: Timestamp
    public let method: String
    /// Path of the request without its query.
    public let path: String
    /// What is set aside for it.
    public let reservation: Reservation
    /// Set when the request ended before its admission was written: both are then one row, written once.
    public var settlement: Settlement?
    public let basis: Basis

    /// Whether the request may still go on. Looks at the settlement where it is: a copy would count references.
    @inlinable public var isOpen: Bool { if case .none = settlement { true } else { false } }

    /// What an admission rests on.
    public enum Basis: Hashable, Sendable {
        /// Its token's standing: it is decided by that.
        case standing
        /// As ``standing``; but nothing limits the token as far as is known, so it may be served while the database is away.
        case unlimited
        /// It was served, while the database was away: it is counted whatever the token's standing is by now.
        case served
    }

    public init(
        requestID: RequestID, tokenID: TokenID, projectID: ProjectID, admittedAt: Timestamp, method: String,
        path: String, reservation: Reservation = .none, settlement: Settlement? = nil, basis: Basis = .standing
    ) {
        self.requestID = requestID
        self.tokenID = tokenID
        self.projectID = projectID
        self.admittedAt = admittedAt
        self.method = method
        self.path = path
        self.reservation = reservation
        self.settlement = settlement
        self.basis = basis
    }
}

/// The end of a request that was admitted by an earlier batch.
public struct RequestSettlement: Hashable, Sendable {
    public let requestID: RequestID
    public let tokenID: TokenID
    public let projectID: ProjectID
    public let admittedAt: Timestamp
    /// What was set aside for it.
    public let reservation: Reservation
    public let settlement: Settlement

    public init(
        requestID: RequestID, tokenID: TokenID, projectID: ProjectID, admittedAt: Timestamp,
        reservation: Reservation = .none, settlement: Settlement
    ) {
        self.requestID = requestID
        self.tokenID = tokenID
        self.projectID = projectID
        self.admittedAt = admittedAt
        self.reservation = reservation
        self.settlement = settlement
    }

    /// The end of the request that asked with `admission`.
    public init(of admission: Admission, _ settlement: Settlement) {
        self.init(
            requestID: admission.requestID, tokenID: admission.tokenID, projectID: admission.projectID,
            admittedAt: admission.admittedAt, reservation: admission.reservation, settlement: settlement)
    }
}
