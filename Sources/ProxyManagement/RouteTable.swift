/// What serves a route.
package struct Endpoint: Sendable {
    /// What a route is about: decides what a storage's "not found" is called.
    package enum Subject: String, Hashable, Sendable {
        case project
        case token
        case upstream
        case request
        case event
        case managementToken = "management_token"
        case server

        /// Where those of a kind are listed.
        var listPath: String {
            switch self {
            case .event: "/manage/audit"
            case .managementToken: "/manage/management-tokens"
            default: "/manage/\(rawValue)s"
            }
        }

        /// What one of a kind is called.
        var noun: String { rawValue.replacing("_", with: " ") }
    }

    package typealias Handler = @Sendable (Call) async throws -> Answer

    let method: String
    let pathTemplate: String
    let subject: Subject
    let handler: Handler

    package init(_ method: String, _ pathTemplate: String, _ subject: Subject, _ handler: @escaping Handler) {
        self.method = method
        self.pathTemplate = pathTemplate
        self.subject = subject
        self.handler = handler
    }
}

/// Why the control plane can't be put together: each is a mistake in the program or its settings.
public enum RouteTableError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Something serves a route that no entry says who may call.
    case withoutAuthorisation(route: String)
    /// An entry names a route that nothing serves.
    case withoutHandler(route: String)
    /// Two entries, or two handlers, are for one route.
    case declaredTwice(route: String)
    /// `METRICS_PATH` is not a plain absolute path.
    case unusableMetricsPath(String)

    public var description: String {
        switch self {
        case .withoutAuthorisation(let route): "no authorisation entry for \(route)"
        case .withoutHandler(let route): "nothing serves \(route)"
        case .declaredTwice(let route): "\(route) is declared twice; METRICS_PATH must not be the path of another route"
        case .unusableMetricsPath(let path):
            "METRICS_PATH must begin with '/' and hold only letters, digits and '/', '-', '_', '.', '~'; got '\(path)'"
        }
    }
}

/// Routes joined with what serves them: holds nothing that lacks either half.
package struct RouteTable: Sendable {
    struct Entry: Sendable {
        let route: ManagementRoute
        let endpoint: Endpoint
    }

    let entries: [Entry]

    /// - Throws: when a route lacks its handler, a handler its route, or a route is there twice.
    package init(routes: [ManagementRoute], endpoints: [Endpoint]) throws(RouteTableError) {
        var serving: [String: Endpoint] = [:]
        for endpoint in endpoints {
            let name = "\(endpoint.method) \(endpoint.pathTemplate)"
            guard serving.updateValue(endpoint, forKey: name) == nil else { throw .declaredTwice(route: name) }
        }
        var entries: [Entry] = []
        var seen: Set<String> = []
        for route in routes {
            let name = "\(route.method) \(route.pathTemplate)"
            guard seen.insert(name).inserted else { throw .declaredTwice(route: name) }
            guard let endpoint = serving[name] else { throw .withoutHandler(route: name) }
            entries.append(Entry(route: route, endpoint: endpoint))
        }
        if let stray = serving.keys.filter({ !seen.contains($0) }).min() { throw .withoutAuthorisation(route: stray) }
        self.entries = entries
    }

    /// The entry that answers a method at a template. HEAD is GET without the body.
    func entry(method: String, template: String) -> Entry? {
        let wanted = method == "HEAD" ? "GET" : method
        return entries.first { $0.route.method == wanted && $0.route.pathTemplate == template }
    }

    /// The entries whose template has the shape of `path`, whatever their method.
    func entries(at path: some StringProtocol) -> [Entry] { entries.filter { $0.route.matches(path) } }
}
