import NIOCore
import ProxyCache
import ProxyDomain
import ProxyWire

/// Requests that may go more than one way, or more than once: as long as the client has seen nothing of an answer, and we hold
/// all of the request that has come.
extension Exchange {
    // MARK: Ways

    /// The way that a request takes first. The others that it may take after it are ``ways``.
    /// - Returns: `nil` when its project has none to the provider that it names.
    func firstRoute(of grant: Grant, _ head: RequestHead, _ bytes: UnsafeRawBufferPointer) -> UpstreamRoute? {
        ways = grant.routes
        if let provider { ways.removeAll { $0.provider != provider } }
        // What no way allows is refused as the first of them refuses it.
        let refusing = ways.first
        ways.removeAll { !$0.endpoints.isOpen(to: head, bytes, relay) }
        return takeWay(.any) ?? refusing
    }

    /// Which ways may be taken.
    enum Eligible {
        /// Those that are not left alone and whose keys don't rest.
        case ready
        /// When there are none of those, also such as rest.
        case resting
        /// When there are none of those either, any.
        case any
    }

    /// Takes the next way: of those with the lowest priority one at random, by their weights.
    func takeWay(_ eligible: Eligible) -> UpstreamRoute? {
        let now = NIODeadline.now()
        let closed = ways.filter { !$0.isLeftAlone(at: now) }
        var candidates = closed.filter { $0.rest.isOver(at: now) }
        if candidates.isEmpty, eligible != .ready { candidates = closed }
        if candidates.isEmpty, eligible == .any { candidates = ways }
        guard let priority = candidates.map(\.priority).min() else { return nil }
        let peers = candidates.filter { $0.priority == priority }
        var place = Int64((requestID.identifier.low >> 8) % UInt64(max(1, peers.reduce(0) { $0 + $1.weight })))
        let taken = peers.first { peer in
            place -= peer.weight
            return place < 0
        }
        ways.removeAll { $0 === taken }
        return taken
    }

    /// Writes the request anew, for another way.
    func take(_ way: UpstreamRoute) {
        guard let downstream else { return }
        hasPassedBreaker = false
        var content = outbound
        content.moveReaderIndex(forwardBy: outboundHeadLength)
        outbound = ByteBuffer()
        route = way
        if way.retry.attempts > 1 { way.retryBudget.earn(way.retry.budgetPercent) }
        writeHead(downstream.head)
        outbound.writeBuffer(&content)
        relay.meter.update { $0.upstreamFallbacks += 1 }
    }

    // MARK: Attempts

    /// An attempt has failed. Goes another way, or the same once more, if it may.
    /// - Parameter retryAfter: how long the provider wants to be left alone, if it says so.
    /// - Returns: whether it does.
    func triesAgain(after result: AttemptResult, retryAfter: Duration? = nil) -> Bool {
        guard let route, mayTryAgain, !isDelivering, !clientHasLeft, isReplayable else { return false }
        if route.retry.fallbackOn.contains(result), let way = takeWay(result.isRefusal ? .ready : .resting) {
            noteAttempt(result)
            startOver()
            take(way)
            chooseUpstream()
            advance()
            return true
        }
        // What was sent again in silence is none of the tries that the provider's rules allow.
        let made = attempts.count + (hasRetried ? 0 : 1)
        let pause = max(route.retry.pause(afterAttempts: made, random: requestID.identifier.low), retryAfter ?? .zero)
        guard route.retry.on.contains(result), !route.isLeftAlone(at: .now()), made < route.retry.attempts,
            pause <= route.retry.longestBackoff,
            route.retryBudget.take()
        else { return false }
        noteAttempt(result)
        startOver()
        relay.meter.update { $0.upstreamRetries += 1 }
        resume(after: pause)
        return true
    }

    /// A key that a provider refuses is not asked for again for a while, where there are others: also when this request can't be sent
    /// again.
    func letKeyRest(after status: Int, _ retryAfter: Duration?) {
        guard let route, let grant, grant.routes.count > 1 else { return }
        let usual: Duration
        switch status {
        case 429: usual = .seconds(10)
        case 401: usual = .seconds(60)
        default: return
        }
        route.rest.rest(until: .now() + TimeAmount(min(retryAfter ?? usual, .seconds(300))))
    }

    private func startOver() {
        upstream?.cancel()
        upstream = nil
        hasPassedBreaker = false
        noteLostAttempt()
        forgetAnswer()
        outboundSent = 0
        isRequestSent = false
    }

    private func resume(after pause: Duration) {
        stage = .pausing
        othersMicroseconds += TimeAmount(pause).nanoseconds / 1000
        let asked = ticket
        let bound = NIOLoopBound(self, eventLoop: relay.eventLoop)
        relay.eventLoop.scheduleTask(in: TimeAmount(pause)) {
            let exchange = bound.value
            guard exchange.stage == .pausing, exchange.ticket == asked else { return }
            exchange.chooseUpstream()
            exchange.advance()
        }
    }

    /// The upstream is left alone for a while: goes another way, or is refused.
    func circuitIsOpen(for wait: TimeAmount) {
        guard isReplayable, !clientHasLeft, let way = takeWay(.resting) else {
            return refuse(.upstreamCircuitOpen(wait))
        }
        take(way)
        chooseUpstream()
    }

    /// That a way is left alone, where there is no other. Asked before a request is counted: nothing would be sent.
    func circuitRefusal(along route: UpstreamRoute) -> RelayRefusal? {
        guard route.breaker.isTripped else { return nil }
        let now = NIODeadline.now()
        guard let wait = route.breaker.openFor(at: now), route.isLeftAlone(at: now),
            !ways.contains(where: { !$0.isLeftAlone(at: now) })
        else { return nil }
        return .upstreamCircuitOpen(wait)
    }

    func noteAttempt(_ result: AttemptResult) {
        if let route { attempts.append(route.attempt(result)) }
    }

    /// How often an upstream was asked, or a connection to one was tried for that.
    func attemptCount(endedAs outcome: RequestOutcome?) -> Int {
        guard !isFromCache || answeredStatus != 0 else { return 0 }
        let isOfTheLast =
            switch outcome {
            case .upstreamUnreachable, .upstreamReset, .upstreamTimeout: true
            case nil, .completed, .clientLeft, .refused, .inDoubt: hasHead || headSentAt != nil
            }
        return attempts.count + (isOfTheLast ? 1 : 0)
    }

    /// All attempts, where there was a choice or more than one; the last of them ended as `outcome` says.
    func allAttempts(endedAs outcome: RequestOutcome) -> [UpstreamAttempt] {
        // From the cache: nothing was sent.
        if isFromCache, answeredStatus == 0 { return [] }
        guard let route, !attempts.isEmpty || (grant?.routes.count ?? 0) > 1 else { return [] }
        let last: AttemptResult =
            switch outcome {
            case _ where hasHead: .status(answeredStatus)
            case .upstreamUnreachable: .connect
            case .upstreamReset: .reset
            case .upstreamTimeout: .timeout
            default: .none
            }
        return attempts + [route.attempt(last)]
    }
}

extension UpstreamRoute {
    /// What is written down of a request that went this way.
    fileprivate func attempt(_ result: AttemptResult) -> UpstreamAttempt {
        UpstreamAttempt(provider: provider, upstream: upstream, result: result)
    }
}

extension AttemptResult {
    /// Whether an upstream that is well has said so of the key: another that was refused before is no better.
    fileprivate var isRefusal: Bool { if case .status(400..<500) = self { true } else { false } }
}

extension EndpointRules {
    /// Whether a request may be sent as far as its head says.
    func isOpen(to head: RequestHead, _ bytes: UnsafeRawBufferPointer, _ relay: RelayLoop) -> Bool {
        allows(head.method)
            && relay.endpoints.endpoint(UnsafeRawBufferPointer(rebasing: bytes[head.pathRange]), under: self).isAllowed
            && (!hasConditions || refusalOfFields(head, bytes) == nil && refusalOfQuery(head, bytes) == nil)
    }
}

extension ResponseHead {
    /// How long the sender wants to be left alone: `Retry-After`, in seconds or as a date (RFC 9110 section 10.2.3). More than a day counts
    /// as a day.
    func retryAfter(_ bytes: UnsafeRawBufferPointer, at now: Timestamp) -> Duration? {
        let name = Array("retry-after".utf8)
        guard let field = fields.first(where: { $0.isNamed(name, in: bytes) }) else { return nil }
        let text = String(decoding: bytes[field.valueRange], as: UTF8.self)
        let pause = Int64(text).map { Duration.seconds($0) } ?? HTTPInstant.parse(text).map { max(.zero, $0 - now) }
        return pause.flatMap { $0 < .zero ? nil : min($0, .seconds(86_400)) }
    }
}
