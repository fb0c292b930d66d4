import NIOCore
import ProxyDomain
import ProxyWire

/// What is set aside for a request before it is sent, of its token's tokens per minute and of budgets.
extension Exchange {
    /// The body is there: estimates what the request may use, or bounds it where a budget is strict, and has it counted.
    func reserve() {
        guard let grant else { return }
        let outcome = withBody { body in Self.estimate(body, path: path, grant, relay.settings) }
        switch outcome {
        case .success(let (model, reservation)):
            requestedModel = model
            self.reservation = reservation
            admit(grant)
        case .failure(let unbounded): refuse(.costUnbounded(unbounded))
        }
    }

    /// Lends the body without the framing of chunks.
    private func withBody<Value>(_ body: (UnsafeRawBufferPointer) -> Value) -> Value {
        var framed = outbound
        framed.moveReaderIndex(to: bodyIndex)
        guard head.framing == .chunked else { return framed.withUnsafeReadableBytes(body) }
        var content = ByteBuffer()
        var reader = BodyReader(limits: relay.settings.wireLimits)
        reader.begin(.chunked, limits: relay.settings.wireLimits)
        // It was read once already, so it can't be broken.
        _ = try? reader.take(from: &framed) { content.writeBytes($0) }
        return content.withUnsafeReadableBytes(body)
    }

    private typealias Estimate = (model: String?, Reservation)

    /// Most tokenizers make about one token of four bytes of English and of JSON, and none makes more than one of a byte.
    private static let bytesPerToken = 4

    private static func estimate(
        _ body: UnsafeRawBufferPointer, path: String, _ grant: Grant, _ settings: RelaySettings
    ) -> Result<Estimate, UnboundedCost> {
        let outline = RequestOutline(of: body)
        let price = outline?.model.flatMap { grant.route.prices.price(of: $0) }
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
}
