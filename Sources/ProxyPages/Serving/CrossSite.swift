import ProxyManagement

/// Whether a form comes from a page of ours: what the browser says of it, and the token that only our pages hold.
enum CrossSite {
    /// The token of forms shown under a cookie.
    /// - Parameter purpose: `csrf` for sessions, `signin` before there is one.
    static func token(for secret: String, purpose: String = "csrf") -> String {
        RandomText.digest("\(purpose):\(secret)")
    }

    /// Whether what the browser says of the request's origin speaks against it. Says nothing where the browser doesn't.
    ///
    /// `Origin` is `null` for forms of pages with `Referrer-Policy: no-referrer` (Fetch, section 3.2), as ours are.
    static func isForeign(_ request: ManagementRequest) -> Bool {
        if let site = request.values(of: "sec-fetch-site").first { return site != "same-origin" }
        guard let origin = request.values(of: "origin").first, origin != "null" else { return false }
        let authority = ["https://", "http://"].first { origin.hasPrefix($0) }.map { origin.dropFirst($0.count) }
        return authority.map { String($0) } != request.values(of: "host").first
    }

    static func isOurs(_ request: ManagementRequest, _ form: Form, _ token: String) -> Bool {
        !isForeign(request) && RandomText.areSame(form.raw("csrf"), token)
    }
}
