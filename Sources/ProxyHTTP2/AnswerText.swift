public import NIOCore
public import ProxyWire

/// An answer's head as HTTP/1.1 writes it, of the field section that HTTP/2 has instead (RFC 9113 section 8.3.2).
///
/// What HTTP/2 may carry and HTTP/1.1 would read as something else is refused here; all other rules are those of whoever reads it.
public struct AnswerText: Sendable {
    /// 100…599, without 101, which HTTP/2 does not have (section 8.6).
    public let status: Int
    /// How its content is framed in ``head``. `untilClose` never.
    public let framing: BodyFraming
    /// The whole head, its empty line included.
    public let head: ByteBuffer

    /// Whether another head follows.
    public var isInterim: Bool { status < 200 }

    /// - Parameters:
    ///   - method: of the request.
    ///   - endsStream: whether nothing follows.
    /// - Throws: for a malformed one (section 8.1.1).
    public init(
        _ section: borrowing FieldSectionLines, answering method: RequestMethod, endsStream: Bool
    ) throws(WireFault) {
        let read: Result<Self, WireFault> = section.bytes.withUnsafeBytes { bytes in
            var outline = AnswerOutline()
            do throws(WireFault) {
                for line in section.lines { try outline.take(line, bytes) }
                return .success(try outline.text(of: section.lines, bytes, answering: method, endsStream))
            } catch {
                return .failure(error)
            }
        }
        self = try read.get()
    }

    fileprivate init(status: Int, framing: BodyFraming, head: ByteBuffer) {
        self.status = status
        self.framing = framing
        self.head = head
    }
}

/// What an answer's fields are, before they are written down.
private struct AnswerOutline {
    private var status: Int?
    private var contentLength: UInt64?
    private var hasFields = false

    mutating func take(_ line: FieldSectionLines.Line, _ bytes: UnsafeRawBufferPointer) throws(WireFault) {
        guard let first = line.name.first, FieldRules.isSound(line, bytes) else { throw .malformedFieldName }
        if bytes[first] == UInt8(ascii: ":") { return try takeStatus(line, bytes) }
        hasFields = true
        switch FieldKind(name: line.name, in: bytes) {
        case .contentLength:
            guard contentLength == nil else { throw .conflictingLength }
            guard let length = FieldRules.decimal(bytes, line.value) else { throw .malformedLength }
            contentLength = length
        // What HTTP/2 has no use for and forbids (section 8.2.2).
        case .connection, .keepAlive, .proxyConnection, .transferEncoding, .upgrade: throw .malformedFieldName
        default: break
        }
    }

    private mutating func takeStatus(
        _ line: FieldSectionLines.Line, _ bytes: UnsafeRawBufferPointer
    ) throws(WireFault) {
        // The only one there is, before all fields, and once (section 8.3).
        guard !hasFields, status == nil, bytes.isExactly(":status", at: line.name), line.value.count == 3,
            let code = FieldRules.decimal(bytes, line.value), (100...599).contains(code), code != 101
        else { throw .malformedStatusLine }
        status = Int(code)
    }

    func text(
        of lines: [FieldSectionLines.Line], _ bytes: UnsafeRawBufferPointer, answering method: RequestMethod,
        _ endsStream: Bool
    ) throws(WireFault) -> AnswerText {
        guard let status, status >= 200 || !endsStream else { throw .malformedStatusLine }
        let framing = framing(of: status, method, endsStream)
        if endsStream, framing != .none, (contentLength ?? 0) > 0 { throw .malformedLength }
        var text = ByteBuffer()
        text.reserveCapacity(bytes.count + 4 * lines.count + 64)
        text.writeString("HTTP/1.1 \(status) \r\n")
        for line in lines where bytes[line.name.lowerBound] != UInt8(ascii: ":") { text.writeLine(line, bytes) }
        switch framing {
        case .chunked: text.writeStaticString("transfer-encoding: chunked\r\n")
        case .length(0) where contentLength == nil: text.writeStaticString("content-length: 0\r\n")
        default: break
        }
        text.writeStaticString("\r\n")
        return AnswerText(status: status, framing: framing, head: text)
    }

    private func framing(of status: Int, _ method: RequestMethod, _ endsStream: Bool) -> BodyFraming {
        if status < 200 || status == 204 || status == 304 || method == .head { return .none }
        if let contentLength { return .length(contentLength) }
        return endsStream ? .length(0) : .chunked
    }
}
