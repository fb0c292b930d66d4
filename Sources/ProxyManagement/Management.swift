import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import Synchronization
package import ProxyDomain
package import ProxyStorage

/// The control plane: projects, tokens, requests, health and metrics, answered without a connection of its own.
///
/// Holds no state but what throttles wrong credentials and the one database probe that is shared; safe from any task.
public final class Management: Sendable {
    /// A longer body is refused with 413.
    public static let maximumBodyBytes = 64 << 10

    private let dependencies: ManagementDependencies
    private let authenticator: Authenticator
    private let tokenRefusals = Mutex(RefusalBudget())
    private let responder: RouterResponder<ManagementContext>

    /// - Throws: when a route has no authorisation entry or no handler, or `METRICS_PATH` can't be a route.
    public convenience init(_ dependencies: ManagementDependencies) throws(RouteTableError) {
        let path = dependencies.metricsPath
        guard Self.isPlain(path) else { throw .unusableMetricsPath(path) }
        let table = try RouteTable(
            routes: Self.routes(metricsPath: path), endpoints: Self.endpoints(dependencies))
        self.init(dependencies, table)
    }

    /// The same with routes of the caller's choice.
    package init(_ dependencies: ManagementDependencies, _ table: RouteTable) {
        self.dependencies = dependencies
        authenticator = Authenticator(dependencies)
        responder = Self.router(of: table, authenticator).buildResponder()
    }

    /// Everything that serves a route.
    static func endpoints(_ dependencies: ManagementDependencies) -> [Endpoint] {
        // One for all: it never asks twice at once.
        let probe = DatabaseProbe(dependencies)
        return ProjectRoutes(dependencies).endpoints + UpstreamRoutes(dependencies).endpoints
            + TokenRoutes(dependencies).endpoints + CacheRoutes(dependencies).endpoints
            + RequestRoutes(dependencies).endpoints + UsageRoutes(dependencies).endpoints
            + DatabaseRoutes(dependencies, probe).endpoints + AuditRoutes(dependencies).endpoints
            + ManagementTokenRoutes(dependencies).endpoints + OperationRoutes(dependencies, probe).endpoints
    }

    private static func router(
        of table: RouteTable, _ authenticator: Authenticator
    ) -> Router<ManagementContext> {
        let router = Router(context: ManagementContext.self)
        router.add(middleware: Gatekeeper(table, authenticator))
        for entry in table.entries {
            let handler = entry.endpoint.handler
            let methods: [HTTPRequest.Method] =
                entry.route.method == "GET" ? [.get, .head] : HTTPRequest.Method(entry.route.method).map { [$0] } ?? []
            for method in methods {
                router.on(RouterPath(entry.route.pathTemplate), method: method) { _, context in
                    var call = context.call
                    call.pathIdentifier = context.parameters.get("id") ?? ""
                    return try await handler(call).response
                }
            }
        }
        return router
    }

    /// An absolute path of unreserved characters (RFC 3986 section 2.3) without empty segments.
    private static func isPlain(_ path: String) -> Bool {
        let segments = path.split(separator: "/", omittingEmptySubsequences: false)
        return segments.count > 1 && segments[0].isEmpty
            && segments.dropFirst().allSatisfy { segment in
                !segment.isEmpty
                    && segment.unicodeScalars.allSatisfy { scalar in
                        scalar.isASCII
                            && (scalar.properties.isAlphabetic || "0123456789-_.~".unicodeScalars.contains(scalar))
                    }
            }
    }

    /// Answers a request. Never fails: what goes wrong is an answer too, and its reason is in the log.
    public func respond(to request: ManagementRequest) async -> ManagementResponse {
        await respond(to: call(request))
    }

    /// Answers a request of somebody who is known already, whatever credential is in it.
    package func respond(to request: ManagementRequest, as principal: Principal) async -> ManagementResponse {
        var call = call(request)
        call.principal = principal
        return await respond(to: call)
    }

    /// Judges a credential that was typed into a form as one in a field is judged: throttled by address, audited when it is wrong.
    package func signIn(_ credential: String, of request: ManagementRequest) async -> SignInVerdict {
        let call = call(request)
        do {
            let principal = try await authenticator.principal(presenting: credential, in: call)
            try await dependencies.recordSignIn(call, by: principal)
            return .accepted(principal, credential: .ofCredential(credential))
        } catch {
            let failure =
                error as? ManagementFailure
                ?? (error as? StorageError).map { ManagementFailure($0, about: .server) } ?? .storage(.unexpected)
            let statement = failure.statement
            return .refused(
                status: statement.status, error: statement.error, description: statement.remedy,
                retryAfter: statement.fields.first { $0.name == "Retry-After" }?.value)
        }
    }

    /// Whose a credential is whose digest was kept; `nil` when it opens nothing any more.
    package func principal(of credential: TokenDigest) async throws(StorageError) -> Principal? {
        try await authenticator.principal(of: credential)
    }

    /// Records that a client's credential was refused, at some time after this returns; of too many, that there were.
    public func tokenRefused(_ refused: RefusedCall) {
        let now = dependencies.now()
        guard dependencies.audit.isUsed, let skipped = tokenRefusals.withLock({ $0.take(at: now) }) else { return }
        let event = dependencies.event(of: refused, skipped: skipped, at: now)
        dependencies.audit.log?(event)
        guard dependencies.audit.storesInDatabase else { return }
        Task { [dependencies] in
            do {
                try await dependencies.storage.record(event)
            } catch {
                dependencies.logger.warning(
                    "a refused token could not be recorded", metadata: ["error": "\(String(reflecting: error))"])
            }
        }
    }

    private func call(_ request: ManagementRequest) -> Call {
        Call(
            request, generated: dependencies.newIdentifier(RequestID.self, at: dependencies.now()).text,
            logger: dependencies.logger)
    }

    private func respond(to call: Call) async -> ManagementResponse {
        let request = call.request
        let response: Response
        let body: ByteBuffer
        do {
            response = try await responder.respond(
                to: Request(head: Self.head(of: request), body: RequestBody(buffer: ByteBuffer())),
                context: ManagementContext(source: ManagementContext.Source(call: call)))
            body = try await BodyCollector.collect(response.body)
        } catch {
            let failure = error as? ManagementFailure ?? .storage(.unexpected)
            let answer = failure.statement.answer
            return Self.finished(answer.response, answer.body, call)
        }
        return Self.finished(response, body, call)
    }

    /// The request's head in the router's terms. Only what decides the route; handlers read the rest from the call.
    private static func head(of request: ManagementRequest) throws(ManagementFailure) -> HTTPRequest {
        let isVisible = request.target.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "#") }
        guard let method = HTTPRequest.Method(request.method), isVisible, request.target.hasPrefix("/") else {
            throw .input(.malformedTarget)
        }
        return HTTPRequest(method: method, scheme: nil, authority: nil, path: request.target)
    }

    private static func finished(_ response: Response, _ body: ByteBuffer, _ call: Call) -> ManagementResponse {
        var fields = response.headers.filter { $0.name != .contentLength }.map { ($0.name.rawName, $0.value) }
        fields.append(("X-Request-ID", call.requestID))
        return ManagementResponse(
            status: response.status.code, fields: fields.map { (name: $0.0, value: $0.1) },
            body: call.request.method == "HEAD" ? ByteBuffer() : body,
            contentLength: response.status == .noContent ? nil : body.readableBytes)
    }
}

/// What became of an attempt to sign in.
package enum SignInVerdict: Sendable {
    /// - Parameter credential: its digest, which the session is to keep.
    case accepted(Principal, credential: TokenDigest)
    /// - Parameters:
    ///   - error: what is wrong.
    ///   - description: what can be done about it.
    ///   - retryAfter: seconds to wait, where waiting helps.
    case refused(status: Int, error: String, description: String, retryAfter: String?)
}
