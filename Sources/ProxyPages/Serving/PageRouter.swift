/// One page: what it answers to, and what answers.
struct PageRoute: Sendable {
    typealias Handler = @Sendable (PageContext) async -> PageAnswer

    let method: String
    /// Path segments below `/admin`, with `{id}` where an identifier stands.
    let segments: [String]
    let handler: Handler

    /// - Parameter path: below `/admin/`; empty for the dashboard.
    init(_ method: String, _ path: String, _ handler: @escaping Handler) {
        self.method = method
        segments = path.split(separator: "/").map { String($0) }
        self.handler = handler
    }
}

/// Finds the page for a method and a path.
struct PageRouter: Sendable {
    enum Finding: Sendable {
        case page(PageRoute, identifier: String)
        case otherMethod(allowed: [String])
        case nothing
    }

    private let routes: [PageRoute]

    init(_ routes: [PageRoute]) { self.routes = routes }

    /// - Parameter segments: of the path below `/admin`, decoded.
    func find(_ method: String, _ segments: [String]) -> Finding {
        // Names before identifiers: `new` is no identifier.
        let matching = routes.filter { Self.matches($0.segments, segments) }
        let exact = matching.filter { !$0.segments.contains("{id}") }
        let candidates = exact.isEmpty ? matching : exact
        guard !candidates.isEmpty else { return .nothing }
        let wanted = method == "HEAD" ? "GET" : method
        guard let route = candidates.first(where: { $0.method == wanted }) else {
            return .otherMethod(allowed: candidates.map(\.method))
        }
        let place = route.segments.firstIndex(of: "{id}")
        return .page(route, identifier: place.map { segments[$0] } ?? "")
    }

    private static func matches(_ wanted: [String], _ given: [String]) -> Bool {
        guard wanted.count == given.count else { return false }
        return zip(wanted, given).allSatisfy { $0 == "{id}" || $0 == $1 }
    }
}
