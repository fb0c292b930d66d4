import NIOCore
import ProxyDomain
import ProxyWire

/// WebSocket (RFC 6455): once both sides have agreed, bytes pass both ways until one of them ends.
///
/// What the upstream sends passes as the content of an answer that ends with its connection; what the client sends passes here.
extension Exchange {
    /// Whether a client asks for a WebSocket. Other protocols are not passed on, and the request is answered without (RFC 9110
    /// section 7.8).
    static func asksForTunnel(_ head: RequestHead, _ bytes: UnsafeRawBufferPointer) -> Bool {
        guard head.wantsUpgrade, head.method == .get, head.framing == .none, head.count(of: .upgrade) == 1,
            let range = head.value(of: .upgrade)
        else { return false }
        return String(decoding: bytes[range], as: UTF8.self).lowercased() == "websocket"
    }

    /// The upstream has agreed: from now on there are no more messages of HTTP.
    func tunnelOpened() {
        isTunnel = true
        downstream?.process()
    }

    /// The client's bytes.
    func tunnelled(_ bytes: ByteBuffer) {
        guard isTunnel, stage == .relaying, let upstream, bytes.readableBytes > 0 else { return }
        requestBytes += UInt64(bytes.readableBytes)
        upstream.write(bytes)
        upstream.extendDeadline()
        downstream?.setReading(upstream.isWritable)
    }
}
