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
