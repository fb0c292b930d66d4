public import NIOCore
import ProxyDomain
import ProxyWire

/// An answer as bytes, for servers that hold it together: integers in eight bytes, the highest first; texts with their length
/// before them.
extension StoredResponse {
    /// Raised when the form changes: a server reads nothing that another version wrote.
    private static let version: UInt8 = 2
    /// What instants and ages may be: with others, which a sound server doesn't write, their sums would not be numbers.
    private static let instants = 0...Timestamp.latest.milliseconds
    /// In seconds: twice what a header field may say (RFC 9111 section 1.2.2).
    private static let ages = 0...Int64(1) << 32

    public var bytes: ByteBuffer {
        var bytes = ByteBuffer()
        bytes.writeInteger(Self.version)
        bytes.writeInteger(storedAt.milliseconds)
        bytes.writeInteger(freshUntil.milliseconds)
        bytes.writeInteger(initialAge)
        bytes.writeInteger(contentLength)
        bytes.writeInteger(UInt8(isRechunked ? 1 : 0))
        bytes.writeText(model)
        bytes.writeText(request.project.text)
        bytes.writeText(request.method)
        bytes.writeText(request.url)
        bytes.writeInteger(request.selecting.count)
        for (name, value) in request.selecting.sorted(by: { $0.key < $1.key }) {
            bytes.writeText(name)
            bytes.writeText(value)
        }
        bytes.writeInteger(headBytes.readableBytes)
        bytes.writeImmutableBuffer(headBytes)
        bytes.writeImmutableBuffer(body)
        return bytes
    }

    /// `nil` for what isn't such an answer.
    public convenience init?(bytes: ByteBuffer) {
        var bytes = bytes
        guard bytes.readInteger(as: UInt8.self) == Self.version, let storedAt = bytes.readInteger(as: Int64.self),
            let freshUntil = bytes.readInteger(as: Int64.self), let age = bytes.readInteger(as: Int64.self),
            Self.instants.contains(storedAt), Self.instants.contains(freshUntil), Self.ages.contains(age),
            let contentLength = bytes.readInteger(as: Int.self), let rechunked = bytes.readInteger(as: UInt8.self),
            let model = bytes.readText(),
            let project = (bytes.readText() ?? nil).flatMap({ ProjectID($0) }), let method = bytes.readText() ?? nil,
            let url = bytes.readText() ?? nil, let count = bytes.readInteger(as: Int.self), (0...1000).contains(count)
        else { return nil }
        var selecting: [String: String?] = [:]
        for _ in 0..<count {
            guard let name = bytes.readText() ?? nil, let value = bytes.readText() else { return nil }
            selecting[name] = .some(value)
        }
        guard let length = bytes.readInteger(as: Int.self), let headBytes = bytes.readSlice(length: max(0, length)),
            let head = ResponseHead(headBytes), head.length == length, (0...bytes.readableBytes).contains(contentLength)
        else { return nil }
        self.init(
            request: Request(project: project, method: method, url: url, selecting: selecting), head: head,
            headBytes: headBytes, body: bytes.slice(), contentLength: contentLength, isRechunked: rechunked == 1,
            model: model,
            storedAt: Timestamp(milliseconds: storedAt), initialAge: age,
            freshUntil: Timestamp(milliseconds: freshUntil))
    }
}

extension ByteBuffer {
    /// - Parameter text: `nil` has a length of -1.
    fileprivate mutating func writeText(_ text: String?) {
        writeInteger(text?.utf8.count ?? -1)
        if let text { writeString(text) }
    }

    /// `nil` when the bytes break off; `.some(nil)` for a text that is `nil`.
    fileprivate mutating func readText() -> String?? {
        guard let length = readInteger(as: Int.self), length >= -1 else { return nil }
        if length == -1 { return .some(nil) }
        guard let text = readString(length: length) else { return nil }
        return .some(text)
    }
}
