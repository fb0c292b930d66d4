/// Sends requests that are a little, or very, wrong.
enum Fuzzer {
    /// What a run came to.
    struct Tally: Sendable {
        var sent = 0
        /// Connections on which at least one answer came.
        var answered = 0
        /// Connections that neither answered nor ended.
        var hung = 0
    }

    /// Good requests to begin with.
    static func seeds(_ tenant: Tenant, managementToken: String) -> [[UInt8]] {
        var chunked = tenant.request(fields: [HTTPField("Transfer-Encoding", "chunked")])
        chunked.framesItself = true
        chunked.body = HTTPAnswer.chunk("abc") + HTTPAnswer.chunk("defgh") + HTTPAnswer.lastChunk
        let manage = [HTTPField("Authorization", "Bearer \(managementToken)")]
        return [
            tenant.request().bytes, chunked.bytes, tenant.request("/v1/models?a=b", method: "GET", body: nil).bytes,
            tenant.request(fields: [HTTPField("Expect", "100-continue"), HTTPField("Connection", "close, x")]).bytes,
            HTTPRequest(method: "GET", target: "/manage/tokens?limit=3", fields: manage).bytes,
            HTTPRequest(target: "/manage/projects", fields: manage, body: Array(#"{"name":"a","api_key":5}"#.utf8))
                .bytes,
            HTTPRequest(method: "GET", target: "/health").bytes,
        ]
    }

    /// Sends `count` requests made from `seed`, over a few connections at a time.
    static func run(_ count: Int, seed: UInt64, on server: CommandServer, seeds: [[UInt8]]) async throws -> Tally {
        let workers = 4
        return try await withThrowingTaskGroup(of: Tally.self) { group in
            for worker in 0..<workers {
                group.addTask {
                    var random = SeededRandom(seed: seed &* 1000 &+ UInt64(worker))
                    var tally = Tally()
                    while tally.sent < count / workers {
                        let batch = (0..<min(2, count / workers - tally.sent)).map { _ in
                            mutated(seeds[Int.random(in: 0..<seeds.count, using: &random)], using: &random)
                        }
                        tally.sent += batch.count
                        try await send(
                            batch.flatMap { $0 }, waitsForAnswer: .random(using: &random), on: server, into: &tally)
                    }
                    return tally
                }
            }
            return try await group.reduce(into: Tally()) { all, one in
                all.sent += one.sent
                all.answered += one.answered
                all.hung += one.hung
            }
        }
    }

    /// Sends bytes, says that no more come, and waits for the end. A client that says so at once has left in the
    /// proxy's eyes; one that waits a moment for an answer has its requests forwarded.
    private static func send(
        _ bytes: [UInt8], waitsForAnswer: Bool, on server: CommandServer, into tally: inout Tally
    ) async throws {
        let connection = try await server.connect()
        // The server may have closed already; then there is nothing to say.
        try? await connection.send(bytes)
        var received = 0
        do {
            if waitsForAnswer {
                received += (try? await connection.receive(atMost: 65_536, within: .milliseconds(25)).count) ?? 0
            }
            await connection.finishSending()
            while true {
                let bytes = try await connection.receive(atMost: 65_536, within: .seconds(10))
                if bytes.isEmpty { break }
                received += bytes.count
            }
        } catch ConnectionFailure.timedOut {
            tally.hung += 1
        } catch ConnectionFailure.reset {}
        if received > 0 { tally.answered += 1 }
        await connection.close()
    }

    /// A request with something done to it.
    static func mutated(_ seed: [UInt8], using random: inout SeededRandom) -> [UInt8] {
        if Int.random(in: 0..<20, using: &random) == 0 {
            return (0..<Int.random(in: 1...400, using: &random)).map { _ in .random(in: 0...255, using: &random) }
        }
        var bytes = seed
        for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
            let place = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0..<8, using: &random) {
            case 0: bytes[place] ^= 1 << UInt8.random(in: 0...7, using: &random)
            case 1: bytes[place] = .random(in: 0...255, using: &random)
            case 2: bytes.remove(at: place)
            case 3: bytes.insert(.random(in: 0...255, using: &random), at: place)
            case 4: bytes.insert(contentsOf: morsel(using: &random), at: place)
            case 5: bytes.removeSubrange(place..<min(bytes.count, place + .random(in: 1...30, using: &random)))
            case 6:
                let end = min(bytes.count, place + .random(in: 1...60, using: &random))
                bytes.insert(contentsOf: bytes[place..<end], at: .random(in: 0...bytes.count, using: &random))
            default: if Int.random(in: 0..<4, using: &random) == 0 { bytes.removeLast(bytes.count - place) }
            }
        }
        return bytes
    }

    /// Bytes that mean something in HTTP.
    private static func morsel(using random: inout SeededRandom) -> [UInt8] {
        let morsels = [
            "\r\n", "\n", "\r", "\r\n\r\n", " ", "\t", ":", "\0", "\r\n ", "Content-Length: 5\r\n",
            "Transfer-Encoding: chunked\r\n",
            "Content-Length: 18446744073709551616\r\n", "0\r\n\r\n", "ffffffffffffffff\r\n", "Host: b\r\n", "HTTP/1.1",
            "Connection: close\r\n",
            "Expect: 100-continue\r\n", "Upgrade: x\r\nConnection: upgrade\r\n", "%00", "/../", "?", "#", "{\"a\":",
            "\u{fffd}",
            String(repeating: "A", count: 9000),
        ]
        return Array(morsels[Int.random(in: 0..<morsels.count, using: &random)].utf8)
    }
}
