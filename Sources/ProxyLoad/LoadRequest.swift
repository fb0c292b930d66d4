import ProxyWire

/// What is sent, the same bytes again and again.
public struct LoadRequest: Hashable, Sendable {
    /// Case-sensitive (RFC 9110 section 9.1).
    public let method: String
    public let body: [UInt8]
    /// In place of the target's path, unless `nil`.
    public let path: String?
    let headers: [Header]

    /// One header line.
    struct Header: Hashable, Sendable {
        let name: String
        let value: String
    }

    /// - Parameters:
    ///   - path: begins with `/`.
    ///   - headers: lines of the form `Name: value`.
    /// - Throws: ``LoadError/refusedHeader(_:)``, ``LoadError/malformedMethod`` or ``LoadError/malformedURL(_:)``.
    public init(
        method: String, path: String? = nil, body: [UInt8] = [], headers: [String] = []
    ) throws(LoadError) {
        guard Self.isToken(method), method != "CONNECT" else { throw .malformedMethod }
        self.method = method
        self.body = body
        self.path = try path.map { path throws(LoadError) in try LoadTarget.checked(path) }
        var lines: [Header] = []
        for line in headers { lines.append(try Self.header(line)) }
        self.headers = lines
    }

    /// The request as it goes over the wire.
    /// - Parameter token: sent as `Authorization: Bearer`, without line ends.
    func bytes(to target: LoadTarget, token: String? = nil) -> [UInt8] {
        var head = "\(method) \(path ?? target.path) HTTP/1.1\r\n"
        if !hasHeader("host") { head += "Host: \(target.authority)\r\n" }
        for header in headers { head += "\(header.name): \(header.value)\r\n" }
        if let token { head += "Authorization: Bearer \(token)\r\n" }
        if !body.isEmpty, !hasHeader("content-type") { head += "Content-Type: application/json\r\n" }
        // A length for every method that may have a body, so that a server never waits for one (RFC 9110 section 8.6).
        if !body.isEmpty || ["POST", "PUT", "PATCH"].contains(method) { head += "Content-Length: \(body.count)\r\n" }
        return Array("\(head)\r\n".utf8) + body
    }

    /// The method as the reader of answers needs it: it decides whether an answer has a body.
    var wireMethod: RequestMethod { method == "HEAD" ? .head : .other }

    private func hasHeader(_ name: String) -> Bool { headers.contains { $0.name.lowercased() == name } }

    private static let decidedHere = ["content-length", "transfer-encoding", "connection", "expect", "upgrade", "te"]

    private static func header(_ line: String) throws(LoadError) -> Header {
        let name = line.prefix { $0 != ":" }
        guard name.count < line.count, isToken(name), !decidedHere.contains(name.lowercased()) else {
            // What has no colon may be a value, and a value may be a secret.
            throw .refusedHeader(name.count < line.count ? String(name) : "…")
        }
        let value = line.dropFirst(name.count + 1).drop { $0 == " " || $0 == "\t" }
        guard isPlain(value) else { throw .refusedHeader(String(name)) }
        return Header(name: String(name), value: String(value))
    }

    /// Whether a header may have this value: no line ends (RFC 9110 section 5.5).
    static func isPlain(_ value: some StringProtocol) -> Bool {
        value.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }
    }

    /// RFC 9110 section 5.6.2.
    private static func isToken(_ text: some StringProtocol) -> Bool {
        let marks = Array("!#$%&'*+-.^_`|~".utf8)
        return !text.isEmpty
            && text.utf8.allSatisfy { byte in
                0x30...0x39 ~= byte || 0x41...0x5A ~= byte || 0x61...0x7A ~= byte || marks.contains(byte)
            }
    }
}
