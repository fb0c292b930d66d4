/// How a project's streamed answers are accounted for.
public struct StreamPolicy: Hashable, Sendable {
    public var usage: StreamUsage
    public var clientLeaves: ClientLeaves

    public init(usage: StreamUsage = .estimate, clientLeaves: ClientLeaves = .bill) {
        self.usage = usage
        self.clientLeaves = clientLeaves
    }
}

/// Where the usage of a streamed answer comes from when its client didn't ask for it. Stored by name.
public enum StreamUsage: String, Hashable, Sendable, CaseIterable {
    /// The provider is asked for it, and the client gets the answer without it.
    case ask
    /// It is guessed from what passes, and flagged; requests pass as they came.
    case estimate
}

/// What becomes of a streamed answer whose client has left. Stored by name.
public enum ClientLeaves: String, Hashable, Sendable, CaseIterable {
    /// The upstream is cancelled, and nothing is written down of what it used, unless it has said so.
    case cancel
    /// The answer is read on for a while, until it tells what was used.
    case drain
    /// The upstream is cancelled, and what was seen of its answer is written down as an estimate.
    case bill
}
