import NIOCore
import ProxyDomain
import ProxyWire

/// What of a client's head the upstream does not get: what belongs to the connection (RFC 9110 section 7.6.1), the
/// client's credential, its address, and `Host`, which names us.
private let keptFromUpstream = FieldKinds.hopByHop.union(FieldKinds(.authorization, .apiKey, .host, .clientAddress))

/// What of an upstream's head a token with limits of its own does not get: the upstream's limits are all tokens' together.
private let replacedByHeadroom = FieldKinds.hopByHop.union(FieldKinds(.rateLimit))

/// What of a client's head goes when the content is another.
private let replacedWithContent = FieldKinds(.contentLength, .acceptEncoding, .trailer)

/// What of an answer that is given again was true only of the first time.
private let replacedFromCache = FieldKinds(.age, .rateLimit)

/// What goes when a request belongs to no trace that means anything.
private let tracing = FieldKinds(.traceParent, .traceState)

extension RequestHead {
    /// The trace that the request says it belongs to. Two make none (W3C Trace Context, section 3.2).
    func trace(in bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        guard let range = value(of: .traceParent), count(of: .traceParent) == 1 else { return nil }
        return TraceParent.trace(of: UnsafeRawBufferPointer(rebasing: bytes[range]))
    }
}

/// Most bytes of what we add to a head, a route's lines aside: by far.
private let mostAdded = 1024

/// Heads as the other side gets them: the kept lines as they came, and ours after them.
extension ByteBuffer {
    /// Writes a client's head for an upstream.
    ///
    /// - Parameter newLength: of content that isn't the client's own. Its answer is written anew too, so it may not be packed.
    mutating func writeRequestHead(
        _ head: RequestHead, of bytes: UnsafeRawBufferPointer, towards route: UpstreamRoute, requestID: RequestID,
        newLength: Int?, isTunnel: Bool = false, validators: [UInt8]? = nil
    ) {
        let most =
            head.length + route.pathPrefix.count + route.headerLines.count
            + (route.credentialParameter?.text.count ?? 0) + (validators?.count ?? 0) + mostAdded
        writeHead(ofAtMost: most) { writer in
            writer.writeRequestLine(head, of: bytes, towards: route)
            writer.write(route.headerLines)
            let isTraced = head.trace(in: bytes) != nil
            let dropped = isTraced ? keptFromUpstream : keptFromUpstream.union(tracing)
            if let newLength {
                writer.writeKept(
                    head.fields, of: bytes, dropping: dropped.union(replacedWithContent),
                    named: route.credentialField)
                writer.write("Accept-Encoding: identity\r\nContent-Length: ")
                writer.writeDecimal(Int64(newLength))
                writer.write("\r\n")
            } else {
                writer.writeKept(
                    head.fields, of: bytes, dropping: dropped, named: route.credentialField)
                if head.framing == .chunked { writer.write("Transfer-Encoding: chunked\r\n") }
            }
            if head.count(of: .requestID) == 0 {
                writer.write("X-Request-ID: ")
                writer.write(requestID.identifier)
                writer.write("\r\n")
            }
            if let validators { writer.write(validators) }
            if isTunnel { writer.write("Connection: Upgrade\r\nUpgrade: websocket\r\n") }
            if !isTraced { writer.writeTrace(of: requestID.identifier) }
            writer.write("\r\n")
        }
    }

    /// Writes an upstream's head for a client.
    /// - Returns: where ``setOverhead(_:at:)`` fills in the overhead.
    mutating func writeResponseHead(
        _ head: ResponseHead, of bytes: UnsafeRawBufferPointer, requestID: RequestID, headroom: Headroom,
        connection: ConnectionFields, origin: [UInt8], route: UpstreamRoute?, cache: CacheFields? = nil
    ) -> Int {
        writeHead(ofAtMost: head.length + origin.count + (cache?.lines.utf8.count ?? 0) + mostAdded) { writer in
            writer.writeStatusLine(head, of: bytes)
            var dropped = headroom.isKnown ? replacedByHeadroom : .hopByHop
            if connection.passage != .asItCame { dropped.formUnion(FieldKinds(.contentLength, .trailer)) }
            if !origin.isEmpty { dropped.insert(.accessControl) }
            if cache?.isStored ?? false { dropped.formUnion(replacedFromCache) }
            writer.writeKept(head.fields, of: bytes, dropping: dropped, isSecret: route?.repeatsCredential)
            writer.writeAccess(of: origin)
            if let cache {
                cache.lines.utf8.withContiguousStorageIfAvailable { writer.write(UnsafeRawBufferPointer($0)) }
            }
            writer.write(headroom)
            writer.write(connection)
            writer.write("X-Proxy-Request-ID: ")
            writer.write(requestID.identifier)
            writer.write("\r\nX-Proxy-Overhead-Us: ")
            writer.write(overheadPlace)
        }
        return writerIndex - overheadPlace.utf8CodeUnitCount
    }

    /// Fills in the overhead, right-aligned in its ten places: white space before a value is none of it.
    mutating func setOverhead(_ microseconds: Int64, at index: Int) {
        withUnsafeTemporaryAllocation(byteCount: 10, alignment: 1) { digits in
            digits.initializeMemory(as: UInt8.self, repeating: UInt8(ascii: " "))
            var rest = microseconds
            var place = 9
            repeat {
                digits[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
                place -= 1
            } while rest > 0 && place >= 0
            _ = setBytes(UnsafeRawBufferPointer(digits), at: index)
        }
    }

    /// Writes a 1xx head for a client.
    mutating func writeInterimHead(
        _ head: ResponseHead, of bytes: UnsafeRawBufferPointer, route: UpstreamRoute?
    ) {
        writeHead(ofAtMost: head.length + mostAdded) { writer in
            writer.writeStatusLine(head, of: bytes)
            writer.writeKept(head.fields, of: bytes, dropping: .hopByHop, isSecret: route?.repeatsCredential)
            writer.write("\r\n")
        }
    }
}

/// Where the overhead is filled in, and the end of the head.
private let overheadPlace: StaticString = "         0\r\n\r\n"

extension HeadWriter {
    fileprivate mutating func writeRequestLine(
        _ head: RequestHead, of bytes: UnsafeRawBufferPointer, towards route: UpstreamRoute
    ) {
        write(UnsafeRawBufferPointer(rebasing: bytes[head.methodRange]))
        write(" ")
        write(route.pathPrefix)
        write(UnsafeRawBufferPointer(rebasing: bytes[head.pathRange]))
        let query = head.queryRange.map { UnsafeRawBufferPointer(rebasing: bytes[$0]) }
        if let parameter = route.credentialParameter {
            write("?")
            write(parameter.text)
            if let query {
                parameter.forEachOther(in: query) { piece in
                    write("&")
                    write(piece)
                }
            }
        } else if let query {
            write("?")
            write(query)
        }
        write(" HTTP/1.1\r\n")
    }

    /// The status as it came, under the version that is ours (RFC 9110 section 2.5).
    fileprivate mutating func writeStatusLine(_ head: ResponseHead, of bytes: UnsafeRawBufferPointer) {
        write("HTTP/1.1 ")
        writeDecimal(Int64(head.status))
        write(" ")
        write(UnsafeRawBufferPointer(rebasing: bytes[head.reasonRange]))
        write("\r\n")
    }

    fileprivate mutating func write(_ connection: ConnectionFields) {
        if connection.isTunnel { return write("Connection: Upgrade\r\nUpgrade: websocket\r\n") }
        if connection.passesChunks { write("Transfer-Encoding: chunked\r\n") }
        if !connection.keepsAlive {
            write("Connection: close\r\n")
        } else if connection.clientMinorVersion == 0 {
            write("Connection: keep-alive\r\n")
        }
    }

    /// That a page of this origin may read the answer; nothing for none.
    mutating func writeAccess(of origin: [UInt8]) {
        guard !origin.isEmpty else { return }
        write("Access-Control-Allow-Origin: ")
        write(origin)
        write("\r\nAccess-Control-Expose-Headers: *\r\nVary: Origin\r\n")
    }

    /// What the token's limits hold, under OpenAI's names.
    fileprivate mutating func write(_ headroom: Headroom) {
        if let requests = headroom.requests { write(requests, of: "requests") }
        if let tokens = headroom.tokens { write(tokens, of: "tokens") }
    }

    private mutating func write(_ rate: Headroom.Rate, of unit: StaticString) {
        writeRateField("x-ratelimit-limit-", unit, rate.limit)
        writeRateField("x-ratelimit-remaining-", unit, rate.remaining)
        writeRateField("x-ratelimit-reset-", unit, rate.resetSeconds, suffix: "s\r\n")
    }

    private mutating func writeRateField(
        _ name: StaticString, _ unit: StaticString, _ value: Int64, suffix: StaticString = "\r\n"
    ) {
        write(name)
        write(unit)
        write(": ")
        writeDecimal(value)
        write(suffix)
    }

    /// Begins a trace whose name is the request's, not to be recorded unless somebody wants to.
    fileprivate mutating func writeTrace(of identifier: Identifier) {
        write("traceparent: 00-")
        write(32) { identifier.writeDigits(into: $0) }
        write("-")
        write(16) { span in
            withUnsafeTemporaryAllocation(byteCount: 32, alignment: 8) { digits in
                identifier.writeDigits(into: digits)
                span.copyMemory(from: UnsafeRawBufferPointer(rebasing: digits[16...]))
            }
        }
        write("-00\r\n")
    }

    fileprivate mutating func write(_ identifier: Identifier) { write(36) { identifier.write(into: $0) } }
}

/// What a head says of the client's connection.
struct ConnectionFields {
    let keepsAlive: Bool
    let clientMinorVersion: Int
    let passage: Passage
    /// Whether the upstream's answer is in chunks.
    let isChunked: Bool
    /// Whether it stops being HTTP after this head.
    let isTunnel: Bool

    /// Whether the client gets chunks.
    var passesChunks: Bool { passage == .rechunked || passage == .asItCame && isChunked }
}

/// What an answer's head says of the cache.
struct CacheFields {
    let lines: String
    /// Whether the answer was held.
    let isStored: Bool
}

extension RequestMethod {
    /// The method's name (RFC 9110 section 9); `OTHER` for those the relay has no word for.
    var name: String {
        switch self {
        case .get: "GET"
        case .head: "HEAD"
        case .post: "POST"
        case .put: "PUT"
        case .patch: "PATCH"
        case .delete: "DELETE"
        case .options: "OPTIONS"
        case .connect: "CONNECT"
        case .trace: "TRACE"
        case .other: "OTHER"
        }
    }
}

extension Headroom {
    fileprivate var isKnown: Bool { requests != nil || tokens != nil }
}
