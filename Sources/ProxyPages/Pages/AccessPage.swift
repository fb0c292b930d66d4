import ProxyManagement

/// `/admin/access`: who may administer, by management tokens of their own.
enum AccessPage {
    static let routes = [
        PageRoute("GET", "access") { await show($0, nil) }, PageRoute("POST", "access", create),
        PageRoute("POST", "access/{id}/revoke", revoke),
    ]

    private static let roles = [
        ("viewer", "viewer: sees everything but the audit and who has access"),
        ("operator", "operator: also issues and revokes tokens, purges, verifies, reads the audit"),
        ("admin", "admin: everything"),
    ]

    private static func show(_ context: PageContext, _ fault: Fault?, ofRevocation: Bool = false) async -> PageAnswer {
        let answer = await context.api.get(
            "/manage/management-tokens", [("limit", "100")] + context.query.given(["cursor"]))
        if let missing = answer.fault { return context.failure(missing, in: .access) }
        let values = FieldValues(kept: fault == nil || ofRevocation ? nil : context.form)
        let rows = answer.document.items.map { row(of: $0) }
        var view: View = [
            "rows": rows, "hasRows": !rows.isEmpty, "fieldName": values.text("name"),
            "expiresAt": values.text("expires_at"), "once": context.formName(),
            "roles": FieldValues.options(roles, chosen: values.text("role", otherwise: "viewer")),
            "pager": Pager.view(
                "/admin/access", [], cursor: context.query["cursor"], next: answer.nextCursor),
        ]
        view[ofRevocation ? "revokeFault" : "fault"] = fault?.view
        return context.page("access", "access", "Access", in: .access, status: fault?.status ?? 200, view)
    }

    private static func row(of token: Document) -> View {
        let isActive = token["is_active"].isTrue
        let ending = token["revoked_at"].isNull ? "expired" : "revoked"
        return [
            "tokenID": token["id"].plain, "tokenName": token["name"].plain, "tokenHint": token["token"].plain,
            "tokenRole": token["role"].plain, "isActive": isActive,
            "state": isActive ? "active" : ending,
            "createdHTML": Shown.timeMarkup(token["created_at"]),
            "expiresHTML": Shown.timeMarkup(token["expires_at"], otherwise: "never"),
        ]
    }

    private static func create(_ context: PageContext) async -> PageAnswer {
        let form = context.form
        var members = FormFields.texts(form, ["name", "role"])
        if !form["expires_at"].isEmpty {
            members.append(("expires_at", .string(Shown.instant(ofField: form["expires_at"]))))
        }
        let answer = await context.api.send(
            "POST", "/manage/management-tokens", .object(members), once: form["once"])
        if let fault = answer.fault { return await show(context, fault) }
        // A reload sends the form again, is answered as before, and shows nothing twice.
        guard !answer.isReplayed else { return context.done("/admin/access", .shownOnce) }
        let view: View = [
            "secret": answer.document["token"].plain, "name": answer.document["name"].plain,
            "role": answer.document["role"].plain, "origin": context.origin,
            "expiresHTML": Shown.timeMarkup(answer.document["expires_at"], otherwise: "never"),
        ]
        return context.page("access_created", "access-created", "Management token created", in: .access, view)
    }

    private static func revoke(_ context: PageContext) async -> PageAnswer {
        let answer = await context.api.send("DELETE", context.target("/manage/management-tokens"))
        if let fault = answer.fault { return await show(context, fault, ofRevocation: true) }
        return context.done("/admin/access", .accessRevoked)
    }
}
