import NIOCore
import ProxyCache
import ProxyDomain
import ProxyWire

extension FuzzTarget {
    /// What a database holds of the response cache, where anything may stand: what is read from it can be used and written again.
    static let cachedAnswer = FuzzTarget(
        binary: "cached-answer",
        words: [
            "02", "0000000000000000", "ffffffffffffffff", "7fffffffffffffff", "8000000000000000", "0000000000000001",
            "00000000000003e9", "000001ba5f64dc00", "485454502f312e3120323030204f4b0d0a0d0a", "0d0a0d0a", "474554",
            "00",
        ]
    ) { input, _ in
        guard let answer = StoredResponse(bytes: ByteBuffer(bytes: input)) else { return nil }
        for now in [Timestamp(milliseconds: 0), answer.storedAt, answer.freshUntil, .latest] {
            guard answer.age(at: now) >= answer.initialAge else { return "it grows younger" }
            let lifetime = answer.lifetime(at: now)
            guard lifetime >= 0, lifetime == 0 || answer.isFresh(at: now) else {
                return "\(lifetime) s left, and stale"
            }
        }
        guard answer.size >= answer.headBytes.readableBytes + answer.body.readableBytes else {
            return "smaller than what it holds"
        }
        guard answer.head.length == answer.headBytes.readableBytes else { return "more than a head before the body" }
        guard answer.contentLength <= answer.body.readableBytes else { return "more content than body" }
        let written = answer.bytes
        guard let again = StoredResponse(bytes: written), again.request == answer.request, again.bytes == written else {
            return "it is another when it is written again"
        }
        return nil
    }
}
