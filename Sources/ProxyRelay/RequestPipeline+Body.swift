import NIOCore
import ProxyCache
import ProxyCodings
import ProxyDomain
import ProxyWire

/// Requests that are read before they are sent: to set aside what they may use, of their token's tokens per minute and of
/// budgets, and to ask for the usage of streams.
extension Exchange {
    /// Whether the body must be there first.
    func mustRead(_ grant: Grant) -> Bool {
        guard head.framing != .none else { return false }
        return grant.readsBodies || cacheWish != nil || grant.route.streams.usage == .ask && isCompletion
    }

    /// Whether the provider may be asked to tell the usage at the end of a stream: in OpenAI's API of these two alone.
    private var isCompletion: Bool { path == "/v1/chat/completions" || path == "/v1/completions" }

    /// What the request may use is in its body: it goes on when that is complete.
    func readBody() {
        stage = .reading
        guard !isBodyComplete else { return bodyRead() }
        heldUpSince = .now()
        downstream?.setReading(true)
        guard head.expectsContinue, head.minorVersion > 0 else { return }
        hasSaidContinue = true
        downstream?.write(ByteBuffer(staticString: "HTTP/1.1 100 Continue\r\n\r\n"))
        downstream?.flush()
    }

    /// The body is there: estimates what the request may use, or bounds it where a budget is strict, and has it counted.
    func bodyRead() {
        noteHeldUp()
        guard let grant else { return }
        if let refusal = parameterRefusal(under: grant) { return refuse(refusal) }
        if cacheWish != nil, isAnsweredFromMemory(grant) { return }
        var asking: [UInt8]?
        let estimate = withBody { body in
            let outline = RequestOutline(of: body)
            if grant.route.streams.usage == .ask, isCompletion { asking = outline?.askingForUsage(body) }
            return grant.reserves
                ? estimateAlongAllWays(body, outline, grant)
                : .success((outline?.model, .none))
        }
        switch estimate {
        case .success(let (model, reservation)):
            requestedModel = model
            self.reservation = reservation
            pass(grant, instead: asking)
        case .failure(let unbounded): refuse(.costUnbounded(unbounded))
        }
    }

    /// Looks at the parameters that the body gives, and at its model.
    private func parameterRefusal(under grant: Grant) -> RelayRefusal? {
        ways.removeAll { $0.endpoints !== route?.endpoints && parameterViolation($0.endpoints.parameters) != nil }
        if let route, let violation = parameterViolation(route.endpoints.parameters) {
            ways.removeAll { $0.endpoints === route.endpoints }
            guard let way = takeWay(.any) else { return .paramNotAllowed(violation) }
            self.route = way
        }
        return grant.scope?.refusal { parameterViolation($0) }
    }

    /// A body that is packed can't be looked into.
    private func parameterViolation(_ rules: ParameterRules) -> ParameterRules.Violation? {
        guard !rules.isEmpty, let head = downstream?.head else { return nil }
        return headBytes.withUnsafeReadableBytes { bytes in
            func value(of kind: FieldKind) -> UnsafeRawBufferPointer? {
                head.value(of: kind).map { UnsafeRawBufferPointer(rebasing: bytes[$0]) }
            }
            if let coding = value(of: .contentEncoding), !ContentCoding.isIdentity(coding) { return .unreadable }
            guard head.count(of: .contentType) <= 1, head.count(of: .contentEncoding) <= 1 else { return .unreadable }
            return withBody { rules.violation(in: $0, contentType: value(of: .contentType)) }
        }
    }

    /// Writes the request as the upstream gets it: what has come of its body, or other content.
    func compose(instead content: [UInt8]? = nil) {
        guard let downstream else { return }
        hasAskedForUsage = content != nil
        newContentLength = content?.count
        writeHead(downstream.head)
        // Another way needs another head.
        if ways.isEmpty, caching == nil { headBytes = ByteBuffer() }
        if let content { outbound.writeBytes(content) } else { outbound.writeBuffer(&parkedBody) }
        parkedBody = ByteBuffer()
    }

    /// Writes the request's head for the way that it takes.
    func writeHead(_ head: RequestHead) {
        guard let route else { return }
        headBytes.withUnsafeReadableBytes { bytes in
            outbound.writeRequestHead(
                head, of: bytes, towards: route, requestID: requestID, newLength: newContentLength,
                isTunnel: asksForTunnel, validators: route.place == caching?.place ? caching?.stale?.validators : nil)
        }
        outboundHeadLength = outbound.readableBytes
    }

    /// Lends the body without the framing of chunks.
    func withBody<Value>(_ body: (UnsafeRawBufferPointer) -> Value) -> Value {
        guard head.framing == .chunked else { return parkedBody.withUnsafeReadableBytes(body) }
        var framed = parkedBody
        var content = ByteBuffer()
        var reader = BodyReader(limits: relay.settings.wireLimits)
        reader.begin(.chunked, limits: relay.settings.wireLimits)
        // It was read once already, so it can't be broken.
        _ = try? reader.take(from: &framed) { content.writeBytes($0) }
        return content.withUnsafeReadableBytes(body)
    }

    private typealias Estimate = (model: String?, Reservation)

    /// Most tokenizers make about one token of four bytes of English and of JSON, and none makes more than one of a byte.
    static let bytesPerToken = 4

    /// What the request may use along the dearest of its ways. Those along which that can't be told are left out, unless it is none.
    private func estimateAlongAllWays(
        _ body: UnsafeRawBufferPointer, _ outline: RequestOutline?, _ grant: Grant
    ) -> Result<Estimate, UnboundedCost> {
        func estimate(_ way: UpstreamRoute?) -> Result<Estimate, UnboundedCost> {
            Self.estimate(body, outline, path: path, grant, prices: way?.prices, relay.settings)
        }
        guard grant.standing.hasBudget, !ways.isEmpty, case .success((let model, var most)) = estimate(route) else {
            ways = grant.standing.isStrict ? [] : ways
            return estimate(route)
        }
        ways.removeAll { way in
            guard case .success(let (_, other)) = estimate(way) else { return true }
            if other.cost > most.cost { most = other }
            return false
        }
        return .success((model, most))
    }

    private static func estimate(
        _ body: UnsafeRawBufferPointer, _ outline: RequestOutline?, path: String, _ grant: Grant, prices: PriceList?,
        _ settings: RelaySettings
    ) -> Result<Estimate, UnboundedCost> {
        let price = outline?.model.flatMap { prices?.price(of: $0) }
        let completes = !path.hasSuffix("/embeddings") && !path.hasSuffix("/moderations")
        guard grant.standing.isStrict else {
            // What is no JSON, such as a sound to be transcribed, says nothing by its length.
            let prompt = outline == nil ? 0 : (body.count + bytesPerToken - 1) / bytesPerToken
            let completion = completes ? outline?.maxTokens ?? settings.defaultReservedTokens : 0
            return .success(
                (
                    outline?.model,
                    reservation(
                        Int64(prompt), completion, outline?.choices ?? 1, grant.standing.hasBudget ? price : nil)
                ))
        }
        guard let outline else { return .failure(.notJSON) }
        guard let price else { return .failure(.noPrice) }
        guard let most = completes ? outline.maxTokens ?? price.maxOutputTokens : 0 else { return .failure(.noMaximum) }
        guard !RequestOutline.refersElsewhere(body) else { return .failure(.refersElsewhere) }
        return .success((outline.model, reservation(Int64(body.count), most, outline.choices, price)))
    }

    private static func reservation(
        _ prompt: Int64, _ completion: Int64, _ choices: Int64, _ price: ModelPrice?
    ) -> Reservation {
        let (all, overflows) = completion.multipliedReportingOverflow(by: choices)
        let most = overflows ? Int64.max >> 1 : min(all, .max >> 1)
        return Reservation(
            promptTokens: prompt, completionTokens: most,
            cost: price?.cost(promptTokens: prompt, completionTokens: most) ?? .zero)
    }
}

/// Why a request under a strict budget can't be admitted: what it costs at most isn't known before.
enum UnboundedCost: Error, Hashable, Sendable {
    case notJSON
    case noPrice
    case noMaximum
    case refersElsewhere
    case endless
}
