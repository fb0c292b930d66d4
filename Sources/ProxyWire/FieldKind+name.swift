extension FieldKind {
    /// Which kind a field's name is: one switch on its length, then a compare with the few names that long.
    @inline(__always)
    package init(name: Range<Int>, in bytes: UnsafeRawBufferPointer) {
        self =
            switch name.count {
            case 2: bytes.isToken("te", at: name) ? .te : .other
            case 3: Self.ofThree(name, bytes)
            case 4: Self.ofFour(name, bytes)
            case 6: Self.ofSix(name, bytes)
            case 7: Self.ofSeven(name, bytes)
            case 9: Self.ofNine(name, bytes)
            case 10: Self.ofTen(name, bytes)
            case 12: Self.ofTwelve(name, bytes)
            case 11, 13...: Self.ofMany(name, bytes)
            default: .other
            }
    }

    private static func ofThree(_ name: Range<Int>, _ bytes: UnsafeRawBufferPointer) -> Self {
        if bytes.isToken("age", at: name) { return .age }
        return bytes.isToken("via", at: name) ? .clientAddress : .other
    }

    private static func ofFour(_ name: Range<Int>, _ bytes: UnsafeRawBufferPointer) -> Self {
        if bytes.isToken("host", at: name) { return .host }
        return bytes.isToken("date", at: name) ? .date : .other
    }

    private static func ofSix(_ name: Range<Int>, _ bytes: UnsafeRawBufferPointer) -> Self {
        if bytes.isToken("server", at: name) { return .server }
        if bytes.isToken("expect", at: name) { return .expect }
        return bytes.isToken("origin", at: name) ? .origin : .other
    }

    private static func ofSeven(_ name: Range<Int>, _ bytes: UnsafeRawBufferPointer) -> Self {
        if bytes.isToken("trailer", at: name) { return .trailer }
        if bytes.isToken("api-key", at: name) { return .apiKey }
        return bytes.isToken("upgrade", at: name) ? .upgrade : .other
    }

    private static func ofNine(_ name: Range<Int>, _ bytes: UnsafeRawBufferPointer) -> Self {
        if bytes.isToken("x-api-key", at: name) { return .apiKey }
        return bytes.isToken("x-real-ip", at: name) || bytes.isToken("forwarded", at: name) ? .clientAddress : .other
    }

    private static func ofTen(_ name: Range<Int>, _ bytes: UnsafeRawBufferPointer) -> Self {
        if bytes.isToken("connection", at: name) { return .connection }
        if bytes.isToken("tracestate", at: name) { return .traceState }
        return bytes.isToken("keep-alive", at: name) ? .keepAlive : .other
    }

    private static func ofTwelve(_ name: Range<Int>, _ bytes: UnsafeRawBufferPointer) -> Self {
        if bytes.isToken("content-type", at: name) { return .contentType }
        return bytes.isToken("x-request-id", at: name) ? .requestID : .other
    }

    private static func ofMany(_ name: Range<Int>, _ bytes: UnsafeRawBufferPointer) -> Self {
        switch name.count {
        case 13 where bytes.isToken("authorization", at: name): .authorization
        case 13 where bytes.isToken("cache-control", at: name): .cacheControl
        case 11 where bytes.isToken("x-client-ip", at: name): .clientAddress
        case 11 where bytes.isToken("traceparent", at: name): .traceParent
        case 14 where bytes.isToken("content-length", at: name): .contentLength
        case 14 where bytes.isToken("true-client-ip", at: name): .clientAddress
        case 14 where bytes.isToken("x-goog-api-key", at: name): .apiKey
        case 16 where bytes.isToken("content-encoding", at: name): .contentEncoding
        case 16 where bytes.isToken("proxy-connection", at: name): .proxyConnection
        case 16 where bytes.isToken("cf-connecting-ip", at: name): .clientAddress
        case 17 where bytes.isToken("transfer-encoding", at: name): .transferEncoding
        case 18 where bytes.isToken("proxy-authenticate", at: name): .proxyAuthenticate
        case 19 where bytes.isToken("proxy-authorization", at: name): .proxyAuthorization
        case 15 where bytes.isToken("accept-encoding", at: name): .acceptEncoding
        default: ofFamily(name, bytes)
        }
    }

    private static func ofFamily(_ name: Range<Int>, _ bytes: UnsafeRawBufferPointer) -> Self {
        let start = name.lowerBound
        guard name.count > 12 else { return .other }
        if bytes.isToken("x-forwarded-", at: start..<start + 12) { return .clientAddress }
        if bytes.isToken("x-ratelimit-", at: start..<start + 12) { return .rateLimit }
        guard name.count > 15 else { return .other }
        return bytes.isToken("access-control-", at: start..<start + 15) ? .accessControl : .other
    }
}
