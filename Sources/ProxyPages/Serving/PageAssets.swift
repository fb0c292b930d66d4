/// The files that the program carries, by the names under which they are asked for.
enum PageAssets {
    struct Asset: Sendable {
        let type: String
        let bytes: [UInt8]
    }

    static func asset(_ name: String) -> Asset? {
        switch name {
        case "admin.css": Asset(type: "text/css; charset=utf-8", bytes: PackageResources.admin_css)
        case "admin.js": Asset(type: "text/javascript; charset=utf-8", bytes: PackageResources.admin_js)
        case "live.js": Asset(type: "text/javascript; charset=utf-8", bytes: PackageResources.live_js)
        case "icon.svg": Asset(type: "image/svg+xml", bytes: PackageResources.icon_svg)
        default: nil
        }
    }

    /// Every template with its name.
    static func templates() -> [(name: String, bytes: [UInt8])] {
        [
            ("layout", PackageResources.layout_mustache), ("sign_in", PackageResources.sign_in_mustache),
            ("error", PackageResources.error_mustache), ("fault", PackageResources.fault_mustache),
            ("pager", PackageResources.pager_mustache), ("dashboard", PackageResources.dashboard_mustache),
            ("top", PackageResources.top_mustache), ("chart", PackageResources.chart_mustache),
            ("projects", PackageResources.projects_mustache), ("project_new", PackageResources.project_new_mustache),
            ("project_fields", PackageResources.project_fields_mustache),
            ("project", PackageResources.project_mustache), ("upstream", PackageResources.upstream_mustache),
            ("upstream_fields", PackageResources.upstream_fields_mustache),
            ("access_fields", PackageResources.access_fields_mustache),
            ("budget_fields", PackageResources.budget_fields_mustache),
            ("limit_use", PackageResources.limit_use_mustache), ("limit_now", PackageResources.limit_now_mustache),
            ("tokens", PackageResources.tokens_mustache), ("token_new", PackageResources.token_new_mustache),
            ("token_created", PackageResources.token_created_mustache), ("token", PackageResources.token_mustache),
            ("rate_fields", PackageResources.rate_fields_mustache), ("usage", PackageResources.usage_mustache),
            ("requests", PackageResources.requests_mustache),
            ("request_rows", PackageResources.request_rows_mustache),
            ("request", PackageResources.request_mustache), ("audit", PackageResources.audit_mustache),
            ("audit_event", PackageResources.audit_event_mustache),
            ("database", PackageResources.database_mustache), ("cache", PackageResources.cache_mustache),
            ("access", PackageResources.access_mustache),
            ("access_created", PackageResources.access_created_mustache),
            ("claims", PackageResources.claims_mustache),
        ]
    }
}
