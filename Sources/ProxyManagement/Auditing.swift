import Logging
public import ProxyDomain
import ProxyStorage

/// Where events of the audit go.
public struct AuditSinks: Sendable {
    /// Whether each is kept in the database, in the transaction of its change.
    public var storesInDatabase: Bool
    /// Told each event once it has happened; `nil` where nobody listens.
    public var log: (@Sendable (AuditEvent) -> Void)?

    public init(storesInDatabase: Bool = true, log: (@Sendable (AuditEvent) -> Void)? = nil) {
        self.storesInDatabase = storesInDatabase
        self.log = log
    }

    var isUsed: Bool { storesInDatabase || log != nil }
}

/// What is said of an action in the audit besides who, when and from where.
struct AuditSubject: Sendable {
    let action: String
    var project: ProjectID?
    var token: TokenID?
    var metadata: [String: String] = [:]

    init(_ action: String, project: ProjectID? = nil, token: TokenID? = nil, _ metadata: [String: String?] = [:]) {
        self.action = action
        self.project = project
        self.token = token
        self.metadata = metadata.compactMapValues { $0 }
    }
}

extension ManagementDependencies {
    /// Makes a change that is recorded as what it is: with it, or not at all.
    /// - Parameter change: gets the storage to make it in, once, and the event where it records that itself.
    func audited<Value: Sendable>(
        _ call: Call, _ subject: AuditSubject, at now: Timestamp,
        _ change: (_ storage: any Storage, _ event: AuditEvent?) async throws -> Value
    ) async throws -> Value {
        guard audit.isUsed else { return try await change(storage, nil) }
        let event = event(call, subject, .success, actor: call.principal?.name ?? Principal.root.name, at: now)
        let value =
            audit.storesInDatabase
            ? try await change(storage.recording(event), event) : try await change(storage, nil)
        audit.log?(event)
        return value
    }

    /// Records that a credential was refused. What can't be recorded is logged: the answer is no other for that.
    func recordRefusal(_ call: Call, by actor: String, _ metadata: [String: String], at now: Timestamp) async {
        let event = event(call, AuditSubject("credential.refuse", metadata), .refused, actor: actor, at: now)
        audit.log?(event)
        guard audit.storesInDatabase else { return }
        do {
            try await storage.record(event)
        } catch {
            call.logger.warning(
                "a refused credential could not be recorded", metadata: ["error": "\(String(reflecting: error))"])
        }
    }

    /// Records that somebody signed in to the pages. One that can't be recorded doesn't happen.
    func recordSignIn(_ call: Call, by principal: Principal) async throws(StorageError) {
        let event = event(call, AuditSubject("session.begin"), .success, actor: principal.name, at: now())
        if audit.storesInDatabase { try await storage.record(event) }
        audit.log?(event)
    }

    private func event(
        _ call: Call, _ subject: AuditSubject, _ outcome: AuditEvent.Outcome, actor: String, at now: Timestamp
    ) -> AuditEvent {
        AuditEvent(
            id: newIdentifier(at: now), at: now, action: subject.action, actor: actor, outcome: outcome,
            method: call.request.method, path: String(call.request.path.prefix(512)), requestID: call.requestID,
            correlationID: Call.accepted(call.request.values(of: "x-correlation-id")),
            clientAddress: call.clientAddress, projectID: subject.project, tokenID: subject.token,
            metadata: subject.metadata)
    }
}

/// A client's credential that was refused on its way to a provider.
public struct RefusedCall: Sendable {
    public var requestID: String
    public var clientAddress: String
    public var correlationIDs: [String]
    public var method: String
    public var path: String
    public var tokenID: TokenID?
    public var projectID: ProjectID?
    /// Why, as the client was told.
    public var code: String

    public init(
        requestID: String, clientAddress: String, correlationIDs: [String], method: String, path: String,
        tokenID: TokenID?, projectID: ProjectID?, code: String
    ) {
        self.requestID = requestID
        self.clientAddress = clientAddress
        self.correlationIDs = correlationIDs
        self.method = method
        self.path = path
        self.tokenID = tokenID
        self.projectID = projectID
        self.code = code
    }
}

extension ManagementDependencies {
    func event(of refused: RefusedCall, skipped: Int, at now: Timestamp) -> AuditEvent {
        AuditEvent(
            id: newIdentifier(at: now), at: now, action: "token.refuse", actor: "unknown", outcome: .refused,
            method: refused.method, path: String(refused.path.prefix(512)), requestID: refused.requestID,
            correlationID: Call.accepted(refused.correlationIDs), clientAddress: refused.clientAddress,
            projectID: refused.projectID, tokenID: refused.tokenID,
            metadata: ["code": refused.code].merging(skipped > 0 ? ["skipped": "\(skipped)"] : [:]) { $1 })
    }
}
