/// One time that a request was sent, or was to be sent, and what came of it.
public struct UpstreamAttempt: Hashable, Sendable {
    /// Entry of the providers file.
    public let provider: String
    /// The way it took; `nil` for the project's own key.
    public let upstream: UpstreamID?
    public let result: AttemptResult

    public init(provider: String, upstream: UpstreamID?, result: AttemptResult) {
        self.provider = provider
        self.upstream = upstream
        self.result = result
    }
}

/// What came of an attempt.
public enum AttemptResult: Hashable, Sendable {
    /// An answer with this status.
    case status(Int)
    /// No connection could be made.
    case connect
    /// The upstream broke off before it answered, or spoke something that is not HTTP.
    case reset
    /// The upstream was silent for longer than allowed.
    case timeout
    /// Nobody knows: the client left first.
    case none

    /// `connect`, `reset`, `timeout`, `none`, or a status.
    public var text: String {
        switch self {
        case .status(let status): "\(status)"
        case .connect: "connect"
        case .reset: "reset"
        case .timeout: "timeout"
        case .none: "none"
        }
    }

    /// Reads what ``text`` gives; statuses are 100…599.
    public init?(_ text: some StringProtocol) {
        switch text {
        case "connect": self = .connect
        case "reset": self = .reset
        case "timeout": self = .timeout
        case "none": self = .none
        default:
            guard text.utf8.count == 3, let status = Int(text), (100...599).contains(status) else { return nil }
            self = .status(status)
        }
    }
}

extension [UpstreamAttempt] {
    /// One a line, as it is stored: provider, way (`-` for the project's own), result. `nil` for none.
    public var text: String? {
        isEmpty
            ? nil
            : map { "\($0.provider) \($0.upstream?.text ?? "-") \($0.result.text)" }.joined(separator: "\n")
    }

    /// Reads what ``text`` gives.
    public init?(text: String) {
        self = []
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: " ")
            guard parts.count == 3, let result = AttemptResult(parts[2]) else { return nil }
            let upstream = UpstreamID(parts[1])
            guard parts[1] == "-" || upstream != nil else { return nil }
            append(UpstreamAttempt(provider: String(parts[0]), upstream: upstream, result: result))
        }
    }
}
