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
}

/// One admitted request as it is stored.
public struct RequestRecord: Hashable, Sendable {
    public let admission: Admission

    /// `admission.settlement` is set when the request has ended.
    public init(admission: Admission) { self.admission = admission }
}
