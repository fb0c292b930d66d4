import NIOCore

/// What carries a client's requests: a connection of their own, or the streams of an HTTP/2 connection, one after the other.
enum DownstreamLink {
    case channel(ChannelHandlerContext)
    case stream(HTTP2Stream)

    /// The client's connection.
    var channel: (any Channel)? {
        switch self {
        case .channel(let context): context.channel
        case .stream(let stream): stream.connection.channel
        }
    }

    var isWritable: Bool {
        switch self {
        case .channel(let context): context.channel.isWritable
        case .stream(let stream): stream.isWritable
        }
    }

    /// Whether something that is written has not left this process.
    var hasUnsent: Bool {
        switch self {
        case .channel(let context):
            (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)).map { $0 > 0 } ?? false
        case .stream(let stream): stream.waitsForRoom
        }
    }

    func write(_ buffer: ByteBuffer) {
        switch self {
        case .channel(let context): context.write(NIOAny(buffer), promise: nil)
        case .stream(let stream): stream.write(buffer)
        }
    }

    func flush() {
        switch self {
        case .channel(let context): context.flush()
        case .stream(let stream): stream.connection.outbox.flushSoon()
        }
    }

    func setReading(_ isReading: Bool) {
        switch self {
        case .channel(let context): try? context.channel.syncOptions?.setOption(.autoRead, value: isReading)
        case .stream(let stream): stream.setReading(isReading)
        }
    }

    /// Ends our side once all that is written has left, then calls `ended`.
    func endOutput(_ ended: @escaping () -> Void) {
        switch self {
        case .channel(let context):
            // With TLS an end may overtake what is written, so it waits for that.
            let sent = context.eventLoop.makePromise(of: Void.self)
            context.writeAndFlush(NIOAny(ByteBuffer()), promise: sent)
            sent.futureResult.assumeIsolated().whenComplete { _ in
                let closed = context.eventLoop.makePromise(of: Void.self)
                context.close(mode: .output, promise: closed)
                closed.futureResult.assumeIsolated().whenComplete { _ in ended() }
            }
        case .stream(let stream): stream.endAnswer(ended)
        }
    }

    func close() {
        switch self {
        case .channel(let context): context.close(promise: nil)
        case .stream(let stream): stream.close()
        }
    }
}
