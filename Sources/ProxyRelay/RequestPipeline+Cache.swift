import NIOCore
import ProxyCache
import ProxyDomain
import ProxyWire
import Synchronization

/// What the cache has to do with one request.
final class Caching {
    let setup: CacheSetup
    let key: CacheKey
    let place: CacheKey.Place
    /// What the request says of it.
    let asked: CacheDirectives
    let isShared: Bool
    /// Set while others may wait for this request's answer.
    var flight: ResponseCache.Flight?
    /// The answer that it is given.
    var found: StoredResponse?
    /// One that it would be given if the upstream says that it still holds.
    var stale: StoredResponse?
    /// The answer as it comes, where it is to be held.
    var recording: Recording?
    /// What `Cache-Status` says after the cache's name (RFC 9211).
    var status = "fwd=miss"
    /// That, once it has been said.
    var told: String?

    struct Recording {
        let head: ResponseHead
        let headBytes: ByteBuffer
        let lifetime: Int64
        var body = ByteBuffer()
    }

    init(
        _ setup: CacheSetup, key: CacheKey, place: CacheKey.Place, asked: CacheDirectives, isShared: Bool
    ) {
        self.setup = setup
        self.key = key
        self.place = place
        self.asked = asked
        self.isShared = isShared
    }

    /// Nobody waits for it any longer.
    func end(_ end: ResponseCache.FlightEnd) {
        recording = nil
        guard let flight else { return }
        self.flight = nil
        setup.cache.end(flight, end)
    }
}

/// Answers from the cache (RFC 9111). The database decides on such a request like on any other, and counts it.
extension Exchange {
    // MARK: Ask

    /// What the request says of the cache; `nil` when that takes no part in it.
    ///
    /// GET and HEAD may be answered from it, POST when the client asks for that by `Cache-Control: public`.
    func cacheWish(_ head: RequestHead) -> CacheDirectives? {
        guard relay.dependencies.cache != nil, !asksForTunnel else { return nil }
        switch head.method {
        case .get, .head: guard head.framing == .none else { return nil }
        case .post: guard head.value(of: .cacheControl) != nil, head.framing != .none else { return nil }
        default: return nil
        }
        return headBytes.withUnsafeReadableBytes { bytes in
            let asked = CacheDirectives(of: head, bytes)
            guard !asked.noStore, head.method != .post || asked.isPublic else { return nil }
            // Parts of an answer, and conditions under which a change would be made.
            return head.has(Self.partial, in: bytes) ? nil : asked
        }
    }

    private static let partial = ["range", "if-range", "if-match", "if-unmodified-since"].map { Array($0.utf8) }
    private static let conditions = ["if-none-match", "if-modified-since"].map { Array($0.utf8) }

    /// Answers from this server's memory, if the answer is there.
    /// - Returns: whether that is all there is to do.
    func isAnsweredFromMemory(_ grant: Grant) -> Bool {
        guard let wish = cacheWish, let caching = makeCaching(wish, grant) else { return false }
        self.caching = caching
        if let stored = usable(caching.setup.cache.response(for: caching.key), caching, at: arrivedAt) {
            caching.status = "hit; ttl=\(stored.lifetime(at: arrivedAt))"
            give(stored, grant)
            return true
        }
        guard wish.onlyIfCached, caching.setup.shared == nil else { return false }
        refuse(.notCached)
        return true
    }

    /// The request may be counted and sent on, unless another gets its answer.
    /// - Parameter content: instead of its own, for the upstream.
    func pass(_ grant: Grant, instead content: [UInt8]? = nil) {
        compose(instead: content)
        if let caching { takeOff(grant, caching) } else { admit(grant) }
    }

    private func makeCaching(_ wish: CacheDirectives, _ grant: Grant) -> Caching? {
        guard let setup = relay.dependencies.cache, let route, let head = downstream?.head else { return nil }
        let isShared = grant.cacheScope == .shared
        return headBytes.withUnsafeReadableBytes { bytes in
            let namespace: CacheKey.Namespace = isShared ? .shared : .project(grant.projectID)
            let key =
                head.framing == .none
                ? CacheKey(namespace, route.place, head, bytes, body: nil)
                : withBody { CacheKey(namespace, route.place, head, bytes, body: $0) }
            return Caching(setup, key: key, place: route.place, asked: wish, isShared: isShared)
        }
    }

    /// The answer, if this request may be given it as it is. One that would have to be validated is kept in mind.
    private func usable(
        _ stored: StoredResponse?, _ caching: Caching, at now: Timestamp
    ) -> StoredResponse? {
        guard let stored, selects(stored) else { return nil }
        let asked = caching.asked
        let isYoung =
            asked.maxAge.map { stored.age(at: now) <= $0 } ?? true
            && asked.minFresh.map { stored.lifetime(at: now) >= $0 } ?? true
        if stored.isFresh(at: now), isYoung, !asked.noCache { return stored }
        caching.status = asked.noCache || !isYoung ? "fwd=request" : "fwd=stale"
        if !isConditional { caching.stale = stored }
        return nil
    }

    /// Whether the fields that the answer's `Vary` names are the same in this request.
    private func selects(_ stored: StoredResponse) -> Bool {
        guard !stored.request.selecting.isEmpty else { return true }
        guard let head = downstream?.head else { return false }
        return headBytes.withUnsafeReadableBytes { bytes in
            Storability.selected(by: Array(stored.request.selecting.keys), head, bytes) == stored.request.selecting
        }
    }

    private func give(_ stored: StoredResponse, _ grant: Grant) {
        caching?.found = stored
        // Nothing will be used.
        reservation = .none
        admit(grant)
    }

    // MARK: Wait

    /// Goes for the answer, or waits for another request that does already.
    private func takeOff(_ grant: Grant, _ caching: Caching) {
        let asked = ticket
        let bound = NIOLoopBound(self, eventLoop: relay.eventLoop)
        let eventLoop = relay.eventLoop
        let wake: ResponseCache.Wake = { end in
            eventLoop.execute {
                let exchange = bound.value
                if exchange.stage == .consulting, exchange.ticket == asked { exchange.cacheAnswered(end) }
            }
        }
        caching.flight = caching.setup.cache.begin(
            caching.key, of: grant.projectID, at: wholePath, isPromising: caching.asked.isPublic,
            orWait: caching.asked.noCache || caching.stale != nil ? nil : wake)
        guard caching.flight != nil else {
            stage = .consulting
            let now = NIODeadline.now()
            heldUpSince = now
            consultDeadline = now + relay.settings.responseHeadTimeout
            return
        }
        guard let shared = caching.setup.shared, caching.stale == nil, !caching.asked.noCache else {
            return goOn(grant, caching)
        }
        stage = .consulting
        consultDeadline = .now() + relay.settings.databaseTimeout
        let (key, now) = (caching.key, arrivedAt)
        Task {
            let found = await shared.response(for: key, at: now)
            wake(found.map { .stored($0) } ?? .notStored)
        }
    }

    /// The other request has its answer, or the database its own.
    func cacheAnswered(_ end: ResponseCache.FlightEnd) {
        guard let grant, let caching else { return }
        noteHeldUp()
        switch end {
        case .stored(let stored):
            let isOurs = caching.flight != nil
            if isOurs { caching.end(end) }
            let now = relay.dependencies.now()
            if let stored = usable(stored, caching, at: now) {
                caching.status = isOurs ? "hit; ttl=\(stored.lifetime(at: now))" : "fwd=miss; collapsed"
                give(stored, grant)
            } else {
                goOn(grant, caching)
            }
        case .notStored: goOn(grant, caching)
        case .abandoned: takeOff(grant, caching)
        }
        advance()
    }

    private func goOn(_ grant: Grant, _ caching: Caching) {
        guard !caching.asked.onlyIfCached else { return refuse(.notCached) }
        if let route, let refusal = circuitRefusal(along: route) {
            // Nobody who waits for it would fare better.
            caching.end(.notStored)
            return refuse(refusal)
        }
        if caching.flight == nil {
            caching.flight = caching.setup.cache.begin(caching.key, of: grant.projectID, at: wholePath, orWait: nil)
        }
        caching.setup.cache.counters.misses.add(1, ordering: .relaxed)
        if caching.stale != nil { rewriteHead() }
        admit(grant)
    }

    /// Writes the head of the request as it is anew.
    func rewriteHead() {
        guard let head = downstream?.head else { return }
        var content = outbound
        content.moveReaderIndex(forwardBy: outboundHeadLength)
        outbound = ByteBuffer()
        writeHead(head)
        outbound.writeBuffer(&content)
    }

    // MARK: Give

    /// Answers from the cache.
    func replay(_ stored: StoredResponse) {
        guard let caching else { return }
        isFromCache = true
        hasHead = true
        caching.setup.cache.counters.hits.add(1, ordering: .relaxed)
        if caching.status.hasSuffix("collapsed") {
            caching.setup.cache.counters.collapsed.add(1, ordering: .relaxed)
        }
        write(stored, isConditional ? unchanged(stored) : nil, at: arrivedAt, caching)
        settle(.completed)
        isAnswerWhole = true
        guard !isHeld else {
            stage = .delivering
            return hurryAdmission()
        }
        finish()
    }

    /// Writes an answer that is held.
    /// - Parameter notModified: the head of a 304, to be sent in its place.
    func write(
        _ stored: StoredResponse, _ notModified: (head: ResponseHead, bytes: ByteBuffer)?, at now: Timestamp,
        _ caching: Caching
    ) {
        let answer = notModified?.head ?? stored.head
        status = answer.status
        remember(model: stored.model)
        framing = notModified != nil ? .none : stored.isRechunked ? .chunked : stored.head.framing
        let isBare = head.minorVersion == 0 && framing == .chunked
        passage = isBare ? .bare : stored.isRechunked && notModified == nil ? .rechunked : .asItCame
        caching.told = caching.status
        let lines = "Age: \(stored.age(at: now))\r\nCache-Status: llm-proxy; \(caching.status)\r\n"
        overheadIndex = (notModified?.bytes ?? stored.headBytes).withUnsafeReadableBytes { bytes in
            outgoing.writeResponseHead(
                answer, of: bytes, requestID: requestID, headroom: headroom,
                connection: ConnectionFields(
                    keepsAlive: keepsClientConnection, clientMinorVersion: head.minorVersion, passage: passage,
                    isChunked: framing == .chunked, isTunnel: false),
                origin: pageOrigin, route: route, cache: CacheFields(lines: lines, isStored: true))
        }
        guard head.method != .head, notModified == nil else { return }
        responseBytes = UInt64(stored.contentLength)
        if isBare {
            outgoing.writeContent(ofChunks: stored.body, relay.settings.wireLimits)
        } else {
            replayed = stored.body
        }
    }

    /// Whether the client asks for the answer only if it isn't what it has.
    private var isConditional: Bool {
        guard let head = downstream?.head, head.method == .get || head.method == .head else { return false }
        return headBytes.withUnsafeReadableBytes { bytes in
            head.has(Self.conditions, in: bytes)
        }
    }

    /// The head of a 304, if what the client has is this (RFC 9110 section 13.2.2).
    private func unchanged(_ stored: StoredResponse) -> (head: ResponseHead, bytes: ByteBuffer)? {
        guard let head = downstream?.head else { return nil }
        let holds: Bool = headBytes.withUnsafeReadableBytes { bytes in
            if let tags = head.text(of: "if-none-match", in: bytes) {
                guard let tag = stored.text(of: "etag") else { return false }
                return EntityTag.list(tags, contains: tag)
            }
            // As it was said to the client: any other date is another version.
            return head.text(of: "if-modified-since", in: bytes) == stored.text(of: "last-modified")
        }
        return holds ? stored.notModified : nil
    }
}
