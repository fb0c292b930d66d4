public import NIOCore
public import ProxyDomain
public import ProxyWire

/// An answer that may be given again: as it came, framing included.
public final class StoredResponse: Sendable {
    /// What it answers.
    public struct Request: Hashable, Sendable {
        public let project: ProjectID
        public let method: String
        /// Path and query as the client sent them.
        public let url: String
        /// The values of the fields that the answer's `Vary` names; `nil` for one that the request didn't have.
        public let selecting: [String: String?]

        public init(project: ProjectID, method: String, url: String, selecting: [String: String?]) {
            self.project = project
            self.method = method
            self.url = url
            self.selecting = selecting
        }

        /// ``url`` without its query.
        public var path: Substring { url.prefix { $0 != "?" } }
    }

    public let request: Request
    public let head: ResponseHead
    /// What ``head`` was read from.
    public let headBytes: ByteBuffer
    /// With its framing, trailers included.
    public let body: ByteBuffer
    /// Bytes of ``body`` without its framing.
    public let contentLength: Int
    /// Whether ``body`` is in chunks although ``head`` doesn't say so.
    public let isRechunked: Bool
    /// The model that answered, if the answer says so.
    public let model: String?
    /// When it came.
    public let storedAt: Timestamp
    /// How old it was by then, in seconds.
    public let initialAge: Int64
    /// Until when it may be given without asking whether it still holds.
    public let freshUntil: Timestamp

    public init(
        request: Request, head: ResponseHead, headBytes: ByteBuffer, body: ByteBuffer, contentLength: Int,
        isRechunked: Bool,
        model: String?, storedAt: Timestamp, initialAge: Int64, freshUntil: Timestamp
    ) {
        self.request = request
        self.head = head
        self.headBytes = headBytes
        self.body = body
        self.contentLength = contentLength
        self.isRechunked = isRechunked
        self.model = model
        self.storedAt = storedAt
        self.initialAge = initialAge
        self.freshUntil = freshUntil
    }

    /// What it costs to hold, in bytes.
    public var size: Int {
        let selecting = request.selecting.reduce(0) { $0 + $1.key.utf8.count + ($1.value?.utf8.count ?? 0) + 64 }
        return headBytes.storageCapacity + body.storageCapacity + request.url.utf8.count + selecting + 1024
    }

    /// In seconds, as `Age` says it (RFC 9111 section 4.2.3).
    public func age(at now: Timestamp) -> Int64 {
        initialAge + max(0, now.milliseconds - storedAt.milliseconds) / 1000
    }

    public func isFresh(at now: Timestamp) -> Bool { now < freshUntil }

    /// How long it stays fresh, in whole seconds.
    public func lifetime(at now: Timestamp) -> Int64 { max(0, freshUntil.milliseconds - now.milliseconds) / 1000 }

    /// Lines that ask the upstream whether it still holds (RFC 9110 section 13.1); `nil` when it says nothing to ask by.
    public var validators: [UInt8]? {
        guard request.method == "GET" else { return nil }
        var lines: [UInt8] = []
        if let tag = text(of: "etag") { lines += "If-None-Match: \(tag)\r\n".utf8 }
        if let date = text(of: "last-modified") { lines += "If-Modified-Since: \(date)\r\n".utf8 }
        return lines.isEmpty ? nil : lines
    }

    /// The value of the first field of a name in lower case.
    public func text(of name: String) -> String? {
        headBytes.withUnsafeReadableBytes { head.text(of: name, in: $0) }
    }

    /// The head of an answer without what is true of its moment alone, in a buffer of its own.
    public static func lasting(
        _ head: ResponseHead, _ bytes: UnsafeRawBufferPointer
    ) -> (head: ResponseHead, bytes: ByteBuffer)? {
        var lasting = ByteBuffer()
        lasting.reserveCapacity(head.length)
        lasting.writeBytes(bytes[head.statusLineRange])
        lasting.writeStaticString("\r\n")
        for field in head.fields where !isOfItsMoment(field, bytes) {
            lasting.writeBytes(bytes[field.nameRange])
            lasting.writeStaticString(": ")
            lasting.writeBytes(bytes[field.valueRange])
            lasting.writeStaticString("\r\n")
        }
        lasting.writeStaticString("\r\n")
        return ResponseHead(lasting).map { ($0, lasting) }
    }

    /// Whether a field tells of the one exchange that it came with: how old, by whose account, how much is left, how long it took.
    public static func isOfItsMoment(_ field: FieldLine, _ bytes: UnsafeRawBufferPointer) -> Bool {
        switch field.kind {
        case .age, .requestID, .rateLimit, .namedByConnection: return true
        case .other: break
        default: return false
        }
        return momentary.contains { field.isNamed($0, in: bytes) }
            || momentaryFamilies.contains { field.isNamed(beginningWith: $0, in: bytes) }
    }

    private static let momentary = [
        "retry-after", "request-id", "openai-organization", "openai-project", "openai-processing-ms",
        "anthropic-organization-id", "cf-ray", "cf-cache-status", "x-envoy-upstream-service-time", "traceparent",
    ].map { Array($0.utf8) }
    private static let momentaryFamilies = ["anthropic-ratelimit-"].map { Array($0.utf8) }

    /// The same with the fields of a 304 in place of its own (RFC 9111 section 4.3.4), fresh for as long as those say.
    public func refreshed(by fields: [(name: String, value: String)], at now: Timestamp, age: Int64, for seconds: Int64)
        -> StoredResponse?
    {
        let names = Set(fields.map { $0.name.lowercased() })
        var bytes = ByteBuffer()
        headBytes.withUnsafeReadableBytes { old in
            bytes.writeBytes(old[head.statusLineRange])
            bytes.writeString("\r\n")
            for field in head.fields {
                let name = String(decoding: old[field.nameRange], as: UTF8.self)
                guard !names.contains(name.lowercased()) else { continue }
                bytes.writeString("\(name): \(String(decoding: old[field.valueRange], as: UTF8.self))\r\n")
            }
        }
        for field in fields { bytes.writeString("\(field.name): \(field.value)\r\n") }
        bytes.writeString("\r\n")
        guard let head = ResponseHead(bytes) else { return nil }
        return StoredResponse(
            request: request, head: head, headBytes: bytes, body: body, contentLength: contentLength,
            isRechunked: isRechunked, model: model,
            storedAt: now, initialAge: age,
            freshUntil: Timestamp(milliseconds: now.milliseconds + max(0, seconds - age) * 1000))
    }
}

extension ResponseHead {
    /// Reads a head that is known to be whole, of an answer that has a body or none as its fields say.
    public init?(_ bytes: ByteBuffer) {
        var head = ResponseHead()
        var parser = ResponseHeadParser()
        let isWhole = bytes.withUnsafeReadableBytes { (try? parser.parse($0, answering: .get, into: &head)) ?? false }
        guard isWhole else { return nil }
        self = head
    }

    /// The value of the first field of a name in lower case.
    public func text(of name: String, in bytes: UnsafeRawBufferPointer) -> String? {
        let name = Array(name.utf8)
        return fields.first { $0.isNamed(name, in: bytes) }.map {
            String(decoding: bytes[$0.valueRange], as: UTF8.self)
        }
    }
}
