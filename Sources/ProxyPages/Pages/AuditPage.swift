import ProxyManagement

/// `/admin/audit`: who changed what, and who was not let.
enum AuditPage {
    static let routes = [PageRoute("GET", "audit", list), PageRoute("GET", "audit/{id}", show)]

    private static let fields = [
        "search", "action", "actor", "outcome", "client_ip", "project_id", "token_id", "request_id", "method", "path",
    ]

    private static func list(_ context: PageContext) async -> PageAnswer {
        let query = context.query
        let times = query.given(["start_time", "end_time"]).map { ($0.0, Shown.instant(ofField: $0.1)) }
        var asked = query.given(fields) + times
        if !query["metadata_name"].isEmpty {
            asked.append(("metadata.\(query["metadata_name"])", query["metadata_value"]))
        }
        let filters = query.given(fields + ["start_time", "end_time", "metadata_name", "metadata_value"])
        let page = Int(query["page"]) ?? 1
        let answer = await context.api.get("/manage/audit", asked + [("page_size", "50"), ("page", "\(page)")])
        if let fault = answer.fault, answer.status != 400 { return context.failure(fault, in: .audit) }
        let rows = answer.document["events"].items.map { row(of: $0) }
        var view: View = [:]
        for name in fields + ["metadata_name", "metadata_value"] { view["field_\(name)"] = query[name] }
        view["field_start_time"] = Shown.field(ofText: query["start_time"])
        view["field_end_time"] = Shown.field(ofText: query["end_time"])
        view["outcomes"] = FieldValues.options(["success", "refused"], chosen: query["outcome"])
        view["rows"] = rows
        view["hasRows"] = !rows.isEmpty
        view["isFiltered"] = !filters.isEmpty
        view["hasMoreFilters"] = !query.given(Array(fields.dropFirst(4)) + ["metadata_name"]).isEmpty
        view["fault"] = answer.fault?.view
        view["pager"] = pager(answer.document["pagination"], filters, page)
        return context.page("audit", "audit", "Audit", in: .audit, view)
    }

    private static func pager(_ pagination: Document, _ filters: [(String, String)], _ page: Int) -> View {
        var view: View = ["hasPager": pagination["has_next"].isTrue || page > 1]
        view["totalText"] = "\(Shown.grouped(pagination["total_count"].whole)) events"
        if page > 1 { view["firstPath"] = Percent.target("/admin/audit", filters) }
        if pagination["has_next"].isTrue {
            view["nextPath"] = Percent.target("/admin/audit", filters + [("page", "\(page + 1)")])
        }
        return view
    }

    private static func row(of event: Document) -> View {
        var view: View = [
            "eventID": event["id"].plain, "atHTML": Shown.timeMarkup(event["timestamp"]),
            "action": event["action"].plain, "actor": event["actor"].plain, "outcome": event["outcome"].plain,
            "isBad": event["outcome"].plain != "success", "method": event["method"].plain,
            "path": event["path"].plain, "address": event["client_ip"].plain,
            "requestName": event["request_id"].plain,
        ]
        view["eventProject"] = event["project_id"].words
        view["eventToken"] = event["token_id"].words
        view["correlation"] = event["correlation_id"].words
        view["metadata"] = event["metadata"].members.map {
            ["metaName": $0.name, "metaValue": $0.value.plain] as View
        }
        return view
    }

    private static func show(_ context: PageContext) async -> PageAnswer {
        let answer = await context.api.get(context.target("/manage/audit"))
        if let fault = answer.fault { return context.failure(fault, in: .audit) }
        return context.page("audit_event", "audit-event", "Audit event", in: .audit, row(of: answer.document))
    }
}
