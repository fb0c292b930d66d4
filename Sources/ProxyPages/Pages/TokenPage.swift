import ProxyManagement

/// `/admin/tokens/{id}`: one token with everything that can be done to it, and its latest requests.
enum TokenPage {
    static let routes = [
        PageRoute("GET", "tokens/{id}") { await show($0) },
        PageRoute("POST", "tokens/{id}/edit", edit),
        PageRoute("POST", "tokens/{id}/limits", limits),
        PageRoute("POST", "tokens/{id}/revoke", revoke),
        PageRoute("POST", "tokens/{id}/reactivate", reactivate),
    ]

    /// The forms of the page: the one that could not be done shows why.
    private enum Part: String {
        case edit
        case limits
        case active
    }

    private static func show(_ context: PageContext, _ part: Part? = nil, _ fault: Fault? = nil) async -> PageAnswer {
        let answer = await context.api.get(context.target("/manage/tokens"))
        if let missing = answer.fault { return context.failure(missing, in: .tokens) }
        let token = answer.document
        let projectID = token["project_id"].plain
        let project = await context.api.get("/manage/projects/\(Percent.encoded(projectID))")
        var view = TokensPage.row(of: token, project: project.document["name"].plain)
        view.merge(facts(of: token)) { $1 }
        view.merge(uses(of: token, in: project.document)) { $1 }
        let edited = FieldValues(token, kept: part == .edit ? context.form : nil)
        let limited = FieldValues(token, kept: part == .limits ? context.form : nil)
        view.merge(edited.access) { $1 }
        view.merge(limited.limits) { $1 }
        view["fieldName"] = edited.text("name")
        view["expiresAt"] = edited.kept?.raw("expires_at") ?? Shown.field(token["expires_at"])
        view["lifetimes"] = FieldValues.options(
            [("keep", "leave as it is"), ("never", "never"), ("at", "at the instant below")],
            chosen: edited.kept?["lifetime"] ?? "keep")
        view["selfPath"] = context.target("/admin/tokens")
        view["maxRequests"] = limited.text("max_requests")
        view["etag"] = part == nil ? answer.entityTag : context.form.raw("etag")
        if let part, let fault {
            view["\(part.rawValue)Fault"] = fault.view
            view["\(part.rawValue)Open"] = true
        }
        let id = token["id"].plain
        let requests = await context.api.get(
            "/manage/requests", [("token_id", id), ("order", "desc"), ("limit", "20")])
        view["requests"] = requests.document.items.map { RequestsPage.row(of: $0) }
        view["hasRequests"] = !requests.document.items.isEmpty
        return context.page(
            "token", "token", "Token \(token["name"].plain)", in: .tokens, status: fault?.status ?? 200, view)
    }

    private static func facts(of token: Document) -> View {
        [
            "isRevoked": !token["revoked_at"].isNull, "revokedHTML": Shown.timeMarkup(token["revoked_at"]),
            "promptText": Shown.grouped(token["prompt_tokens"].whole),
            "completionText": Shown.grouped(token["completion_tokens"].whole),
            "cacheHitText": Shown.grouped(token["cache_hit_count"].whole),
            "shadowText": Shown.grouped(token["shadow_refusal_count"].whole),
        ]
    }

    /// What is used of its limits: all in a list, and each beside its field.
    private static func uses(of token: Document, in project: Document) -> View {
        let uses = LimitUses(of: token, in: project)
        var view: View = ["uses": uses.all, "hasUses": !uses.all.isEmpty]
        view["capUse"] = uses.cap
        view["requestUse"] = uses.requests
        view["tokenUse"] = uses.tokens
        view["budgetUse"] = uses.budget
        return view
    }

    private static func patch(
        _ context: PageContext, _ part: Part, _ members: [(String, JSONValue)], _ notice: Notice
    ) async -> PageAnswer {
        let answer = await context.api.send(
            "PATCH", context.target("/manage/tokens"), .object(members), ifMatch: context.form.raw("etag"))
        if let fault = answer.fault { return await show(context, part, fault) }
        return context.done(context.target("/admin/tokens"), notice)
    }

    private static func edit(_ context: PageContext) async -> PageAnswer {
        let members =
            [("name", JSONValue.string(context.form["name"]))] + FormFields.expiry(context.form)
            + FormFields.access(context.form)
        return await patch(context, .edit, members, .tokenChanged)
    }

    private static func limits(_ context: PageContext) async -> PageAnswer {
        let cap = context.form["max_requests"]
        let members = [
            ("max_requests", FormFields.number(cap.isEmpty ? "0" : cap)), FormFields.limits(context.form),
        ]
        return await patch(context, .limits, members, .tokenChanged)
    }

    private static func reactivate(_ context: PageContext) async -> PageAnswer {
        await patch(context, .active, [("is_active", .bool(true))], .tokenReactivated)
    }

    private static func revoke(_ context: PageContext) async -> PageAnswer {
        let answer = await context.api.send("DELETE", context.target("/manage/tokens"))
        if let fault = answer.fault { return await show(context, .active, fault) }
        return context.done(context.target("/admin/tokens"), .tokenRevoked)
    }
}
