/// Why a storage call did not do what was asked. A call that throws has changed nothing.
///
/// Every driver turns its engine's codes into one of these kinds; no SQLite or PostgreSQL code leaves its driver.
/// Callers switch over ``kind`` without a `default`, so a new kind is a compile error at every place that must decide.
public struct StorageError: Error, Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        /// No row has this identifier.
        case notFound
        /// Another row already has this value of `field`.
        case alreadyExists(field: String)
        /// A row that this one refers to does not exist.
        case missingReference
        /// What is to be changed is not as the caller knew it.
        case changedMeanwhile
        /// The engine cannot be reached, or another process holds it for longer than we wait; the call may succeed later.
        case unavailable
        /// There is no room left to write; the call may succeed when there is.
        case full
        /// The database may only be read.
        case readOnly
        /// The database is damaged, or is not one of ours.
        case corrupt
        /// The caller was cancelled before the call ended.
        case interrupted
        /// Anything else the engine said: a bug here or damage there. Never retried.
        case engine
    }

    public let kind: Kind
    /// The protocol call that failed, for instance `create(_:)`.
    public let operation: String
    /// The engine's own words. May repeat stored values: for the log, never for a caller.
    public let detail: String

    public init(_ kind: Kind, during operation: String = #function, detail: String = "") {
        self.kind = kind
        self.operation = operation
        self.detail = detail
    }

    /// Whether making the same call again, later, can help.
    public var isTransient: Bool {
        switch kind {
        case .unavailable, .full: true
        case .notFound, .alreadyExists, .missingReference, .changedMeanwhile, .readOnly, .corrupt, .interrupted,
            .engine:
            false
        }
    }
}

extension StorageError: CustomStringConvertible, CustomDebugStringConvertible {
    /// Dull on purpose: safe to show anyone.
    public var description: String { "\(kind) during \(operation)" }
    public var debugDescription: String { detail.isEmpty ? description : "\(description): \(detail)" }
}
