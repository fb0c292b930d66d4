import ProxyBlackBox

/// One HTTP/1.1 request to a port of 127.0.0.1, and its answer, on a connection of its own.
///
/// Follows no redirection, keeps no cookie and adds no field but those that framing needs, so that a test sees what was sent.
struct Exchange: Sendable {
    let method: String
    let target: String
    var fields: [(name: String, value: String)] = []
    var body: String?

    /// What came back.
    struct Answer: Sendable {
        let status: Int
        let fields: [(name: String, value: String)]
        let body: [UInt8]

        var text: String { String(decoding: body, as: UTF8.self) }

        /// The values of all fields of that name, in their order.
        func values(of name: String) -> [String] {
            fields.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
        }

        /// The first field of that name.
        subscript(_ name: String) -> String? { values(of: name).first }

        /// The body as JSON; `null` when it is none.
        var json: JSON { (try? JSON(parsing: body)) ?? .null }
    }

    private static let patience = Duration.seconds(60)

    /// Sends the request and reads the whole answer.
    /// - Throws: when the port can't be reached, is silent for a minute, or does not speak HTTP/1.1.
    func send(to port: Int) async throws -> Answer {
        let connection = try await SocketConnection.connect(port: port)
        try await connection.send(Array((head(port) + (body ?? "")).utf8))
        var bytes: [UInt8] = []
        var head: Head?
        while true {
            if head == nil { head = Head(bytes) }
            if let head, let length = head.length, bytes.count >= head.size + length { break }
            let piece = try await connection.receive(atMost: 1 << 18, within: Self.patience)
            if piece.isEmpty { break }
            bytes += piece
        }
        await connection.close()
        guard let head = head ?? Head(bytes) else { throw TestFailure("\(method) \(target): no answer of HTTP/1.1") }
        var rest = Array(bytes[head.size...])
        if let length = head.length { rest = Array(rest.prefix(length)) }
        return Answer(status: head.status, fields: head.fields, body: head.isChunked ? Self.joined(rest) : rest)
    }

    private func head(_ port: Int) -> String {
        var lines = ["\(method) \(target) HTTP/1.1", "Host: 127.0.0.1:\(port)", "Connection: close"]
        for (name, value) in fields { lines.append("\(name): \(value)") }
        if body != nil || method == "POST" { lines.append("Content-Length: \(body?.utf8.count ?? 0)") }
        return lines.joined(separator: "\r\n") + "\r\n\r\n"
    }

    /// The pieces of a chunked body (RFC 9112, 7.1) as one; extensions and trailers are not read.
    private static func joined(_ bytes: [UInt8]) -> [UInt8] {
        var rest = bytes[...]
        var whole: [UInt8] = []
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            let line = String(decoding: rest[..<end], as: UTF8.self).prefix { $0.isHexDigit }
            guard let size = Int(line, radix: 16), size > 0 else { break }
            let from = end + 1
            guard rest.endIndex - from >= size else { break }
            whole += rest[from..<(from + size)]
            rest = rest[(from + size)...].drop { $0 == UInt8(ascii: "\r") || $0 == UInt8(ascii: "\n") }
        }
        return whole
    }
}

/// The head of an answer, once all of it is there.
private struct Head {
    let status: Int
    let fields: [(name: String, value: String)]
    /// Bytes, with the empty line.
    let size: Int

    init?(_ bytes: [UInt8]) {
        let end: [UInt8] = [13, 10, 13, 10]
        guard let found = bytes.firstRange(of: end) else { return nil }
        let lines = String(decoding: bytes[..<found.lowerBound], as: UTF8.self).split(separator: "\r\n")
        guard let words = lines.first?.split(separator: " "), words.count > 1, words[0].hasPrefix("HTTP/1."),
            let status = Int(words[1])
        else { return nil }
        self.status = status
        size = found.upperBound
        var fields: [(name: String, value: String)] = []
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { continue }
            fields.append((String(parts[0]), String(parts[1].drop { $0 == " " })))
        }
        self.fields = fields
    }

    var isChunked: Bool { value("transfer-encoding")?.lowercased() == "chunked" }

    /// Bytes of the body, where the head says so.
    var length: Int? {
        status == 204 || status == 304 ? 0 : isChunked ? nil : value("content-length").flatMap { Int($0) }
    }

    private func value(_ name: String) -> String? { fields.first { $0.name.lowercased() == name }?.value }
}
