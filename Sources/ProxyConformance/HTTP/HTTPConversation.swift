/// A client on one connection: sends bytes, reads answers, and takes nothing for granted.
package struct HTTPConversation: Sendable {
    package let connection: any RawConnection
    /// What has come and was not yet read.
    private(set) var buffer: [UInt8] = []
    private(set) var hasEnded = false
    /// How long to wait for anything.
    package var patience = Duration.seconds(15)

    package init(_ connection: any RawConnection) { self.connection = connection }

    package func send(_ bytes: [UInt8]) async throws { try await connection.send(bytes) }
    package func send(_ text: String) async throws { try await connection.send(Array(text.utf8)) }
    package func send(_ request: HTTPRequest) async throws { try await connection.send(request.bytes) }

    /// Takes in what comes next. Gives `false` at the end of the stream.
    private mutating func more() async throws -> Bool {
        guard !hasEnded else { return false }
        let bytes = try await connection.receive(atMost: 262_144, within: patience)
        hasEnded = bytes.isEmpty
        buffer += bytes
        return !bytes.isEmpty
    }

    /// Reads one head, interim or final.
    package mutating func head() async throws -> HTTPHead {
        var searched = 0
        while true {
            if let end = buffer.range(ofEmptyLineFrom: searched) {
                defer { buffer.removeFirst(end) }
                return try Self.parse(Array(buffer[..<end]))
            }
            searched = max(0, buffer.count - 3)
            guard try await more() else { throw ConnectionFailure.noAnswer }
        }
    }

    /// Reads a whole answer, to a request of `method`.
    package mutating func response(to method: String = "POST") async throws -> HTTPResponse {
        var interim: [HTTPHead] = []
        var head = try await head()
        while head.isInterim {
            interim.append(head)
            head = try await self.head()
        }
        return try await body(of: head, to: method, after: interim)
    }

    /// Reads the body that follows `head`.
    package mutating func body(of head: HTTPHead, to method: String = "POST", after interim: [HTTPHead] = [])
        async throws
        -> HTTPResponse
    {
        var collected = CollectedBody()
        do {
            if method == "HEAD" || head.status == 204 || head.status == 304 || head.isInterim {
                collected.end = .complete
            } else if head.fields.all("transfer-encoding").contains("chunked") {
                try await readChunks(into: &collected)
            } else if let length = head.fields.first("content-length").flatMap({ Int($0) }) {
                collected.end = try await fill(length) ? .complete : .cutShort
                collected.body = take(min(length, buffer.count))
            } else {
                while try await more() {}
                collected.body = take(buffer.count)
                collected.end = .complete
            }
        } catch ConnectionFailure.reset {
            collected.body += take(buffer.count)
            collected.end = .reset
        }
        return HTTPResponse(
            head: head, interim: interim, body: collected.body, chunks: collected.chunks, trailers: collected.trailers,
            end: collected.end)
    }

    private struct CollectedBody {
        var body: [UInt8] = []
        var chunks: [Int] = []
        var trailers: [HTTPField] = []
        var end = HTTPEnd.cutShort
    }

    private mutating func readChunks(into collected: inout CollectedBody) async throws {
        while let line = try await line() {
            guard let size = Int(line.prefix { $0 != ";" }, radix: 16) else { throw ConnectionFailure.notHTTP(line) }
            if size == 0 { break }
            collected.chunks.append(size)
            let isWhole = try await fill(size + 2)
            collected.body += take(min(size, buffer.count))
            guard isWhole else { return }
            guard take(2) == [13, 10] else { throw ConnectionFailure.notHTTP("chunk without end") }
        }
        while let line = try await line() {
            if line.isEmpty {
                collected.end = .complete
                return
            }
            collected.trailers.append(try Self.field(line))
        }
    }

    /// Reads one chunk of an answer whose head was read, and no more.
    package mutating func chunk() async throws -> [UInt8] {
        guard let line = try await line(), let size = Int(line.prefix { $0 != ";" }, radix: 16) else { return [] }
        guard try await fill(size + 2) else { throw ConnectionFailure.noAnswer }
        defer { _ = take(2) }
        return take(size)
    }

    /// Reads a line without its end; `nil` when the stream ends before it does.
    private mutating func line() async throws -> String? {
        while true {
            if let end = buffer.firstIndex(of: 10) {
                let line = take(end + 1)
                return String(
                    decoding: line.dropLast(line.count > 1 && line[line.count - 2] == 13 ? 2 : 1), as: UTF8.self)
            }
            guard try await more() else { return nil }
        }
    }

    /// Waits until `count` bytes are there. Gives `false` when the stream ends before.
    private mutating func fill(_ count: Int) async throws -> Bool {
        while buffer.count < count { guard try await more() else { return false } }
        return true
    }

    private mutating func take(_ count: Int) -> [UInt8] {
        defer { buffer.removeFirst(count) }
        return Array(buffer[..<count])
    }

    /// How the connection ends, when nothing more of an answer is due: `nil` when it stays open for `time`.
    package mutating func ending(within time: Duration = .seconds(15)) async -> HTTPEnd? {
        let usual = patience
        patience = time
        defer { patience = usual }
        do {
            while try await more() {}
            return .complete
        } catch ConnectionFailure.reset {
            return .reset
        } catch {
            return nil
        }
    }

    private static func parse(_ bytes: [UInt8]) throws -> HTTPHead {
        let text = String(decoding: bytes, as: UTF8.self)
        var lines = text.split(separator: "\r\n", omittingEmptySubsequences: false)
        let start = lines.removeFirst().split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        guard start.count >= 2, start[0].hasPrefix("HTTP/1."), let minor = Int(start[0].dropFirst(7)),
            let status = Int(start[1])
        else { throw ConnectionFailure.notHTTP(text) }
        let fields = try lines.filter { !$0.isEmpty }.map { try field(String($0)) }
        let reason = start.count == 3 ? String(start[2]) : ""
        return HTTPHead(status: status, reason: reason, minorVersion: minor, fields: fields, bytes: bytes)
    }

    private static func field(_ line: String) throws -> HTTPField {
        guard let colon = line.firstIndex(of: ":") else { throw ConnectionFailure.notHTTP(line) }
        let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
        return HTTPField(String(line[..<colon]), String(value))
    }
}

extension [UInt8] {
    /// Where the first empty line after `start` ends.
    func range(ofEmptyLineFrom start: Int) -> Int? {
        guard count >= 4 else { return nil }
        for index in start...Swift.max(start, count - 4) where index + 4 <= count {
            if self[index] == 13, self[index + 1] == 10, self[index + 2] == 13, self[index + 3] == 10 {
                return index + 4
            }
        }
        return nil
    }

    /// Whether `text` occurs in it.
    func contains(text: String) -> Bool {
        let wanted = Array(text.utf8)
        guard let first = wanted.first, count >= wanted.count else { return wanted.isEmpty }
        for index in 0...(count - wanted.count) where self[index] == first {
            if self[index..<index + wanted.count].elementsEqual(wanted) { return true }
        }
        return false
    }
}
