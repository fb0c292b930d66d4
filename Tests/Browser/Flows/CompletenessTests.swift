import ProxyManagement
import Testing

extension AdminPageTests {
    /// Nothing that can be done is left to the API alone.
    @Suite struct CompletenessTests {
        @Test func everyActionOfTheAPIHasAForm() async throws {
            let wanted = Set(
                Management.routes.filter { $0.method != "GET" && $0.pathTemplate.hasPrefix("/manage/") }
                    .map { "\($0.method) \($0.pathTemplate)" })
            let site = try #require(LendsBrowsers.bench).site
            let furnished = try await Furnished.furnish(site)
            let visitor = try await Visitor.signedIn(at: site)
            var found: Set<String> = []
            for (_, path) in furnished.pages { found.formUnion(Visitor.actions(in: try await visitor.get(path).text)) }
            let named = found.filter { $0.contains(" /manage/") && !$0.hasPrefix("GET ") }
            #expect(wanted.subtracting(named).isEmpty, "actions without a form")
            #expect(Set(named).subtracting(wanted).isEmpty, "forms for no action")
        }

        /// The pages are a client of the API: what a link leads to is a page.
        @Test func everyLinkLeadsToAPage() async throws {
            let site = try #require(LendsBrowsers.bench).site
            let furnished = try await Furnished.furnish(site)
            let visitor = try await Visitor.signedIn(at: site)
            var (left, seen) = (furnished.pages.map(\.path).filter { $0 != "/admin/no-such-page" }, Set<String>())
            while let path = left.popLast(), seen.count < 150 {
                guard seen.insert(path).inserted else { continue }
                let answer = try await visitor.get(path)
                #expect(answer.status == 200, "\(path)")
                guard answer["Content-Type"]?.hasPrefix("text/html") == true else { continue }
                left += Visitor.links(in: answer.text).filter { !seen.contains($0) }
            }
            #expect(seen.count > furnished.pages.count)
        }
    }
}
