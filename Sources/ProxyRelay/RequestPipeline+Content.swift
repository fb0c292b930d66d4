import NIOCore
import ProxyCache
import ProxyCodings
import ProxyDomain
import ProxyWire

/// How the content of an answer passes to the client.
enum Passage {
    /// Byte for byte, framing included.
    case asItCame
    /// Without a framing of its own: its end is the connection's.
    case bare
    /// In chunks of ours.
    case rechunked
}

/// What is made of an answer's content on its way: looked at always, written anew only where it must be.
extension Exchange {
    /// Decides how the answer passes, by its head.
    func choosePassage(_ response: ResponseHead, _ bytes: UnsafeRawBufferPointer) {
        isEventStream = response.isEventStream(bytes)
        let encoding = response.value(of: .contentEncoding).map { UnsafeRawBufferPointer(rebasing: bytes[$0]) }
        let isPacked = encoding.map { !ContentCoding.isIdentity($0) } ?? false
        if isPacked, let encoding {
            decoder = ContentCoding(encoding).map { ContentDecoder($0) }
            isOpaque = decoder == nil
        }
        let isEdited =
            hasAskedForUsage && isEventStream && (200..<300).contains(response.status) && !isPacked
            && response.framing != .none
        remover = isEdited ? UsageRemover() : nil
        if isEdited {
            passage = head.minorVersion == 0 || response.framing == .untilClose ? .bare : .rechunked
        } else {
            passage = head.minorVersion == 0 && response.framing == .chunked ? .bare : .asItCame
        }
    }

    /// Content passes: without the framing of chunks.
    func observe(_ payload: UnsafeRawBufferPointer) {
        if isTunnel || passage == .asItCame, !clientHasLeft { responseBytes += UInt64(payload.count) }
        guard !isTunnel else { return }
        if let decoder { decoder.decode(payload) { look(at: $0) } } else if !isOpaque { look(at: payload) }
        guard passage != .asItCame, !clientHasLeft else { return }
        if remover?.pass(payload, into: &rewritten) == nil { rewritten.writeBytes(payload) }
    }

    private func look(at content: UnsafeRawBufferPointer) {
        usageTap.observe(content)
        if isEventStream { eventCount += eventScanner.count(content) }
    }

    /// What of the content written anew can go to the client now.
    func takeRewritten() -> ByteBuffer {
        defer { rewritten = ByteBuffer() }
        responseBytes += UInt64(rewritten.readableBytes)
        guard passage == .rechunked, rewritten.readableBytes > 0 else { return rewritten }
        var chunk = ByteBuffer()
        chunk.writeString(String(rewritten.readableBytes, radix: 16) + "\r\n")
        chunk.writeBuffer(&rewritten)
        chunk.writeStaticString("\r\n")
        return chunk
    }

    /// The end of content written anew.
    func takeLastRewritten() -> ByteBuffer {
        remover?.finish(into: &rewritten)
        var last = takeRewritten()
        if passage == .rechunked { last.writeStaticString("0\r\n\r\n") }
        return last
    }
}

/// What an answer has used.
extension Exchange {
    /// More than any model reads or writes, and so few that their sums never overflow: whoever can have a provider answer what he likes
    /// says what it used.
    private static let mostTokens: Int64 = 1 << 30

    /// What the provider says, or else an estimate of a stream that has come to its end or broke off; `nil` when nobody knows.
    ///
    /// Estimated is a token for each four bytes of the request and one for each event.
    func usage(endedAs outcome: RequestOutcome?) -> TokenUsage? {
        if isFromCache { return TokenUsage(promptTokens: 0, completionTokens: 0, source: .cache) }
        let told = reported.usage.map {
            TokenUsage(
                promptTokens: min($0.promptTokens, Self.mostTokens),
                completionTokens: min($0.completionTokens, Self.mostTokens))
        }
        guard isEventStream, (200..<300).contains(status), eventCount > 0, let grant else { return told }
        switch outcome {
        case .clientLeft where grant.route.streams.clientLeaves == .cancel: return told
        case .completed, .clientLeft, .upstreamReset, .upstreamTimeout:
            // Of a stream that broke off, what was told at its beginning says little of its end.
            if let told, isAnswerWhole || told.completionTokens >= eventCount { return told }
            return TokenUsage(
                promptTokens: told?.promptTokens ?? Int64(clamping: requestBytes) / Int64(Self.bytesPerToken),
                completionTokens: Int64(eventCount), source: .estimate)
        case nil, .upstreamUnreachable, .refused, .inDoubt: return told
        }
    }

    /// By the model that answered, or else by the one that was asked for.
    func cost(of usage: TokenUsage) -> NanoDollars? {
        guard let prices = route?.prices, !prices.isEmpty else { return nil }
        let price = reported.model.flatMap { prices.price(of: $0) } ?? requestedModel.flatMap { prices.price(of: $0) }
        return price?.cost(
            promptTokens: usage.promptTokens, cachedTokens: reported.usage?.cachedPromptTokens ?? 0,
            completionTokens: usage.completionTokens)
    }
}

/// Answers that are read on when their client has left.
extension Exchange {
    /// Whether the answer goes on to be read, for the usage at its end.
    func drainsWhenClientLeaves() -> Bool {
        guard stage == .relaying, !isTunnel, isRequestSent, let upstream, upstream.isOpen, !relay.isDraining,
            grant?.route.streams.clientLeaves == .drain
        else { return false }
        clientHasLeft = true
        caching?.end(.abandoned)
        outgoing.clear()
        rewritten = ByteBuffer()
        remover = nil
        upstream.setReading(true)
        upstream.drain(until: .now() + relay.settings.drainTimeout)
        return true
    }

    /// Nobody is left to be answered: writes down what was seen.
    func drained() {
        upstream = nil
        settle(.clientLeft)
        end(outcome: .clientLeft, code: nil)
    }
}
