import Testing

extension AdminPageTests {
    /// Who gets in, where to, and for how long.
    @Suite struct SignInTests {
        @Test(arguments: Look.flows)
        func aWrongCredentialIsRefusedAndTheRightOneLeadsToThePageAskedFor(look: Look) async throws {
            try await Visit.walk(look, as: nil) { visit in
                try await visit.open("/admin/projects?search=anything")
                #expect(try await visit.page == "sign-in")
                try await visit.signIn("wrong")
                visit.site.forgive()
                #expect(try await visit.page == "sign-in")
                #expect(try await !visit.alert.isEmpty)
                try await visit.signIn(AdminSite.managementToken)
                #expect(try await visit.page == "projects")
                #expect(try await visit.place == "/admin/projects?search=anything")
            }
        }

        @Test(arguments: [
            "//evil.example/", "https://evil.example/", "/manage/projects", "/admin/../manage/projects", "/\\evil",
        ])
        func aSignInLeadsToNoOtherPlace(next: String) async throws {
            try await Visit.walk(.usual, as: nil) { visit in
                let answer = try await Visitor.signIn(at: visit.site, with: AdminSite.managementToken, next: next)
                #expect(answer.status == 303 && answer["Location"] == "/admin/")
            }
        }

        @Test(arguments: Look.flows)
        func signingOutEndsThisSessionAlone(look: Look) async throws {
            try await Visit.walk(look) { visit in
                let other = try await Visitor.signedIn(at: visit.site)
                let session = try await visit.sessionCookie()
                try await visit.open("/admin/")
                try await visit.send(toward: "/admin/sign-out")
                #expect(try await visit.page == "sign-in")
                #expect(try await visit.sessionCookie() == nil)
                let left = Visitor(site: visit.site, session: session ?? "none")
                #expect(try await left.get("/admin/").status == 303)
                #expect(try await other.get("/admin/").status == 200)
            }
        }

        @Test(arguments: Look.flows)
        func signingOutEverywhereEndsEverySessionOfTheCredential(look: Look) async throws {
            try await Visit.walk(look, as: nil) { visit in
                let credential = try await visit.site.newCredential("everywhere \(look.testDescription)", role: "admin")
                let same = try await Visitor.signedIn(at: visit.site, with: credential.secret)
                let another = try await Visitor.signedIn(at: visit.site)
                try await visit.enter(as: credential.secret)
                try await visit.open("/admin/")
                try await visit.send(toward: "/admin/sign-out-everywhere")
                #expect(try await visit.page == "sign-in")
                #expect(try await same.get("/admin/").status == 303)
                #expect(try await another.get("/admin/").status == 200)
            }
        }

        @Test func aSessionEndsWhenNothingIsDoneAndSaysSo() async throws {
            let site = try await AdminSite.start()
            await withSite(site) {
                try await Visit.walk(.plain, at: site) { visit in
                    site.clock.pass(.seconds(29 * 60))
                    try await visit.open("/admin/tokens")
                    #expect(try await visit.page == "tokens")
                    site.clock.pass(.seconds(29 * 60))
                    try await visit.open("/admin/tokens")
                    #expect(try await visit.page == "tokens", "what is used stays open")
                    site.clock.pass(.seconds(31 * 60))
                    try await visit.open("/admin/tokens")
                    #expect(try await visit.page == "sign-in")
                    #expect(try await visit.text.contains("30 minutes"))
                    try await visit.signIn(AdminSite.managementToken)
                    #expect(try await visit.place == "/admin/tokens")
                }
            }
        }

        @Test func aSessionEndsAfterTwelveHoursHoweverMuchItIsUsed() async throws {
            let site = try await AdminSite.start()
            await withSite(site) {
                try await Visit.walk(.usual, at: site) { visit in
                    for _ in 1...28 {
                        site.clock.pass(.seconds(25 * 60))
                        try await visit.open("/admin/claims")
                        #expect(try await visit.page == "claims")
                    }
                    site.clock.pass(.seconds(25 * 60))
                    try await visit.open("/admin/claims")
                    #expect(try await visit.page == "sign-in")
                    #expect(try await visit.text.contains("12 hours"))
                }
            }
        }

        @Test func tooManyWrongCredentialsAreTurnedAwayAndTheAuditTells() async throws {
            let site = try await AdminSite.start()
            await withSite(site) {
                var statuses: [Int] = []
                for _ in 1...12 { statuses.append(try await Visitor.signIn(at: site, with: "wrong").status) }
                #expect(statuses.first == 401 && statuses.last == 429, "\(statuses)")
                let last = try await Visitor.signIn(at: site, with: AdminSite.managementToken)
                #expect(last.status == 429 && last["Retry-After"] != nil)
                site.clock.pass(.seconds(60))
                let events = try await site.api("GET", "/manage/audit?outcome=refused")["events"].list
                #expect(events.count >= 10)
            }
        }
    }
}

/// Ends a site of a test's own after it, failed or not.
func withSite(_ site: AdminSite, _ body: () async throws -> Void) async {
    do { try await body() } catch { Issue.record(error) }
    await site.stop()
}

extension Visit {
    /// Fills in the sign-in form and sends it.
    func signIn(_ credential: String) async throws {
        let form = try await browser.element("form:has([name=credential])")
        try await form.element("[name=credential]").fill(credential)
        let button = try await form.element("button:not([type=button])")
        try await browser.leaving { try await button.click() }
    }

    /// What the browser holds for the session; `nil` without one.
    func sessionCookie() async throws -> String? {
        try await open("/admin/sign-in")
        for cookie in try await browser.cookies() where cookie["name"].text == Hook.sessionCookie {
            return cookie["value"].text
        }
        return nil
    }

    /// Sends a form that is known by where it sends to alone.
    func send(toward path: String) async throws {
        let form = try await browser.element("form[action=\"\(path)\"]")
        try await form.reveal()
        let button = try await form.element("button")
        try await browser.leaving { try await button.click() }
    }
}
