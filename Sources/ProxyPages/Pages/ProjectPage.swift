import ProxyDomain
import ProxyManagement

/// `/admin/projects/{id}`: one project with everything that can be done to it.
enum ProjectPage {
    static let routes = [
        PageRoute("GET", "projects/{id}") { await show($0) },
        PageRoute("POST", "projects/{id}/edit", edit),
        PageRoute("POST", "projects/{id}/limits", limits),
        PageRoute("POST", "projects/{id}/key", rotateKey),
        PageRoute("POST", "projects/{id}/activate") { await setActive(true, $0) },
        PageRoute("POST", "projects/{id}/deactivate") { await setActive(false, $0) },
        PageRoute("POST", "projects/{id}/revoke-tokens", revokeTokens),
        PageRoute("POST", "projects/{id}/upstreams", addUpstream),
    ]

    /// The forms of the page: the one that could not be done shows why.
    private enum Part: String {
        case edit
        case limits
        case key
        case active
        case revoke
        case upstream
    }

    private static func show(_ context: PageContext, _ part: Part? = nil, _ fault: Fault? = nil) async -> PageAnswer {
        let answer = await context.api.get(context.target("/manage/projects"))
        if let missing = answer.fault { return context.failure(missing, in: .projects) }
        let project = answer.document
        let id = project["id"].plain
        func kept(_ wanted: Part) -> Form? { part == wanted ? context.form : nil }
        var view = FieldValues(project, kept: kept(.edit)).projectFields
        view.merge(FieldValues(project, kept: kept(.edit)).access) { $1 }
        view.merge(FieldValues(project, kept: kept(.limits)).limits) { $1 }
        view.merge(facts(of: project)) { $1 }
        view["etag"] = part == nil ? answer.entityTag : context.form.raw("etag")
        view["once"] = context.formName()
        view["selfPath"] = context.target("/admin/projects")
        view["newUpstream"] = FieldValues(kept: kept(.upstream)).upstreamFields
        if let part, let fault {
            view["\(part.rawValue)Fault"] = fault.view
            view["\(part.rawValue)Open"] = true
        }
        let upstreams = await context.api.get("/manage/upstreams", [("project_id", id), ("limit", "200")])
        view["upstreams"] = upstreams.document.items.map { UpstreamPage.facts(of: $0) }
        let tokens = await context.api.get("/manage/tokens", [("project_id", id), ("limit", "10"), ("active", "true")])
        view["tokens"] = tokens.document.items.map { TokensPage.row(of: $0, project: "") }
        view["hasTokens"] = !tokens.document.items.isEmpty
        let title = project["name"].plain
        return context.page("project", "project", title, in: .projects, status: fault?.status ?? 200, view)
    }

    private static func facts(of project: Document) -> View {
        var view: View = [
            "id": project["id"].plain, "title": project["name"].plain, "keyHint": project["api_key"].plain,
            "isActive": project["is_active"].isTrue, "createdHTML": Shown.timeMarkup(project["created_at"]),
            "updatedHTML": Shown.timeMarkup(project["updated_at"]),
            "deactivatedHTML": Shown.timeMarkup(project["deactivated_at"]),
            "currentProvider": project["provider"].plain,
        ]
        view["budget"] = LimitUses.budget(project, "All its tokens together", figure: "budget_spent")
        return view
    }

    /// Changes the project, as its state is known to whoever sent the form.
    private static func patch(
        _ context: PageContext, _ part: Part, _ members: [(String, JSONValue)], _ notice: Notice
    ) async -> PageAnswer {
        let answer = await context.api.send(
            "PATCH", context.target("/manage/projects"), .object(members), ifMatch: context.form.raw("etag"))
        if let fault = answer.fault { return await show(context, part, fault) }
        return context.done(context.target("/admin/projects"), notice)
    }

    private static func edit(_ context: PageContext) async -> PageAnswer {
        let form = context.form
        var members: [(String, JSONValue)] = [
            ("name", .string(form["name"])), ("base_url", .string(form["base_url"])),
        ]
        members += FormFields.texts(
            form, ["provider", "stream_usage", "client_leaves", "cache_scope", "cache_hits"])
        members += FormFields.access(form)
        return await patch(context, .edit, members, .projectChanged)
    }

    private static func limits(_ context: PageContext) async -> PageAnswer {
        await patch(context, .limits, [FormFields.limits(context.form)], .projectChanged)
    }

    private static func rotateKey(_ context: PageContext) async -> PageAnswer {
        await patch(context, .key, [("api_key", .string(context.form["api_key"]))], .keyRotated)
    }

    private static func setActive(_ isActive: Bool, _ context: PageContext) async -> PageAnswer {
        var members: [(String, JSONValue)] = [("is_active", .bool(isActive))]
        if context.form.has("revoke_tokens") { members.append(("revoke_tokens", .bool(true))) }
        return await patch(context, .active, members, isActive ? .projectActivated : .projectDeactivated)
    }

    private static func revokeTokens(_ context: PageContext) async -> PageAnswer {
        let answer = await context.api.send("POST", context.target("/manage/projects", "/tokens/revoke"))
        if let fault = answer.fault { return await show(context, .revoke, fault) }
        return context.done(context.target("/admin/projects"), .tokensRevoked)
    }

    private static func addUpstream(_ context: PageContext) async -> PageAnswer {
        let members = [("project_id", JSONValue.string(context.identifier))] + UpstreamPage.members(context.form)
        let answer = await context.api.send(
            "POST", "/manage/upstreams", .object(members), once: context.form["once"])
        if let fault = answer.fault { return await show(context, .upstream, fault) }
        return context.done(context.target("/admin/projects"), .upstreamAdded)
    }
}
