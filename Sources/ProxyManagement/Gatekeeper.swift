import Hummingbird
import Logging
import ProxyDomain
import ProxyStorage
import Synchronization

/// Stands before every handler: lets through what the route's authorisation entry allows, and turns what fails behind
/// it into answers. A route without an entry is never served.
final class Gatekeeper: RouterMiddleware {
    typealias Context = ManagementContext

    private let table: RouteTable
    private let isManagementToken: @Sendable (String) -> Bool
    private let now: @Sendable () -> Timestamp
    private let recordRefusal: @Sendable (Call, _ skipped: Int) async -> Void
    private let refusals = Mutex(RefusalBudget())
    private let throttle = Mutex(FailureThrottle())

    init(_ table: RouteTable, _ dependencies: ManagementDependencies) {
        self.table = table
        isManagementToken = dependencies.isManagementToken
        now = dependencies.now
        recordRefusal = { await dependencies.recordRefusal($0, skipped: $1, at: dependencies.now()) }
    }

    @concurrent
    func handle(
        _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        let call = context.call
        var subject = Endpoint.Subject.server
        do {
            let template = context.endpointPath ?? ""
            guard let entry = table.entry(method: call.request.method, template: template) else {
                throw try refusalOfUnserved(call)
            }
            subject = entry.endpoint.subject
            try authorise(call, for: entry.route.authorisation)
            return try await next(request, context)
        } catch {
            if case ManagementFailure.credential(.wrong) = error,
                let skipped = refusals.withLock({ $0.take(at: now()) })
            {
                await recordRefusal(call, skipped)
            }
            return answer(to: error, about: subject, call).response
        }
    }

    /// What to say where no route is: below `/manage` only to those who may know.
    private func refusalOfUnserved(_ call: Call) throws(ManagementFailure) -> ManagementFailure {
        let entries = table.entries(at: call.request.path)
        let isManagement =
            call.request.path.split(separator: "/").first == "manage"
            || entries.contains { $0.route.authorisation == .management }
        if isManagement { try authorise(call, for: .management) }
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

    private func authorise(
        _ call: Call, for authorisation: ManagementRoute.Authorisation
    ) throws(ManagementFailure) {
        switch authorisation {
        case .open: return
        case .management: break
        }
        let address = call.request.peerAddress
        let instant = now()
        // Asked before the token is looked at: a right guess among too many must not be told from a wrong one.
        if let wait = throttle.withLock({ $0.wait(for: address, at: instant) }) {
            throw .credential(.throttled(wait: wait))
        }
        guard let presented = Self.bearer(in: call.request) else { throw .credential(.missing) }
        guard !isManagementToken(presented) else { return }
        throttle.withLock { $0.recordFailure(from: address, at: instant) }
        call.logger.notice("management credential refused", metadata: ["peer_address": "\(address)"])
        throw .credential(.wrong)
    }

    /// The credential of the one `Authorization: Bearer` field; the scheme in any case (RFC 9110 section 11.1).
    static func bearer(in request: ManagementRequest) -> String? {
        let values = request.values(of: "authorization")
        guard values.count == 1, let value = values.first else { return nil }
        // Blanks around are no part of it; blanks within make it no credential at all.
        let parts = value.split { $0 == " " || $0 == "\t" }
        return parts.count == 2 && parts[0].lowercased() == "bearer" ? String(parts[1]) : nil
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
