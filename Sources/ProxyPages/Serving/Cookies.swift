import ProxyManagement

/// The pages' two cookies: both hold a random text and nothing else.
enum Cookies {
    enum Kind: String, Sendable {
        /// Names a session.
        case session = "llm_proxy_admin"
        /// Ties the sign-in form to the browser it was shown in, before there is a session.
        case signIn = "llm_proxy_signin"
    }

    /// Under TLS the name says that no plain connection can have set it (RFC 6265bis, section 4.1.3). Not that no other host can: that
    /// would need a cookie for all paths, which then went to providers with requests of pages of this origin.
    static func name(_ kind: Kind, of request: ManagementRequest) -> String {
        request.isSecure ? "__Secure-\(kind.rawValue)" : kind.rawValue
    }

    /// What the browser sent; nothing for what can't be ours, or is there twice with different values.
    static func value(_ kind: Kind, in request: ManagementRequest) -> String? {
        let wanted = name(kind, of: request)
        var found: Set<String> = []
        for field in request.values(of: "cookie") {
            for pair in field.split(separator: ";") {
                let parts = pair.drop { $0 == " " }.split(separator: "=", maxSplits: 1)
                if parts.count == 2, parts[0] == wanted { found.insert(String(parts[1].filter { $0 != " " })) }
            }
        }
        guard found.count == 1, let value = found.first, RandomText.isOne(value) else { return nil }
        return value
    }

    /// The field that sets it for as long as the browser runs.
    static func setting(_ kind: Kind, to value: String, for request: ManagementRequest) -> String {
        "\(name(kind, of: request))=\(value); Path=/admin; HttpOnly; SameSite=Strict\(request.isSecure ? "; Secure" : "")"
    }

    /// The field that takes it back.
    static func clearing(_ kind: Kind, for request: ManagementRequest) -> String {
        setting(kind, to: "", for: request) + "; Max-Age=0"
    }
}
