import Foundation
import Testing

extension AdminPageTests {
    /// Projects and their upstreams, from their creation on.
    @Suite struct ProjectTests {
        private static func name() -> String { "flow \(UUID().uuidString.lowercased())" }

        @Test(arguments: Look.flows)
        func aProjectIsCreatedFoundAndChanged(look: Look) async throws {
            try await Visit.walk(look) { visit in
                let name = Self.name()
                try await visit.open("/admin/projects/new")
                try await visit.submit("POST /manage/projects", ["name": name, "api_key": AdminSite.apiKey])
                #expect(try await visit.page == "project")
                #expect(try await visit.browser.element("h1").text.contains(name))
                #expect(try await !visit.browser.source.contains(AdminSite.apiKey), "the key is shown")
                try await visit.open("/admin/projects?search=\(name.suffix(20))")
                #expect(try await visit.browser.elements("main table tbody tr").count == 1)
                try await visit.follow("main table tbody a[href^=\"/admin/projects/\"]")
                let changed = Self.name()
                try await visit.submit(
                    Action.changeProject, ["name": changed, "allowed_models": "gpt-4o*\no3"], for: "/edit")
                #expect(try await visit.page == "project")
                let project = try await visit.site.api("GET", "/manage/projects?search=\(changed.suffix(20))").list
                    .first
                #expect(project?["name"].text == changed)
                #expect(project?["allowed_models"] == ["gpt-4o*", "o3"])
            }
        }

        @Test(arguments: Look.flows)
        func aNameThatIsTakenIsToldAboveTheFormAndNothingTypedIsLost(look: Look) async throws {
            try await Visit.walk(look) { visit in
                let name = Self.name()
                _ = try await visit.site.newProject(name)
                try await visit.open("/admin/projects/new")
                let values: KeyValuePairs = [
                    "name": name, "api_key": AdminSite.apiKey, "allowed_models": "kept-as-typed",
                ]
                try await visit.submit("POST /manage/projects", values)
                #expect(try await visit.page == "project-new")
                #expect(try await !visit.alert.isEmpty)
                let form = try await visit.form("POST /manage/projects")
                #expect(try await form.element("[name=name]").property("value").text == name)
                #expect(try await form.element("[name=allowed_models]").property("value").text == "kept-as-typed")
                #expect(try await form.element("[name=api_key]").property("value").text == "", "a key is sent back")
            }
        }

        @Test(arguments: Look.flows)
        func theBudgetOfAProjectIsSetAndTaken(look: Look) async throws {
            try await Visit.walk(look) { visit in
                let id = try await visit.site.newProject(Self.name())
                try await visit.open("/admin/projects/\(id)")
                try await visit.submit(
                    Action.changeProject, ["budget_usd": "12.5", "budget_period": "month"], for: "/limits")
                let limits = try await visit.site.api("GET", "/manage/projects/\(id)")["limits"]
                #expect(limits["budget_usd"].number == 12.5 && limits["budget_period"] == "month")
                #expect(try await visit.text.contains("12.5"))
                try await visit.submit(Action.changeProject, ["budget_usd": "-1"], for: "/limits")
                #expect(try await visit.page == "project")
                try await visit.open("/admin/projects/\(id)")
                try await visit.submit(Action.changeProject, ["budget_usd": ""], for: "/limits")
                #expect(try await visit.site.api("GET", "/manage/projects/\(id)")["limits"]["budget_usd"] == .null)
            }
        }

        @Test(arguments: Look.flows)
        func theKeyOfAProjectIsRotated(look: Look) async throws {
            try await Visit.walk(look) { visit in
                let id = try await visit.site.newProject(Self.name())
                let token = try await visit.site.newToken(of: id)
                try await visit.open("/admin/projects/\(id)")
                try await visit.submit(
                    Action.changeProject, ["api_key": "sk-rotated-key-of-the-flow-9876"], for: "/key")
                #expect(try await visit.page == "project")
                #expect(try await !visit.browser.source.contains("sk-rotated-key-of-the-flow-9876"))
                #expect(try await visit.site.chat(token.secret).status == 200)
                #expect(visit.site.lastCredential == "Bearer sk-rotated-key-of-the-flow-9876")
            }
        }

        @Test(arguments: Look.flows)
        func aProjectIsDeactivatedAndActivated(look: Look) async throws {
            try await Visit.walk(look) { visit in
                let id = try await visit.site.newProject(Self.name())
                let token = try await visit.site.newToken(of: id)
                try await visit.open("/admin/projects/\(id)")
                try await visit.submit(Action.changeProject, for: "/deactivate")
                #expect(try await visit.page == "project")
                #expect(try await visit.site.chat(token.secret).status == 403)
                try await visit.submit(Action.changeProject, for: "/activate")
                #expect(try await visit.site.chat(token.secret).status == 200)
            }
        }

        @Test(arguments: Look.flows)
        func allTokensOfAProjectAreRevokedAfterAConfirmation(look: Look) async throws {
            try await Visit.walk(look) { visit in
                let id = try await visit.site.newProject(Self.name())
                for _ in 1...3 { _ = try await visit.site.newToken(of: id) }
                try await visit.open("/admin/projects/\(id)")
                let button = try await visit.form(Action.revokeAll).element("button")
                #expect(try await !button.isShown, "one click revokes everything")
                #expect(try await visit.active(of: id) == 3)
                try await visit.submit(Action.revokeAll)
                #expect(try await visit.page == "project")
                #expect(try await visit.active(of: id) == 0)
            }
        }

        @Test(arguments: Look.flows)
        func anUpstreamIsAddedChangedAndDeleted(look: Look) async throws {
            try await Visit.walk(look) { visit in
                let id = try await visit.site.newProject(Self.name())
                try await visit.open("/admin/projects/\(id)")
                try await visit.submit(
                    "POST /manage/upstreams",
                    [
                        "api_key": AdminSite.apiKey, "base_url": visit.site.upstreamAddress, "priority": "3",
                        "weight": "7",
                    ])
                let added = try await visit.upstreams(of: id)
                #expect(added.count == 1 && added[0]["priority"] == 3 && added[0]["weight"] == 7)
                let upstream = added.first?["id"].text ?? "none"
                try await visit.follow("main a[href=\"/admin/upstreams/\(upstream)\"]")
                #expect(try await visit.page == "upstream")
                try await visit.submit(Action.changeUpstream, ["weight": "9"], for: "/edit")
                #expect(try await visit.upstreams(of: id).first?["weight"] == 9)
                let remove = try await visit.form(Action.removeUpstream).element("button")
                #expect(try await !remove.isShown, "one click removes it")
                try await visit.submit(Action.removeUpstream)
                #expect(try await visit.page == "project")
                #expect(try await visit.upstreams(of: id).isEmpty)
            }
        }

        @Test(arguments: [Look.usual, .plain])
        func whatSomebodyElseChangedMeanwhileIsNotOverwritten(look: Look) async throws {
            try await Visit.walk(look) { visit in
                let (id, name) = (try await visit.site.newProject(Self.name()), Self.name())
                try await visit.open("/admin/projects/\(id)")
                try await visit.site.api("PATCH", "/manage/projects/\(id)", ["name": .string(name)])
                try await visit.submit(Action.changeProject, ["name": "overwritten"], for: "/edit")
                #expect(try await !visit.alert.isEmpty)
                #expect(try await visit.site.api("GET", "/manage/projects/\(id)")["name"].text == name)
            }
        }

        @Test func rowsAreFilteredWhileSomebodyTypes() async throws {
            try await Visit.walk(.usual) { visit in
                let name = Self.name()
                for end in ["one", "two"] { _ = try await visit.site.newProject("\(name) \(end)") }
                try await visit.open("/admin/projects?search=\(name.suffix(30))")
                #expect(try await visit.rowsShown() == 2)
                try await visit.browser.element("main input[type=search]").fill(" TWO")
                #expect(try await visit.rowsShown() == 1)
                #expect(try await visit.browser.element("main tbody tr:not([hidden])").text.contains("\(name) two"))
            }
        }

        @Test(arguments: [Look.usual, .plain])
        func aLongListIsReadPageByPage(look: Look) async throws {
            let site = try await AdminSite.start()
            await withSite(site) {
                for number in 100...160 { _ = try await site.newProject("list \(number)") }
                try await Visit.walk(look, at: site) { visit in
                    try await visit.open("/admin/projects?sort=name&order=desc")
                    #expect(try await visit.browser.element("main tbody tr").text.contains("list 160"))
                    #expect(try await visit.browser.elements("main tbody tr").count == 50)
                    try await visit.follow("main a[rel=next]")
                    #expect(try await visit.browser.elements("main tbody tr").count == 11)
                    #expect(try await visit.browser.element("main tbody tr:last-child").text.contains("list 100"))
                }
            }
        }
    }
}

/// The actions that several flows send.
enum Action {
    static let changeProject = "PATCH /manage/projects/{id}"
    static let revokeAll = "POST /manage/projects/{id}/tokens/revoke"
    static let changeUpstream = "PATCH /manage/upstreams/{id}"
    static let removeUpstream = "DELETE /manage/upstreams/{id}"
    static let createToken = "POST /manage/tokens"
    static let changeToken = "PATCH /manage/tokens/{id}"
    static let revokeToken = "DELETE /manage/tokens/{id}"
    static let createAccess = "POST /manage/management-tokens"
    static let revokeAccess = "DELETE /manage/management-tokens/{id}"
}

extension Visit {
    /// How many tokens of a project may be used.
    fileprivate func active(of project: String) async throws -> Int {
        try await site.api("GET", "/manage/tokens?project_id=\(project)&active=true").list.count
    }

    /// How many rows of a list can be seen.
    fileprivate func rowsShown() async throws -> Int {
        var count = 0
        for row in try await browser.elements("main tbody tr") { if try await row.isShown { count += 1 } }
        return count
    }

    fileprivate func upstreams(of project: String) async throws -> [JSON] {
        try await site.api("GET", "/manage/upstreams?project_id=\(project)").list
    }
}
