import Logging
import ProxyDomain
import ProxyManagement
import ProxyStorage

/// Knows who is signed in: sessions are kept in the store, so they hold on every server and can be ended.
struct Gate: Sendable {
    /// Why somebody is not signed in.
    enum Reason: String, Sendable, CaseIterable {
        /// There is no session.
        case absent
        /// It was not used for too long.
        case idle
        /// It was begun too long ago.
        case absolute
        /// It was ended elsewhere, or the credential is no longer good.
        case ended
    }

    enum Verdict: Sendable {
        case signedIn(SignedIn)
        case signedOut(Reason)
        /// The store can't be asked.
        case unavailable
    }

    /// A session's use is written down at most so often.
    private static let touchInterval = Duration.seconds(60)

    let dependencies: PageDependencies

    /// - Parameter isUse: whether it is a person's doing: what a page asks for by itself keeps no session alive.
    func judge(_ request: ManagementRequest, isUse: Bool = true) async -> Verdict {
        guard let secret = Cookies.value(.session, in: request) else { return .signedOut(.absent) }
        let digest = TokenDigest(text: RandomText.digest(secret))
        do throws(StorageError) {
            guard let session = try await dependencies.sessions.adminSession(digest) else { return .signedOut(.ended) }
            let now = dependencies.now()
            if let reason = end(of: session, at: now) {
                try await dependencies.sessions.endSession(digest)
                return .signedOut(reason)
            }
            guard let principal = try await dependencies.management.principal(of: session.credential) else {
                try await dependencies.sessions.endSession(digest)
                return .signedOut(.ended)
            }
            if isUse, now - session.seenAt >= Self.touchInterval {
                try await dependencies.sessions.touch(digest, at: now)
            }
            return .signedIn(
                SignedIn(
                    principal: principal, digest: digest, credential: session.credential,
                    formToken: CrossSite.token(for: secret)))
        } catch {
            dependencies.logger.error(
                "admin session can't be read", metadata: ["error": "\(String(reflecting: error))"])
            return .unavailable
        }
    }

    private func end(of session: AdminSession, at now: Timestamp) -> Reason? {
        if now - session.createdAt >= dependencies.absoluteTimeout { return .absolute }
        return now - session.seenAt >= dependencies.idleTimeout ? .idle : nil
    }

    /// Begins a session.
    /// - Returns: what its cookie holds; nothing when the store can't keep it.
    func begin(_ credential: TokenDigest, replacing request: ManagementRequest) async -> String? {
        let (secret, now) = (RandomText.make(dependencies.random), dependencies.now())
        do throws(StorageError) {
            if let old = Cookies.value(.session, in: request) {
                try await dependencies.sessions.endSession(TokenDigest(text: RandomText.digest(old)))
            }
            try await dependencies.sessions.forgetSessions(
                seenBefore: now + (.zero - dependencies.idleTimeout),
                begunBefore: now + (.zero - dependencies.absoluteTimeout))
            try await dependencies.sessions.begin(
                AdminSession(
                    digest: TokenDigest(text: RandomText.digest(secret)), credential: credential, createdAt: now,
                    seenAt: now))
            return secret
        } catch {
            dependencies.logger.error(
                "admin session can't be kept", metadata: ["error": "\(String(reflecting: error))"])
            return nil
        }
    }

    /// Ends this session, or every one of the same credential.
    /// - Returns: whether it is so.
    func end(_ session: SignedIn, everywhere: Bool) async -> Bool {
        do throws(StorageError) {
            if everywhere {
                try await dependencies.sessions.endSessions(of: session.credential)
            } else {
                try await dependencies.sessions.endSession(session.digest)
            }
            return true
        } catch {
            dependencies.logger.error(
                "admin session can't be ended", metadata: ["error": "\(String(reflecting: error))"])
            return false
        }
    }
}
