import Foundation
import Testing

extension AdminPageTests {
    /// What somebody else, or something planted, can't do.
    @Suite struct SecurityTests {
        private static var site: AdminSite {
            get throws {
                guard let bench = LendsBrowsers.bench else { throw TestFailure("no site was lent") }
                return bench.site
            }
        }

        @Test func nothingIsShownToWhoHasNotSignedIn() async throws {
            let site = try Self.site
            let furnished = try await Furnished.furnish(site)
            for visitor in [Visitor(site: site), Visitor(site: site, session: String(repeating: "A", count: 43))] {
                for (name, path) in furnished.pages {
                    let answer = try await visitor.get(path)
                    #expect(answer.status == 303, "\(name)")
                    #expect(answer["Location"]?.hasPrefix("/admin/sign-in") == true, "\(name)")
                    #expect(!answer.text.contains("alert(1)"), "\(name)")
                }
                #expect(try await visitor.get("/admin/events").status == 401)
                #expect(try await visitor.get("/admin/usage.csv").status == 303)
            }
        }

        @Test func aFormWithoutItsTokenOrWithAnotherChangesNothing() async throws {
            let site = try Self.site
            let furnished = try await Furnished.furnish(site)
            let visitor = try await Visitor.signedIn(at: site)
            let other = try await Visitor.signedIn(at: site)
            let foreign = Visitor.formToken(in: try await other.get("/admin/").text) ?? "none"
            let before = try await Self.state(of: furnished, at: site)
            var targets: Set<String> = ["/admin/sign-out", "/admin/sign-out-everywhere"]
            for (_, path) in furnished.pages {
                targets.formUnion(Visitor.formTargets(in: try await visitor.get(path).text))
            }
            #expect(targets.count > 10, "\(targets)")
            for target in targets {
                for token in [nil, "", "0", String(repeating: "0", count: 64), foreign] {
                    let values = token.map { [("csrf", $0), ("name", "taken over")] } ?? [("name", "taken over")]
                    #expect(try await visitor.post(target, values).status == 403, "\(target) \(token ?? "no token")")
                }
            }
            #expect(try await Self.state(of: furnished, at: site) == before)
            #expect(try await visitor.get("/admin/").status == 200, "a forged form signed somebody out")
        }

        @Test(arguments: [
            ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Site", "same-site"), ("Origin", "https://evil.example"),
        ])
        func aFormThatTheBrowserSaysIsFromElsewhereIsRefused(name: String, value: String) async throws {
            let site = try Self.site
            let visitor = try await Visitor.signedIn(at: site)
            let page = try await visitor.get("/admin/projects/new").text
            let values = [
                ("csrf", Visitor.formToken(in: page) ?? ""), ("name", "elsewhere"), ("api_key", AdminSite.apiKey),
            ]
            #expect(try await visitor.post("/admin/projects/new", values, fields: [(name, value)]).status == 403)
        }

        @Test func theSignInFormIsTiedToItsBrowserToo() async throws {
            let site = try Self.site
            let page = try await site.send("GET", "/admin/sign-in")
            let token = Visitor.formToken(in: page.text) ?? "none"
            let values = [("csrf", token), ("credential", AdminSite.managementToken)]
            let answer = try await Visitor(site: site).post("/admin/sign-in", values)
            #expect(answer.status == 403 && Visitor.cookie(Hook.sessionCookie, in: answer) == nil)
        }

        @Test func theCookieHoldsNothingButARandomName() async throws {
            let site = try Self.site
            let answer = try await Visitor.signIn(at: site, with: AdminSite.managementToken)
            let field = answer.values(of: "Set-Cookie").first { $0.hasPrefix(Hook.sessionCookie + "=") } ?? ""
            let parts = Set(
                field.split(separator: ";").dropFirst().map { $0.trimmingCharacters(in: .whitespaces).lowercased() })
            #expect(parts.isSuperset(of: ["httponly", "samesite=strict", "path=/admin"]), "\(field)")
            #expect(!parts.contains { $0.hasPrefix("domain") || $0.hasPrefix("expires") || $0.hasPrefix("max-age") })
            let session = Visitor.cookie(Hook.sessionCookie, in: answer) ?? ""
            #expect(session.count == 43)
            #expect(try await Visitor.signedIn(at: site).session != session, "two sign-ins share a session")
            #expect(!field.contains(AdminSite.managementToken))
        }

        @Test func scriptsCantReadTheCookieAndOtherSitesDontSendIt() async throws {
            try await Visit.walk(.usual, as: nil) { visit in
                try await visit.open("/admin/")
                try await visit.signIn(AdminSite.managementToken)
                #expect(try await visit.page == "dashboard")
                #expect(try await visit.browser.run("return document.cookie") == "")
                let cookies = try await visit.browser.cookies()
                let session = cookies.first { $0["name"].text == Hook.sessionCookie } ?? .null
                #expect(session["httpOnly"] == true && session["sameSite"] == "Strict" && session["path"] == "/admin")
            }
        }

        @Test func underTLSTheCookieIsTiedToTheHostAndToTLS() async throws {
            let site = try await AdminSite.start(speaksTLS: true)
            await withSite(site) {
                try await Visit.walk(.plain, at: site, as: nil) { visit in
                    try await visit.open("/admin/")
                    try await visit.signIn(AdminSite.managementToken)
                    #expect(try await visit.page == "dashboard")
                    let cookies = try await visit.browser.cookies()
                    let session = cookies.first { $0["name"].text == "__Secure-\(Hook.sessionCookie)" } ?? .null
                    #expect(session["secure"] == true && session["httpOnly"] == true && session["path"] == "/admin")
                    #expect(!cookies.contains { $0["name"].text == Hook.sessionCookie })
                }
            }
        }

        @Test func everyAnswerForbidsWhatThePagesDontNeed() async throws {
            let site = try Self.site
            let visitor = try await Visitor.signedIn(at: site)
            let furnished = try await Furnished.furnish(site)
            for path in furnished.pages.map(\.path) + ["/admin", "/admin/sign-in", "/admin/events", "/admin/usage.csv"]
            {
                let answer = try await visitor.get(path)
                let rules = (answer["Content-Security-Policy"] ?? "").split(separator: ";")
                    .map { $0.trimmingCharacters(in: .whitespaces) }
                for rule in [
                    "default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'",
                    "form-action 'self'",
                    "frame-ancestors 'none'", "base-uri 'none'",
                ] { #expect(rules.contains(rule), "\(path): \(rules)") }
                #expect(!rules.contains { $0.contains("unsafe") })
                #expect(answer["X-Content-Type-Options"] == "nosniff", "\(path)")
                #expect(answer["Referrer-Policy"] == "no-referrer", "\(path)")
                #expect(answer["Cross-Origin-Opener-Policy"] == "same-origin", "\(path)")
                #expect(answer["Cache-Control"] == "no-store", "\(path)")
            }
        }

        @Test func stylesAndScriptsAreSentOnceAndComeFromHereAlone() async throws {
            let site = try Self.site
            let links = Visitor.links(in: try await Visitor.signedIn(at: site).get("/admin/").text)
            let assets = Set(links.filter { $0.hasPrefix("/admin/assets/") })
            #expect(assets.count >= 2, "\(links)")
            for asset in assets {
                let answer = try await site.send("GET", asset)
                #expect(answer.status == 200 && answer["X-Content-Type-Options"] == "nosniff", "\(asset)")
                let tag = answer["ETag"] ?? "none"
                #expect(try await site.send("GET", asset, fields: [("If-None-Match", tag)]).status == 304, "\(asset)")
                for elsewhere in ["http://", "https://", "//"] {
                    #expect(
                        !answer.text.contains("url(\(elsewhere)") && !answer.text.contains("from '\(elsewhere)"),
                        "\(asset)")
                }
            }
            #expect([400, 404].contains(try await site.send("GET", "/admin/assets/..%2Flayout.mustache").status))
        }

        @Test(arguments: Look.flows)
        func whatIsPlantedInEveryStoredFieldIsTextAndRunsNothing(look: Look) async throws {
            try await Visit.walk(look) { visit in
                let furnished = try await Furnished.furnish(visit.site)
                var showing: Set<String> = []
                for (name, path) in furnished.pages {
                    try await visit.open(path)
                    #expect(try await visit.browser.run(PageScript.intruders).texts.isEmpty, "\(name)")
                    if try await visit.browser.run(Self.shown).flag == true { showing.insert(name) }
                }
                let wanted: Set = [
                    "projects", "project", "tokens", "token", "usage", "requests", "request", "audit", "event",
                    "access",
                ]
                #expect(wanted.subtracting(showing).isEmpty)
            }
        }

        /// Whether what was planted stands in the page, as text or in a control.
        private static let shown = """
            const planted = "\(Furnished.planted.replacing("\"", with: "\\\""))"
            return document.body.textContent.includes(planted)
                || [...document.querySelectorAll('input, textarea')].some(control => control.value.includes(planted))
            """

        /// What a forged form would change.
        private static func state(of furnished: Furnished, at site: AdminSite) async throws -> [JSON] {
            [
                try await site.api("GET", "/manage/projects/\(furnished.project)"),
                try await site.api("GET", "/manage/upstreams?project_id=\(furnished.project)"),
                try await site.api("GET", "/manage/tokens?project_id=\(furnished.project)"),
                try await site.api("GET", "/manage/management-tokens"),
            ]
        }
    }
}
