import ProxyManagement

/// `/admin/tokens`: the list, and a new one.
enum TokensPage {
    static let routes = [
        PageRoute("GET", "tokens", list),
        PageRoute("GET", "tokens/new") { await newToken($0) },
        PageRoute("POST", "tokens/new", create),
    ]

    private static let sorts = [
        ("created_at", "creation"), ("name", "name"), ("request_count", "requests"), ("cost", "cost"),
        ("last_used_at", "last use"),
    ]

    private static func list(_ context: PageContext) async -> PageAnswer {
        let query = context.query
        let filters = query.given(["search", "project_id", "active", "sort", "order"])
        let answer = await context.api.get("/manage/tokens", [("limit", "50")] + filters + query.given(["cursor"]))
        if let fault = answer.fault, answer.status != 400 { return context.failure(fault, in: .tokens) }
        let projects = await ProjectDirectory(context.api)
        let rows = answer.document.items.map { row(of: $0, project: projects.name(of: $0["project_id"].plain)) }
        var view: View = [
            "rows": rows, "hasRows": !rows.isEmpty, "isFiltered": !filters.isEmpty, "search": query["search"],
            "projects": projects.options(chosen: query["project_id"]),
            "sorts": FieldValues.options(sorts, chosen: query["sort"]),
            "states": FieldValues.options(
                [("", "all"), ("true", "active"), ("false", "revoked or expired")], chosen: query["active"]),
            "orders": FieldValues.options([("asc", "ascending"), ("desc", "descending")], chosen: query["order"]),
            "pager": Pager.view("/admin/tokens", filters, cursor: query["cursor"], next: answer.nextCursor),
        ]
        view["fault"] = answer.fault?.view
        return context.page("tokens", "tokens", "Tokens", in: .tokens, view)
    }

    /// A token as lists show it.
    static func row(of token: Document, project: String) -> View {
        let (count, cap) = (token["request_count"].whole, token["max_requests"].whole)
        let given = token["name"].plain
        let name = given.isEmpty ? "(no name)" : given
        let capText = cap > 0 ? Shown.grouped(cap) : "no cap"
        return [
            "id": token["id"].plain, "name": name, "hint": token["token"].plain,
            "projectID": token["project_id"].plain, "projectName": project, "isActive": token["is_active"].isTrue,
            "state": state(of: token), "requestText": Shown.grouped(count),
            "capText": capText, "costText": Shown.money(token["cost_usd"].number),
            "lastUsedHTML": Shown.timeMarkup(token["last_used_at"], otherwise: "never"),
            "expiresHTML": Shown.timeMarkup(token["expires_at"], otherwise: "never"),
            "createdHTML": Shown.timeMarkup(token["created_at"]),
        ]
    }

    /// In a word, why it can or can't be used.
    static func state(of token: Document) -> String {
        if !token["revoked_at"].isNull { return "revoked" }
        guard token["is_active"].isTrue else { return "expired" }
        return token["consumption"]["max_requests"]["remaining"].number == 0 ? "used up" : "active"
    }

    private static let lifetimes = [
        ("60", "1 hour"), ("1440", "1 day"), ("10080", "7 days"), ("43200", "30 days"), ("129600", "90 days"),
        ("525600", "1 year"), ("never", "never"), ("at", "at the instant below"),
    ]

    private static func newToken(_ context: PageContext, _ fault: Fault? = nil) async -> PageAnswer {
        let kept = fault == nil ? nil : context.form
        let values = FieldValues(kept: kept)
        let chosen = kept?["project_id"] ?? context.query["project_id"]
        let projects = await ProjectDirectory(context.api)
        var view = values.access.merging(values.limits) { $1 }
        view["name"] = values.text("name")
        view["maxRequests"] = values.text("max_requests")
        view["expiresAt"] = values.text("expires_at")
        view["lifetimes"] = FieldValues.options(lifetimes, chosen: values.text("lifetime", otherwise: "43200"))
        view["projects"] = projects.options(chosen: chosen)
        view["hasProjects"] = !projects.projects.isEmpty
        view["isPartial"] = projects.isPartial
        view["chosenProject"] = chosen
        view["once"] = context.formName()
        view["fault"] = fault?.view
        return context.page("token_new", "token-new", "New token", in: .tokens, status: fault?.status ?? 200, view)
    }

    private static func create(_ context: PageContext) async -> PageAnswer {
        let form = context.form
        var members = FormFields.texts(form, ["project_id", "name"])
        members += FormFields.expiry(form) + FormFields.access(form)
        if !form["max_requests"].isEmpty { members.append(("max_requests", FormFields.number(form["max_requests"]))) }
        members.append(FormFields.limits(form))
        let answer = await context.api.send("POST", "/manage/tokens", .object(members), once: form["once"])
        if let fault = answer.fault { return await newToken(context, fault) }
        let token = answer.document
        // A reload sends the form again, is answered as before, and shows nothing twice.
        guard !answer.isReplayed else {
            return context.done("/admin/tokens/\(Percent.encoded(token["id"].plain))", .shownOnce)
        }
        var view: View = [
            "id": token["id"].plain, "secret": token["token"].plain, "origin": context.origin,
            "model": model(for: token), "expiresHTML": Shown.timeMarkup(token["expires_at"], otherwise: "never"),
        ]
        view["name"] = token["name"].plain.isEmpty ? nil : token["name"].plain
        return context.page("token_created", "token-created", "Token created", in: .tokens, view)
    }

    /// A model that the snippets ask for: the first that the token allows, where its name means nothing to a shell.
    private static func model(for token: Document) -> String {
        token["allowed_models"].names.first { name in
            name.unicodeScalars.allSatisfy { scalar in
                scalar.isASCII && (scalar.properties.isAlphabetic || "0123456789-_.:/".unicodeScalars.contains(scalar))
            }
        } ?? "gpt-4o-mini"
    }
}
