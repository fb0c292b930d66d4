import NIOCore
import ProxyCache
import ProxyDomain
import ProxyLedger
import ProxyStorage
import ProxyWire
import Synchronization

/// The failure edges of the request's life.
extension Exchange {
    /// Answers with an error of ours, or cuts the answer short when the client has some of it already.
    func refuse(_ refusal: RelayRefusal, as outcome: RequestOutcome = .refused) {
        detachUpstream()
        guard !isDelivering else { return truncate(outcome) }
        let keepsAlive = head.keepsAlive && !relay.isDraining && !refusal.losesFraming
        answer(refusal, as: outcome, keepsAlive: keepsAlive && downstream?.canSkipBody ?? false)
        guard let downstream else { return }
        if keepsAlive, downstream.canSkipBody { downstream.discardBody() } else { downstream.closeAfterAnswer() }
    }

    /// The rest of the request can't be understood, or doesn't come. The connection closes next.
    func requestBroken(_ refusal: RelayRefusal) {
        detachUpstream()
        guard !isDelivering else { return truncate(.refused) }
        answer(refusal, as: .refused, keepsAlive: false)
    }

    private func answer(_ refusal: RelayRefusal, as outcome: RequestOutcome, keepsAlive: Bool) {
        status = refusal.statusAndCode.status
        overhead = overheadUntilNow()
        responseBytes = head.method == .head ? 0 : UInt64(refusal.body.utf8.count)
        caching?.told = nil
        if let downstream {
            downstream.write(
                downstream.answer(
                    to: refusal, keepsAlive: keepsAlive, requestID: requestID.text, overhead: overhead,
                    origin: pageOrigin))
            downstream.flush()
        }
        settle(outcome)
        end(outcome: isSettled ? outcome : nil, code: refusal.statusAndCode.code)
    }

    /// Ends an answer that the client has begun to read so that it can't be taken for complete.
    private func truncate(_ outcome: RequestOutcome) {
        deliver()
        settle(outcome)
        let endsByItself = endsByItself
        end(outcome: outcome, code: nil)
        if endsByItself { downstream?.closeAfterAnswer() } else { downstream?.abort() }
    }

    /// The upstream has let us down; it is detached already.
    func upstreamFailed(_ failure: UpstreamFailure) {
        guard !clientHasLeft else { return drained() }
        let wasUsedBefore = upstream?.hasServed ?? false
        let carrier = upstream?.stream?.connection
        upstream = nil
        guard isReplayable, !hasRetried else { return attemptFailed(failure) }
        switch failure {
        case .refused: retry(avoiding: carrier)
        // Closed while it lay idle, unseen until now: the request was never read, and we still hold it all.
        case .closed(hadAnswered: false, _) where wasUsedBefore: retry(avoiding: nil)
        default: attemptFailed(failure)
        }
    }

    /// The way has failed; the client is told, unless it may be tried once more.
    func attemptFailed(_ failure: UpstreamFailure) {
        if let route, !hasHead {
            if failure.isOfTheUpstream(wasSent: isRequestSent),
                route.breaker.failed(
                    at: .now(), waitingSince: failure.result == .timeout ? sentAt : nil, route.retry.breaker)
            {
                relay.meter.update { $0.circuitsOpened += 1 }
            }
            if triesAgain(after: failure.result) { return }
        }
        switch failure {
        case .unreachable: refuse(.upstreamUnreachable, as: .upstreamUnreachable)
        case .timedOut: refuse(.upstreamTimeout, as: .upstreamTimeout)
        case .malformed(let fault): refuse(.upstreamInvalid(fault), as: .upstreamReset)
        case .closed, .refused: refuse(.upstreamReset, as: .upstreamReset)
        }
    }

    /// The database may be stuck, not only away: a connection to it that is frozen says nothing for a long time.
    func sweep(at now: NIODeadline) {
        // Whoever goes for the answer takes too long.
        if stage == .consulting, consultDeadline <= now { return cacheAnswered(.notStored) }
        guard isActive, stage == .identifying || isHeld, now - askedAt > relay.settings.databaseTimeout else {
            return
        }
        // Of one that was not forwarded nothing has happened yet that would have to be counted.
        if stage == .admitting, case .pending(let handle) = admission, relay.dependencies.ledger.withdraw(handle) {
            admission = .refused
        }
        refuse(.databaseUnavailable)
    }

    private func retry(avoiding carrier: UpstreamHTTP2Connection?) {
        noteAttempt(.reset)
        noteLostAttempt()
        hasRetried = true
        headSentAt = nil
        outboundSent = 0
        isRequestSent = false
        relay.meter.update { $0.upstreamRetries += 1 }
        chooseUpstream(avoiding: carrier)
        advance()
    }

    /// The client has gone: nobody wants the rest.
    func clientLeft() {
        guard isActive, !clientHasLeft else { return }
        relay.meter.update { $0.clientsLeft += 1 }
        guard !drainsWhenClientLeaves() else { return }
        detachUpstream()
        // Either side may end a WebSocket.
        let outcome: RequestOutcome = isTunnel ? .completed : .clientLeft
        settle(outcome)
        end(outcome: outcome, code: nil)
    }

    private func detachUpstream() {
        upstream?.cancel()
        upstream = nil
    }

    /// What is known of the request now that it has ended.
    func settlement(_ outcome: RequestOutcome) -> Settlement {
        let usage = usage(endedAs: outcome)
        return Settlement(
            outcome: outcome, status: status, settledAt: relay.dependencies.now(),
            durationMicroseconds: microseconds(from: startedAt, to: .now()),
            sentMicroseconds: headSentAt.map { microseconds(from: startedAt, to: $0) },
            firstByteMicroseconds: firstByteAt.map { microseconds(from: startedAt, to: $0) }, usage: usage,
            cost: usage.flatMap { cost(of: $0) } ?? .zero, model: reported.model,
            requestBytes: Int64(clamping: requestBytes), responseBytes: Int64(clamping: responseBytes),
            attempts: allAttempts(endedAs: outcome))
    }

    /// Leaves this request behind: what still comes for it is ignored.
    func end(outcome: RequestOutcome?, code: String?, at now: NIODeadline = .now()) {
        guard isActive else { return }
        let usage = usage(endedAs: outcome)
        count(usage, code: code, at: now)
        if relay.isLogging { log(outcome: outcome, usage, code: code, at: now) }
        if status == 401, let code { tellRefusedCredential(code) }
        relay.census.requests.subtract(1, ordering: .relaxed)
        stage = .idle
        ticket = 0
        if let caching {
            caching.end(.abandoned)
            self.caching = nil
        }
        secret = nil
        grant = nil
        route = nil
        isRenewing = false
        headBytes = ByteBuffer()
        parkedBody = ByteBuffer()
        rewritten = ByteBuffer()
        replayed = ByteBuffer()
        remover = nil
        decoder = nil
        if outbound.capacity > Holding.replay { outbound = ByteBuffer() }
        if outgoing.capacity > Holding.response { outgoing = ByteBuffer() }
    }

    private func count(_ usage: TokenUsage?, code: String?, at now: NIODeadline) {
        let duration = microseconds(from: startedAt, to: now)
        let statusClass = RelayCounters.statusClass(of: status)
        relay.meter.update { counters in
            counters.answers[statusClass] += 1
            if let grant { counters.count(grant.projectID, relay.projects, statusClass, usage) }
            if let code { counters.refusals[code, default: 0] += 1 }
            if let limit = headroom.shadowRefusal { counters.shadowRefusals[limit.rawValue, default: 0] += 1 }
            counters.overhead.observe(overhead)
            counters.duration.observe(duration)
            if let sentAt, let firstByteAt {
                counters.upstreamFirstByte.observe(microseconds(from: sentAt, to: firstByteAt))
                if let answerEndedAt, !isTunnel, !isFromCache {
                    counters.upstreamDuration.observe(microseconds(from: sentAt, to: answerEndedAt))
                }
                counters.firstByte.observe(microseconds(from: startedAt, to: firstByteAt))
            }
            counters.requestBytes += Int64(clamping: requestBytes)
            counters.responseBytes += Int64(clamping: responseBytes)
            counters.promptTokens += usage?.promptTokens ?? 0
            counters.completionTokens += usage?.completionTokens ?? 0
        }
    }

    /// The path of a request that was refused before anything was made of it.
    private var askedPath: String {
        guard let head = downstream?.head, headBytes.readableBytes >= head.length else { return "" }
        return headBytes.withUnsafeReadableBytes {
            String(decoding: $0[head.pathRange].prefix(EndpointMemory.longestStoredPath), as: UTF8.self)
        }
    }

    private func tellRefusedCredential(_ code: String) {
        guard let tell = relay.dependencies.credentialRefused else { return }
        tell(
            RefusedCredential(
                requestID: requestID, at: arrivedAt, peerAddress: downstream?.peerAddress ?? "",
                forwardedFor: askedValues(of: "x-forwarded-for"), correlationIDs: askedValues(of: "x-correlation-id"),
                method: head.method.name, path: path.isEmpty ? askedPath : path, tokenID: grant?.tokenID,
                projectID: grant?.projectID, code: code))
    }

    /// The values of a field of the request, by its name in lower case.
    private func askedValues(of name: String) -> [String] {
        guard let head = downstream?.head, headBytes.readableBytes >= head.length else { return [] }
        return headBytes.withUnsafeReadableBytes { bytes in
            func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
            return head.fields.filter { text($0.nameRange).lowercased() == name }.map { text($0.valueRange) }
        }
    }

    private func log(outcome: RequestOutcome?, _ usage: TokenUsage?, code: String?, at now: NIODeadline) {
        relay.dependencies.log?.record(
            RequestSummary(
                requestID: requestID, traceID: traceID, arrivedAt: arrivedAt,
                tokenID: grant?.tokenID, tokenHint: grant?.tokenHint, projectID: grant?.projectID,
                provider: route?.provider, attempts: attemptCount(endedAs: outcome), cacheStatus: caching?.told,
                method: head.method.name, path: path.isEmpty ? askedPath : path,
                model: reported.model ?? requestedModel, status: status,
                code: code,
                shadowRefusal: headroom.shadowRefusal,
                outcome: outcome, durationMicroseconds: microseconds(from: startedAt, to: now),
                firstByteMicroseconds: firstByteAt.map { microseconds(from: startedAt, to: $0) },
                overheadMicroseconds: overhead,
                usage: usage, requestBytes: requestBytes, responseBytes: responseBytes))
    }
}
