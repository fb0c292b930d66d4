/// What was found of one thing that a server needs.
public struct DoctorFinding: Hashable, Sendable {
    public enum Verdict: String, Hashable, Sendable {
        case ok
        /// A server starts, and something about it is not as it should be.
        case warning
        /// A server would not start, or would not serve.
        case failed
    }

    /// What was looked at.
    public let name: String
    public let verdict: Verdict
    /// What was found, in one line. Holds no secret.
    public let found: String
    /// What to do about it; `nil` when there is nothing to do.
    public let remedy: String?

    public static func ok(_ name: String, _ found: String) -> Self {
        Self(name: name, verdict: .ok, found: found, remedy: nil)
    }

    public static func warning(_ name: String, _ found: String, remedy: String) -> Self {
        Self(name: name, verdict: .warning, found: found, remedy: remedy)
    }

    public static func failed(_ name: String, _ found: String, remedy: String) -> Self {
        Self(name: name, verdict: .failed, found: found, remedy: remedy)
    }
}
