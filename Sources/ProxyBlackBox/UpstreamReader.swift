import Glibc
import ProxyConformance

/// Reads requests from a socket, for an upstream double. Trusts what comes: the proxy is to send nothing malformed.
struct UpstreamReader {
    let descriptor: Int32
    private var buffer: [UInt8] = []
    private var position = 0

    init(descriptor: Int32) { self.descriptor = descriptor }

    /// Waits for a byte. Gives `false` at the end of the stream.
    mutating func hasMore() -> Bool { position < buffer.count || fill() }

    private mutating func fill() -> Bool {
        if position == buffer.count {
            buffer.removeAll(keepingCapacity: true)
            position = 0
        }
        var part = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(descriptor, &part, part.count, 0)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            buffer.append(contentsOf: part[..<count])
            return true
        }
    }

    private mutating func line() -> [UInt8]? {
        var line: [UInt8] = []
        while hasMore() {
            let byte = buffer[position]
            position += 1
            line.append(byte)
            if byte == 10 { return line }
        }
        return nil
    }

    /// Reads a head. Gives `nil` when the stream ends before it does.
    mutating func readHead(connection: Int) -> ReceivedRequest? {
        var head: [UInt8] = []
        while let line = line() {
            head += line
            if line == [13, 10] { break }
        }
        guard head.suffix(4) == [13, 10, 13, 10] else { return nil }
        var lines = String(decoding: head, as: UTF8.self).split(separator: "\r\n", omittingEmptySubsequences: false)
            .map(String.init)
        let start = lines.removeFirst().split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        let fields = lines.filter { !$0.isEmpty }.map(Self.field)
        let isChunked = fields.contains { $0.name.lowercased() == "transfer-encoding" }
        return ReceivedRequest(
            method: start.first ?? "", target: start.count > 1 ? start[1] : "", fields: fields, wasChunked: isChunked,
            connection: connection, head: head)
    }

    private static func isBlank(_ character: Character) -> Bool { character == " " || character == "\t" }

    private static func field(_ line: String) -> HTTPField {
        let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        return HTTPField(
            String(parts[0]),
            parts.count > 1 ? String(parts[1].drop(while: isBlank).reversed().drop(while: isBlank).reversed()) : "")
    }

    /// Reads the body that follows the request's head.
    mutating func readBody(of request: inout ReceivedRequest) {
        if request.wasChunked { return readChunks(of: &request) }
        let length = request.fields.first { $0.name.lowercased() == "content-length" }.flatMap { Int($0.value) } ?? 0
        request.body = take(length)
        request.isComplete = request.body.count == length
    }

    private mutating func readChunks(of request: inout ReceivedRequest) {
        while let line = text() {
            guard let size = Int(line.prefix { $0 != ";" }, radix: 16) else { return }
            if size == 0 { break }
            request.body += take(size)
            guard take(2).count == 2 else { return }
        }
        while let line = text() {
            if line.isEmpty {
                request.isComplete = true
                return
            }
            request.trailers.append(Self.field(line))
        }
    }

    private mutating func text() -> String? {
        line().map { String(decoding: $0.dropLast(2), as: UTF8.self) }
    }

    mutating func take(_ count: Int) -> [UInt8] {
        var taken: [UInt8] = []
        taken.reserveCapacity(count)
        while taken.count < count, hasMore() {
            let part = min(count - taken.count, buffer.count - position)
            taken.append(contentsOf: buffer[position..<position + part])
            position += part
        }
        return taken
    }

    /// Drops what comes until the other side closes.
    mutating func readToEnd() {
        position = buffer.count
        while fill() { position = buffer.count }
    }
}
