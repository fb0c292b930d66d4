import ProxyDomain
import ProxyManagement

/// Somebody who has signed in, as long as the session lasts.
struct SignedIn: Sendable {
    let principal: Principal
    /// Names the session.
    let digest: TokenDigest
    /// With what they signed in.
    let credential: TokenDigest
    /// What every form of theirs carries.
    let formToken: String
}
