import NIOCore
import ProxyDomain
public import ProxyManagement

/// The admin pages: HTML at `/admin/`, a client of the management API within the process.
///
/// Holds no state but the dashboard's last samples; safe from any task.
public final class AdminPages: Sendable {
    private let site: Site
    private let router = PageRouter(AdminPages.routes)

    /// - Throws: when the time-outs of sessions can't be kept.
    public init(_ dependencies: PageDependencies) throws(PageError) {
        guard dependencies.idleTimeout > .zero, dependencies.idleTimeout <= dependencies.absoluteTimeout else {
            throw .unusableTimeouts
        }
        site = Site(dependencies)
    }

    /// Every page of those who have signed in.
    private static let routes: [PageRoute] = [
        DashboardPage.routes, ProjectsPage.routes, ProjectPage.routes, UpstreamPage.routes, TokensPage.routes,
        TokenPage.routes, UsagePage.routes, RequestsPage.routes, AuditPage.routes, DatabasePage.routes,
        CachePage.routes, AccessPage.routes, ClaimsPage.routes, SignOutPage.routes,
    ].flatMap { $0 }

    /// Whether a request is for a page.
    public static func serves(_ request: ManagementRequest) -> Bool {
        request.target == "/admin" || request.target.hasPrefix("/admin/") || request.target.hasPrefix("/admin?")
    }

    /// Answers everything at `/admin` and below. Never fails: what goes wrong is a page too.
    public func respond(to request: ManagementRequest) async -> ManagementResponse {
        let answer = await answer(to: request)
        var fields = answer.fields
        for field in Self.protection where !fields.contains(where: { $0.name == field.name }) { fields.append(field) }
        return ManagementResponse(
            status: answer.status, fields: fields, body: request.method == "HEAD" ? ByteBuffer() : answer.body,
            contentLength: [204, 304].contains(answer.status) ? nil : answer.body.readableBytes)
    }

    /// Nothing from elsewhere, nothing inline, in nobody's frame.
    private static let protection: [(name: String, value: String)] = [
        (
            "Content-Security-Policy",
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
                + "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
        ),
        ("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer"),
        ("Cross-Origin-Opener-Policy", "same-origin"), ("Cache-Control", "no-store"),
    ]

    private func answer(to request: ManagementRequest) async -> PageAnswer {
        guard request.path != "/admin" else { return .moved(to: "/admin/") }
        let segments = request.path.split(separator: "/").dropFirst().map { Percent.decoded($0) }
        if segments.count == 2, segments[0] == "assets" { return AssetsPage.show(segments[1], request) }
        if segments == ["sign-in"] { return await SignInPage(site: site).answer(to: request) }
        let isUse = segments != ["events"]
        switch await site.gate.judge(request, isUse: isUse) {
        case .signedIn(let session): return await answer(to: request, at: segments, session)
        case .unavailable: return SignInPage.unavailable(site)
        case .signedOut(let reason):
            return isUse ? SignInPage.redirect(from: request, because: reason) : PageAnswer(status: 401)
        }
    }

    private func answer(to request: ManagementRequest, at segments: [String], _ session: SignedIn) async -> PageAnswer {
        let isForm = request.method == "POST"
        let sent = isForm ? Self.form(of: request) : Form("")
        func context(_ identifier: String) -> PageContext {
            PageContext(
                site: site, request: request, session: session, identifier: identifier, query: Form(request.query),
                form: sent ?? Form(""), now: site.dependencies.now())
        }
        guard let form = sent else { return context("").failure(.unreadableForm, in: .dashboard) }
        switch router.find(request.method, segments) {
        case .nothing: return context("").failure(.noSuchPage, in: .dashboard)
        case .otherMethod(let allowed):
            return context("").failure(.otherMethod, in: .dashboard).with("Allow", allowed.joined(separator: ", "))
        case .page(let route, let identifier):
            if isForm, !CrossSite.isOurs(request, form, session.formToken) {
                return context("").failure(.foreignForm, in: .dashboard)
            }
            return await route.handler(context(identifier))
        }
    }

    /// What a form holds; nothing for what is none, or too long.
    static func form(of request: ManagementRequest) -> Form? {
        let type = request.values(of: "content-type").first?.prefix { $0 != ";" }.lowercased()
        guard type?.filter({ $0 != " " }) == "application/x-www-form-urlencoded",
            request.body.readableBytes <= Management.maximumBodyBytes
        else { return nil }
        return Form(String(decoding: request.body.readableBytesView, as: UTF8.self))
    }
}
