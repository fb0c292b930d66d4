import ProxyManagement

/// `/admin/upstreams/{id}`: one further way of a project's requests.
enum UpstreamPage {
    static let routes = [
        PageRoute("GET", "upstreams/{id}") { await show($0) },
        PageRoute("POST", "upstreams/{id}/edit", edit),
        PageRoute("POST", "upstreams/{id}/remove", remove),
    ]

    static func facts(of upstream: Document) -> View {
        [
            "upstreamID": upstream["id"].plain, "upstreamProvider": upstream["provider"].plain,
            "upstreamKey": upstream["api_key"].plain,
            "upstreamAddress": upstream["base_url"].words ?? "the usual address",
            "upstreamPriority": upstream["priority"].plain, "upstreamWeight": upstream["weight"].plain,
            "upstreamActive": upstream["is_active"].isTrue, "projectID": upstream["project_id"].plain,
            "createdHTML": Shown.timeMarkup(upstream["created_at"]),
            "updatedHTML": Shown.timeMarkup(upstream["updated_at"]),
        ]
    }

    /// The fields that a new one and a change share.
    static func members(_ form: Form) -> [(String, JSONValue)] {
        var members = FormFields.texts(form, ["provider", "api_key", "base_url"])
        for name in ["priority", "weight"] where !form[name].isEmpty {
            members.append((name, FormFields.number(form[name])))
        }
        return members
    }

    private static func show(_ context: PageContext, edited: Fault? = nil, removed: Fault? = nil) async -> PageAnswer {
        let answer = await context.api.get(context.target("/manage/upstreams"))
        if let missing = answer.fault { return context.failure(missing, in: .projects) }
        let values = FieldValues(answer.document, kept: edited == nil ? nil : context.form)
        var view = facts(of: answer.document).merging(values.upstreamFields) { $1 }
        view["etag"] = edited == nil ? answer.entityTag : context.form.raw("etag")
        view["id"] = answer.document["id"].plain
        view["fieldActive"] = values.kept.map { $0.has("is_active") } ?? answer.document["is_active"].isTrue
        view["selfPath"] = context.target("/admin/upstreams")
        view["editFault"] = edited?.view
        view["removeFault"] = removed?.view
        return context.page(
            "upstream", "upstream", "Upstream", in: .projects, status: (edited ?? removed)?.status ?? 200, view)
    }

    private static func edit(_ context: PageContext) async -> PageAnswer {
        var members = members(context.form)
        if context.form["base_url"].isEmpty { members.append(("base_url", .string(""))) }
        members.append(("is_active", .bool(context.form.has("is_active"))))
        let answer = await context.api.send(
            "PATCH", context.target("/manage/upstreams"), .object(members), ifMatch: context.form.raw("etag"))
        if let fault = answer.fault { return await show(context, edited: fault) }
        return context.done(context.target("/admin/upstreams"), .upstreamChanged)
    }

    private static func remove(_ context: PageContext) async -> PageAnswer {
        let known = await context.api.get(context.target("/manage/upstreams"))
        let answer = await context.api.send("DELETE", context.target("/manage/upstreams"))
        if let fault = answer.fault { return await show(context, removed: fault) }
        return context.done(
            "/admin/projects/\(Percent.encoded(known.document["project_id"].plain))", .upstreamRemoved)
    }
}

extension FieldValues {
    /// The fields of an upstream. A key is never shown again, not even one that was just typed.
    var upstreamFields: View {
        [
            "fieldProvider": text("provider"), "fieldBaseURL": text("base_url"),
            "fieldPriority": text("priority", otherwise: "1"), "fieldWeight": text("weight", otherwise: "100"),
        ]
    }
}
