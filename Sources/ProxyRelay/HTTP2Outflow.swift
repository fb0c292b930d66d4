import NIOCore
import ProxyHTTP2
import ProxyWire

/// The sending half of a stream: what HTTP/1.1 would send, as frames, and what of it the other side has no room for yet.
struct HTTP2Outflow {
    private let limits: WireLimits
    /// A head that has not been read yet, or content.
    private(set) var unread = ByteBuffer()
    private var reader: BodyReader
    private var isChunked = false
    private(set) var hasHead = false
    /// Whether all of it is here.
    private(set) var isWhole = false
    /// Whether the last of it was sent.
    private(set) var isSent = false
    /// Content that the other side has no room for.
    private var pending = ByteBuffer()
    /// What a body in chunks ends with: its trailers as HTTP/1.1 has them, and an empty line.
    private var trailers = ByteBuffer()
    private var hasTrailers: Bool { trailers.readableBytes > 2 }
    /// Bytes of content that the other side takes.
    private var window = 0

    init(limits: WireLimits) {
        self.limits = limits
        reader = BodyReader(limits: limits)
    }

    var pendingBytes: Int { pending.readableBytes }
    var hasUnread: Bool { unread.readableBytes > 0 && !isWhole }

    /// Makes ready for a stream.
    mutating func begin(window: Int) {
        self.window = window
        hasHead = false
        isWhole = false
        isSent = false
    }

    /// Nothing more goes.
    mutating func forget() {
        unread = ByteBuffer()
        pending = ByteBuffer()
        trailers = ByteBuffer()
    }

    mutating func append(_ bytes: ByteBuffer) { unread.append(bytes) }

    /// A head was read.
    mutating func passedHead(_ length: Int) { unread.moveReaderIndex(forwardBy: length) }

    /// The head that was read is of a message with such a body. A head that is all there is goes with the stream's end.
    mutating func beginBody(_ framing: BodyFraming) {
        hasHead = true
        isChunked = framing == .chunked
        reader.begin(framing, limits: limits)
        isWhole = reader.isComplete
        isSent = isWhole
    }

    /// Makes ready to be sent what has come of the body.
    /// - Returns: whether there is anything.
    mutating func takeBody() throws(WireFault) -> Bool {
        var content = ByteBuffer()
        if isChunked {
            var rest = ByteBuffer()
            swap(&rest, &trailers)
            _ = try reader.take(from: &unread) {
                content.writeBytes($0)
            } trailers: {
                rest.writeBytes($0)
            }
            swap(&rest, &trailers)
        } else {
            content = try reader.take(from: &unread) { _ in }
        }
        isWhole = reader.isComplete
        pending.append(content)
        return content.readableBytes > 0 || isWhole
    }

    /// What was read is done with.
    mutating func tidy() { if unread.readableBytes == 0 || isWhole { unread = ByteBuffer() } }

    /// What had no length ends with the connection that it came on.
    mutating func connectionEnded() {
        if hasHead, !isWhole, reader.connectionEnded() { isWhole = true }
    }

    /// - Returns: whether a window can be as large (RFC 9113 section 6.9.1).
    mutating func widen(by increment: Int) -> Bool {
        window += increment
        return window <= HTTP2Window.most
    }

    /// Sends what there is room for.
    /// - Returns: whether only the connection has no room for more.
    mutating func send(mostFrames: Int, through outbox: HTTP2Outbox, stream: UInt32) -> Bool {
        guard hasHead, !isSent else { return false }
        var frames = 0
        while frames < mostFrames, pending.readableBytes > 0 || isWhole && !hasTrailers {
            let room = min(window, outbox.window)
            guard room > 0 || pending.readableBytes == 0 else { break }
            window -= outbox.writeData(
                &pending, atMost: room, endsStream: isWhole && !hasTrailers, stream: stream)
            frames += 1
            if pending.readableBytes == 0 { break }
        }
        guard pending.readableBytes == 0 else { return window > 0 }
        pending = ByteBuffer()
        guard isWhole else { return false }
        isSent = true
        if hasTrailers { outbox.writeTrailers(trailers, stream: stream) }
        return false
    }
}
