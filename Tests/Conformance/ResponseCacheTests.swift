import NIOCore
import ProxyCache
import ProxyDomain
import ProxyWire
import Testing

@Suite struct ResponseCacheTests {
    private let cache = ResponseCache(maxBytes: 1 << 20)

    @Test func aPurgeOfItsOwnIsNotCarriedOutAgainWhenItIsRead() {
        cache.purge(CachePurge(), number: 7, isAhead: true)
        #expect(cache.lastPurge == 0, "those before it may not be known yet")
        #expect(hold("after"))
        // Another server's, numbered before it, is read first; then its own.
        #expect(cache.purge(CachePurge(url: "/elsewhere"), number: 6) == 0)
        #expect(cache.purge(CachePurge(), number: 7) == 0)
        #expect(cache.lastPurge == 7)
        #expect(holds("after"))
        #expect(cache.purge(CachePurge(), number: 8) == 1)
        #expect(!holds("after"))
    }

    @Test func aPurgeThatWasReadFirstIsNotExpectedAgain() {
        #expect(hold("before"))
        cache.purge(CachePurge(), number: 7)
        #expect(!holds("before"))
        cache.purge(CachePurge(), number: 7, isAhead: true)
        #expect(hold("after"))
        // At another database the numbers begin anew.
        cache.begin(after: 3)
        #expect(hold("there"))
        cache.purge(CachePurge(), number: 7)
        #expect(!holds("there"))
    }

    @Test func aPurgeEndsWhatIsUnderWay() throws {
        let flight = try #require(begin("under way"))
        cache.purge(CachePurge(), number: 1, isAhead: true)
        #expect(!cache.end(flight, .stored(answer)))
        let later = try #require(begin("later"))
        cache.purge(CachePurge(), number: 1)
        #expect(cache.end(later, .stored(answer)), "it was asked for after the purge")
    }

    /// RFC 9111 section 4.2.3: since it was asked for by its `Age`, or since it was made by its `Date`.
    @Test(arguments: [
        ("", 0, 0), ("Age: 7\r\n", 0, 7), ("Age: 7\r\n", 5, 12), ("", 5, 5), ("Age: -1\r\n", 0, 0),
        ("Age: x\r\n", 3, 3),
        ("Date: Thu, 01 Jan 2026 00:00:00 GMT\r\n", 0, 40),
        ("Date: Thu, 01 Jan 2026 00:00:00 GMT\r\nAge: 39\r\n", 2, 41),
        ("Date: Thu, 01 Jan 2026 00:01:00 GMT\r\n", 0, 0), ("Date: soon\r\n", 0, 0),
    ])
    func tellsHowOldAnAnswerWasWhenItCame(_ fields: String, delay: Int64, age: Int64) throws {
        let bytes = ByteBuffer(string: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\(fields)\r\n")
        let head = try #require(ResponseHead(bytes))
        let arrival = Storability.Arrival(at: try #require(Timestamp("2026-01-01T00:00:40.000Z")), delay: delay)
        #expect(bytes.withUnsafeReadableBytes { Storability.initialAge(head, $0, arrival) } == age)
    }

    // MARK: Its parts

    private let answer = StoredResponse(
        request: .init(
            project: ProjectID(Identifier(high: 1, low: 2)), method: "GET", url: "/v1/models", selecting: [:]),
        head: ResponseHead(),
        headBytes: ByteBuffer(), body: ByteBuffer(string: "{}"), contentLength: 2, isRechunked: false, model: nil,
        storedAt: Timestamp(milliseconds: 0), initialAge: 0, freshUntil: Timestamp(milliseconds: 60_000))

    private func key(_ name: String) -> CacheKey {
        let none = UnsafeRawBufferPointer(start: nil, count: 0)
        return CacheKey(
            .shared, .init(provider: name, authority: "", prefix: []), RequestHead(), none, body: nil)
    }

    private func begin(_ name: String) -> ResponseCache.Flight? {
        cache.begin(key(name), of: answer.request.project, at: "/v1/models", orWait: nil)
    }

    private func hold(_ name: String) -> Bool {
        begin(name).map { cache.end($0, .stored(answer)) } ?? false
    }

    private func holds(_ name: String) -> Bool { cache.response(for: key(name)) != nil }
}
