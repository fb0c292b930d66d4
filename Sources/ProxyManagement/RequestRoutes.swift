import ProxyDomain
import ProxyStorage

/// `/manage/requests`.
struct RequestRoutes: Sendable {
    private let dependencies: ManagementDependencies

    init(_ dependencies: ManagementDependencies) { self.dependencies = dependencies }

    var endpoints: [Endpoint] {
        [
            Endpoint("GET", "/manage/requests", .request, list),
            Endpoint("GET", "/manage/requests/{id}", .request, show),
        ]
    }

    private static let filters = ["project_id", "token_id", "model", "status", "outcome", "since", "until", "order"]

    private func list(_ call: Call) async throws -> Answer {
        let query = try QueryFields(of: call, known: Page<RequestID>.parameters + Self.filters)
        let page = try Page<RequestID>(query)
        var listing = RequestListing()
        listing.project = try query.identifier("project_id")
        listing.token = try query.identifier("token_id")
        listing.model = query["model"]
        listing.statuses = try Self.statuses(query)
        listing.outcome = try query.choice("outcome")
        listing.since = try query.instant("since")
        listing.until = try query.instant("until")
        listing.isDescending = try query.isDescending
        let found = try await dependencies.storage.requests(listing, after: page.cursor, limit: page.limit)
        let link = found.next.map {
            page.link(to: $0, at: "/manage/requests", filters: query.given(Self.filters))
        }
        return .json(.array(found.records.map(\.json)), fields: link.map { [$0] } ?? [])
    }

    /// A status, or all of a class.
    private static func statuses(_ query: QueryFields) throws(ManagementFailure) -> ClosedRange<Int>? {
        guard let text = query["status"] else { return nil }
        if text.utf8.count == 3, text.hasSuffix("xx"), let digit = text.first?.wholeNumberValue, (1...5).contains(digit)
        {
            return digit * 100...digit * 100 + 99
        }
        guard let status = Int(text), (0...999).contains(status) else {
            throw .input(.invalid(name: "status", rule: "must be a status as 404, or a class as 4xx"))
        }
        return status...status
    }

    private func show(_ call: Call) async throws -> Answer {
        _ = try QueryFields(of: call)
        return .json(try await dependencies.storage.request(call.identifier()).json)
    }
}
