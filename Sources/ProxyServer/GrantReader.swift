import Logging
import NIOCore
import ProxyDomain
import ProxyRelay
import ProxySecrets
import ProxySettings
import ProxyStorage

/// Reads grants from storage: opens the project's key and finds the way to its provider.
struct GrantReader: GrantSource {
    let storage: any Storage
    let keyring: Keyring
    let providers: ProviderKeeper
    let health: UpstreamHealth
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
        var others = record.upstreams.compactMap { try? route(of: $0, in: record.project) }
        let first: UpstreamRoute
        do {
            first = try route(of: record.project)
        } catch {
            // Its other ways serve as well.
            guard !others.isEmpty else { throw error }
            first = others.removeFirst()
        }
        return Grant(
            tokenID: token.id, tokenHint: token.hint, projectID: token.projectID, route: first, others: others,
            standing: TokenStanding(
                revokedAt: token.revokedAt, expiresAt: token.expiresAt,
                projectDeactivatedAt: record.project.deactivatedAt,
                requestCount: token.cappedCount, maxRequests: token.maxRequests, limits: token.limits,
                projectLimits: record.project.limits),
            scope: GrantScope([token.access, record.project.access]), cacheScope: record.project.cache.scope)
    }

    private func route(of project: Project) throws(GrantSourceError) -> UpstreamRoute {
        try route(
            of: project, sealedKey: project.sealedKey, baseURL: project.baseURL,
            RoutePlace(provider: project.provider))
    }

    /// One that can't be used is logged, and left out: the others may do.
    private func route(of upstream: Upstream, in project: Project) throws(GrantSourceError) -> UpstreamRoute {
        try route(
            of: project, sealedKey: upstream.sealedKey,
            baseURL: upstream.baseURL ?? (upstream.provider == project.provider ? project.baseURL : nil),
            RoutePlace(
                provider: upstream.provider, upstream: upstream.id, priority: upstream.priority, weight: upstream.weight
            ))
    }

    private func route(
        of project: Project, sealedKey: String, baseURL: String?, _ place: RoutePlace
    ) throws(GrantSourceError) -> UpstreamRoute {
        let table = providers.table
        guard let provider = table.providers[place.provider], let rules = table.rules[provider.name] else {
            logger.error(
                "the provider of a project is not in the providers file",
                metadata: ["project_id": "\(project.id)", "provider": "\(place.provider)"])
            throw .unusable
        }
        let key: String
        do {
            key = try keyring.open(sealedKey, for: project.id)
        } catch {
            logger.error(
                "the key of a project can't be opened",
                metadata: ["project_id": "\(project.id)", "reason": "\(error)"])
            throw .unusable
        }
        let base = baseURL.flatMap { BaseURL($0) } ?? provider.baseURL
        let target = UpstreamTarget(host: base.origin.host, port: base.origin.port, isTLS: base.origin.isTLS)
        return UpstreamRoute(
            target: target, pathPrefix: Self.prefix(base.pathPrefix),
            credential: Self.credential(key, provider.auth), endpoints: rules,
            prices: provider.prices, streams: project.streams, place: place, retry: provider.retry,
            timeouts: RouteTimeouts(provider), breaker: health.breaker(for: target),
            retryBudget: health.retryBudget(for: target), rest: health.rest(of: sealedKey))
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

extension RouteTimeouts {
    fileprivate init(_ provider: Provider) {
        self.init(
            responseHead: provider.timeouts.responseHead.map { TimeAmount($0) },
            whole: provider.timeouts.request.map { TimeAmount($0) },
            idleConnection: provider.timeouts.idleConnection.map { TimeAmount($0) },
            mostIdleConnections: provider.mostIdleConnections)
    }
}
