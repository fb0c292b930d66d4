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

/// Heads as the other side gets them: the kept lines as they came, and ours after them.
extension ByteBuffer {
    /// Writes a client's head for an upstream.
    ///
    /// - Parameter newLength: of content that isn't the client's own. Its answer is written anew too, so it may not be packed.
    mutating func writeRequestHead(
        _ head: RequestHead, of bytes: UnsafeRawBufferPointer, towards route: UpstreamRoute, requestID: RequestID,
        newLength: Int?
    ) {
        reserveCapacity(minimumWritableBytes: head.length + route.headerLines.count + 1024)
        writeBytes(UnsafeRawBufferPointer(rebasing: bytes[head.methodRange]))
        writeStaticString(" ")
        writeBytes(route.pathPrefix)
        writeBytes(UnsafeRawBufferPointer(rebasing: bytes[head.pathRange]))
        if let query = head.queryRange {
            writeStaticString("?")
            writeBytes(UnsafeRawBufferPointer(rebasing: bytes[query]))
        }
        writeStaticString(" HTTP/1.1\r\n")
        writeBytes(route.headerLines)
        if let newLength {
            writeKept(head.fields, of: bytes, dropping: keptFromUpstream.union(replacedWithContent))
            writeString("Accept-Encoding: identity\r\nContent-Length: \(newLength)\r\n")
        } else {
            writeKept(head.fields, of: bytes, dropping: keptFromUpstream)
            if head.framing == .chunked { writeStaticString("Transfer-Encoding: chunked\r\n") }
        }
        if head.count(of: .requestID) == 0 {
            writeStaticString("X-Request-ID: ")
            writeIdentifier(requestID.identifier)
            writeStaticString("\r\n")
        }
        writeStaticString("\r\n")
    }

    /// Writes an upstream's head for a client.
    /// - Returns: where ``setOverhead(_:at:)`` fills in the overhead.
    mutating func writeResponseHead(
        _ head: ResponseHead, of bytes: UnsafeRawBufferPointer, requestID: RequestID, headroom: Headroom,
        connection: ConnectionFields
    ) -> Int {
        reserveCapacity(minimumWritableBytes: head.length + 512)
        writeStatusLine(head, of: bytes)
        var dropped = headroom.isKnown ? replacedByHeadroom : .hopByHop
        if connection.passage != .asItCame { dropped.formUnion(FieldKinds(.contentLength, .trailer)) }
        writeKept(head.fields, of: bytes, dropping: dropped)
        if headroom.isKnown { writeHeadroom(headroom) }
        if connection.passesChunks { writeStaticString("Transfer-Encoding: chunked\r\n") }
        if !connection.keepsAlive {
            writeStaticString("Connection: close\r\n")
        } else if connection.clientMinorVersion == 0 {
            writeStaticString("Connection: keep-alive\r\n")
        }
        writeStaticString("X-Proxy-Request-ID: ")
        writeIdentifier(requestID.identifier)
        writeStaticString("\r\nX-Proxy-Overhead-Us: ")
        let index = writerIndex
        writeStaticString("         0\r\n\r\n")
        return index
    }

    /// What the token's limits hold, under OpenAI's names.
    private mutating func writeHeadroom(_ headroom: Headroom) {
        if let requests = headroom.requests { writeRate(requests, of: "requests") }
        if let tokens = headroom.tokens { writeRate(tokens, of: "tokens") }
    }

    private mutating func writeRate(_ rate: Headroom.Rate, of unit: StaticString) {
        writeRateField("x-ratelimit-limit-", unit, rate.limit)
        writeRateField("x-ratelimit-remaining-", unit, rate.remaining)
        writeRateField("x-ratelimit-reset-", unit, rate.resetSeconds, suffix: "s\r\n")
    }

    private mutating func writeRateField(
        _ name: StaticString, _ unit: StaticString, _ value: some FixedWidthInteger, suffix: StaticString = "\r\n"
    ) {
        writeStaticString(name)
        writeStaticString(unit)
        writeStaticString(": ")
        writeDecimal(value)
        writeStaticString(suffix)
    }

    /// Writes digits, without making a text of them first.
    private mutating func writeDecimal(_ number: some FixedWidthInteger) {
        guard number >= 0 else { return _ = writeString("\(number)") }
        var scale = 1 as UInt64
        let value = UInt64(number)
        while value / scale >= 10 { scale *= 10 }
        while scale > 0 {
            writeInteger(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value / scale % 10))
            scale /= 10
        }
    }

    /// Fills in the overhead, right-aligned in its ten places: white space before a value is none of it.
    mutating func setOverhead(_ microseconds: Int64, at index: Int) {
        var rest = microseconds
        var place = index + 9
        repeat {
            setInteger(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10), at: place)
            rest /= 10
            place -= 1
        } while rest > 0 && place >= index
    }

    /// Writes a 1xx head for a client.
    mutating func writeInterimHead(_ head: ResponseHead, of bytes: UnsafeRawBufferPointer) {
        writeStatusLine(head, of: bytes)
        writeKept(head.fields, of: bytes, dropping: .hopByHop)
        writeStaticString("\r\n")
    }

    /// The status as it came, under the version that is ours (RFC 9110 section 2.5).
    private mutating func writeStatusLine(_ head: ResponseHead, of bytes: UnsafeRawBufferPointer) {
        writeStaticString("HTTP/1.1 ")
        writeDecimal(head.status)
        writeStaticString(" ")
        writeBytes(UnsafeRawBufferPointer(rebasing: bytes[head.reasonRange]))
        writeStaticString("\r\n")
    }

    private mutating func writeIdentifier(_ identifier: Identifier) {
        writeWithUnsafeMutableBytes(minimumWritableBytes: 36) { bytes in
            identifier.write(into: bytes)
            return 36
        }
    }
}

/// What a head says of the client's connection.
struct ConnectionFields {
    let keepsAlive: Bool
    let clientMinorVersion: Int
    let passage: Passage
    /// Whether the upstream's answer is in chunks.
    let isChunked: Bool

    /// Whether the client gets chunks.
    var passesChunks: Bool { passage == .rechunked || passage == .asItCame && isChunked }
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
