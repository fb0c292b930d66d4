import NIOCore
import ProxyCache
import ProxyCodings
import ProxyDomain
import ProxyLedger
import ProxyWire

/// One request and its answer. A connection has one of these and uses it for one request after the other.
///
/// Confined to its event loop. ``RequestPipeline`` is what happens to it, step by step.
final class Exchange {
    enum Stage {
        /// No request. Next: `identifying`, `admitting` or `connecting`.
        case idle
        /// The token is looked up. Next: `reading`, `admitting`, `connecting`, or `idle` when refused.
        case identifying
        /// The body must be there first, to tell what it may use. Next: `admitting`, or `idle` when refused.
        case reading
        /// The cache may get an answer: from the database, or by another request. Next: `admitting`, `connecting`, `delivering`, or
        /// `idle` when refused.
        case consulting
        /// The admission must be in the database first. Next: `connecting`, or `idle` when refused.
        case admitting
        /// A connection to the upstream is being made. Next: `relaying`, `pausing`, or `idle` when there is none.
        case connecting
        /// An attempt has failed, and the next is not to come yet. Next: `connecting` or `relaying`.
        case pausing
        /// Bytes pass. Next: `delivering`, `connecting` or `pausing` for another attempt, or `idle`.
        case relaying
        /// The answer is complete and waits for its admission. Next: `idle`.
        case delivering
    }

    enum Admission {
        case notAsked
        case pending(AdmissionHandle)
        case admitted(AdmissionHandle)
        case refused
    }

    let relay: RelayLoop
    /// Set while its channel is active; letting go of it then ends the cycle.
    var downstream: DownstreamConnection?
    var stage = Stage.idle
    /// Names this request to other threads; 0 between requests.
    var ticket: UInt64 = 0

    // The request
    var head = RequestFacts()
    var headBytes = ByteBuffer()
    /// Bytes of the body, framing included, that came before there was a request to put them in.
    var parkedBody = ByteBuffer()
    var requestID = RequestID(Identifier(high: 0, low: 0))
    var arrivedAt = Timestamp(milliseconds: 0)
    var startedAt = NIODeadline.uptimeNanoseconds(0)
    /// Since when the request waits for the database, if it does.
    var askedAt = NIODeadline.uptimeNanoseconds(0)
    var secret: TokenSecret?
    /// Lasts from one request to the next.
    var credentialMemory = CredentialMemory()
    var grant: Grant?
    /// The provider that the request's path names before its own; `nil` when it names none.
    var provider: String?
    /// The way it takes.
    var route: UpstreamRoute?
    /// Other ways that it may take when this one fails.
    var ways: [UpstreamRoute] = []
    /// Those that have failed.
    var attempts: [UpstreamAttempt] = []
    /// How long others have held it up, which is not what we add: attempts that failed and the pauses after them, a body that came
    /// slowly, another request that had gone for the same answer.
    var othersMicroseconds: Int64 = 0
    /// Since when it waits for one of those, or for a connection to be made.
    var heldUpSince: NIODeadline?
    /// Whether this attempt was let through to try an upstream that is left alone.
    var hasPassedBreaker = false
    /// The ``GrantEpoch`` as of which the grant was read.
    var grantEpoch: UInt64 = 0
    /// The grant is read once more before the client gets anything.
    var isRenewing = false
    var path = ""
    /// The whole of a path that is longer than what is written of it.
    var longPath: String?
    /// The page that may read the answer; empty for none.
    var pageOrigin: [UInt8] = []
    /// The client's trace, if the request says one.
    var traceID: String?
    /// Whether the client has asked for a WebSocket.
    var asksForTunnel = false
    /// Whether it has one.
    var isTunnel = false
    var requestBytes: UInt64 = 0
    /// Whether the upstream is asked for usage that the client didn't ask for.
    var hasAskedForUsage = false
    /// The model that the request asks for, where it was read.
    var requestedModel: String?
    /// What the request says of the cache, where that takes part.
    var cacheWish: CacheDirectives?
    /// What the cache has to do with it.
    var caching: Caching?
    /// When it waits no longer for the cache.
    var consultDeadline = NIODeadline.distantFuture
    /// What is set aside for it.
    var reservation = Reservation.none
    /// Whether we have told the client to send its body: the upstream's word for that is then not passed on.
    var hasSaidContinue = false
    /// The request as the upstream gets it, from its first byte, until it outgrows what we keep for a retry.
    var outbound = ByteBuffer()
    var outboundSent = 0
    /// How many bytes at its beginning are its head.
    var outboundHeadLength = 0
    /// The length of content that isn't the client's own.
    var newContentLength: Int?
    /// Whether ``outbound`` holds all of the request that has come.
    var isReplayable = true
    var isBodyComplete = false
    /// Whether no request may follow the answer, because its own was still coming.
    var isLastAnswer = false
    var isRequestSent = false
    var hasRetried = false

    // Its admission
    var admission = Admission.notAsked
    var isSettled = false
    /// What the token's limits hold after it.
    var headroom = Headroom()

    // Its answer
    var upstream: UpstreamConnection?
    /// When this attempt's head was written to the upstream's connection.
    var headSentAt: NIODeadline?
    /// When the upstream's answer was whole.
    var answerEndedAt: NIODeadline?
    /// When all of the request was.
    var sentAt: NIODeadline?
    var firstByteAt: NIODeadline?
    /// What the client is answered with.
    var status = 0
    /// What the upstream has answered.
    var answeredStatus = 0
    var framing = BodyFraming.none
    var usageTap = UsageTap()
    /// ``reported``, once it was read.
    private var readReport: Reported?
    /// Whether the client is given an answer that another request got.
    var isFromCache = false
    /// Head and bytes of the answer that are not written yet.
    var outgoing = ByteBuffer()
    /// Of an answer from the cache, what goes after ``outgoing``: as it is held, not copied.
    var replayed = ByteBuffer()
    /// Whether ``finish()`` is writing: what it writes may make room for more at once.
    var isFinishing = false
    /// Where in ``outgoing`` the overhead is filled in when the head is written.
    var overheadIndex: Int?
    var overhead: Int64 = 0
    var responseBytes: UInt64 = 0
    var hasHead = false
    /// Whether the client has got any of the answer.
    var isDelivering = false
    /// The answer is read on only for what it says of usage.
    var clientHasLeft = false
    var passage = Passage.asItCame
    /// Content for the client that is not as it came.
    var rewritten = ByteBuffer()
    var remover: UsageRemover?
    /// Unpacks what is looked at, where the answer is packed.
    var decoder: ContentDecoder?
    /// Packed so that we can't look into it.
    var isOpaque = false
    var isEventStream = false
    var isAnswerWhole = false
    var eventScanner = EventScanner()
    var eventCount = 0

    init(relay: RelayLoop) { self.relay = relay }

    var isActive: Bool { stage != .idle }
    var requestMethod: RequestMethod { head.method }

    /// Makes ready for a request.
    func reset(_ facts: RequestFacts, ticket: UInt64, at now: NIODeadline) {
        self.ticket = ticket
        head = facts
        arrivedAt = relay.dependencies.now()
        startedAt = now
        askedAt = now
        requestID = relay.identifiers.next(at: arrivedAt)
        secret = nil
        grant = nil
        provider = nil
        route = nil
        if !ways.isEmpty { ways = [] }
        if !attempts.isEmpty { attempts = [] }
        othersMicroseconds = 0
        heldUpSince = nil
        hasPassedBreaker = false
        newContentLength = nil
        isRenewing = false
        path = ""
        longPath = nil
        traceID = nil
        asksForTunnel = false
        isTunnel = false
        requestBytes = 0
        hasAskedForUsage = false
        clientHasLeft = false
        cacheWish = nil
        caching = nil
        requestedModel = nil
        reservation = .none
        hasSaidContinue = false
        headroom = Headroom()
        parkedBody = ByteBuffer()
        outbound.clear()
        outboundSent = 0
        outboundHeadLength = 0
        isReplayable = true
        isBodyComplete = false
        isLastAnswer = false
        isRequestSent = false
        hasRetried = false
        admission = .notAsked
        isSettled = false
        overhead = 0
        isDelivering = false
        forgetAnswer()
    }

    /// Forgets when an attempt was sent, and what has come of its answer, which no client has seen.
    func forgetAnswer() {
        headSentAt = nil
        sentAt = nil
        firstByteAt = nil
        answerEndedAt = nil
        status = 0
        answeredStatus = 0
        isTunnel = false
        usageTap.reset()
        readReport = nil
        outgoing.clear()
        replayed = ByteBuffer()
        overheadIndex = nil
        responseBytes = 0
        hasHead = false
        isFromCache = false
        caching?.recording = nil
        passage = .asItCame
        rewritten = ByteBuffer()
        remover = nil
        decoder = nil
        isOpaque = false
        isEventStream = false
        isAnswerWhole = false
        eventScanner = EventScanner()
        eventCount = 0
    }

    /// What the provider says in the answer. Only for when that has ended: it is read once.
    var reported: Reported {
        if let readReport { return readReport }
        let (usage, model) = usageTap.take()
        let report = Reported(usage: usage, model: model)
        readReport = report
        return report
    }

    /// The answer is one that was read before.
    func remember(model: String?) { readReport = Reported(usage: nil, model: model) }

    /// Whether a failed attempt need not be the last.
    var mayTryAgain: Bool { !ways.isEmpty || (route?.retry.attempts ?? 1) > 1 }

    /// Most bytes of the request that are kept so that it can be sent again.
    var replayLimit: Int { mayTryAgain ? Holding.replayElsewhere : Holding.replay }

    /// Whether the client can tell where the answer ends without the connection's end.
    var endsByItself: Bool { framing != .untilClose && passage != .bare }

    /// Whether the answer must wait for the database.
    var isHeld: Bool { if case .pending = admission { true } else { isRenewing } }

    func microseconds(from start: NIODeadline, to end: NIODeadline) -> Int64 {
        max(0, (end - start).nanoseconds / 1000)
    }
}

/// What the pipeline needs to know of a request's head after the head's bytes are gone.
struct RequestFacts {
    var method = RequestMethod.other
    var minorVersion = 1
    var keepsAlive = true
    var framing = BodyFraming.none
    var expectsContinue = false
}

/// What a provider says in its answer; `nil` for what it doesn't.
struct Reported {
    let usage: ReportedUsage?
    let model: String?
}
