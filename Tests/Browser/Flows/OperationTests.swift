import Foundation
import Testing

extension AdminPageTests {
    /// The dashboard, the database, the cache, and what a theme is remembered by.
    @Suite struct OperationTests {
        private static func name() -> String { "flow \(UUID().uuidString.lowercased())" }

        @Test(arguments: Look.flows)
        func theDatabaseIsVerified(look: Look) async throws {
            try await Visit.walk(look) { visit in
                let token = try await visit.site.newToken(of: visit.site.newProject(Self.name()))
                try await visit.site.chat(token.secret)
                await visit.site.settle()
                try await visit.open("/admin/database")
                let text = try await visit.text.lowercased()
                #expect(text.contains("sqlite") || text.contains("postgres"))
                try await visit.submit("POST /manage/database/verify")
                #expect(try await visit.page == "database")
                #expect(try await visit.alert.isEmpty)
                #expect(try await visit.browser.has(Hook.verified))
            }
        }

        @Test(arguments: Look.flows)
        func theCacheIsPurged(look: Look) async throws {
            try await Visit.walk(look) { visit in
                let path = "/v1/models/\(UUID().uuidString.lowercased())"
                try await visit.open("/admin/cache")
                try await visit.submit("POST /manage/cache/purge", ["url": path])
                #expect(try await visit.page == "cache")
                let asked = "/manage/audit?action=cache.purge&metadata.url=\(path)"
                #expect(try await visit.site.api("GET", asked)["events"].list.count == 1)
            }
        }

        @Test(arguments: [Look.usual, Look(width: 360, theme: .dark)])
        func theDashboardFollowsTheTrafficByItself(look: Look) async throws {
            try await Visit.walk(look) { visit in
                let token = try await visit.site.newToken(of: visit.site.newProject(Self.name()))
                try await visit.open("/admin/")
                let before = try await visit.figures()
                #expect(before.count > 5)
                let element = try await visit.browser.element("html").reference
                for _ in 1...5 { try await visit.site.chat(token.secret) }
                await visit.site.settle()
                try await visit.browser.wait(for: "other figures", patience: .seconds(15)) {
                    try await visit.figures() != before
                }
                #expect(try await visit.browser.element("html").reference == element, "the page was loaded again")
            }
        }

        @Test func theFiguresComeAsOneEvent() async throws {
            try await Visit.walk(.usual) { visit in
                let answer = try await Visitor.signedIn(at: visit.site).get("/admin/events")
                #expect(answer.status == 200 && answer["Content-Type"]?.hasPrefix("text/event-stream") == true)
                let lines = answer.text.split(whereSeparator: \.isNewline)
                #expect(lines.contains("retry: 2000"))
                let data = lines.filter { $0.hasPrefix("data:") }.map { $0.dropFirst(5) }.joined()
                #expect(try JSON(parsing: Array(data.utf8)) != .null)
            }
        }

        @Test(arguments: Look.flows)
        func everyChartHasItsFiguresBehindIt(look: Look) async throws {
            try await Visit.walk(look) { visit in
                _ = try await Furnished.furnish(visit.site)
                try await visit.open("/admin/")
                let script = """
                    return [...document.querySelectorAll('main svg[role=img]')].map(chart => {
                        // Where nothing has happened, that is said in the table's place.
                        const behind = ':scope details :is(table, .empty)'
                        const has = chart.closest('figure')?.querySelector(behind) ?? chart.closest('section')?.querySelector(behind)
                        return [chart.querySelector('title')?.textContent ?? '', Boolean(has)]
                    })
                    """
                let charts = try await visit.browser.run(script).list
                #expect(charts.count >= 2)
                for chart in charts { #expect(chart.list.last == true, "\(chart.line) has no table") }
            }
        }

        @Test func aThemeThatIsChosenIsKept() async throws {
            try await Visit.walk(.usual) { visit in
                try await visit.open("/admin/")
                let shade = "return getComputedStyle(document.body).backgroundColor"
                let light = try await visit.browser.run(shade)
                let toggle = try await visit.browser.element(Hook.themeToggle)
                try await toggle.reveal()
                for _ in 1...3 where try await visit.browser.run(shade) == light { try await toggle.click() }
                let dark = try await visit.browser.run(shade)
                #expect(dark != light)
                try await visit.open("/admin/projects")
                try await visit.browser.wait(for: "the theme that was chosen") {
                    try await visit.browser.run(shade) == dark
                }
                #expect(try await PageChecks(visit.browser).faults().isEmpty)
            }
        }

        @Test(arguments: [Look(width: 360, theme: .light), .plain])
        func aNarrowPageHasItsNavigationInAMenu(look: Look) async throws {
            try await Visit.walk(look) { visit in
                try await visit.open("/admin/")
                let links = try await visit.browser.elements("nav a[href=\"/admin/usage\"]")
                var isShown = false
                for link in links { if try await link.isShown { isShown = true } }
                #expect(!isShown, "the menu is open from the start")
                let link = try await visit.browser.element("details nav a[href=\"/admin/usage\"]")
                try await link.reveal()
                try await visit.browser.leaving { try await link.click() }
                #expect(try await visit.page == "usage")
            }
        }

        @Test(arguments: AdminSite.Engine.allCases)
        func theFirstDayWorksOnEveryEngine(engine: AdminSite.Engine) async throws {
            let site = try await AdminSite.start(on: engine)
            await withSite(site) {
                try await Visit.walk(.plain, at: site) { visit in
                    let furnished = try await Furnished.furnish(site)
                    for (name, path) in furnished.pages where name != "error" {
                        try await visit.open(path)
                        #expect(try await visit.page != "error", "\(name)")
                    }
                    try await visit.open("/admin/database")
                    try await visit.submit("POST /manage/database/verify")
                    #expect(try await visit.browser.has(Hook.verified))
                    try await visit.open("/admin/tokens/\(furnished.token)")
                    try await visit.submit(Action.revokeToken)
                    #expect(try await site.api("GET", "/manage/tokens/\(furnished.token)")["is_active"] == false)
                }
            }
        }
    }
}

extension Visit {
    /// The dashboard's figures as they stand there, by name.
    fileprivate func figures() async throws -> JSON {
        let script = """
            return Object.fromEntries([...document.querySelectorAll('[data-figure]')].map(
                figure => [figure.dataset.figure, figure.textContent.trim()]))
            """
        return try await browser.run(script)
    }
}

extension JSON {
    /// How many members an object has.
    fileprivate var count: Int {
        guard case .object(let members) = self else { return 0 }
        return members.count
    }
}
