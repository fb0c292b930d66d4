import ProxyDomain
import ProxyStorage

extension HTTPScenario {
    /// The admin pages as a client without scripts sees them. In a browser they are looked at by `BrowserTests`.
    static let pages: [HTTPScenario] = [
        HTTPScenario(
            inside: "pages.every-page.is-served",
            "After signing in every page is served, with what protects it, and shows what there is."
        ) { world, check in
            let tenant = try await world.tenant(name: "<b>shown</b>")
            check.usual(try await world.exchange(tenant.request()))
            _ = try await world.settledTally(tenant, rows: 1)
            let request = try await world.storage.requests(of: tenant.tokenID, after: nil, limit: 1).first
            let session = try await world.signIn(check)
            for path in [
                "", "projects", "projects/new", "projects/\(tenant.projectID)", "tokens", "tokens/new",
                "tokens/\(tenant.tokenID)", "usage", "requests",
                "requests/\(request?.admission.requestID.text ?? "")", "audit", "database", "cache", "access", "claims",
                "events",
            ] {
                let page = try await world.page(path, session)
                check.equal(page.status, 200, path)
                check.that(!page.text.contains("<b>shown"), "markup is not escaped on \(path)")
                check.that(
                    page.fields.first("content-security-policy")?.hasPrefix("default-src 'none'") == true,
                    "policy of \(path)")
                check.equal(page.fields.first("cache-control"), "no-store", "cache of \(path)")
            }
            check.equal(try await world.page("usage.csv", session).status, 200, "usage as CSV")
            check.equal(try await world.page("nothing", session).status, 404, "a page that isn't there")
            for asset in ["admin.css", "admin.js", "live.js", "icon.svg"] {
                check.equal(try await world.page("assets/\(asset)", nil).status, 200, asset)
            }
        },
        HTTPScenario(
            inside: "pages.token.shows-use-of-its-limits",
            "A token's page shows what is used now of each limit that the token has, as a figure and as a bar."
        ) { world, check in
            let tenant = try await world.tenant(
                cap: 9, limits: #""requests_per_minute":2,"tokens_per_minute":1200,"budget_usd":5"#)
            check.usual(try await world.exchange(tenant.request()))
            _ = try await world.settledTally(tenant, rows: 1)
            let page = try await world.page("tokens/\(tenant.tokenID)", try await world.signIn(check)).text
            let used = [
                ("max_requests", "1", "11"), ("requests_per_minute", "1", "50"), ("tokens_per_minute", "12", "1"),
                ("budget_usd", "$0.00", "0"),
            ]
            for (limit, figure, share) in used {
                check.that(
                    page.contains(#"data-figure="used_\#(limit)">\#(figure)<"#), "\(limit) is not told as \(figure)")
                check.that(page.contains(#"<progress max="100" value="\#(share)""#), "no bar of \(limit): \(share)")
            }
        },
        HTTPScenario(
            inside: "pages.dashboard.says-zero",
            "What has not happened since the server began is shown as 0, and not as if nobody knew."
        ) { world, check in
            let page = try await world.page("", try await world.signIn(check)).text
            for figure in ["requests_total", "refusals", "shadow_refusals"] {
                check.that(page.contains(#"data-figure="\#(figure)">0<"#), "\(figure) is not shown as 0")
            }
        },
        HTTPScenario(
            inside: "pages.sign-in.is-needed",
            "Without a session every page leads to the sign-in, and a wrong credential opens none."
        ) { world, check in
            for path in ["", "tokens", "audit?search=x"] {
                let page = try await world.page(path, nil)
                check.equal(page.status, 303, path)
                check.that(page.fields.first("location")?.hasPrefix("/admin/sign-in") == true, "where \(path) leads")
            }
            let bare = try await world.exchange(
                HTTPRequest(
                    target: "/admin/tokens", fields: [HTTPField("Content-Type", "application/x-www-form-urlencoded")],
                    body: []))
            check.that([303, 403].contains(bare.status), "a form of nobody: \(bare.status)")
            let forged = try await world.page("", "llm_proxy_admin=" + String(repeating: "A", count: 43))
            check.equal(forged.status, 303, "a session that nobody began")
        },
    ]
}

extension ProxyAccess {
    /// A page, asked for with a cookie.
    func page(_ path: String, _ cookie: String?) async throws -> HTTPResponse {
        try await exchange(
            HTTPRequest(
                method: "GET", target: "/admin/\(path)", fields: cookie.map { [HTTPField("Cookie", $0)] } ?? []))
    }

    /// Signs in, with the server's management token unless another one is given.
    /// - Returns: the session's cookie.
    func signIn(_ check: Check, with credential: String? = nil) async throws -> String {
        check.equal(try await page("sign-in", nil).status, 200, "the sign-in page")
        let answer = try await sendSignIn(credential ?? managementToken)
        check.equal(answer.status, 303, "signed in")
        return answer.fields.filter { $0.name.lowercased() == "set-cookie" }.map {
            String($0.value.prefix { $0 != ";" })
        }
        .joined(separator: "; ")
    }

    /// Sends the form of the sign-in page.
    func sendSignIn(_ credential: String) async throws -> HTTPResponse {
        let form = try await page("sign-in", nil)
        let cookie = form.fields.first("set-cookie").map { String($0.prefix { $0 != ";" }) } ?? ""
        let token = form.text.components(between: #"name="csrf" value=""#, and: "\"")
        return try await exchange(
            HTTPRequest(
                target: "/admin/sign-in",
                fields: [
                    HTTPField("Content-Type", "application/x-www-form-urlencoded"), HTTPField("Cookie", cookie),
                ], body: Array("csrf=\(token)&credential=\(credential)".utf8)))
    }
}

extension String {
    /// What stands between two texts, the first time that the first one does.
    fileprivate func components(between start: String, and end: Character) -> String {
        guard let range = firstRange(of: start) else { return "" }
        return String(self[range.upperBound...].prefix { $0 != end })
    }
}
