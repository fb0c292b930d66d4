import NIOCore

/// What carries requests to an upstream: a connection of their own, or the streams of an HTTP/2 connection, one after the other.
enum UpstreamLink {
    case channel(ChannelHandlerContext)
    case stream(UpstreamHTTP2Stream)

    var isOpen: Bool {
        switch self {
        case .channel(let context): context.channel.isActive
        case .stream(let stream): stream.isOpen
        }
    }

    var isWritable: Bool {
        switch self {
        case .channel(let context): context.channel.isWritable
        case .stream(let stream): stream.isWritable
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

    func close() {
        switch self {
        case .channel(let context): context.close(promise: nil)
        case .stream(let stream): stream.close()
        }
    }
}
