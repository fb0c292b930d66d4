import Logging
import ProxyDomain
import ProxyStorage
import Synchronization

/// Finds out whose a credential is: that of the settings, which needs no database, or one that was issued.
///
/// Each call that needs it asks the database, so that what is revoked opens nothing from then on, on every server.
final class Authenticator: Sendable {
    private let isManagementToken: @Sendable (String) -> Bool
    private let rootCredential: TokenDigest
    private let storage: any Storage
    private let now: @Sendable () -> Timestamp
    private let recordRefusal: @Sendable (Call, _ actor: String, _ metadata: [String: String]) async -> Void
    private let refusals = Mutex(RefusalBudget())
    /// Apart, so that what somebody known may not do isn't lost among what anybody sends.
    private let knownRefusals = Mutex(RefusalBudget())
    private let throttle = Mutex(FailureThrottle())

    init(_ dependencies: ManagementDependencies) {
        isManagementToken = dependencies.isManagementToken
        rootCredential = dependencies.rootCredential
        storage = dependencies.storage
        now = dependencies.now
        recordRefusal = { await dependencies.recordRefusal($0, by: $1, $2, at: dependencies.now()) }
    }

    /// Who sent a request, by its one `Authorization: Bearer` field.
    /// - Throws: ``ManagementFailure`` for what is no credential, a `StorageError` when that can't be found out.
    func principal(of call: Call) async throws -> Principal {
        try await principal(presenting: Self.bearer(in: call.request), in: call)
    }

    /// Whose a credential is that came with `call`, in a field or in a form.
    func principal(presenting credential: String?, in call: Call) async throws -> Principal {
        // Asked before the token is looked at: a right guess among too many must not be told from a wrong one.
        try checkThrottle(of: call)
        guard let credential else { throw ManagementFailure.credential(.missing) }
        if isManagementToken(credential) { return .root }
        if ManagementSecret.isWellFormed(credential), let found = try await principal(of: .ofCredential(credential)) {
            return found
        }
        throttle.withLock { $0.recordFailure(from: call.neighbourhood, at: now()) }
        call.logger.notice("management credential refused", metadata: ["peer_address": "\(call.clientAddress)"])
        await record(call, actor: "unknown")
        throw ManagementFailure.credential(.wrong)
    }

    /// Whose a credential is that is known by its digest; `nil` when it opens nothing.
    func principal(of credential: TokenDigest) async throws(StorageError) -> Principal? {
        if credential == rootCredential { return .root }
        guard let token = try await storage.managementToken(credential), token.isActive(at: now()) else { return nil }
        return Principal(name: token.name, role: token.role)
    }

    /// Lets `principal` through where `role` is enough.
    func check(_ principal: Principal, for role: ManagementRole, in call: Call) async throws {
        guard principal.role < role else { return }
        await record(call, actor: principal.name, ["role": principal.role.rawValue, "needed_role": role.rawValue])
        throw ManagementFailure.credential(.insufficient(has: principal.role, needs: role))
    }

    private func record(_ call: Call, actor: String, _ metadata: [String: String] = [:]) async {
        let taken =
            metadata.isEmpty ? refusals.withLock { $0.take(at: now()) } : knownRefusals.withLock { $0.take(at: now()) }
        guard let skipped = taken else { return }
        let more = skipped > 0 ? ["skipped": "\(skipped)"] : [:]
        await recordRefusal(call, actor, metadata.merging(more) { $1 })
    }

    private func checkThrottle(of call: Call) throws(ManagementFailure) {
        if let wait = throttle.withLock({ $0.wait(for: call.neighbourhood, at: now()) }) {
            throw .credential(.throttled(wait: wait))
        }
    }

    /// The credential of the one `Authorization: Bearer` field; the scheme in any case (RFC 9110 section 11.1).
    static func bearer(in request: ManagementRequest) -> String? {
        let values = request.values(of: "authorization")
        guard values.count == 1, let value = values.first else { return nil }
        // Blanks around are no part of it; blanks within make it no credential at all.
        let parts = value.split { $0 == " " || $0 == "\t" }
        return parts.count == 2 && parts[0].lowercased() == "bearer" ? String(parts[1]) : nil
    }
}

extension Call {
    /// What is throttled together.
    fileprivate var neighbourhood: String { InternetAddress(clientAddress)?.neighbourhood ?? clientAddress }
}
