public import NIOCore
public import ProxyWire

/// A request's head as HTTP/1.1 writes it, of the field section that HTTP/2 has instead (RFC 9113 section 8.3).
///
/// What HTTP/2 may carry and HTTP/1.1 would read as something else is refused here; all other rules are those of whoever reads it.
public struct RequestText: Sendable {
    public let method: RequestMethod
    /// As `content-length` says.
    public let contentLength: UInt64?
    private let expectsContinue: Bool
    /// The request line and the fields, without what tells of a body that has no length, and without the empty line.
    private var text: ByteBuffer

    /// Whether a request like this rarely has a body.
    public var mayBeWithoutBody: Bool {
        ![.post, .put, .patch].contains(method) && contentLength == nil && !expectsContinue
    }

    /// The head with what tells how its body is framed.
    public consuming func head(isChunked: Bool) -> ByteBuffer {
        if isChunked {
            text.writeStaticString("transfer-encoding: chunked\r\n\r\n")
        } else {
            text.writeStaticString("\r\n")
        }
        return text
    }

    /// - Returns: `nil` for a malformed one (RFC 9113 section 8.1.1).
    public init?(_ section: borrowing FieldSectionLines) {
        let read: Self? = section.bytes.withUnsafeBytes { bytes in
            var outline = Outline()
            for line in section.lines {
                guard outline.take(line, bytes) else { return nil }
            }
            return outline.text(of: section.lines, bytes)
        }
        guard let read else { return nil }
        self = read
    }

    fileprivate init(method: RequestMethod, contentLength: UInt64?, expectsContinue: Bool, text: ByteBuffer) {
        self.method = method
        self.contentLength = contentLength
        self.expectsContinue = expectsContinue
        self.text = text
    }
}

/// What a request's fields are, before they are written down.
private struct Outline {
    private var method: Range<Int>?
    private var path: Range<Int>?
    private var hasScheme = false
    private var authority: Range<Int>?
    private var host: Range<Int>?
    private var contentLength: UInt64?
    private var cookies = 0
    private var expectsContinue = false
    private var hasFields = false

    /// - Returns: whether it may be there.
    mutating func take(_ line: FieldSectionLines.Line, _ bytes: UnsafeRawBufferPointer) -> Bool {
        let (name, value) = (line.name, line.value)
        guard let first = name.first, FieldRules.isSound(line, bytes) else { return false }
        if bytes[first] == UInt8(ascii: ":") { return takePseudo(name, value, bytes) }
        hasFields = true
        switch FieldKind(name: name, in: bytes) {
        case .te: return bytes.isToken("trailers", at: value)
        case .host:
            defer { host = value }
            return host == nil
        case .expect: expectsContinue = true
        case .contentLength:
            guard contentLength == nil, let length = FieldRules.decimal(bytes, value) else { return false }
            contentLength = length
        // What HTTP/2 has no use for and forbids (section 8.2.2).
        case .connection, .keepAlive, .proxyConnection, .transferEncoding, .upgrade: return false
        default: if bytes.isExactly("cookie", at: name) { cookies += 1 }
        }
        return true
    }

    private mutating func takePseudo(_ name: Range<Int>, _ value: Range<Int>, _ bytes: UnsafeRawBufferPointer) -> Bool {
        // All of them come first, each at most once (section 8.3).
        guard !hasFields else { return false }
        switch name.count {
        case 5 where bytes.isExactly(":path", at: name):
            defer { path = value }
            return path == nil && FieldRules.isTarget(bytes, value)
        case 7 where bytes.isExactly(":method", at: name):
            defer { method = value }
            return method == nil && FieldRules.isTarget(bytes, value)
        case 7 where bytes.isExactly(":scheme", at: name):
            defer { hasScheme = true }
            return !hasScheme && !value.isEmpty
        case 10 where bytes.isExactly(":authority", at: name):
            defer { authority = value }
            return authority == nil
        default: return false
        }
    }

    func text(of lines: [FieldSectionLines.Line], _ bytes: UnsafeRawBufferPointer) -> RequestText? {
        guard let method, let path, hasScheme, !bytes.isExactly("CONNECT", at: method),
            bytes[path.lowerBound] == UInt8(ascii: "/") || bytes.isExactly("*", at: path)
        else { return nil }
        if let authority, let host, !bytes.isEqualIgnoringCase(authority, host) { return nil }
        var text = ByteBuffer()
        text.reserveCapacity(bytes.count + 4 * lines.count + 64)
        text.writeBytes(bytes[method])
        text.writeStaticString(" ")
        text.writeBytes(bytes[path])
        text.writeStaticString(" HTTP/1.1\r\n")
        if let authority = authority ?? host {
            text.writeStaticString("host: ")
            text.writeBytes(bytes[authority])
            text.writeStaticString("\r\n")
        }
        for line in lines where isWrittenAsItCame(line.name, bytes) { text.writeLine(line, bytes) }
        if cookies > 1 { text.writeCookies(lines, bytes) }
        return RequestText(
            method: RequestMethod(bytes, method), contentLength: contentLength, expectsContinue: expectsContinue,
            text: text)
    }

    private func isWrittenAsItCame(_ name: Range<Int>, _ bytes: UnsafeRawBufferPointer) -> Bool {
        bytes[name.lowerBound] != UInt8(ascii: ":") && !bytes.isExactly("host", at: name)
            && !(cookies > 1 && bytes.isExactly("cookie", at: name))
    }
}

extension ByteBuffer {
    /// One field of what was split so that each part can be packed by itself (section 8.2.3).
    fileprivate mutating func writeCookies(_ lines: [FieldSectionLines.Line], _ bytes: UnsafeRawBufferPointer) {
        var separator: StaticString = "cookie: "
        for line in lines where bytes.isExactly("cookie", at: line.name) {
            writeStaticString(separator)
            writeBytes(bytes[line.value])
            separator = "; "
        }
        writeStaticString("\r\n")
    }
}
