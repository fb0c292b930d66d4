import NIOCore
import ProxyHTTP2
import ProxyWire

/// What a connection of HTTP/2 sends, of all its streams: gathers, and leaves together when all that has come at this moment was dealt
/// with. Keeps within what the other side takes (RFC 9113 section 5.2). Confined to its event loop.
final class HTTP2Outbox {
    private let eventLoop: any EventLoop
    private(set) var context: ChannelHandlerContext?
    var bytes = ByteBuffer()
    /// Whether what has come is being dealt with: what that makes us send waits for its end.
    var isReading = false
    private var isFlushScheduled = false
    /// Bytes of content that the other side takes on all streams together.
    private(set) var window = HTTP2Window.usual
    /// The same on one that begins.
    private(set) var newStreamWindow = HTTP2Window.usual
    /// Those that have content which the connection has no room for, in their turn.
    private var waiting: [any HTTP2Sender] = []
    private var mustTellOfTable = false
    /// Bytes of content that the other side may send on all streams together: room is made at once, since each stream is bounded.
    static let connectionWindow = 1 << 20
    /// Bytes of content that have come since room was made last.
    private var unacknowledged = 0

    init(eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    var isWritable: Bool { context?.channel.isWritable ?? false }

    /// - Parameter context: where bytes go; `nil` when they go nowhere any more.
    func attach(to context: ChannelHandlerContext?) { self.context = context }

    /// Nobody waits for room any more.
    func forgetWaiting() { waiting = [] }

    // MARK: Flow control

    /// Acknowledges what the other side has set.
    func obey(_ settings: PeerSettings, streams: some Collection<any HTTP2Sender>) throws(HTTP2Fault) {
        if settings.resizesTable { mustTellOfTable = true }
        if let initial = settings.initialWindow { try resizeStreamWindows(to: initial, of: streams) }
        bytes.writeSettingsAcknowledgement()
    }

    private func resizeStreamWindows(
        to size: Int, of streams: some Collection<any HTTP2Sender>
    ) throws(HTTP2Fault) {
        let change = size - newStreamWindow
        newStreamWindow = size
        for stream in streams {
            guard stream.widen(by: change) else { throw HTTP2Fault(.flowControlError) }
        }
        guard change > 0 else { return }
        for stream in streams where stream.waitsForRoom {
            stream.send(mostFrames: .max)
            stream.roomWasMade()
        }
    }

    /// The connection has room for more: a frame of each stream in turn, beginning with the one that has waited longest.
    func widen(by increment: Int) throws(HTTP2Fault) {
        window += increment
        guard window <= HTTP2Window.most else { throw HTTP2Fault(.flowControlError) }
        let before = waiting
        var next = 0
        while window > 0, next < waiting.count {
            let stream = waiting[next]
            next += 1
            stream.isWaiting = false
            // Puts itself at the end when there is more of it.
            stream.send(mostFrames: 1)
        }
        waiting.removeFirst(next)
        for stream in before { stream.roomWasMade() }
    }

    /// A stream has content that only the connection has no room for.
    func waitsForRoom(_ stream: any HTTP2Sender) {
        guard !stream.isWaiting else { return }
        stream.isWaiting = true
        waiting.append(stream)
    }

    /// So many bytes of content have come, on whichever stream.
    func makeRoom(_ length: Int) {
        unacknowledged += length
        guard unacknowledged >= Self.connectionWindow / 2 else { return }
        bytes.writeWindowUpdate(unacknowledged, stream: 0)
        unacknowledged = 0
    }

    /// A stream has taken so many bytes of content.
    func makeRoom(_ length: Int, stream: UInt32) {
        bytes.writeWindowUpdate(length, stream: stream)
        flushSoon()
    }

    // MARK: Sending

    func reset(_ code: HTTP2ErrorCode, stream: UInt32) {
        bytes.writeReset(code, stream: stream)
        flushSoon()
    }

    /// Writes a head or trailers.
    /// - Parameter write: writes the lines, packed.
    func writeSection(endsStream: Bool, stream: UInt32, _ write: (inout ByteBuffer) -> Void) {
        let tellsOfTable = mustTellOfTable
        mustTellOfTable = false
        bytes.writeHeaders(endsStream: endsStream, stream: stream) { block in
            if tellsOfTable { block.writeEmptyTable() }
            write(&block)
        }
    }

    func writeTrailers(_ lines: ByteBuffer, stream: UInt32) {
        lines.withUnsafeReadableBytes { lines in
            writeSection(endsStream: true, stream: stream) { $0.writeTrailerSection(lines) }
        }
    }

    /// - Returns: how many bytes of `content` had room.
    func writeData(_ content: inout ByteBuffer, atMost most: Int, endsStream: Bool, stream: UInt32) -> Int {
        let sent = bytes.writeData(&content, atMost: max(0, most), endsStream: endsStream, stream: stream)
        window -= sent
        return sent
    }

    /// Sends what has gathered when all that has happened at this moment was dealt with.
    func flushSoon() {
        guard !isReading, !isFlushScheduled else { return }
        isFlushScheduled = true
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        eventLoop.execute {
            bound.value.isFlushScheduled = false
            bound.value.flush()
        }
    }

    /// - Parameter sent: told when it has left.
    func flush(_ sent: EventLoopPromise<Void>? = nil) {
        guard let context, bytes.readableBytes > 0 || sent != nil else { return }
        // What this makes others write comes after it.
        var leaving = ByteBuffer()
        swap(&leaving, &bytes)
        context.writeAndFlush(NIOAny(leaving), promise: sent)
        guard bytes.readableBytes == 0 else { return }
        leaving.clear(minimumCapacity: 1024)
        bytes = leaving
    }
}

/// A stream as far as it sends.
protocol HTTP2Sender: AnyObject {
    /// Whether it is among those that wait for room on the connection.
    var isWaiting: Bool { get set }
    /// Whether it has content that there is no room for.
    var waitsForRoom: Bool { get }
    /// - Returns: whether a window can be as large (RFC 9113 section 6.9.1).
    func widen(by increment: Int) -> Bool
    /// Sends what there is room for.
    func send(mostFrames: Int)
    /// There is more room, on the stream or on the connection, and what it had to send was sent.
    func roomWasMade()
}
