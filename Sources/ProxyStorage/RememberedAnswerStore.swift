public import ProxyDomain

/// Keeps what requests that make something were answered, so that one which is sent again makes nothing twice.
public protocol RememberedAnswerStore: Sendable {
    /// What was answered under a key at `instant` or later; `nil` when nothing was.
    func rememberedAnswer(_ key: String, since instant: Timestamp) async throws(StorageError) -> RememberedAnswer?

    /// Forgets what was answered before `instant`.
    func forgetAnswers(before instant: Timestamp) async throws(StorageError)

    /// The same storage for one change: it keeps `answer` in that change's transaction.
    ///
    /// The change throws `.alreadyExists`, of the key or of what it would make, and isn't made, when another came first under the key.
    func remembering(_ answer: RememberedAnswer) -> any Storage
}

/// An answer under the key that its client gave.
public struct RememberedAnswer: Hashable, Sendable {
    /// A digest of the key and of what it was given for.
    public let key: String
    /// A digest of what was asked.
    public let fingerprint: String
    /// For which project the answer is sealed.
    public let project: ProjectID
    /// The answer, sealed: it may show a secret.
    public let sealed: String
    public let answeredAt: Timestamp

    public init(key: String, fingerprint: String, project: ProjectID, sealed: String, answeredAt: Timestamp) {
        self.key = key
        self.fingerprint = fingerprint
        self.project = project
        self.sealed = sealed
        self.answeredAt = answeredAt
    }
}
