import ProxyDomain
import ProxyStorage

/// `/manage/cache/purge`: forgets answers that would be given again.
struct CacheRoutes: Sendable {
    private let dependencies: ManagementDependencies

    init(_ dependencies: ManagementDependencies) { self.dependencies = dependencies }

    var endpoints: [Endpoint] { [Endpoint("POST", "/manage/cache/purge", .project, purge)] }

    private static let parts = ["all", "project_id", "method", "url", "prefix"]

    private func purge(_ call: Call) async throws -> Answer {
        let body = try BodyFields(of: call, known: Self.parts)
        try body.requireAny()
        let purge = try purge(body)
        let subject = AuditSubject(
            "cache.purge", project: purge.project,
            ["method": purge.method, "url": purge.url, "prefix": purge.isPrefix ? "true" : nil])
        let deleted = try await dependencies.audited(call, subject, at: dependencies.now()) { _, event in
            try await dependencies.purgeCache(purge, event)
        }
        return .json(.object([("deleted", .integer(Int64(deleted)))]))
    }

    private func purge(_ body: BodyFields) throws(ManagementFailure) -> CachePurge {
        let method = try body.string("method")
        if let method, !["GET", "HEAD", "POST"].contains(method) {
            throw .input(.invalid(name: "method", rule: "must be GET, HEAD or POST: nothing else is ever kept"))
        }
        let purge = CachePurge(
            project: try body.identifier("project_id"), method: method == "HEAD" ? "GET" : method,
            url: try body.string("url").map { url throws(ManagementFailure) in try self.url(url) },
            isPrefix: try body.boolean("prefix") ?? false)
        if try body.boolean("all") ?? false {
            guard purge == CachePurge() else {
                throw .input(.invalid(name: "all", rule: "must stand alone: it means every answer of every project"))
            }
            return purge
        }
        guard purge.url != nil || !purge.isPrefix && purge.method == nil else {
            throw .input(
                .missing(
                    name: "url",
                    hint: "Send the path, with its query, as /v1/models, or where it begins with prefix true."))
        }
        guard purge != CachePurge() else {
            throw .input(
                .missing(
                    name: "url", hint: "Send url, with prefix true for all that begins so, or project_id, or all true.")
            )
        }
        return purge
    }

    /// Path and query as answers are kept under: without scheme and host, and without the provider that a path may begin with.
    private func url(_ text: String) throws(ManagementFailure) -> String {
        var url = Substring(text)
        if let scheme = ["http://", "https://"].first(where: { url.hasPrefix($0) }) {
            url = url.dropFirst(scheme.count).drop { $0 != "/" }
        }
        guard url.hasPrefix("/"), url.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw .input(
                .invalid(
                    name: "url",
                    rule: "must be a path that begins with / as requests have it, or a whole http(s) address"))
        }
        let first = url.dropFirst().prefix { $0 != "/" && $0 != "?" }
        return String(dependencies.providers().all.contains(String(first)) ? url.dropFirst(first.count + 1) : url)
    }
}
