/// Tokens one request used.
public struct TokenUsage: Hashable, Sendable {
    public let promptTokens: Int64
    public let completionTokens: Int64
    public let source: UsageSource

    public init(promptTokens: Int64, completionTokens: Int64, source: UsageSource = .provider) {
        self.promptTokens = promptTokens
        self.completionTokens = completionTokens
        self.source = source
    }
}

/// Who says what a request used. Stored by name.
public enum UsageSource: String, Hashable, Sendable, CaseIterable {
    /// The provider, in its answer.
    case provider
    /// Nobody: it is guessed, from what was set aside for the request, or from what the token's requests use.
    case estimate
    /// The answer came from the cache: nothing was used.
    case cache
}

/// How an admitted request ended. Stored by name; a name is never reused for another meaning.
public enum RequestOutcome: String, Hashable, Sendable, CaseIterable {
    /// The upstream's answer came to its end.
    case completed
    /// The client was gone before the end.
    case clientLeft = "client_left"
    /// No connection to the upstream could be made.
    case upstreamUnreachable = "upstream_unreachable"
    /// The upstream broke off, or spoke something that is not HTTP.
    case upstreamReset = "upstream_reset"
    /// The upstream was silent for longer than allowed.
    case upstreamTimeout = "upstream_timeout"
    /// Refused by us after it was admitted, for instance because its body outgrew the limit.
    case refused
    /// The server ended before the request did; what the client saw of it is not known.
    case inDoubt = "in_doubt"
}

/// What is known of a request when it has ended.
public struct Settlement: Hashable, Sendable {
    public let outcome: RequestOutcome
    /// Status the client was answered with; 0 when no answer was begun.
    public let status: Int
    public let settledAt: Timestamp
    /// From the request's head to the end, in microseconds.
    public let durationMicroseconds: Int64
    /// From the request's head to when that was written to the upstream's connection, in microseconds, in the last attempt;
    /// `nil` when it was not. On a new connection a handshake of TLS still comes before it.
    public let sentMicroseconds: Int64?
    /// From the request's head to the first byte of the upstream's answer, in microseconds; `nil` without one.
    public let firstByteMicroseconds: Int64?
    /// What was used; `nil` when nobody knows.
    public let usage: TokenUsage?
    public let cost: NanoDollars
    /// The model the provider says it used, cut to ``longestModel``; `nil` when it did not say.
    public let model: String?
    /// In characters (Unicode scalars). No name of a model is as long, but providers say what they like.
    public static let longestModel = 200
    /// Bytes of content that came from the client, and that it was answered with, framing left out; of a WebSocket all that passed
    /// after both sides had agreed. `nil` where nobody knows.
    public let requestBytes: Int64?
    public let responseBytes: Int64?
    /// The times that it was sent, where there was a choice or more than one; empty for a request that went its only way once.
    public let attempts: [UpstreamAttempt]

    public init(
        outcome: RequestOutcome, status: Int, settledAt: Timestamp, durationMicroseconds: Int64,
        sentMicroseconds: Int64? = nil, firstByteMicroseconds: Int64?, usage: TokenUsage?, cost: NanoDollars,
        model: String?, requestBytes: Int64? = nil, responseBytes: Int64? = nil, attempts: [UpstreamAttempt] = []
    ) {
        self.outcome = outcome
        self.status = status
        self.settledAt = settledAt
        self.durationMicroseconds = durationMicroseconds
        self.sentMicroseconds = sentMicroseconds
        self.firstByteMicroseconds = firstByteMicroseconds
        self.usage = usage
        self.cost = cost
        self.model = model.map {
            $0.utf8.count <= Self.longestModel ? $0 : String($0.unicodeScalars.prefix(Self.longestModel))
        }
        self.requestBytes = requestBytes
        self.responseBytes = responseBytes
        self.attempts = attempts
    }
}
