import NIOCore

/// How an answer's end is told (RFC 9112 section 6.3), and the head that says so.
struct AnswerFraming {
    private enum Kind { case length, chunked, untilClose }

    private let kind: Kind
    private let version: String
    private let size: Int?
    private let hasTrailers: Bool
    /// Whether content follows the head at all (RFC 9110 sections 15.3.5, 15.4.5).
    let hasBody: Bool
    /// Whether another answer may follow on the connection.
    let keepsAlive: Bool

    init(
        script: SimulatorScript, size: Int?, isStreamed: Bool, status: Int, clientIsOld: Bool, keepsAlive: Bool
    ) {
        self.size = size
        hasBody = status != 204 && status != 304
        hasTrailers = script.framing == .trailers
        version = script.framing == .http10 ? "HTTP/1.0" : "HTTP/1.1"
        kind =
            switch script.framing {
            case .automatic where script.fault.needsChunks: .chunked
            case .automatic where !isStreamed: .length
            case .automatic: clientIsOld ? .untilClose : .chunked
            case .contentLength: size == nil ? .chunked : .length
            case .chunked, .trailers: .chunked
            case .untilClose, .http10: .untilClose
            }
        self.keepsAlive = keepsAlive && kind != .untilClose && !clientIsOld
    }

    /// What follows the last piece.
    var ending: String {
        guard kind == .chunked else { return "" }
        return hasTrailers ? "0\r\nX-Sim-Trailer: end\r\n\r\n" : "0\r\n\r\n"
    }

    /// A piece of content as it goes over the wire.
    func framed(_ piece: ByteBuffer) -> ByteBuffer {
        guard kind == .chunked else { return piece }
        var chunk = ByteBuffer()
        chunk.reserveCapacity(piece.readableBytes + 16)
        chunk.writeString(String(piece.readableBytes, radix: 16))
        chunk.writeStaticString("\r\n")
        chunk.writeImmutableBuffer(piece)
        chunk.writeStaticString("\r\n")
        return chunk
    }

    /// The head, with what the script's fault does to it.
    func head(of answer: Answer, script: SimulatorScript) -> String {
        let status = script.fault == .badStatus ? "20" : "\(answer.status)"
        var lines = ["\(version) \(status) \(Self.reason(answer.status))"]
        lines += answer.fields.map { "\($0.name): \($0.value)" }
        lines += ["x-request-id: req_simulated", "openai-processing-ms: 1", "openai-version: 2020-10-01"]
        if let seconds = script.retryAfter { lines.append("Retry-After: \(seconds)") }
        if script.headSize > 0 { lines.append("X-Sim-Filler: \(String(repeating: "f", count: script.headSize))") }
        lines += framingLines(script)
        if !keepsAlive { lines.append("Connection: close") }
        switch script.fault {
        case .foldedField: lines.append("X-Folded: one\r\n two")
        case .spaceBeforeColon: lines.append("X-Spaced : one")
        case .nulInField: lines.append("X-Nul: one\0two")
        default: break
        }
        let ending = script.fault == .bareLineFeeds ? "\n" : "\r\n"
        return lines.joined(separator: ending) + ending + ending
    }

    private func framingLines(_ script: SimulatorScript) -> [String] {
        guard hasBody else { return [] }
        let length = size ?? 0
        switch script.fault {
        case .lengthTooLong: return ["Content-Length: \(length + (script.faultAfter ?? 10))"]
        case .lengthTooShort: return ["Content-Length: \(max(0, length - (script.faultAfter ?? 10)))"]
        case .twoLengths: return ["Content-Length: \(length)", "Content-Length: \(length + 1)"]
        case .bothLengths: return ["Content-Length: \(length)", "Transfer-Encoding: chunked"]
        default: break
        }
        switch kind {
        case .length: return ["Content-Length: \(length)"]
        case .chunked: return ["Transfer-Encoding: chunked"] + (hasTrailers ? ["Trailer: X-Sim-Trailer"] : [])
        case .untilClose: return []
        }
    }

    /// Reason phrases of RFC 9110 section 15. A phrase may be empty.
    static func reason(_ status: Int) -> String {
        switch status {
        case 100: "Continue"
        case 103: "Early Hints"
        case 200: "OK"
        case 204: "No Content"
        case 304: "Not Modified"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 404: "Not Found"
        case 417: "Expectation Failed"
        case 429: "Too Many Requests"
        case 500: "Internal Server Error"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        default: "Simulated"
        }
    }
}

extension SimulatorFault? {
    /// Faults that are about chunks.
    fileprivate var needsChunks: Bool {
        switch self {
        case .badChunkSize, .noLastChunk, .bothLengths: true
        default: false
        }
    }
}
