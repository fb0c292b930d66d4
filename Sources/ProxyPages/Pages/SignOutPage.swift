/// `/admin/sign-out`: ends a session, or all of the same credential.
enum SignOutPage {
    static let routes = [
        PageRoute("POST", "sign-out") { await end($0, everywhere: false) },
        PageRoute("POST", "sign-out-everywhere") { await end($0, everywhere: true) },
    ]

    private static func end(_ context: PageContext, everywhere: Bool) async -> PageAnswer {
        guard await context.site.gate.end(context.session, everywhere: everywhere) else {
            return SignInPage.unavailable(context.site)
        }
        return PageAnswer.seeOther("/admin/sign-in?signed-out=1")
            .with("Set-Cookie", Cookies.clearing(.session, for: context.request))
    }
}
