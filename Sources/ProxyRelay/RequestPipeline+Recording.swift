import NIOCore
import ProxyCache
import ProxyDomain
import ProxyWire
import Synchronization

/// Answers that go into the cache, and what makes those in it worthless.
extension Exchange {
    /// An answer's head has come: whether it will be held, and what that says to the client.
    /// - Returns: what is added to the head.
    func noteForCache(_ response: ResponseHead, _ headBytes: ByteBuffer, _ caching: Caching) -> CacheFields {
        let lifetime = headBytes.withUnsafeReadableBytes { self.lifetime(of: response, $0, caching) }
        if let lifetime {
            caching.recording = Caching.Recording(head: response, headBytes: headBytes, lifetime: lifetime)
            // Those who wait would not get the first event before the last.
            if isEventStream, let flight = caching.flight { caching.setup.cache.release(flight) }
        } else {
            caching.end(.notStored)
        }
        var told = caching.status
        if case .length(let length) = response.framing, lifetime != nil, length < UInt64(caching.setup.maxObjectBytes) {
            told += "; stored"
        }
        caching.told = told
        return CacheFields(lines: "Cache-Status: llm-proxy; \(told)\r\n", isStored: false)
    }

    private func lifetime(
        of response: ResponseHead, _ bytes: UnsafeRawBufferPointer, _ caching: Caching
    ) -> Int64? {
        guard let route, route.place == caching.place, head.method != .head, passage != .bare else { return nil }
        if case .length(let length) = response.framing, length > UInt64(caching.setup.maxObjectBytes) { return nil }
        // The key may be another's by the time that it is given again.
        if let repeats = route.repeatsCredential,
            response.fields.contains(where: { repeats(UnsafeRawBufferPointer(rebasing: bytes[$0.valueRange])) })
        {
            return nil
        }
        return Storability.lifetime(
            of: response, bytes,
            Storability.Circumstances(
                asked: caching.asked, method: head.method, isEventStream: isEventStream, isShared: caching.isShared,
                usualLifetime: caching.setup.usualLifetime, keepsStreams: caching.setup.keepsStreams, arrival: arrival,
                credentialField: String(decoding: route.credentialField, as: UTF8.self)))
    }

    /// That what has come of the answer has come now.
    private var arrival: Storability.Arrival {
        let delay = headSentAt.map { microseconds(from: $0, to: .now()) / 1_000_000 } ?? 0
        return Storability.Arrival(at: relay.dependencies.now(), delay: delay)
    }

    /// Some of an answer that will be held.
    func record(_ bytes: ByteBuffer) {
        guard let caching, caching.recording != nil else { return }
        caching.recording?.body.writeImmutableBuffer(bytes)
        guard let size = caching.recording?.body.readableBytes, size > caching.setup.maxObjectBytes else { return }
        caching.end(.notStored)
    }

    /// The answer has come whole: others may be given it from now on.
    func store() {
        guard let caching, let recording = caching.recording, let flight = caching.flight,
            (grant?.cacheScope == .shared) == caching.isShared, let stored = response(recording, caching)
        else { return }
        // It may have taken longer to come than it is fresh.
        guard stored.isFresh(at: stored.storedAt) || stored.validators != nil else { return caching.end(.notStored) }
        caching.flight = nil
        caching.recording = nil
        let isHeld = caching.setup.cache.end(flight, .stored(stored))
        if isHeld, stored.isFresh(at: stored.storedAt) {
            caching.setup.shared?.keep(stored, for: caching.key, lastPurge: flight.lastPurge)
        }
    }

    private func response(_ recording: Caching.Recording, _ caching: Caching) -> StoredResponse? {
        guard let head = downstream?.head, let grant else { return nil }
        let now = relay.dependencies.now()
        return recording.headBytes.withUnsafeReadableBytes { bytes in
            guard let names = Storability.selecting(recording.head, bytes) else { return nil }
            let age = Storability.initialAge(recording.head, bytes, arrival)
            guard let (storedHead, storedBytes) = StoredResponse.lasting(recording.head, bytes) else { return nil }
            return StoredResponse(
                request: StoredResponse.Request(
                    project: grant.projectID, method: head.method == .post ? "POST" : "GET", url: url(head),
                    selecting: headBytes.withUnsafeReadableBytes { Storability.selected(by: names, head, $0) }),
                head: storedHead, headBytes: storedBytes, body: recording.body,
                contentLength: Int(clamping: responseBytes), isRechunked: passage == .rechunked, model: reported.model,
                storedAt: now, initialAge: age,
                freshUntil: Timestamp(milliseconds: now.milliseconds + max(0, recording.lifetime - age) * 1000))
        }
    }

    /// The path as the client sent it; ``path`` is no longer than what is written to the database.
    var wholePath: String { longPath ?? path }

    /// Path and query as the client sent them.
    private func url(_ head: RequestHead) -> String {
        headBytes.withUnsafeReadableBytes { bytes in
            let query = head.queryRange.map { "?" + String(decoding: bytes[$0], as: UTF8.self) } ?? ""
            return String(decoding: bytes[head.pathRange], as: UTF8.self) + query
        }
    }

    /// The upstream says that the stale answer still holds: the client gets that (RFC 9111 section 4.3.3).
    /// - Returns: whether it does.
    func validated(_ response: ResponseHead, _ bytes: UnsafeRawBufferPointer) -> Bool {
        guard response.status == 304, let caching, let stale = caching.stale, route?.place == caching.place else {
            return false
        }
        let now = relay.dependencies.now()
        var fields = response.fields.compactMap { field -> (name: String, value: String)? in
            guard [.other, .date, .cacheControl].contains(field.kind), !StoredResponse.isOfItsMoment(field, bytes)
            else { return nil }
            return (
                String(decoding: bytes[field.nameRange], as: UTF8.self),
                String(decoding: bytes[field.valueRange], as: UTF8.self)
            )
        }
        // One without a date was made now (RFC 9110 section 6.6.1); the stale answer's is of before.
        if !fields.contains(where: { $0.name.lowercased() == "date" }) { fields.append(("Date", HTTPDate.text(now))) }
        let age = Storability.initialAge(response, bytes, arrival)
        let renewed = stale.refreshed(by: fields, at: now, age: age, for: 0)
        let lifetime = renewed.flatMap { renewed in
            renewed.headBytes.withUnsafeReadableBytes { self.lifetime(of: renewed.head, $0, caching) }
        }
        let fresh = lifetime.flatMap { stale.refreshed(by: fields, at: now, age: age, for: $0) }
        caching.end(fresh.map { .stored($0) } ?? .notStored)
        caching.setup.cache.counters.validated.add(1, ordering: .relaxed)
        isFromCache = true
        caching.status = "\(caching.status); fwd-status=304"
        write(fresh ?? stale, nil, at: now, caching)
        return true
    }

    /// Something was changed at the request's path (RFC 9111 section 4.4).
    func invalidateCache(_ status: Int) {
        guard 200..<400 ~= status, let setup = relay.dependencies.cache, let grant else { return }
        switch head.method {
        case .post where caching != nil, .get, .head, .options, .trace: return
        default:
            // Of projects that share, any may hold what another is given.
            let project = grant.cacheScope == .shared ? nil : grant.projectID
            let path = wholePath
            let wasHeld = setup.cache.invalidate(project, path: path)
            // Most POSTs change nothing that anybody reads: they cost the database nothing.
            setup.shared?.invalidate(project, path: path, isLikely: wasHeld || head.method != .post)
        }
    }
}

extension StoredResponse {
    /// The head of a 304 that stands for it: the fields that a cache goes by (RFC 9110 section 15.4.5).
    var notModified: (head: ResponseHead, bytes: ByteBuffer)? {
        var bytes = ByteBuffer(string: "HTTP/1.1 304 Not Modified\r\n")
        for name in ["Cache-Control", "Content-Location", "Date", "ETag", "Expires", "Last-Modified", "Vary"] {
            if let value = text(of: name.lowercased()) { bytes.writeString("\(name): \(value)\r\n") }
        }
        bytes.writeString("\r\n")
        return ResponseHead(bytes).map { ($0, bytes) }
    }
}

/// Tags of versions, compared weakly as caches do (RFC 9110 section 8.8.3.2).
enum EntityTag {
    static func list(_ list: String, contains tag: String) -> Bool {
        if list == "*" { return true }
        let wanted = opaque(tag[...])
        // A tag may hold commas, but no quotes.
        let parts = list.split(separator: "\"", omittingEmptySubsequences: false)
        return parts.indices.contains { $0 % 2 == 1 && "\"\(parts[$0])\"" == wanted }
    }

    private static func opaque(_ tag: Substring) -> Substring { tag.hasPrefix("W/") ? tag.dropFirst(2) : tag }
}

extension RequestHead {
    /// Whether there is a field of one of these names in lower case.
    func has(_ names: [[UInt8]], in bytes: UnsafeRawBufferPointer) -> Bool {
        fields.contains { field in field.kind == .other && names.contains { field.isNamed($0, in: bytes) } }
    }

    /// The value of the first field of a name in lower case.
    func text(of name: String, in bytes: UnsafeRawBufferPointer) -> String? {
        let name = Array(name.utf8)
        return fields.first { $0.isNamed(name, in: bytes) }.map {
            String(decoding: bytes[$0.valueRange], as: UTF8.self)
        }
    }
}

extension ByteBuffer {
    /// Writes what chunks hold, without their framing, of a body that was read whole before.
    mutating func writeContent(ofChunks body: ByteBuffer, _ limits: WireLimits) {
        var framed = body
        var reader = BodyReader(limits: limits)
        reader.begin(.chunked, limits: limits)
        var content = ByteBuffer()
        _ = try? reader.take(from: &framed) { content.writeBytes($0) }
        writeBuffer(&content)
    }
}
