import Foundation
import Testing

extension AdminPageTests {
    /// Whose credentials open the pages, and what they open.
    @Suite struct AccessTests {
        private static func name() -> String { "flow \(UUID().uuidString.lowercased())" }

        @Test(arguments: Look.flows)
        func aManagementTokenIsCreatedShownOnceUsedAndRevoked(look: Look) async throws {
            try await Visit.walk(look) { visit in
                let name = Self.name()
                try await visit.open("/admin/access")
                try await visit.submit(Action.createAccess, ["name": name, "role": "operator"])
                let secret = try await visit.secret()
                #expect(try await visit.site.api("GET", "/manage/whoami", as: secret)["name"].text == name)
                try await visit.open("/admin/access")
                #expect(try await !visit.browser.source.contains(secret), "it is shown again")
                let visitor = try await Visitor.signedIn(at: visit.site, with: secret)
                #expect(try await visitor.get("/admin/").status == 200)
                let tokens = try await visit.site.api("GET", "/manage/management-tokens?limit=1000").list
                let id = tokens.first { $0["name"].text == name }?["id"].text ?? "none"
                while try await !visit.browser.has("form[action*=\"\(id)\"]") {
                    try await visit.follow("main a[rel=next]")
                }
                try await visit.submit(Action.revokeAccess, for: id)
                #expect(try await visitor.get("/admin/").status == 303, "a revoked credential's session goes on")
                #expect(try await visit.site.ask("GET", "/manage/whoami", as: secret).status == 401)
                visit.site.forgive()
            }
        }

        @Test(arguments: Look.flows)
        func aViewerSeesNoFormForWhatItMayNotDo(look: Look) async throws {
            try await Visit.walk(look, as: nil) { visit in
                let furnished = try await Furnished.furnish(visit.site)
                try await visit.enter(as: try await visit.site.newCredential(Self.name(), role: "viewer").secret)
                for (name, path) in furnished.pages {
                    try await visit.open(path)
                    let changes = try await visit.actions.filter { $0.contains(" /manage/") && !$0.hasPrefix("GET ") }
                    #expect(changes.isEmpty, "\(name)")
                }
                for path in ["/admin/projects", "/admin/tokens", "/admin/usage", "/admin/requests", "/admin/database"] {
                    try await visit.open(path)
                    #expect(try await visit.page != "error", "\(path)")
                }
                for path in ["/admin/audit", "/admin/access"] {
                    try await visit.open(path)
                    #expect(try await visit.page == "error", "\(path)")
                    #expect(try await !visit.alert.isEmpty, "\(path)")
                    #expect(try await !visit.browser.has("nav a[href=\"\(path)\"]"), "\(path)")
                }
            }
        }

        @Test func whatAViewerSendsAllTheSameIsRefused() async throws {
            try await Visit.walk(.usual, as: nil) { visit in
                let site = visit.site
                let furnished = try await Furnished.furnish(site)
                let credential = try await site.newCredential(Self.name(), role: "viewer")
                let admin = try await Visitor.signedIn(at: site)
                let viewer = try await Visitor.signedIn(at: site, with: credential.secret)
                let token = Visitor.formToken(in: try await viewer.get("/admin/projects").text) ?? "none"
                for (_, path) in furnished.pages {
                    for target in Visitor.formTargets(in: try await admin.get(path).text)
                    where !target.hasPrefix("/admin/sign-out") {
                        let values = [
                            ("csrf", token), ("name", "taken over"), ("api_key", "sk-taken"), ("role", "admin"),
                        ]
                        #expect(try await viewer.post(target, values).status == 403, "\(target)")
                    }
                }
            }
        }

        @Test(arguments: Look.flows)
        func anOperatorIssuesTokensAndTouchesNoProject(look: Look) async throws {
            try await Visit.walk(look, as: nil) { visit in
                let project = try await visit.site.newProject(Self.name())
                let name = Self.name()
                try await visit.enter(as: try await visit.site.newCredential(name, role: "operator").secret)
                try await visit.open("/admin/projects/\(project)")
                #expect(try await !visit.actions.contains(Action.changeProject))
                #expect(try await visit.actions.contains(Action.revokeAll))
                try await visit.open("/admin/tokens/new?project_id=\(project)")
                try await visit.submit(Action.createToken, ["lifetime": "never"])
                #expect(try await visit.page == "token-created")
                let asked = "/manage/audit?action=token.create&actor=\(name.replacing(" ", with: "%20"))"
                #expect(try await visit.site.api("GET", asked)["events"].list.count == 1, "the audit names another")
                try await visit.open("/admin/audit")
                #expect(try await visit.page == "audit")
            }
        }

        @Test(arguments: [Look.usual, .plain])
        func whoseCredentialIsRevokedIsSignedOutAtOnce(look: Look) async throws {
            try await Visit.walk(look, as: nil) { visit in
                let credential = try await visit.site.newCredential(Self.name(), role: "admin")
                try await visit.enter(as: credential.secret)
                try await visit.open("/admin/tokens")
                #expect(try await visit.page == "tokens")
                try await visit.site.api("DELETE", "/manage/management-tokens/\(credential.id)")
                try await visit.open("/admin/tokens")
                #expect(try await visit.page == "sign-in")
            }
        }
    }
}
