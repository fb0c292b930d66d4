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

    private func list(_ call: Call) async throws -> Answer {
        let query = try QueryFields(of: call, known: Page<RequestID>.parameters + ["token_id"])
        let page = try Page<RequestID>(query)
        guard let token: TokenID = try query.identifier("token_id") else {
            throw ManagementFailure.input(
                .missing(name: "token_id", hint: "Say whose requests to list: ?token_id=<id of a token>."))
        }
        let filters = [(name: "token_id", value: token.text)]
        return try await page.answer(
            at: "/manage/requests", filters: filters, id: \.admission.requestID, json: \.json
        ) {
            try await dependencies.storage.requests(of: token, after: $0, limit: $1)
        }
    }

    private func show(_ call: Call) async throws -> Answer {
        _ = try QueryFields(of: call)
        return .json(try await dependencies.storage.request(call.identifier()).json)
    }
}
