/// The fields a proxy acts on, told apart once while the head is read. Names are matched without regard to case.
public enum FieldKind: UInt8, Sendable, CaseIterable {
    case other
    case authorization
    /// `X-Api-Key`
    case apiKey
    case host
    case contentLength
    case transferEncoding
    case connection
    case keepAlive
    case proxyConnection
    case te
    case trailer
    case upgrade
    case proxyAuthenticate
    case proxyAuthorization
    case expect
    case contentType
    case contentEncoding
    case acceptEncoding
    case origin
    /// What tells where the client is, or by which way it came: `Forwarded`, every `X-Forwarded-…`, `X-Real-IP`,
    /// `X-Client-IP`, `True-Client-IP`, `CF-Connecting-IP`, `Via`
    case clientAddress
    /// `X-Request-ID`
    case requestID
    case date
    case server
    /// Every `Access-Control-…`: what a browser asks in a request, what an origin allows in a response.
    case accessControl
    /// Every `X-RateLimit-…`
    case rateLimit
    /// `traceparent` (W3C Trace Context)
    case traceParent
    /// `tracestate`
    case traceState
    /// `Cache-Control`
    case cacheControl
    case age
    /// A field of kind `other` that `Connection` names as meant for the next hop only (RFC 9110 section 7.6.1).
    ///
    /// Fields of any other kind keep it: a nomination can't make authentication, routing or framing vanish, and what
    /// is hop-by-hop by its own name stays so.
    case namedByConnection
}

/// A set of field kinds, one bit each.
public struct FieldKinds: OptionSet, Hashable, Sendable {
    public let rawValue: UInt64

    public init(rawValue: UInt64) { self.rawValue = rawValue }

    public init(_ kinds: FieldKind...) {
        var bits: UInt64 = 0
        for kind in kinds { bits |= 1 << UInt64(kind.rawValue) }
        rawValue = bits
    }

    public func contains(_ kind: FieldKind) -> Bool { rawValue >> UInt64(kind.rawValue) & 1 == 1 }

    public mutating func insert(_ kind: FieldKind) {
        self = FieldKinds(rawValue: rawValue | 1 << UInt64(kind.rawValue))
    }

    /// Fields that concern one connection and are not forwarded (RFC 9110 sections 7.6.1, 11.7).
    ///
    /// `transferEncoding` is among them: whoever forwards a chunked body as it is takes it out of the set. `Trailer` is
    /// not: it is end-to-end unless `Connection` names it, and it stays true because trailers are passed on.
    public static let hopByHop = FieldKinds(
        .connection, .keepAlive, .proxyConnection, .te, .transferEncoding, .upgrade, .proxyAuthenticate,
        .proxyAuthorization, .namedByConnection)
}
