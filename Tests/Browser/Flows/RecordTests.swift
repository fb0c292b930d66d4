import Foundation
import Testing

extension AdminPageTests {
    /// What was used, requested and done: usage, requests and the audit.
    @Suite struct RecordTests {
        private static func name() -> String { "flow-\(UUID().uuidString.lowercased())" }

        @Test(arguments: Look.flows)
        func usageIsGroupedAndGivenAsCSV(look: Look) async throws {
            try await Visit.walk(look) { visit in
                let (project, name) = (try await visit.site.newProject(Self.name()), Self.name())
                let token = try await visit.site.newToken(of: project, name)
                for model in ["gpt-4o", "gpt-4o", "gpt-4o-mini"] {
                    try await visit.site.chat(token.secret, model: model)
                }
                await visit.site.settle()
                try await visit.open("/admin/usage?group_by=token&interval=hour&project_id=\(project)")
                #expect(try await visit.page == "usage")
                #expect(try await visit.browser.element("main").property("textContent").text?.contains(name) == true)
                #expect(try await visit.browser.has("main svg[role=img]"))
                #expect(try await visit.browser.has("main details table"))
                let form = try await visit.browser.element("main form:has([name=group_by])")
                try await form.element("[name=group_by]").fill("model")
                let button = try await form.element("button:not([type=button])")
                try await visit.browser.leaving { try await button.click() }
                let place = try await visit.place
                #expect(place.contains("group_by=model") && place.contains(project))
                let models = try await visit.browser.element("main").property("textContent").text ?? ""
                #expect(models.contains("gpt-4o-mini"))
                let link = try await visit.browser.element("a[href*=\"/admin/usage.csv\"]").attribute("href") ?? ""
                try await Self.checkSheet(visit, link)
            }
        }

        /// Rows of three requests, of which two were for one model.
        private static func checkSheet(_ visit: Visit, _ link: String) async throws {
            let sheet = try await Visitor.signedIn(at: visit.site).get(link)
            #expect(sheet.status == 200 && sheet["Content-Type"]?.hasPrefix("text/csv") == true)
            #expect(sheet["Content-Disposition"]?.contains(".csv") == true)
            let rows = sheet.text.split(whereSeparator: \.isNewline)
            #expect(rows.first?.contains("requests") == true && rows.count >= 3, "\(sheet.text)")
            let mini = rows.first { $0.contains("gpt-4o-mini") }
            #expect(mini?.split(separator: ",").contains("1") == true, "\(sheet.text)")
        }

        @Test func aCellThatASpreadsheetWouldRunIsText() async throws {
            try await Visit.walk(.usual) { visit in
                let project = try await visit.site.newProject("=cmd|'/c calc'!A\(UUID().uuidString.prefix(8))")
                let token = try await visit.site.newToken(of: project)
                try await visit.site.chat(token.secret)
                await visit.site.settle()
                let sheet = try await Visitor.signedIn(at: visit.site)
                    .get("/admin/usage.csv?group_by=project&interval=total&project_id=\(project)")
                #expect(sheet.text.contains("=cmd"))
                for row in sheet.text.split(whereSeparator: \.isNewline) {
                    for cell in row.split(separator: ",") {
                        #expect(!cell.hasPrefix("=") && !cell.hasPrefix("\"="), "\(row)")
                    }
                }
            }
        }

        @Test(arguments: Look.flows)
        func aRequestIsFoundByItsIdentifier(look: Look) async throws {
            try await Visit.walk(look) { visit in
                let token = try await visit.site.newToken(of: visit.site.newProject(Self.name()))
                let answer = try await visit.site.chat(token.secret)
                let id = answer["X-Proxy-Request-ID"] ?? "none"
                await visit.site.settle()
                try await visit.open("/admin/requests")
                let form = try await visit.browser.element("main form:has([name=\(Hook.requestIdentifier)])")
                try await form.element("[name=\(Hook.requestIdentifier)]").fill(id)
                let button = try await form.element("button:not([type=button])")
                try await visit.browser.leaving { try await button.click() }
                #expect(try await visit.page == "request")
                #expect(try await visit.place.hasPrefix("/admin/requests/\(id)"))
                let text = try await visit.text
                for part in ["/v1/chat/completions", "gpt-4o-mini", "200", id] {
                    #expect(text.contains(part), "\(part)")
                }
                try await visit.open("/admin/requests/00000000-0000-7000-8000-000000000000")
                #expect(try await visit.page == "error")
            }
        }

        @Test(arguments: Look.flows)
        func requestsAreFilteredByTokenAndStatus(look: Look) async throws {
            try await Visit.walk(look) { visit in
                let token = try await visit.site.newToken(of: visit.site.newProject(Self.name()))
                for _ in 1...2 { try await visit.site.chat(token.secret) }
                await visit.site.settle()
                try await visit.open("/admin/requests?token_id=\(token.id)")
                #expect(try await visit.browser.elements("main tbody tr").count == 2)
                try await visit.open("/admin/requests?token_id=\(token.id)&status=5xx")
                #expect(try await visit.browser.elements("main tbody a[href^=\"/admin/requests/\"]").isEmpty)
                #expect(try await visit.page == "requests")
            }
        }

        @Test(arguments: Look.flows)
        func theAuditIsSearchedByWordsAndMetadata(look: Look) async throws {
            try await Visit.walk(look) { visit in
                let word = "purge\(UUID().uuidString.prefix(12).lowercased().filter { $0.isLetter || $0.isNumber })"
                let address: JSON = ["url": .string("/v1/models/\(word)"), "method": "GET"]
                try await visit.site.api("POST", "/manage/cache/purge", address)
                try await visit.open("/admin/audit")
                let form = try await visit.browser.element("main form:has([name=search])")
                let search = try await form.element("[name=search]")
                try await search.reveal()
                try await search.fill(word)
                let button = try await form.element("button:not([type=button])")
                try await visit.browser.leaving { try await button.click() }
                #expect(try await visit.page == "audit")
                #expect(try await visit.browser.elements(Hook.auditRow).count == 1)
                try await visit.open(Hook.audit(metadata: "url", "/v1/models/\(word)"))
                #expect(try await visit.browser.elements(Hook.auditRow).count == 1)
                try await visit.open(Hook.audit(metadata: "url", "/v1/models/\(word)-other"))
                #expect(try await visit.browser.elements(Hook.auditRow).isEmpty)
                try await visit.open(Hook.audit(metadata: "url", "/v1/models/\(word)"))
                try await visit.follow("main a[href^=\"/admin/audit/\"]")
                #expect(try await visit.browser.element("main").property("textContent").text?.contains(word) == true)
            }
        }
    }
}
