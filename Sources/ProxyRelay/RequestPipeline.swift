import NIOCore
import ProxyDomain
import ProxyLedger
import ProxyStorage
import ProxyWire
import Synchronization

/// The life of a request: identify → allow → read, where the body must be known first → admit → choose upstream → send → first byte → stream → settle.
///
/// Each step either calls the next or returns, to be called again by what it waits for.
extension Exchange {
    // MARK: Identify

    /// A head has come: finds out whose request it is.
    /// - Parameter provider: the one that its path names.
    func begin(_ head: RequestHead, _ bytes: ByteBuffer, provider: String?, at now: NIODeadline) {
        guard let downstream else { return }
        reset(
            RequestFacts(
                method: head.method, minorVersion: Int(head.minorVersion), keepsAlive: head.keepsAlive,
                framing: head.framing, expectsContinue: head.expectsContinue),
            ticket: relay.nextTicket(for: downstream.slot), at: now)
        stage = .identifying
        self.provider = provider
        relay.census.requests.add(1, ordering: .relaxed)
        headBytes = bytes
        if head.wantsUpgrade { asksForTunnel = bytes.withUnsafeReadableBytes { Self.asksForTunnel(head, $0) } }
        if head.value(of: .traceParent) != nil {
            traceID = bytes.withUnsafeReadableBytes { head.trace(in: $0).map { String(decoding: $0, as: UTF8.self) } }
        }
        pageOrigin.removeAll(keepingCapacity: true)
        if head.value(of: .origin) != nil, let origins = relay.providers.origins {
            let isAnswered = bytes.withUnsafeReadableBytes { bytes in
                noteOrigin(head, bytes, origins)
                return answerPreflight(head, bytes, origins)
            }
            if isAnswered { return }
        }
        switch Credential.of(head, bytes, &credentialMemory) {
        case .missing: refuse(.missingCredential)
        case .malformed: refuse(.malformedCredential)
        case .secret(let secret):
            self.secret = secret
            grantEpoch = relay.grants.currentEpoch
            if let grant = credentialMemory.grant(asOf: grantEpoch) { return allow(grant) }
            switch relay.grants.entry(for: secret) {
            case .known(let grant):
                credentialMemory.keep(grant, asOf: grantEpoch)
                allow(grant)
            case .unknownToken: refuse(.tokenNotFound)
            case nil: relay.askForGrant(secret, ticket: ticket)
            }
        }
    }

    /// The database has told what the cache could not.
    func grantFound(_ answer: Result<Grant?, GrantSourceError>, asOf epoch: UInt64) {
        if isRenewing { return grantRenewed(answer, asOf: epoch) }
        guard stage == .identifying else { return }
        grantEpoch = epoch
        switch answer {
        case .success(let grant?): allow(grant)
        case .success(nil): refuse(.tokenNotFound)
        case .failure(.unavailable): refuse(.databaseUnavailable)
        case .failure(.unusable): refuse(.projectUnusable)
        }
        advance()
    }

    // MARK: Allow

    /// Refuses what needs no database to be refused.
    private func allow(_ grant: Grant) {
        guard let downstream else { return }
        self.grant = grant
        let head = downstream.head
        cacheWish = cacheWish(head)
        if let refusal = refusal(under: grant, head) { return refuse(refusal) }
        #if LEDGER_OFF
            compose()
            chooseUpstream()  // Counts nothing: what Benchmarks/ledger-off builds, to show what counting costs.
        #else
            guard !mustRead(grant) else { return readBody() }
            if cacheWish == nil || !isAnsweredFromMemory(grant) { pass(grant) }
        #endif
    }

    // MARK: Admit

    /// Has the request counted. One without a cap goes on meanwhile; only its answer waits.
    func admit(_ grant: Grant) {
        guard let receiver = relay.receiver else { return refuse(.overloaded) }
        // A body that had to be read first may have taken its time.
        if stage == .reading || stage == .consulting { askedAt = .now() }
        let handle = relay.dependencies.ledger.admit(
            ProxyStorage.Admission(
                requestID: requestID, tokenID: grant.tokenID, projectID: grant.projectID, admittedAt: arrivedAt,
                method: head.method.name, path: path, reservation: reservation,
                basis: grant.isLimited ? .standing : .unlimited),
            receiver: receiver, ticket: ticket, isWaitedFor: grant.isLimited)
        guard let handle else { return refuse(.overloaded) }
        admission = .pending(handle)
        if grant.isLimited {
            stage = .admitting
        } else if let stored = caching?.found {
            replay(stored)
        } else {
            setOff()
        }
    }

    /// Goes to the upstream for the first time.
    private func setOff() {
        if let route, route.retry.attempts > 1 { route.retryBudget.earn(route.retry.budgetPercent) }
        chooseUpstream()
    }

    /// The ledger has decided: what waited for it goes on, or is refused.
    func admissionDecided(_ verdict: AdmissionVerdict) {
        guard case .pending(let handle) = admission else { return }
        switch verdict {
        case .admitted(_, let headroom):
            admission = .admitted(handle)
            self.headroom = headroom
            if isGrantOld { renewGrant() } else { proceed() }
        case .refused(let refusal):
            admission = .refused
            refuse(RelayRefusal(refusal, cap: grant?.standing.maxRequests ?? 0, at: relay.dependencies.now()))
        case .unavailable:
            admission = .refused
            refuse(.databaseUnavailable)
        }
    }

    /// Admitted, under a grant that is in force: what waited for that goes on.
    func proceed() {
        if stage == .admitting {
            if let stored = caching?.found { return replay(stored) }
            setOff()
        }
        if stage == .delivering { return finish() }
        if hasHead || outgoing.readableBytes > 0 { deliver() }
        if let downstream { upstream?.setReading(downstream.isWritable) }
        if isTunnel { downstream?.process() }
        advance()
    }

    // MARK: Choose upstream

    /// - Parameter carrier: has refused the request, which may go on another that is there.
    func chooseUpstream(avoiding carrier: UpstreamHTTP2Connection? = nil) {
        guard let route else { return }
        if route.breaker.isTripped, !hasPassedBreaker {
            if let wait = route.breaker.wait(at: .now(), route.retry.breaker) { return circuitIsOpen(for: wait) }
            hasPassedBreaker = route.retry.breaker.failures > 0
        }
        // One that is let through to try needs a connection that is no remnant of before, as does a second try.
        if !hasPassedBreaker,
            let connection = relay.upstreams.take(
                route.target, streams: !asksForTunnel && (!hasRetried || carrier != nil), idle: !hasRetried,
                avoiding: carrier)
        {
            return attach(connection)
        }
        stage = .connecting
        heldUpSince = .now()
        let asked = ticket
        let target = route.target
        relay.upstreams.connect(target, isTunnel: asksForTunnel) { [self] connection, loss in
            guard stage == .connecting, ticket == asked else {
                if let connection { relay.upstreams.giveBack(connection) }
                return
            }
            guard self.route?.target == target else {
                // Renewed meanwhile: what it carries now belongs elsewhere.
                if let connection { relay.upstreams.giveBack(connection) }
                chooseUpstream()
                return advance()
            }
            guard let connection else { return attemptFailed(.unreachable(loss)) }
            attach(connection)
            advance()
        }
    }

    private func attach(_ connection: UpstreamConnection) {
        upstream = connection
        heldUpSince = nil  // To make a connection is ours, unless it fails.
        connection.begin(self)
        stage = .relaying
    }

    // MARK: Send

    /// Bytes of the request's body have come.
    func requestBody(_ bytes: ByteBuffer, total: UInt64) {
        guard isActive else { return }
        requestBytes = total
        var bytes = bytes
        guard stage != .identifying else {
            // Whose it is comes before how large it is: no more is read until that is known.
            parkedBody.writeBuffer(&bytes)
            if parkedBody.readableBytes > Holding.request { downstream?.setReading(false) }
            return
        }
        guard total <= relay.settings.maxRequestBytes else {
            return refuse(.bodyTooLarge(limit: relay.settings.maxRequestBytes))
        }
        guard bytes.readableBytes > 0 else { return }
        guard stage != .reading else {
            parkedBody.writeBuffer(&bytes)
            // With the framing of its chunks, which may be many times as large.
            guard UInt64(parkedBody.readableBytes) <= 2 * relay.settings.maxRequestBytes + UInt64(Holding.request)
            else {
                return refuse(.bodyTooLarge(limit: relay.settings.maxRequestBytes))
            }
            return
        }
        let isAllSent = stage == .relaying && outboundSent == outbound.readableBytes
        if isAllSent, !isReplayable || outbound.readableBytes + bytes.readableBytes > replayLimit {
            isReplayable = false
            outbound.clear()
            outboundSent = 0
            upstream?.write(bytes)
        } else {
            if outbound.readableBytes == 0, !isReplayable { outbound = bytes } else { outbound.writeBuffer(&bytes) }
        }
        if stage == .relaying {
            if upstream?.isWritable == false { downstream?.setReading(false) }
        } else if outbound.readableBytes > Holding.request {
            downstream?.setReading(false)
        }
    }

    /// The request has come whole.
    func requestEnded() {
        isBodyComplete = true
        if stage == .reading { bodyRead() }
    }

    /// Sends what there is to send; called whenever some may have gathered.
    func advance() {
        guard stage == .relaying, let upstream else { return }
        if outboundSent < outbound.readableBytes {
            let unsent = outbound.readableBytes - outboundSent
            if let slice = outbound.getSlice(at: outbound.readerIndex + outboundSent, length: unsent) {
                upstream.write(slice)
            }
            outboundSent = outbound.readableBytes
            if outboundSent > replayLimit {
                isReplayable = false
                outbound = ByteBuffer()
                outboundSent = 0
            }
            if upstream.isWritable { downstream?.setReading(true) }
        }
        upstream.flush()
        // A write that fails ends the connection at once, and with it this attempt.
        guard stage == .relaying, self.upstream === upstream else { return }
        noteSent(on: upstream)
    }

    /// What there was of the request is written: its head is, and perhaps all of it.
    private func noteSent(on upstream: UpstreamConnection) {
        let isWhole = isBodyComplete && !isRequestSent
        guard isWhole || headSentAt == nil else { return }
        let now = NIODeadline.now()
        if headSentAt == nil { headSentAt = now }
        guard isWhole else { return }
        isRequestSent = true
        sentAt = now
        upstream.requestEnded(at: now)
    }

    func upstreamWritabilityChanged(_ isWritable: Bool) {
        if stage == .relaying { downstream?.setReading(isWritable) }
    }

    // MARK: First byte

    /// 100, 102 or 103: passed on, unless the client speaks a version without them (RFC 9110 section 15.2).
    func interimResponse(_ interim: ResponseHead, _ bytes: ByteBuffer) {
        guard head.minorVersion > 0, !(hasSaidContinue && interim.status == 100) else { return }
        bytes.withUnsafeReadableBytes { outgoing.writeInterimHead(interim, of: $0, route: route) }
    }

    func responseHead(_ response: ResponseHead, _ bytes: ByteBuffer, at now: NIODeadline) {
        firstByteAt = now
        hasHead = true
        route?.breaker.answered(at: now)
        status = response.status
        answeredStatus = response.status
        if response.status >= 400, !clientHasLeft {
            let pause = bytes.withUnsafeReadableBytes { response.retryAfter($0, at: relay.dependencies.now()) }
            letKeyRest(after: response.status, pause)
            if triesAgain(after: .status(response.status), retryAfter: pause) { return }
        }
        framing = response.status == 101 ? .untilClose : response.framing
        if relay.dependencies.cache != nil { invalidateCache(response.status) }
        if caching?.stale != nil, bytes.withUnsafeReadableBytes({ validated(response, $0) }) { return }
        bytes.withUnsafeReadableBytes { choosePassage(response, $0) }
        let cache = caching.map { noteForCache(response, bytes, $0) }
        // What is left of a body that is too large to be skipped will have to be cut.
        isLastAnswer = !isBodyComplete && downstream?.canSkipBody == false
        overheadIndex = bytes.withUnsafeReadableBytes { bytes in
            outgoing.writeResponseHead(
                response, of: bytes, requestID: requestID, headroom: headroom,
                connection: ConnectionFields(
                    keepsAlive: keepsClientConnection, clientMinorVersion: head.minorVersion,
                    passage: passage, isChunked: framing == .chunked, isTunnel: response.status == 101),
                origin: pageOrigin, route: route, cache: cache)
        }
    }

    /// Whether another request may follow this answer on the client's connection.
    var keepsClientConnection: Bool {
        head.keepsAlive && endsByItself && !isLastAnswer && !relay.isDraining
    }

    // MARK: Stream

    func responseBody(_ bytes: ByteBuffer) {
        guard !clientHasLeft else { return }
        var bytes = passage == .asItCame ? bytes : takeRewritten()
        guard bytes.readableBytes > 0 else { return }
        if caching != nil { record(bytes) }
        if isHeld || outgoing.readableBytes > 0 && bytes.readableBytes <= Holding.response / 4 {
            outgoing.writeBuffer(&bytes)
            if isHeld, outgoing.readableBytes > Holding.response { upstream?.setReading(false) }
        } else {
            deliver()
            downstream?.write(bytes)
        }
    }

    /// The upstream's bytes of this moment have been dealt with: the client gets them now.
    func upstreamReadEnded() {
        guard isActive, !clientHasLeft else { return }
        if isHeld {
            if hasHead { hurryAdmission() }
        } else {
            deliver()
            downstream?.flush()
            // Told of changes alone, it might have missed the one that came before there was an answer.
            if downstream?.isWritable == false { upstream?.setReading(false) }
        }
    }

    func clientWritabilityChanged(_ isWritable: Bool) {
        guard !isHeld else { return }
        // An answer from the cache is all there at once.
        if stage == .delivering, isWritable { return finish() }
        upstream?.setReading(isWritable)
    }

    /// Writes what has gathered, unless it must wait for the database.
    func deliver() {
        guard !isHeld, outgoing.readableBytes > 0 else { return }
        writeOutgoing()
        downstream?.flush()
    }

    private func writeOutgoing() {
        guard outgoing.readableBytes > 0, let downstream else { return }
        if hasHead, !isDelivering {
            isDelivering = true
            overhead = overheadUntilNow()
            if let overheadIndex { outgoing.setOverhead(overhead, at: overheadIndex) }
        }
        downstream.write(outgoing)
        outgoing.clear()
    }

    /// Writes an answer that is held, in parts, so that each tells that the client still takes something.
    private func writeReplayed() {
        let asked = ticket
        while isActive, ticket == asked, replayed.readableBytes > 0, let downstream, downstream.isWritable,
            let part = replayed.readSlice(length: min(replayed.readableBytes, Holding.response))
        {
            downstream.write(part)
            downstream.flush()
        }
        if replayed.readableBytes == 0 { replayed = ByteBuffer() }
    }

    // MARK: Settle

    /// The upstream's answer is complete.
    func responseEnded() {
        isAnswerWhole = true
        answerEndedAt = .now()
        guard !clientHasLeft else { return drained() }
        upstream = nil
        if passage != .asItCame, !isFromCache {
            var last = takeLastRewritten()
            if caching != nil { record(last) }
            outgoing.writeBuffer(&last)
        }
        if caching != nil { store() }
        settle(.completed)
        guard !isHeld else {
            stage = .delivering
            return hurryAdmission()
        }
        finish()
    }

    /// The answer is here, and its admission not written yet.
    func hurryAdmission() {
        if case .pending(let handle) = admission { relay.dependencies.ledger.hurry(handle) }
    }

    func finish() {
        guard !isFinishing, !isHeld else { return }
        isFinishing = true
        let asked = ticket
        writeOutgoing()
        writeReplayed()
        downstream?.flush()
        isFinishing = false
        // What could not be written may have ended it.
        guard isActive, ticket == asked else { return }
        if isFromCache, downstream?.isWritable == false || replayed.readableBytes > 0 {
            stage = .delivering
            return
        }
        let keepsAlive = keepsClientConnection
        let now = NIODeadline.now()
        end(outcome: .completed, code: nil, at: now)
        downstream?.answerEnded(keepsAlive: keepsAlive, at: now)
    }

    /// Writes down how the request ended, once, if it was counted.
    func settle(_ outcome: RequestOutcome) {
        guard !isSettled, let grant else { return }
        let handle: AdmissionHandle
        switch admission {
        case .notAsked, .refused: return
        case .pending(let pending): handle = pending
        case .admitted(let admitted): handle = admitted
        }
        isSettled = true
        relay.dependencies.ledger.settle(
            RequestSettlement(
                requestID: requestID, tokenID: grant.tokenID, projectID: grant.projectID, admittedAt: arrivedAt,
                reservation: reservation, settlement: settlement(outcome)),
            of: handle)
    }
}
