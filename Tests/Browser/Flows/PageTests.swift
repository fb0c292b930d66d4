import Foundation
import Testing

extension AdminPageTests {
    /// What holds of every page.
    @Suite struct PageTests {
        /// Where the pictures go.
        static let pictures: String = {
            let here = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../../reports")
            let reports = ProcessInfo.processInfo.environment["REPORTS_DIR"] ?? here.standardizedFileURL.path()
            return reports + "/screens"
        }()

        @Test(arguments: Look.all)
        func everyPageCanBeReadHeardAndUsedByKeyboard(look: Look) async throws {
            try await Visit.walk(look) { visit in
                let furnished = try await Furnished.furnish(visit.site)
                for (name, path) in furnished.pages {
                    try await visit.open(path)
                    try await Self.check(visit, name)
                }
                try await visit.browser.forget(origin: visit.site.origin)
                try await visit.open("/admin/sign-in")
                try await Self.check(visit, "sign-in")
            }
        }

        @Test(arguments: [Look.usual, Look(width: 360, theme: .dark)])
        func whatFollowsAFormCanBeUsedAsWell(look: Look) async throws {
            try await Visit.walk(look) { visit in
                let project = try await visit.site.newProject("follows \(UUID().uuidString)")
                try await visit.open("/admin/tokens/new?project_id=\(project)")
                try await visit.submit(Action.createToken, ["lifetime": "never"])
                try await Self.check(visit, "token-created")
                try await visit.open("/admin/access")
                try await visit.submit(Action.createAccess, ["name": "follows \(look.name)", "role": "viewer"])
                try await Self.check(visit, "access-created")
                try await visit.open("/admin/projects/\(project)")
                try await visit.submit(Action.changeProject, ["budget_usd": "none"], for: "/limits")
                try await Self.check(visit, "project-refused")
                try await visit.open("/admin/database")
                try await visit.submit("POST /manage/database/verify")
                try await Self.check(visit, "database-verified")
                try await visit.open("/admin/cache")
                try await visit.submit("POST /manage/cache/purge", ["url": "/v1/models"])
                try await Self.check(visit, "cache-purged")
                try await visit.browser.forget(origin: visit.site.origin)
                try await visit.open("/admin/sign-in?reason=idle&next=/admin/tokens")
                try await visit.signIn("wrong")
                visit.site.forgive()
                try await Self.check(visit, "sign-in-refused")
            }
        }

        @Test(arguments: [Look.usual, Look(width: 360, theme: .dark)])
        func theTabKeyReachesEverythingInOrder(look: Look) async throws {
            try await Visit.walk(look) { visit in
                let furnished = try await Furnished.furnish(visit.site)
                for (name, path) in furnished.pages {
                    try await visit.open(path)
                    let faults = try await PageChecks(visit.browser).faultsOfTabbing()
                    #expect(faults.isEmpty, "\(name): \(faults.joined(separator: "\n"))")
                }
            }
        }

        @Test(arguments: Look.flows)
        func theFirstStopOfTheTabKeyLeadsPastTheNavigation(look: Look) async throws {
            try await Visit.walk(look) { visit in
                try await visit.open("/admin/projects")
                try await visit.browser.press(.tab)
                let focused =
                    "return [document.activeElement.getAttribute('href'), document.activeElement.offsetLeft >= 0]"
                #expect(try await visit.browser.run(focused) == ["#main", true])
                try await visit.browser.press(.enter)
                try await visit.browser.press(.tab)
                let isInside = "return document.querySelector('main').contains(document.activeElement)"
                #expect(try await visit.browser.run(isInside) == true)
            }
        }

        /// Takes the open page's picture, and checks it as it is and with everything in it opened.
        /// - Parameter faultless: what is no fault of this page.
        static func check(_ visit: Visit, _ name: String, but faultless: Set<String> = []) async throws {
            try await takePicture(visit, name)
            var faults = try await PageChecks(visit.browser).faults()
            try await visit.browser.run("document.querySelectorAll('main details').forEach(part => part.open = true)")
            for fault in try await PageChecks(visit.browser).faults() where !faults.contains(fault) {
                faults.append("opened: \(fault)")
            }
            faults.removeAll { faultless.contains($0.hasPrefix("opened: ") ? String($0.dropFirst(8)) : $0) }
            #expect(faults.isEmpty, "\(name): \(faults.joined(separator: "\n"))")
            let console = try await visit.consoleFaults()
            #expect(console.isEmpty, "\(name): \(console.joined(separator: "\n"))")
        }

        private static func takePicture(_ visit: Visit, _ name: String) async throws {
            try FileManager.default.createDirectory(atPath: pictures, withIntermediateDirectories: true)
            let picture = try await visit.browser.picture(width: visit.look.width)
            try picture.write(to: URL(filePath: "\(pictures)/\(name)-\(visit.look.name).png"))
        }
    }
}
