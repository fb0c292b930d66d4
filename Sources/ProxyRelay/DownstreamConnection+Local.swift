import NIOCore
import ProxyWire

/// Requests for the management side: collected, answered elsewhere, written back.
extension DownstreamConnection {
    /// The head of a request that is not for an upstream has come.
    func beginCollecting(_ bytes: ByteBuffer) {
        collected = bytes
        if case .length(let length) = head.framing, length > UInt64(Holding.local) {
            return refuseLocally(.bodyTooLarge(limit: UInt64(Holding.local)))
        }
        if head.expectsContinue, !body.isComplete {
            write(ByteBuffer(staticString: "HTTP/1.1 100 Continue\r\n\r\n"))
            flush()
        }
    }

    /// Takes what has come of the body; when it is complete, hands the request over.
    func collectBody() throws(WireFault) {
        let headLength = head.length
        var arrived = collected
        collected = ByteBuffer()
        try takeBody { payload in arrived.writeBytes(payload) }
        collected = arrived
        guard collected.readableBytes - headLength <= Holding.local else {
            return refuseLocally(.bodyTooLarge(limit: UInt64(Holding.local)))
        }
        guard body.isComplete else { return }
        requestEnded()
        handOver(localRequest())
    }

    private func refuseLocally(_ refusal: RelayRefusal) {
        tell(refusal, isLocal: true)
        closeAfterAnswer()
    }

    private func localRequest() -> LocalRequest {
        var bytes = collected
        collected = ByteBuffer()
        let headBytes = bytes.readSlice(length: head.length) ?? ByteBuffer()
        return headBytes.withUnsafeReadableBytes { head in
            func text(_ range: Range<Int>) -> String { String(decoding: head[range], as: UTF8.self) }
            let query = self.head.queryRange.map { "?" + text($0) } ?? ""
            return LocalRequest(
                method: text(self.head.methodRange), target: text(self.head.pathRange) + query,
                fields: self.head.fields.map { (text($0.nameRange), text($0.valueRange)) }, body: bytes,
                peerAddress: peerAddress)
        }
    }

    private func handOver(_ request: LocalRequest) {
        relay.meter.update { $0.localRequests += 1 }
        let bound = NIOLoopBound(self, eventLoop: relay.eventLoop)
        let responder = relay.dependencies.responder
        let eventLoop = relay.eventLoop
        Task {
            let response = await responder(request)
            eventLoop.execute { bound.value.answer(response) }
        }
    }

    private func answer(_ response: LocalResponse) {
        guard phase == .answering, link != nil else { return }
        let keepsAlive = head.keepsAlive && !relay.isDraining
        var buffer = ByteBuffer()
        buffer.reserveCapacity(512 + response.body.readableBytes)
        buffer.writeString("HTTP/1.1 \(response.status) \(Self.reason(response.status))\r\n")
        for field in response.fields { buffer.writeString("\(field.name): \(field.value)\r\n") }
        if let length = response.contentLength { buffer.writeString("Content-Length: \(length)\r\n") }
        writeConnectionFields(into: &buffer, keepsAlive: keepsAlive)
        buffer.writeStaticString("\r\n")
        if head.method != .head { buffer.writeImmutableBuffer(response.body) }
        write(buffer)
        flush()
        answerEnded(keepsAlive: keepsAlive)
    }

    /// One of our refusals, ready to be written.
    func answer(
        to refusal: RelayRefusal, keepsAlive: Bool, requestID: String?, overhead: Int64? = nil, origin: [UInt8] = []
    ) -> ByteBuffer {
        let body = refusal.body
        let status = refusal.statusAndCode.status
        var buffer = ByteBuffer()
        buffer.writeString("HTTP/1.1 \(status) \(Self.reason(status))\r\n")
        for field in refusal.extraFields { buffer.writeString("\(field.name): \(field.value)\r\n") }
        buffer.writeString("Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n")
        if let requestID { buffer.writeString("X-Proxy-Request-ID: \(requestID)\r\n") }
        if let overhead { buffer.writeString("X-Proxy-Overhead-Us: \(overhead)\r\n") }
        buffer.writeAccess(of: origin)
        writeConnectionFields(into: &buffer, keepsAlive: keepsAlive)
        buffer.writeStaticString("\r\n")
        if head.method != .head { buffer.writeString(body) }
        return buffer
    }

    private func writeConnectionFields(into buffer: inout ByteBuffer, keepsAlive: Bool) {
        buffer.writeString("Date: \(HTTPDate.text(relay.dependencies.now()))\r\n")
        if !keepsAlive {
            buffer.writeStaticString("Connection: close\r\n")
        } else if head.minorVersion == 0 {
            buffer.writeStaticString("Connection: keep-alive\r\n")
        }
    }

    /// Reason phrases of RFC 9110 section 15 that our own answers use. A phrase may be empty.
    private static func reason(_ status: Int) -> String {
        switch status {
        case 200: "OK"
        case 201: "Created"
        case 204: "No Content"
        case 304: "Not Modified"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 408: "Request Timeout"
        case 409: "Conflict"
        case 412: "Precondition Failed"
        case 413: "Content Too Large"
        case 414: "URI Too Long"
        case 415: "Unsupported Media Type"
        case 422: "Unprocessable Content"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 500: "Internal Server Error"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        case 505: "HTTP Version Not Supported"
        default: ""
        }
    }
}
