import Hummingbird
import Logging
import ProxyDomain
import ProxyStorage

/// Stands before every handler: lets through what the route's authorisation entry allows, and turns what fails behind
/// it into answers. A route without an entry is never served.
final class Gatekeeper: RouterMiddleware {
    typealias Context = ManagementContext

    private let table: RouteTable
    private let authenticator: Authenticator

    init(_ table: RouteTable, _ authenticator: Authenticator) {
        self.table = table
        self.authenticator = authenticator
    }

    @concurrent
    func handle(
        _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        var context = context
        var subject = Endpoint.Subject.server
        do {
            let template = context.endpointPath ?? ""
            guard let entry = table.entry(method: context.call.request.method, template: template) else {
                throw try await refusalOfUnserved(context.call)
            }
            subject = entry.endpoint.subject
            context.call.principal = try await authorise(context.call, for: entry.route.authorisation)
            return try await next(request, context)
        } catch {
            return answer(to: error, about: subject, context.call).response
        }
    }

    /// What to say where no route is: below `/manage` only to those who may know.
    private func refusalOfUnserved(_ call: Call) async throws -> ManagementFailure {
        let entries = table.entries(at: call.request.path)
        let isManagement =
            call.request.path.split(separator: "/").first == "manage"
            || entries.contains { $0.route.authorisation != .open }
        if isManagement { _ = try await authorise(call, for: .role(.viewer)) }
        guard !entries.isEmpty else { return .route(.noSuchRoute) }
        let methods = entries.flatMap { $0.route.method == "GET" ? ["GET", "HEAD"] : [$0.route.method] }
        let deletesProject =
            call.request.method == "DELETE" && entries.contains { $0.route.pathTemplate == "/manage/projects/{id}" }
        let hint =
            deletesProject
            ? "Projects are deactivated, not deleted: PATCH with {\"is_active\":false}, "
                + "and \"revoke_tokens\":true to revoke their tokens too." : nil
        return .route(.methodNotAllowed(allowed: methods, hint: hint))
    }

    /// Who calls; `nil` where anybody may.
    private func authorise(
        _ call: Call, for authorisation: ManagementRoute.Authorisation
    ) async throws -> Principal? {
        switch authorisation {
        case .open: return call.principal
        case .role(let role):
            let principal: Principal
            if let known = call.principal {
                principal = known
            } else {
                principal = try await authenticator.principal(of: call)
            }
            try await authenticator.check(principal, for: role, in: call)
            return principal
        }
    }

    private func answer(to error: any Error, about subject: Endpoint.Subject, _ call: Call) -> Answer {
        if let failure = error as? ManagementFailure { return failure.statement.answer }
        if let error = error as? StorageError {
            let failure = ManagementFailure(error, about: subject)
            if failure.statement.status >= 500 {
                call.logger.error("storage call failed", metadata: ["error": "\(String(reflecting: error))"])
            }
            return failure.statement.answer
        }
        // The type alone: an unforeseen error may hold anything.
        call.logger.error("management request failed", metadata: ["error": "\(type(of: error))"])
        return ManagementFailure.storage(.unexpected).statement.answer
    }
}
