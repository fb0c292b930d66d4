import NIOCore
import ProxyDomain
import ProxyStorage

/// Admitted, but projects or tokens have changed since the grant was read: another server may have rotated the key.
///
/// What was read is read again before the client gets anything, and a request that carries what is no longer in force is
/// sent once more. So a change is in force for every request that is admitted after it, whichever server made it.
extension Exchange {
    var isGrantOld: Bool { grantEpoch != relay.grants.currentEpoch }

    func renewGrant() {
        guard let secret else { return proceed() }
        isRenewing = true
        askedAt = .now()
        grantEpoch = relay.grants.currentEpoch
        relay.askForGrant(secret, ticket: ticket)
    }

    func grantRenewed(_ answer: Result<Grant?, GrantSourceError>, asOf epoch: UInt64) {
        // Others may have asked for the same before the change was known.
        if epoch < grantEpoch, let secret { return relay.askForGrant(secret, ticket: ticket) }
        isRenewing = false
        grantEpoch = epoch
        if caching?.found != nil { return answerRenewed(answer) }
        // An answer that is complete is settled already, under the key it was made with: it is delivered as it is.
        guard stage != .delivering else { return proceed() }
        switch answer {
        case .success(let fresh?):
            guard fresh.scope == nil || fresh.scope?.isSame(as: grant?.scope) == true else {
                // What it names was not kept: asked again, it is judged by the lists that hold now.
                return refuse(.databaseUnavailable)
            }
            ways = ways.compactMap { fresh.successor(of: $0) }
            guard let former = route, let successor = fresh.successor(of: former) else { return wayIsGone(fresh) }
            guard !former.leads(like: successor) else {
                grant = fresh
                route = successor
                return proceed()
            }
            // Otherwise as above.
            if former.canBeLeft(for: successor), isReplayable {
                grant = fresh
                reroute(from: former, to: successor)
            }
            proceed()
        case .success(nil): proceed()
        case .failure(.unavailable): refuse(.databaseUnavailable)
        case .failure(.unusable): refuse(.projectUnusable)
        }
    }

    /// An answer from the cache is given only to whom it would be given now.
    private func answerRenewed(_ answer: Result<Grant?, GrantSourceError>) {
        guard case .success(let fresh?) = answer, let caching, let route,
            fresh.scope == nil || fresh.scope?.isSame(as: grant?.scope) == true,
            (fresh.cacheScope == .shared) == caching.isShared, fresh.successor(of: route)?.place == caching.place
        else { return refuse(.databaseUnavailable) }
        grant = fresh
        proceed()
    }

    /// Its way is no more. What was not sent yet takes another; what was has gone where it was written for.
    private func wayIsGone(_ fresh: Grant) {
        guard outboundSent == 0, isReplayable, upstream == nil else { return proceed() }
        grant = fresh
        guard let way = takeWay(.any) else { return refuse(.databaseUnavailable) }
        take(way)
        proceed()
    }

    private func reroute(from former: UpstreamRoute, to successor: UpstreamRoute) {
        let length = outbound.readableBytes
        route = successor
        if let caching, caching.stale != nil, successor.place != caching.place {
            // What it asks the upstream about is another's.
            caching.stale = nil
            rewriteHead()
        } else {
            outbound = outbound.rerouted(from: former, to: successor)
            outboundHeadLength += outbound.readableBytes - length
        }
        hasPassedBreaker = false
        guard stage == .relaying else { return }
        upstream?.cancel()
        upstream = nil
        forgetAnswer()
        outboundSent = 0
        isRequestSent = false
        chooseUpstream()
    }
}

extension Grant {
    /// What has become of a way of before; `nil` when it is gone, or another provider's, by whose rules nothing was judged.
    func successor(of route: UpstreamRoute) -> UpstreamRoute? {
        routes.first { $0.upstream == route.upstream && $0.provider == route.provider }
    }
}

extension UpstreamRoute {
    /// Whether a request along either is the same, byte for byte, at the same place.
    func leads(like other: UpstreamRoute) -> Bool {
        self === other
            || target == other.target && pathPrefix == other.pathPrefix && headerLines == other.headerLines
                && credentialParameter == other.credentialParameter
    }

    /// Whether a request that is written for this route can be written anew for the other: not when it has lost what the other
    /// would have kept, or kept what the other would not. A change of the key is no such case, a change of where it goes is.
    func canBeLeft(for other: UpstreamRoute) -> Bool {
        credentialField == other.credentialField && credentialParameter?.name == other.credentialParameter?.name
    }
}

extension ByteBuffer {
    /// A request as ``writeRequestHead(_:of:towards:requestID:)`` wrote it for `former`, for another route.
    func rerouted(from former: UpstreamRoute, to route: UpstreamRoute) -> ByteBuffer {
        let bytes = readableBytesView
        guard let space = bytes.firstIndex(of: UInt8(ascii: " ")),
            let lineEnd = bytes.firstIndex(of: UInt8(ascii: "\n"))
        else { return self }
        let afterPrefix = space + 1 + former.pathPrefix.count
        let afterLines = lineEnd + 1 + former.headerLines.count
        guard afterPrefix <= lineEnd, afterLines <= bytes.endIndex else { return self }
        var afterTarget = afterPrefix
        var parameter: [UInt8] = []
        if let old = former.credentialParameter, let new = route.credentialParameter,
            let mark = bytes[afterPrefix...lineEnd].firstIndex(of: UInt8(ascii: "?")), mark + old.text.count < lineEnd
        {
            afterTarget = mark + 1 + old.text.count
            parameter = bytes[afterPrefix...mark] + new.text
        }
        var rewritten = ByteBuffer()
        rewritten.reserveCapacity(readableBytes + route.headerLines.count + route.pathPrefix.count)
        rewritten.writeBytes(bytes[...space])
        rewritten.writeBytes(route.pathPrefix)
        rewritten.writeBytes(parameter)
        rewritten.writeBytes(bytes[afterTarget...lineEnd])
        rewritten.writeBytes(route.headerLines)
        rewritten.writeBytes(bytes[afterLines...])
        return rewritten
    }
}
