/// Names one event of the audit.
public struct AuditEventID: TypedIdentifier {
    public let identifier: Identifier
    public init(_ identifier: Identifier) { self.identifier = identifier }
}

/// Something that somebody did, or was not let do: never changed afterwards.
public struct AuditEvent: Hashable, Sendable {
    public enum Outcome: String, Hashable, Sendable, CaseIterable {
        /// It was done, in the transaction that keeps the event.
        case success
        /// It was refused.
        case refused
    }

    public let id: AuditEventID
    public let at: Timestamp
    /// What was done, as `thing.act`, for instance `token.create`.
    public let action: String
    /// Who did it, as far as is known: a name, never a secret.
    public let actor: String
    public let outcome: Outcome
    public let method: String
    /// The path without its query, which may hold anything.
    public let path: String
    public let requestID: String
    /// What the client says that ties several requests together.
    public let correlationID: String?
    public let clientAddress: String
    public let projectID: ProjectID?
    public let tokenID: TokenID?
    /// What else there is to say; no secrets.
    public let metadata: [String: String]

    public init(
        id: AuditEventID, at: Timestamp, action: String, actor: String, outcome: Outcome, method: String, path: String,
        requestID: String, correlationID: String? = nil, clientAddress: String, projectID: ProjectID? = nil,
        tokenID: TokenID? = nil, metadata: [String: String] = [:]
    ) {
        self.id = id
        self.at = at
        self.action = action
        self.actor = actor
        self.outcome = outcome
        self.method = method
        self.path = path
        self.requestID = requestID
        self.correlationID = correlationID
        self.clientAddress = clientAddress
        self.projectID = projectID
        self.tokenID = tokenID
        self.metadata = metadata
    }

    /// The same event with more to say; what it says already stays.
    public func adding(_ more: [String: String]) -> AuditEvent {
        AuditEvent(
            id: id, at: at, action: action, actor: actor, outcome: outcome, method: method, path: path,
            requestID: requestID, correlationID: correlationID, clientAddress: clientAddress, projectID: projectID,
            tokenID: tokenID, metadata: metadata.merging(more) { own, _ in own })
    }
}

/// The words of a text, as searches compare them: runs of letters and digits, in lower case, one space between two.
///
/// Engines disagree on which characters make a word, so they are given plain ones: what isn't ASCII stands as its number.
public enum SearchWords {
    /// What is longer is cut: engines have bounds.
    private static let longest = 64

    public static func of(_ text: String) -> String {
        var words: [Substring] = []
        var word = ""
        for scalar in text.lowercased().unicodeScalars {
            switch scalar {
            case "a"..."z", "0"..."9": word.unicodeScalars.append(scalar)
            case _ where scalar.properties.isAlphabetic || scalar.properties.numericType != nil:
                word += "u" + String(scalar.value, radix: 16)
            default:
                if !word.isEmpty { words.append(word.prefix(longest)) }
                word = ""
            }
        }
        if !word.isEmpty { words.append(word.prefix(longest)) }
        return words.joined(separator: " ")
    }
}
