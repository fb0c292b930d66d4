public import ProxyDomain

/// One route of the control plane, as `api/openapi.yaml` lists it. HEAD works wherever GET does.
public struct ManagementRoute: Hashable, Sendable {
    /// Who may call a route.
    public enum Authorisation: Hashable, Sendable {
        /// Anyone who reaches the port.
        case open
        /// Holders of a management token of this role or a higher one; that of the settings is an admin's.
        case role(ManagementRole)
    }

    public let method: String
    /// The path, with `{id}` where an identifier stands.
    public let pathTemplate: String
    public let authorisation: Authorisation

    public init(_ method: String, _ pathTemplate: String, _ authorisation: Authorisation) {
        self.method = method
        self.pathTemplate = pathTemplate
        self.authorisation = authorisation
    }

    /// Whether `path` has the template's shape. Like the router, takes repeated and trailing slashes for one.
    func matches(_ path: some StringProtocol) -> Bool {
        let wanted = pathTemplate.split(separator: "/")
        let given = path.split(separator: "/")
        return wanted.count == given.count
            && zip(wanted, given).allSatisfy { $0.hasPrefix("{") || Array($0.utf8) == Array($1.utf8) }
    }
}

extension Management {
    /// Every route with who may call it, the metrics at their usual place.
    public static let routes = routes(metricsPath: "/metrics")

    /// Every route with who may call it, the metrics at `metricsPath`.
    static func routes(metricsPath: String) -> [ManagementRoute] {
        [
            ManagementRoute("GET", "/manage/projects", .role(.viewer)),
            ManagementRoute("POST", "/manage/projects", .role(.admin)),
            ManagementRoute("GET", "/manage/projects/{id}", .role(.viewer)),
            ManagementRoute("PATCH", "/manage/projects/{id}", .role(.admin)),
            ManagementRoute("POST", "/manage/projects/{id}/tokens/revoke", .role(.operator)),
            ManagementRoute("GET", "/manage/upstreams", .role(.viewer)),
            ManagementRoute("POST", "/manage/upstreams", .role(.admin)),
            ManagementRoute("GET", "/manage/upstreams/{id}", .role(.viewer)),
            ManagementRoute("PATCH", "/manage/upstreams/{id}", .role(.admin)),
            ManagementRoute("DELETE", "/manage/upstreams/{id}", .role(.admin)),
            ManagementRoute("GET", "/manage/tokens", .role(.viewer)),
            ManagementRoute("POST", "/manage/tokens", .role(.operator)),
            ManagementRoute("GET", "/manage/tokens/{id}", .role(.viewer)),
            ManagementRoute("PATCH", "/manage/tokens/{id}", .role(.operator)),
            ManagementRoute("DELETE", "/manage/tokens/{id}", .role(.operator)),
            ManagementRoute("POST", "/manage/cache/purge", .role(.operator)),
            ManagementRoute("GET", "/manage/requests", .role(.viewer)),
            ManagementRoute("GET", "/manage/requests/{id}", .role(.viewer)),
            ManagementRoute("GET", "/manage/usage", .role(.viewer)),
            ManagementRoute("GET", "/manage/database", .role(.viewer)),
            ManagementRoute("POST", "/manage/database/verify", .role(.operator)),
            ManagementRoute("GET", "/manage/reports", .role(.viewer)),
            ManagementRoute("GET", "/manage/audit", .role(.operator)),
            ManagementRoute("GET", "/manage/audit/{id}", .role(.operator)),
            ManagementRoute("GET", "/manage/management-tokens", .role(.admin)),
            ManagementRoute("POST", "/manage/management-tokens", .role(.admin)),
            ManagementRoute("DELETE", "/manage/management-tokens/{id}", .role(.admin)),
            ManagementRoute("GET", "/manage/whoami", .role(.viewer)),
            ManagementRoute("GET", "/health", .open),
            ManagementRoute("GET", "/live", .open),
            ManagementRoute("GET", "/ready", .open),
            ManagementRoute("GET", metricsPath, .open),
            ManagementRoute("GET", "/metrics/prometheus", .open),
        ]
    }
}
