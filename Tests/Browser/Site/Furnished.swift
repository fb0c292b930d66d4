import Foundation

/// A site with something on every page: whose names hold markup, so that pages which don't escape them are seen.
struct Furnished: Sendable {
    /// Harmless as text, and nothing else.
    static let planted = #"<script>alert(1)</script>"'&"#

    /// Part of the project's and the token's name, and of no other's.
    let mark: String
    let project: String
    let upstream: String
    let token: String
    /// Revoked.
    let otherToken: String
    let request: String
    let event: String

    /// Adds a project, its upstream, tokens, requests good and bad, and what the audit says of all that.
    static func furnish(_ site: AdminSite) async throws -> Furnished {
        let mark = UUID().uuidString.lowercased()
        let name = "\(planted) \(mark)"
        let project = try await site.newProject(
            name,
            ["limits": ["budget_usd": 25, "budget_period": "month"], "allowed_models": [.string(planted), "gpt-*"]])
        let upstream = try await site.api(
            "POST", "/manage/upstreams",
            [
                "project_id": .string(project), "provider": "openai", "api_key": .string(AdminSite.apiKey),
                "base_url": .string(site.upstreamAddress), "priority": 2, "weight": 1,
            ])["id"].text
        let token = try await site.newToken(
            of: project, name,
            [
                "max_requests": 1000,
                "limits": ["requests_per_minute": 500, "tokens_per_minute": 1_000_000, "budget_usd": 12.5],
                "allowed_models": [.string(planted), "gpt-*"],
            ])
        let other = try await site.newToken(of: project, "revoked " + planted, ["duration_minutes": 60])
        try await site.api("DELETE", "/manage/tokens/\(other.id)")
        let request = try await use(token.secret, at: site)
        let address: JSON = ["url": .string("/v1/models/" + planted), "method": "GET"]
        try await site.api("POST", "/manage/cache/purge", address)
        _ = try await site.newCredential(name, role: "viewer")
        let events = try await site.api("GET", "/manage/audit?action=cache.purge")["events"].list
        return Furnished(
            mark: mark, project: project, upstream: upstream ?? "none", token: token.id, otherToken: other.id,
            request: request,
            event: events.first?["id"].text ?? "none")
    }

    /// Sends requests of several kinds.
    /// - Returns: the identifier of one that names a model with markup in it.
    private static func use(_ secret: String, at site: AdminSite) async throws -> String {
        for model in ["gpt-4o-mini", "gpt-4o", "gpt-4o-mini"] { try await site.chat(secret, model: model) }
        // A model that may not be asked for, and a path that is none.
        try await site.chat(secret, model: "unknown")
        try await site.chat(secret, path: "/v1/chat/%3Cscript%3Ealert(1)%3C%2Fscript%3E")
        let answer = try await site.chat(secret, model: planted)
        await site.settle()
        return answer["X-Proxy-Request-ID"] ?? "none"
    }

    /// Every page by its name in the hooks and its address.
    var pages: [(name: String, path: String)] {
        [
            ("dashboard", "/admin/"), ("projects", "/admin/projects?search=\(mark)"),
            ("project-new", "/admin/projects/new"),
            ("project", "/admin/projects/\(project)"), ("upstream", "/admin/upstreams/\(upstream)"),
            ("tokens", "/admin/tokens?project_id=\(project)"), ("token-new", "/admin/tokens/new?project_id=\(project)"),
            ("token", "/admin/tokens/\(token)"), ("token-revoked", "/admin/tokens/\(otherToken)"),
            ("usage", "/admin/usage?project_id=\(project)"), ("requests", "/admin/requests?project_id=\(project)"),
            ("request", "/admin/requests/\(request)"),
            ("audit", "/admin/audit"), ("event", "/admin/audit/\(event)"), ("database", "/admin/database"),
            ("cache", "/admin/cache"), ("access", "/admin/access"), ("claims", "/admin/claims"),
            ("error", "/admin/no-such-page"),
        ]
    }
}
