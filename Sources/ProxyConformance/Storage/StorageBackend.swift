public import ProxyDomain
public import ProxyStorage

/// An engine under test.
public protocol StorageBackend: Sendable {
    /// Stable name for reports, for instance `sqlite-memory`.
    var name: String { get }
    /// What the engine can promise.
    var capabilities: StorageCapabilities { get }

    /// Makes an empty place of its own for one scenario, lends it to `body`, and removes it whatever happens.
    func withSite(_ body: @Sendable (any StorageSite) async throws -> Void) async throws
}

/// An empty place to keep data.
public protocol StorageSite: Sendable {
    /// Opens the place. Called again after the storage was closed, it gives what a durable engine kept.
    func open() async throws -> any Storage

    /// Does harm to the data behind the storage's back. Only for engines with ``StorageCapabilities/tampering``.
    func harm(_ harm: StorageHarm) async throws

    /// Opens the place through a wire that can be cut. Only for engines with ``StorageCapabilities/wire``.
    func openOverWire() async throws -> (storage: any Storage, wire: any CuttableWire)
}

extension StorageSite {
    public func openOverWire() async throws -> (storage: any Storage, wire: any CuttableWire) {
        throw StepFailed(description: "this engine has no wire")
    }
}

/// The connections between a storage and its engine.
public protocol CuttableWire: Sendable {
    /// Cuts the connection on which `speaker` sends next, once that many bytes of it have been passed on; what comes after
    /// them is lost. Holds for one cut: later connections pass.
    func cut(afterPassing count: Int, from speaker: WireSpeaker)

    /// Passes everything again.
    /// - Returns: whether the cut that was asked for has been made.
    func heal() -> Bool

    /// Ends all connections, and takes no more.
    func stop()
}

/// Who sends on a wire.
public enum WireSpeaker: Hashable, Sendable, CaseIterable {
    case storage
    case engine
}

/// Harm that no storage call does, for showing that checks notice it.
public enum StorageHarm: Hashable, Sendable {
    /// The token's request count is one more than it was.
    case countsOneTooMany(TokenID)
    /// A sweeper has the lease on what a dead instance left.
    case isSwept(InstanceID, by: InstanceID)
    /// The request's row is gone; its token still counts it.
    case losesRequest(RequestID)
    /// The token's prompt tokens are one more than what its requests used.
    case countsOnePromptTokenTooMany(TokenID)
    /// The event says that somebody else did it.
    case changesEvent(AuditEventID)
    /// The event's row is gone.
    case losesEvent(AuditEventID)
    /// The schema claims a migration that this binary does not know.
    case claimsNewerSchema
    /// The checksum of the first migration is another one.
    case rewritesFirstMigration
    /// A newer program has added columns, a table and an index, as a migration that this binary does not know.
    case migratesFurther
}
