/// Makes messages that are sound, and spoils some of them.
package struct MessageMaker {
    package var random: SeededRandom

    package init(seed: UInt64) { random = SeededRandom(seed) }

    package mutating func pick<Element>(_ choices: [Element]) -> Element {
        choices[Int.random(in: 0..<choices.count, using: &random)]
    }

    package mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

    /// One to three requests on one connection.
    package mutating func requests() -> [UInt8] {
        (0..<pick([1, 1, 2, 3])).reduce(into: []) { bytes, _ in bytes += request() }
    }

    package mutating func request() -> [UInt8] {
        let method = pick(["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE"])
        let host = pick(["a", "api.example.com", "127.0.0.1:8080", "[::1]:1"])
        let target = pick([
            "/", "/v1/chat/completions", "/a?b=c&d", "//x/../y?", "http://\(host)/x?y", "http://\(host)",
        ])
        let version = chance(85) ? "1.1" : "1.0"
        let lead = chance(5) ? "\r\n" : ""
        let (framing, body) = body(canChunk: version == "1.1", canBeEmpty: true)
        let fields = shuffled(["Host: \(host)"] + framing + extras())
        return octets("\(lead)\(method) \(target) HTTP/\(version)\r\n\(fields)\r\n") + body
    }

    package mutating func response() -> [UInt8] {
        let status = pick([200, 200, 201, 204, 205, 301, 304, 400, 401, 429, 500, 503, 599])
        let version = chance(85) ? "1.1" : "1.0"
        let interim = chance(10) ? "HTTP/1.1 \(pick([100, 102, 103])) Wait\r\nLink: x\r\n\r\n" : ""
        let (framing, body) = body(canChunk: version == "1.1" && status != 204, canBeEmpty: true)
        let isBare = status == 204 || status == 304
        let fields = shuffled((isBare ? [] : framing) + extras())
        let line = "HTTP/\(version) \(status) \(pick(["OK", "", "Not so good", "\u{E4}"]))"
        return octets("\(interim)\(line)\r\n\(fields)\r\n") + (isBare ? [] : body)
    }

    package mutating func chunked() -> [UInt8] {
        var bytes: [UInt8] = []
        for _ in 0..<pick([0, 1, 2, 5]) {
            let data = payload(1 + pick([0, 0, 9, 15, 40]))
            let size = String(data.count, radix: 16, uppercase: chance(50))
            bytes += octets(pick(["", "", "0", "00"]) + size + chunkExtension() + "\r\n") + data + octets("\r\n")
        }
        return bytes
            + octets(
                pick(["0", "00"]) + chunkExtension() + "\r\n" + pick(["", "", "X-Sum: 1\r\n", "a: b\r\nc:\r\n"])
                    + "\r\n")
    }

    /// Changes a few bytes, lines or numbers in ways that have fooled parsers before.
    package mutating func spoiled(_ sound: [UInt8]) -> [UInt8] {
        var bytes = sound
        for _ in 0..<pick([1, 1, 1, 2, 3, 8]) where !bytes.isEmpty { spoil(&bytes) }
        return bytes
    }

    private mutating func spoil(_ bytes: inout [UInt8]) {
        let at = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<8, using: &random) {
        case 0: bytes[at] = UInt8.random(in: 0...255, using: &random)
        case 1: bytes[at] = pick(Self.sharp)
        case 2: bytes.insert(pick(Self.sharp), at: at)
        case 3: bytes.remove(at: at)
        case 4: bytes[at] ^= 0x20
        case 5: bytes.insert(contentsOf: octets(pick(Self.snippets)), at: at)
        case 6: insertLine(&bytes, after: at)
        default:
            let end = min(bytes.count, at + Int.random(in: 1...20, using: &random))
            bytes.insert(contentsOf: bytes[at..<end], at: end)
        }
    }

    private mutating func insertLine(_ bytes: inout [UInt8], after position: Int) {
        guard let lineFeed = bytes[position...].firstIndex(of: 10) else { return }
        bytes.insert(contentsOf: octets(pick(Self.lines)), at: lineFeed + 1)
    }

    private static let sharp: [UInt8] = [
        0, 9, 10, 13, 32, 34, 35, 40, 44, 45, 48, 49, 58, 59, 61, 64, 92, 127, 128, 255,
    ]
    private static let snippets = [
        "\r\n", "\n", "\r", "\r\n ", "\r\n\r\n", " ", "0x", "+", "-", ",", "chunked", ":", " :", "\u{B}", "HTTP/1.1",
        "0\r\n\r\n",
        "GET / HTTP/1.1\r\n", ";a=b", "99999999999999999999", "\0", "5, 5",
    ]
    private static let lines = [
        "Content-Length: 5\r\n", "Content-Length: 0\r\n", "Content-Length: +5\r\n", "Content-Length: 5, 5\r\n",
        "content-length:5\r\n",
        "Transfer-Encoding: chunked\r\n", "Transfer-Encoding: xchunked\r\n", "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: chunked, chunked\r\n", "Transfer-Encoding:\tchunked\r\n", "Transfer-Encoding:\r\n",
        "Host: evil\r\n",
        "Connection: close\r\n", "Connection: keep-alive, x\r\n", " folded\r\n", "\tfolded: x\r\n", "x : y\r\n",
        ": y\r\n", "x\r\n",
        "x:\0\r\n", "x: \u{80}\u{FF}\r\n", "\r\n", "Expect: 100-continue\r\n", "Content-Length: 05\r\n",
        "Content-Length: 1_0\r\n",
    ]

    private mutating func body(canChunk: Bool, canBeEmpty: Bool) -> (fields: [String], bytes: [UInt8]) {
        switch Int.random(in: 0..<3, using: &random) {
        case 0 where canBeEmpty: return ([], [])
        case 1 where canChunk: return ([pick(["Transfer-Encoding: chunked", "transfer-encoding:CHUNKED "])], chunked())
        default:
            let data = payload(pick([0, 1, 5, 30, 100]))
            return ([pick(["Content-Length: ", "content-length:", "CONTENT-LENGTH:  "]) + "\(data.count)"], data)
        }
    }

    private mutating func payload(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in chance(20) ? pick(Self.sharp) : UInt8.random(in: 97...122, using: &random) }
    }

    private mutating func chunkExtension() -> String { pick(["", "", "", ";a", ";a=b", ";a=\"b;c\"", ";a;b=c"]) }

    private mutating func extras() -> [String] {
        let all = [
            "Accept: */*", "User-Agent: OpenAI/Python 1.2.3", "Authorization: Bearer sk-12345", "X-Empty:",
            "Connection: close",
            "Connection: keep-alive", "Connection: x-a , keep-alive", "X-A: 1",
            "Content-Type: application/json; charset=\"utf-8\"",
            "Cookie: a=b; c=d", "X-Tab: a\tb", "Expect: 100-continue", "Date: Mon, 01 Jan 2024 00:00:00 GMT",
            "Server: x",
        ]
        return all.filter { _ in chance(25) }
    }

    private mutating func shuffled(_ lines: [String]) -> String {
        lines.shuffled(using: &random).map { $0 + "\r\n" }.joined()
    }
}
