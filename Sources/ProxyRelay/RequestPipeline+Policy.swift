import NIOCore
import ProxyDomain
import ProxyWire
import Synchronization

/// What needs no database to be refused.
extension Exchange {
    /// Chooses the way that a request takes first, and tells why it may not be sent; `nil` when it may.
    func refusal(under grant: Grant, _ head: RequestHead) -> RelayRefusal? {
        headBytes.withUnsafeReadableBytes { bytes in
            let rules = grant.route.endpoints
            let whole = UnsafeRawBufferPointer(rebasing: bytes[head.pathRange])
            let endpoint = relay.endpoints.endpoint(whole, under: rules)
            path = endpoint.path
            longPath =
                whole.count > EndpointMemory.longestStoredPath ? String(decoding: whole, as: UTF8.self) : nil
            // A provider that names no pages says itself who may read its answers.
            if !pageOrigin.isEmpty, rules.origins == nil { pageOrigin.removeAll(keepingCapacity: true) }
            if let refusal = grant.standing.refusal(at: arrivedAt) {
                return RelayRefusal(refusal, cap: grant.standing.maxRequests, at: arrivedAt)
            }
            guard grant.routes.count > 1 || provider != nil else {
                route = grant.route
                return refusal(along: grant.route, endpoint.isAllowed, under: grant, head, bytes)
            }
            guard let first = firstRoute(of: grant, head, bytes) else { return .providerNotInProject }
            route = first
            if !pageOrigin.isEmpty, first.endpoints.origins == nil { pageOrigin.removeAll(keepingCapacity: true) }
            let isAllowed = relay.endpoints.endpoint(whole, under: first.endpoints).isAllowed
            return refusal(along: first, isAllowed, under: grant, head, bytes)
        }
    }

    private func refusal(
        along route: UpstreamRoute, _ isPathAllowed: Bool, under grant: Grant, _ head: RequestHead,
        _ bytes: UnsafeRawBufferPointer
    ) -> RelayRefusal? {
        let rules = route.endpoints
        guard rules.allows(head.method) else { return .methodNotAllowed(allowed: rules.allowField) }
        guard isPathAllowed else { return .endpointNotFound }
        if let scope = grant.scope, !scope.allowsPath(of: head, bytes) { return .pathOutOfScope }
        if rules.hasConditions, let refusal = rules.refusalOfFields(head, bytes) { return refusal }
        var size = requestBytes
        if case .length(let length) = self.head.framing { size = length }
        if size > relay.settings.maxRequestBytes {
            return .bodyTooLarge(limit: relay.settings.maxRequestBytes)
        }
        if rules.hasConditions, let refusal = rules.refusalOfQuery(head, bytes) { return refusal }
        if let refusal = grant.scope?.refusalOfModel(head, bytes) { return refusal }
        if asksForTunnel, grant.standing.isStrict { return .costUnbounded(.endless) }
        guard relay.census.requests.load(ordering: .relaxed) <= relay.settings.maxConcurrentRequests else {
            return .overloaded
        }
        // What the cache may have is looked for there first.
        return cacheWish == nil ? circuitRefusal(along: route) : nil
    }
}
