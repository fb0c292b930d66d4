import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import ProxyDomain
import Synchronization

/// The control plane: projects, tokens, requests, health and metrics, answered without a connection of its own.
///
/// Holds no state but what throttles wrong credentials and the one database probe that is shared; safe from any task.
public final class Management: Sendable {
    /// A longer body is refused with 413.
    public static let maximumBodyBytes = 64 << 10

    private let dependencies: ManagementDependencies
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
        responder = Self.router(of: table, dependencies).buildResponder()
    }

    /// Everything that serves a route.
    static func endpoints(_ dependencies: ManagementDependencies) -> [Endpoint] {
        ProjectRoutes(dependencies).endpoints + UpstreamRoutes(dependencies).endpoints
            + TokenRoutes(dependencies).endpoints + CacheRoutes(dependencies).endpoints
            + RequestRoutes(dependencies).endpoints + AuditRoutes(dependencies).endpoints
            + OperationRoutes(dependencies).endpoints
    }

    private static func router(
        of table: RouteTable, _ dependencies: ManagementDependencies
    ) -> Router<ManagementContext> {
        let router = Router(context: ManagementContext.self)
        router.add(middleware: Gatekeeper(table, dependencies))
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
        let call = Call(
            request, generated: dependencies.newIdentifier(RequestID.self, at: dependencies.now()).text,
            logger: dependencies.logger)
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
