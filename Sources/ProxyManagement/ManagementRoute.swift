/// One route of the control plane, as `api/openapi.yaml` lists it. HEAD works wherever GET does.
public struct ManagementRoute: Hashable, Sendable {
    /// Who may call a route.
    public enum Authorisation: Hashable, Sendable, CaseIterable {
        /// Anyone who reaches the port.
        case open
        /// Holders of the management token.
        case management
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
            ManagementRoute("GET", "/manage/projects", .management),
            ManagementRoute("POST", "/manage/projects", .management),
            ManagementRoute("GET", "/manage/projects/{id}", .management),
            ManagementRoute("PATCH", "/manage/projects/{id}", .management),
            ManagementRoute("POST", "/manage/projects/{id}/tokens/revoke", .management),
            ManagementRoute("GET", "/manage/upstreams", .management),
            ManagementRoute("POST", "/manage/upstreams", .management),
            ManagementRoute("GET", "/manage/upstreams/{id}", .management),
            ManagementRoute("PATCH", "/manage/upstreams/{id}", .management),
            ManagementRoute("DELETE", "/manage/upstreams/{id}", .management),
            ManagementRoute("GET", "/manage/tokens", .management),
            ManagementRoute("POST", "/manage/tokens", .management),
            ManagementRoute("GET", "/manage/tokens/{id}", .management),
            ManagementRoute("PATCH", "/manage/tokens/{id}", .management),
            ManagementRoute("DELETE", "/manage/tokens/{id}", .management),
            ManagementRoute("POST", "/manage/cache/purge", .management),
            ManagementRoute("GET", "/manage/requests", .management),
            ManagementRoute("GET", "/manage/requests/{id}", .management),
            ManagementRoute("GET", "/manage/audit", .management),
            ManagementRoute("GET", "/manage/audit/{id}", .management),
            ManagementRoute("GET", "/health", .open),
            ManagementRoute("GET", "/live", .open),
            ManagementRoute("GET", "/ready", .open),
            ManagementRoute("GET", metricsPath, .open),
            ManagementRoute("GET", "/metrics/prometheus", .open),
        ]
    }
}
