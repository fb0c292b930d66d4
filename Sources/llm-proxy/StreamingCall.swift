import NIOCore
import NIOHTTP1
import NIOPosix
import ProxyManagement
import ProxyServer

/// POST requests whose answers are read as they come, each on a connection of its own.
struct StreamingCall: Sendable {
    /// A piece of an answer.
    enum Part: Sendable {
        /// The first one.
        case head(status: Int, contentType: String)
        case body([UInt8])
    }

    /// Largest answer: what comes is kept until it is read.
    static let maximumBytes = 16 << 20

    let address: ManagementAddress
    /// Sent as `Authorization: Bearer`, and shown nowhere.
    let token: String
    /// Longest wait for a connection, and longest silence.
    let patience: Duration

    /// Sends a request and gives each part of its answer to `each`, whatever its status.
    func send(
        _ body: JSONValue, to path: String, each: (Part) throws(ManageError) -> Void
    ) async throws(ManageError) {
        let (parts, continuation) = AsyncThrowingStream<Part, any Error>.makeStream()
        do {
            let channel = try await makeChannel(sending: Array(body.text.utf8), to: path, continuation)
            defer { channel.close(promise: nil) }
            for try await part in parts { try each(part) }
        } catch {
            throw address.failure(error, lateness: .nothing)
        }
    }

    private func makeChannel(
        sending content: [UInt8], to path: String, _ parts: AsyncThrowingStream<Part, any Error>.Continuation
    ) async throws -> any Channel {
        let head = requestHead(path, contentLength: content.count)
        let silence = TimeAmount(patience)
        return try await address.connect(on: MultiThreadedEventLoopGroup.singleton, within: patience) {
            [IdleStateHandler(readTimeout: silence), StreamingExchange(head, content: content, parts)]
        }
    }

    private func requestHead(_ path: String, contentLength: Int) -> HTTPRequestHead {
        let headers = HTTPHeaders([
            ("Host", address.authority), ("Authorization", "Bearer \(token)"),
            ("Accept", "text/event-stream, application/json"), ("Content-Type", "application/json"),
            ("Content-Length", "\(contentLength)"), ("User-Agent", "llm-proxy/\(productVersion)"),
            ("Connection", "close"),
        ])
        return HTTPRequestHead(version: .http1_1, method: .POST, uri: address.prefix + path, headers: headers)
    }
}

/// Sends one request and hands on its answer. Confined to its channel's event loop.
private final class StreamingExchange: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    private let request: HTTPRequestHead
    private let content: [UInt8]
    private let parts: AsyncThrowingStream<StreamingCall.Part, any Error>.Continuation
    private var received = 0

    init(
        _ request: HTTPRequestHead, content: [UInt8],
        _ parts: AsyncThrowingStream<StreamingCall.Part, any Error>.Continuation
    ) {
        self.request = request
        self.content = content
        self.parts = parts
    }

    func channelActive(context: ChannelHandlerContext) {
        context.write(wrapOutboundOut(.head(request)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: content)))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            let type = head.headers.first(name: "content-type") ?? ""
            parts.yield(.head(status: Int(head.status.code), contentType: type))
        case .body(let part):
            received += part.readableBytes
            guard received <= StreamingCall.maximumBytes else {
                let limit = StreamingCall.maximumBytes >> 20
                return parts.finish(throwing: ManageError.failed("the answer is larger than \(limit) MiB"))
            }
            parts.yield(.body(Array(part.readableBytesView)))
        case .end: parts.finish()
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent {
            parts.finish(throwing: Silence.nothing)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        parts.finish(throwing: error)
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) { parts.finish(throwing: Silence.cut) }
}
