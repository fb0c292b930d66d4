import ProxyManagement

/// `/admin/projects`: the list, and a new one.
enum ProjectsPage {
    static let routes = [
        PageRoute("GET", "projects", list),
        PageRoute("GET", "projects/new") { $0.newProject(nil, nil) },
        PageRoute("POST", "projects/new", create),
    ]

    private static func list(_ context: PageContext) async -> PageAnswer {
        let query = context.query
        let filters = query.given(["search", "active", "sort", "order"])
        let answer = await context.api.get(
            "/manage/projects", [("limit", "50")] + filters + query.given(["cursor"]))
        if let fault = answer.fault, answer.status != 400 { return context.failure(fault, in: .projects) }
        let rows = answer.document.items.map { row(of: $0) }
        var view: View = [
            "rows": rows, "hasRows": !rows.isEmpty, "isFiltered": !filters.isEmpty, "search": query["search"],
            "states": FieldValues.options(
                [("", "all"), ("true", "active"), ("false", "deactivated")], chosen: query["active"]),
            "sorts": FieldValues.options([("created_at", "creation"), ("name", "name")], chosen: query["sort"]),
            "orders": FieldValues.options([("asc", "ascending"), ("desc", "descending")], chosen: query["order"]),
            "pager": Pager.view("/admin/projects", filters, cursor: query["cursor"], next: answer.nextCursor),
        ]
        view["fault"] = answer.fault?.view
        return context.page("projects", "projects", "Projects", in: .projects, view)
    }

    private static func row(of project: Document) -> View {
        let budget = project["budget"]
        var row: View = [
            "id": project["id"].plain, "name": project["name"].plain, "provider": project["provider"].plain,
            "keyHint": project["api_key"].plain, "isActive": project["is_active"].isTrue,
            "createdHTML": Shown.timeMarkup(project["created_at"]), "budgetText": "no budget",
        ]
        if !budget.isNull {
            let spent = Shown.money(budget["spent_usd"].number)
            row["budgetText"] = "\(spent) of \(Shown.money(project["limits"]["budget_usd"].number))"
        }
        return row
    }

    private static func create(_ context: PageContext) async -> PageAnswer {
        let form = context.form
        var members = FormFields.texts(
            form,
            ["name", "api_key", "provider", "base_url", "stream_usage", "client_leaves", "cache_scope", "cache_hits"])
        members += FormFields.access(form)
        members.append(FormFields.limits(form))
        let answer = await context.api.send("POST", "/manage/projects", .object(members), once: form["once"])
        if let fault = answer.fault { return context.newProject(form, fault) }
        return context.done("/admin/projects/\(Percent.encoded(answer.document["id"].plain))", .projectCreated)
    }
}

extension PageContext {
    /// The form for a new project, with what was sent where that could not be done.
    fileprivate func newProject(_ kept: Form?, _ fault: Fault?) -> PageAnswer {
        let values = FieldValues(kept: kept)
        var view = values.access.merging(values.limits) { $1 }.merging(values.projectFields) { $1 }
        view["once"] = formName()
        view["fault"] = fault?.view
        return page(
            "project_new", "project-new", "New project", in: .projects, status: fault?.status ?? 200, view)
    }
}

extension FieldValues {
    /// What says where a project's requests go and how they are treated.
    var projectFields: View {
        [
            "name": text("name"), "provider": text("provider"), "baseURL": text("base_url"),
            "streamUsages": Self.options(
                [("estimate", "estimate it"), ("ask", "ask the provider for it")], chosen: text("stream_usage")),
            "clientLeaves": Self.options(
                [
                    ("bill", "count an estimate of what passed"), ("drain", "read on for the usage at its end"),
                    ("cancel", "count only what the provider said"),
                ], chosen: text("client_leaves")),
            "cacheScopes": Self.options(
                [("project", "only this project's"), ("shared", "those of all projects that say shared")],
                chosen: text("cache_scope")),
            "cacheHits": Self.options(
                [("count", "count against the cap"), ("free", "don't count")], chosen: text("cache_hits")),
        ]
    }
}
