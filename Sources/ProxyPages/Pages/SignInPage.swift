import ProxyManagement

/// `/admin/sign-in`: where a management token becomes a session.
struct SignInPage: Sendable {
    let site: Site

    func answer(to request: ManagementRequest) async -> PageAnswer {
        switch request.method {
        case "GET", "HEAD": return show(request)
        case "POST": return await signIn(request)
        default:
            return Self.page(site, status: 405, ["signInFault": Fault.otherMethod.view]).with(
                "Allow", "GET, HEAD, POST")
        }
    }

    /// Sends somebody here who has to sign in, and back afterwards.
    static func redirect(from request: ManagementRequest, because reason: Gate.Reason) -> PageAnswer {
        let back = request.method == "POST" ? "" : Self.localPath(request.target) ?? ""
        let target = Percent.target(
            "/admin/sign-in",
            [("next", back == "/admin/" ? "" : back), ("reason", reason == .absent ? "" : reason.rawValue)])
        let answer = PageAnswer.seeOther(target)
        return reason == .absent ? answer : answer.with("Set-Cookie", Cookies.clearing(.session, for: request))
    }

    /// What is shown when nobody can tell who is signed in.
    static func unavailable(_ site: Site) -> PageAnswer {
        let fault = Fault(
            status: 503, code: "database_unavailable", title: "The database can't be reached at the moment.",
            advice: "You stay signed in. Try again in a moment.")
        return page(site, status: 503, ["signInFault": fault.view, "hidesForm": true]).with("Retry-After", "2")
    }

    private func show(_ request: ManagementRequest) -> PageAnswer {
        let query = Form(request.query)
        var view: View = ["next": Self.localPath(query["next"]) ?? ""]
        view["reason"] = Gate.Reason(rawValue: query["reason"]).flatMap { text(of: $0) }
        if query["signed-out"] == "1" { view["reason"] = "You have signed out." }
        return form(view, request)
    }

    /// The form, tied to this browser by a cookie of its own.
    private func form(_ view: View, status: Int = 200, _ request: ManagementRequest) -> PageAnswer {
        let secret = Cookies.value(.signIn, in: request) ?? RandomText.make(site.dependencies.random)
        var view = view
        view["csrf"] = CrossSite.token(for: secret, purpose: "signin")
        return Self.page(site, status: status, view)
            .with("Set-Cookie", Cookies.setting(.signIn, to: secret, for: request))
    }

    private func signIn(_ request: ManagementRequest) async -> PageAnswer {
        guard let form = AdminPages.form(of: request), let secret = Cookies.value(.signIn, in: request),
            CrossSite.isOurs(request, form, CrossSite.token(for: secret, purpose: "signin"))
        else {
            return self.form(["signInFault": Fault.foreignForm.view], status: 403, request)
        }
        let next = Self.localPath(form["next"]) ?? "/admin/"
        switch await site.dependencies.management.signIn(form["credential"], of: request) {
        case .refused(let status, let error, let description, let retryAfter):
            let fault = Fault(status: status, code: "", title: error, advice: description)
            let answer = self.form(["signInFault": fault.view, "next": form["next"]], status: status, request)
            return retryAfter.map { answer.with("Retry-After", $0) } ?? answer
        case .accepted(_, let credential):
            guard let session = await site.gate.begin(credential, replacing: request) else {
                return Self.unavailable(site)
            }
            return PageAnswer.seeOther(next)
                .with("Set-Cookie", Cookies.setting(.session, to: session, for: request))
                .with("Set-Cookie", Cookies.clearing(.signIn, for: request))
        }
    }

    private static func page(_ site: Site, status: Int, _ view: View) -> PageAnswer {
        var layout: View = [
            "pageName": "sign-in", "pageTitle": "Sign in", "isSignedIn": false, "version": site.dependencies.version,
        ]
        layout["content"] = Templates.render("sign_in", view)
        return .html(Templates.render("layout", layout), status: status)
    }

    private func text(of reason: Gate.Reason) -> String? {
        switch reason {
        case .absent: nil
        case .idle:
            "You were signed out: nothing was done for \(Self.words(site.dependencies.idleTimeout)). Sign in again."
        case .absolute:
            "You were signed out: a sign-in lasts \(Self.words(site.dependencies.absoluteTimeout)). Sign in again."
        case .ended: "Your session has ended. Sign in again."
        }
    }

    private static func words(_ duration: Duration) -> String {
        let seconds = duration.components.seconds
        if seconds >= 7200, seconds % 3600 == 0 { return "\(seconds / 3600) hours" }
        return seconds >= 120 ? "\(seconds / 60) minutes" : "\(seconds) seconds"
    }

    /// A page of ours to go back to, and nothing else: no other host, no other part of this one, no form's target.
    static func localPath(_ text: String) -> String? {
        let isPlain = text.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "\\") }
        guard text.hasPrefix("/admin/"), isPlain, text.utf8.count <= 2000 else { return nil }
        let path = text.prefix { $0 != "?" }
        let segments = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst(2)
        let first = segments.first.map { String($0) } ?? ""
        let isPage = !["assets", "events", "sign-in", "sign-out", "sign-out-everywhere"].contains(first)
        let hasDots = segments.contains { $0 == "." || $0 == ".." || $0.contains("%2") }
        return isPage && !hasDots && !path.dropFirst().contains("//") ? text : nil
    }
}
