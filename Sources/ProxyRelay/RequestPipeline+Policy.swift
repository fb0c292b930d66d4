import NIOCore
import ProxyDomain
import ProxyWire
import Synchronization

/// What needs no database to be refused.
extension Exchange {
    /// Chooses the way that a request takes first, and tells why it may not be sent; `nil` when it may.
    func refusal(under grant: Grant, _ head: RequestHead) -> RelayRefusal? {
        if let refusal = grant.standing.refusal(at: arrivedAt) {
            return RelayRefusal(refusal, cap: grant.standing.maxRequests, at: arrivedAt)
        }
        route = grant.route
        if grant.routes.count > 1 || provider != nil {
            route = headBytes.withUnsafeReadableBytes { firstRoute(of: grant, head, $0) }
        }
        guard let route else { return .providerNotInProject }
        if let refusal = headBytes.withUnsafeReadableBytes({ refusal(along: route, under: grant, head, $0) }) {
            return refusal
        }
        if case .length(let length) = self.head.framing, length > relay.settings.maxRequestBytes {
            return .bodyTooLarge(limit: relay.settings.maxRequestBytes)
        }
        guard relay.census.requests.load(ordering: .relaxed) <= relay.settings.maxConcurrentRequests else {
            return .overloaded
        }
        // Before it is counted: nothing would be sent.
        if route.breaker.isTripped, let wait = circuitWait(along: route) { return .upstreamCircuitOpen(wait) }
        if route.retry.attempts > 1 { relay.retryBudget.earn(route.retry.budgetPercent) }
        return nil
    }

    private func refusal(
        along route: UpstreamRoute, under grant: Grant, _ head: RequestHead, _ bytes: UnsafeRawBufferPointer
    ) -> RelayRefusal? {
        let rules = route.endpoints
        let whole = UnsafeRawBufferPointer(rebasing: bytes[head.pathRange])
        let endpoint = relay.endpoints.endpoint(whole, under: rules)
        path = endpoint.path
        // A provider that names no pages says itself who may read its answers.
        if !pageOrigin.isEmpty, rules.origins == nil { pageOrigin.removeAll(keepingCapacity: true) }
        guard rules.allows(head.method) else { return .methodNotAllowed(allowed: rules.allowField) }
        guard endpoint.isAllowed else { return .endpointNotFound }
        if rules.hasConditions, let refusal = rules.refusal(of: head, bytes) { return refusal }
        return grant.scope?.refusal(of: head, bytes)
    }
}
