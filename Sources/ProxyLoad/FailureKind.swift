/// How a request failed: one kind for each, so that they add up.
public enum FailureKind: String, CaseIterable, Hashable, Sendable {
    /// Answered with something else than 2xx.
    case status
    /// No connection could be made.
    case connect
    /// The connection ended before the answer did.
    case reset
    /// The answer did not come, or did not end, in time.
    case timeout
    /// The answer broke the rules of HTTP/1.1.
    case malformed
    /// The answer's content is not what the reference answered.
    case content
}
