import ProxyManagement

/// `/admin/claims`: what the last load and conformance runs found.
enum ClaimsPage {
    static let routes = [PageRoute("GET", "claims", show)]

    private static func show(_ context: PageContext) async -> PageAnswer {
        let answer = await context.api.get("/manage/reports")
        if let fault = answer.fault { return context.failure(fault, in: .claims) }
        var view: View = [:]
        view["claimsHTML"] = answer.document["claims"].words.map { Markdown.markup(of: $0) }
        view["conformanceHTML"] = answer.document["conformance"].words.map { Markdown.markup(of: $0) }
        return context.page("claims", "claims", "Claims", in: .claims, view)
    }
}
