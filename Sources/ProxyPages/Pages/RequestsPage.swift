import ProxyManagement

/// `/admin/requests`: single requests, and one with its course.
enum RequestsPage {
    static let routes = [PageRoute("GET", "requests", list), PageRoute("GET", "requests/{id}", show)]

    private static let outcomes = [
        "completed", "client_left", "upstream_unreachable", "upstream_reset", "upstream_timeout", "refused", "in_doubt",
    ]

    private static func list(_ context: PageContext) async -> PageAnswer {
        let query = context.query
        if query.has("id"), !query["id"].isEmpty {
            return .seeOther("/admin/requests/\(Percent.encoded(query["id"]))")
        }
        let filters = query.given(["project_id", "token_id", "model", "status", "outcome", "since", "until", "order"])
        var asked = filters.filter { !["since", "until", "order"].contains($0.0) }
        asked.append(("since", Shown.instant(ofField: query["since"])))
        asked.append(("until", Shown.instant(ofField: query["until"])))
        asked.append(("order", query["order"] == "asc" ? "asc" : "desc"))
        let answer = await context.api.get("/manage/requests", [("limit", "50")] + asked + query.given(["cursor"]))
        if let fault = answer.fault, answer.status != 400 { return context.failure(fault, in: .requests) }
        let projects = await ProjectDirectory(context.api)
        let rows = answer.document.items.map { row(of: $0) }
        var view: View = [
            "requests": rows, "hasRequests": !rows.isEmpty, "isFiltered": !filters.isEmpty,
            "projects": projects.options(chosen: query["project_id"]), "tokenID": query["token_id"],
            "model": query["model"], "status": query["status"], "since": Shown.field(ofText: query["since"]),
            "until": Shown.field(ofText: query["until"]),
            "outcomes": FieldValues.options(outcomes.map { ($0, words($0)) }, chosen: query["outcome"]),
            "orders": FieldValues.options(
                [("desc", "latest first"), ("asc", "earliest first")], chosen: query["order"]),
            "pager": Pager.view("/admin/requests", filters, cursor: query["cursor"], next: answer.nextCursor),
        ]
        view["fault"] = answer.fault?.view
        return context.page("requests", "requests", "Requests", in: .requests, view)
    }

    private static func words(_ name: String) -> String { name.split(separator: "_").joined(separator: " ") }

    /// A request as lists show it.
    static func row(of request: Document) -> View {
        let outcome = request["outcome"].words
        let status = request["status"].plain
        let used = request["prompt_tokens"].whole + request["completion_tokens"].whole
        let hasStatus = !status.isEmpty && status != "0"
        let statusText = hasStatus ? status : Shown.nothing
        let outcomeText = outcome.map { words($0) } ?? "under way"
        let tokensText = request["prompt_tokens"].isNull ? Shown.nothing : Shown.grouped(used)
        let modelText = request["model"].words ?? Shown.nothing
        return [
            "requestID": request["id"].plain, "shortID": Shown.short(request["id"].plain),
            "admittedHTML": Shown.timeMarkup(request["admitted_at"]), "method": request["method"].plain,
            "path": request["path"].plain, "modelText": modelText,
            "statusText": statusText,
            "outcomeText": outcomeText, "isBad": isBad(outcome, status),
            "durationText": Shown.microseconds(request["duration_us"]),
            "tokensText": tokensText,
            "costText": Shown.money(request["cost_usd"].number),
        ]
    }

    private static func isBad(_ outcome: String?, _ status: String) -> Bool {
        guard let outcome else { return false }
        return outcome != "completed" || status.hasPrefix("4") || status.hasPrefix("5")
    }

    private static func show(_ context: PageContext) async -> PageAnswer {
        let answer = await context.api.get(context.target("/manage/requests"))
        if let fault = answer.fault { return context.failure(fault, in: .requests) }
        let request = answer.document
        var view = row(of: request)
        for (name, path) in [("tokenName", "tokens"), ("projectName", "projects")] {
            let id = request[path == "tokens" ? "token_id" : "project_id"].plain
            let found = await context.api.get("/manage/\(path)/\(Percent.encoded(id))")
            let known = found.document["name"].plain
            view[name] = known.isEmpty ? Shown.short(id) : known
        }
        view.merge(facts(of: request)) { $1 }
        view["steps"] = RequestCourse.steps(of: request)
        view["courseHTML"] = RequestCourse.markup(of: request)
        view["attempts"] = attempts(of: request)
        view["hasAttempts"] = !request["attempts"].items.isEmpty
        return context.page("request", "request", "Request", in: .requests, view)
    }

    private static func facts(of request: Document) -> View {
        let sources = ["provider": "the provider", "estimate": "an estimate", "cache": "nobody: the cache answered"]
        func count(_ name: String) -> String {
            request[name].isNull ? Shown.nothing : Shown.grouped(request[name].whole)
        }
        let bytes = ["request_bytes", "response_bytes"].map { Shown.bytes(request[$0].number) }
        let source = sources[request["usage_source"].plain] ?? Shown.nothing
        return [
            "tokenID": request["token_id"].plain, "projectID": request["project_id"].plain,
            "promptText": count("prompt_tokens"), "completionText": count("completion_tokens"), "sourceText": source,
            "bytesText": "\(bytes[0]) from the client, \(bytes[1]) to it",
        ]
    }

    private static func attempts(of request: Document) -> [View] {
        let results = [
            "connect": "no connection", "reset": "closed before an answer", "timeout": "no answer in time",
            "none": "not known",
        ]
        var views: [View] = []
        for (place, attempt) in request["attempts"].items.enumerated() {
            let result = attempt["result"].plain
            var view: View = [
                "attemptNumber": "\(place + 1)", "attemptProvider": attempt["provider"].plain,
                "attemptResult": results[result] ?? "answered with \(result)",
            ]
            view["attemptUpstream"] = attempt["upstream_id"].words
            views.append(view)
        }
        return views
    }
}
