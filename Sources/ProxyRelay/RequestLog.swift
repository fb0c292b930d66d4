public import ProxyDomain

/// What the log says of one request, or of a connection that was ended for what its client did.
public struct RequestSummary: Sendable {
    public let requestID: RequestID
    /// 32 hexadecimal digits: the client's trace. `nil` for the one that was begun for the request, whose digits are those of ``requestID``.
    public let traceID: String?
    public let arrivedAt: Timestamp
    public let tokenID: TokenID?
    /// The token as it may be shown.
    public let tokenHint: String?
    public let projectID: ProjectID?
    /// Whose answer it was to be, or was; `nil` when it was refused before one was chosen.
    public let provider: String?
    /// How often an upstream was asked, or a connection to one was tried for that; 0 for an answer from the cache.
    public let attempts: Int
    /// What `Cache-Status` said after the cache's name; `nil` when the cache took no part.
    public let cacheStatus: String?
    public let method: String
    public let path: String
    public let model: String?
    /// 0 when the client got no answer.
    public let status: Int
    /// Code of our refusal; `nil` when the upstream answered.
    public let code: String?
    /// A limit in shadow that would have refused it.
    public let shadowRefusal: LimitKind?
    /// Name of how it ended; `nil` when it was never admitted.
    public let outcome: RequestOutcome?
    public let durationMicroseconds: Int64
    public let firstByteMicroseconds: Int64?
    public let overheadMicroseconds: Int64
    public let usage: TokenUsage?
    public let requestBytes: UInt64
    public let responseBytes: UInt64
}

extension RequestSummary {
    /// What could not be read as a request, or not be taken for the management side, and was refused for that; or an HTTP/2 connection
    /// that was ended for what its client did.
    init(requestID: RequestID, arrivedAt: Timestamp, method: String, status: Int, code: String) {
        self.init(
            requestID: requestID, traceID: nil, arrivedAt: arrivedAt, tokenID: nil, tokenHint: nil, projectID: nil,
            provider: nil, attempts: 0, cacheStatus: nil, method: method, path: "", model: nil, status: status,
            code: code,
            shadowRefusal: nil, outcome: nil, durationMicroseconds: 0, firstByteMicroseconds: nil,
            overheadMicroseconds: 0, usage: nil, requestBytes: 0, responseBytes: 0)
    }
}

/// Takes a line for each request. Called on event loops: must not block.
public protocol RequestLog: Sendable {
    func record(_ summary: RequestSummary)
}

/// A request whose credential was refused.
public struct RefusedCredential: Sendable {
    public let requestID: RequestID
    public let at: Timestamp
    /// Of the other end of the connection.
    public let peerAddress: String
    /// The values of `X-Forwarded-For`, in order.
    public let forwardedFor: [String]
    /// The values of `X-Correlation-ID`.
    public let correlationIDs: [String]
    public let method: String
    /// Without its query.
    public let path: String
    /// Whose it is, where that is known: of a token that has expired or was revoked.
    public let tokenID: TokenID?
    public let projectID: ProjectID?
    /// Why, as the client was told.
    public let code: String
}
