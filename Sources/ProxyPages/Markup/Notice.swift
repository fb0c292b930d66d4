/// What a page says once after something was done. Only these can be said: an address holds the name, never a text.
enum Notice: String, Sendable, CaseIterable {
    case projectCreated = "project-created"
    case projectChanged = "project-changed"
    case projectDeactivated = "project-deactivated"
    case projectActivated = "project-activated"
    case keyRotated = "key-rotated"
    case tokensRevoked = "tokens-revoked"
    case upstreamAdded = "upstream-added"
    case upstreamChanged = "upstream-changed"
    case upstreamRemoved = "upstream-removed"
    case tokenChanged = "token-changed"
    case tokenRevoked = "token-revoked"
    case tokenReactivated = "token-reactivated"
    case shownOnce = "shown-once"
    case accessRevoked = "access-revoked"

    var text: String {
        switch self {
        case .projectCreated: "The project has been created. Issue a token for it next."
        case .projectChanged: "The project has been changed. Its next request goes by it, on every server."
        case .projectDeactivated: "The project has been deactivated. Its tokens are refused from now on."
        case .projectActivated: "The project has been activated. Its tokens are good again, unless they were revoked."
        case .keyRotated: "The provider's key has been replaced. The next request goes out under the new one."
        case .tokensRevoked: "All tokens of the project have been revoked."
        case .upstreamAdded: "The upstream has been added."
        case .upstreamChanged: "The upstream has been changed."
        case .upstreamRemoved: "The upstream has been removed, with its key."
        case .tokenChanged: "The token has been changed. Its next request goes by it, on every server."
        case .tokenRevoked: "The token has been revoked. It is refused from now on."
        case .tokenReactivated: "The token has been reactivated. Its cap and its counts are what they were."
        case .shownOnce:
            "The secret was shown once and can't be shown again. If it is lost, revoke it and make another."
        case .accessRevoked: "The management token has been revoked. Who signed in with it is signed out."
        }
    }
}
