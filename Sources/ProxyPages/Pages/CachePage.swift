import ProxyManagement

/// `/admin/cache`: forgets answers that would be given again.
enum CachePage {
    static let routes = [PageRoute("GET", "cache") { await show($0, nil) }, PageRoute("POST", "cache/purge", purge)]

    private static func show(
        _ context: PageContext, _ fault: Fault?, deleted: Int64? = nil
    ) async -> PageAnswer {
        // A form that was done is shown empty again.
        let form = fault == nil ? Form("") : context.form
        let projects = await ProjectDirectory(context.api)
        var view: View = [
            "projects": projects.options(chosen: form["project_id"]), "url": form["url"],
            "isPrefix": form.has("prefix"),
            "methods": FieldValues.options(["GET", "HEAD", "POST"], chosen: form["method"]),
        ]
        view["fault"] = fault?.view
        view["deletedText"] = deleted.map { Shown.grouped($0) }
        return context.page("cache", "cache", "Cache", in: .cache, status: fault?.status ?? 200, view)
    }

    private static func purge(_ context: PageContext) async -> PageAnswer {
        let form = context.form
        var members = FormFields.texts(form, ["project_id", "method", "url"])
        if form.has("prefix") { members.append(("prefix", .bool(true))) }
        if form.has("all") { members = [("all", .bool(true))] }
        let answer = await context.api.send("POST", "/manage/cache/purge", .object(members))
        if let fault = answer.fault { return await show(context, fault) }
        return await show(context, nil, deleted: answer.document["deleted"].whole)
    }
}
