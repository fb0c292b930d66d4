import Logging
import ProxyDomain
import ProxyRelay
import ProxySecrets
import ProxySettings
import ProxyStorage

/// Reads grants from storage: opens the project's key and finds the way to its provider.
struct GrantReader: GrantSource {
    let storage: any Storage
    let vault: UpstreamKeyVault
    let providers: ProviderKeeper
    let logger: Logger

    func grant(for secret: TokenSecret) async throws(GrantSourceError) -> Grant? {
        let record: GrantRecord?
        do {
            record = try await storage.grant(for: TokenDigest.of(secret))
        } catch {
            logger.error("token look-up failed", metadata: ["detail": "\(String(reflecting: error))"])
            throw .unavailable
        }
        guard let record else { return nil }
        let token = record.token
        return Grant(
            tokenID: token.id, projectID: token.projectID, route: try route(of: record.project),
            standing: TokenStanding(
                revokedAt: token.revokedAt, expiresAt: token.expiresAt,
                projectDeactivatedAt: record.project.deactivatedAt, requestCount: token.requestCount,
                maxRequests: token.maxRequests, limits: token.limits, projectLimits: record.project.limits),
            scope: GrantScope([token.access, record.project.access]))
    }

    private func route(of project: Project) throws(GrantSourceError) -> UpstreamRoute {
        let table = providers.table
        guard let provider = table.providers[project.provider], let rules = table.rules[provider.name] else {
            logger.error(
                "the provider of a project is not in the providers file",
                metadata: ["project_id": "\(project.id)", "provider": "\(project.provider)"])
            throw .unusable
        }
        let key: String
        do {
            key = try vault.open(project.sealedKey, for: project.id)
        } catch {
            logger.error(
                "the key of a project can't be opened",
                metadata: ["project_id": "\(project.id)", "reason": "\(error)"])
            throw .unusable
        }
        let base = project.baseURL.flatMap { BaseURL($0) } ?? provider.baseURL
        let target = UpstreamTarget(host: base.origin.host, port: base.origin.port, isTLS: base.origin.isTLS)
        return UpstreamRoute(
            target: target, pathPrefix: Self.prefix(base.pathPrefix),
            credential: Self.credential(key, provider.auth), endpoints: rules,
            prices: provider.prices, streams: project.streams)
    }

    private static func credential(_ key: String, _ auth: ProviderAuth) -> UpstreamCredential {
        switch auth {
        case .bearer: .field(name: "Authorization", value: "Bearer \(key)")
        case .header(let name): .field(name: name, value: key)
        case .query(let name): .parameter(name: name, value: key)
        }
    }

    /// Clients send `/v1/…` themselves: a base URL that ends in `/v1`, as SDKs write it, means the same as without.
    private static func prefix(_ path: String) -> String {
        path.hasSuffix("/v1") ? String(path.dropLast(3)) : path
    }
}
