import NIOCore
import NIOHTTP1
import NIOPosix
import ProxyManagement
import ProxyServer

/// Calls of the management API of one server, each on a connection of its own.
struct ManagementClient: Sendable {
    /// An answer that came whole.
    struct Answer: Sendable {
        let status: Int
        /// All `Link` fields.
        let links: [String]
        /// Names the state of what it is about; `nil` without one.
        let tag: String?
        let body: [UInt8]
    }

    /// Largest body of an answer.
    static let maximumBodyBytes = 16 << 20

    let address: ManagementAddress
    /// The management token: sent, and shown nowhere.
    let token: String
    /// For a whole call, from the connection to the end of the answer.
    let timeout: Duration

    /// Sends a request and waits for its whole answer, whatever its status.
    func send(_ call: ManagementCall) async throws(ManageError) -> Answer {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let promise = loop.makePromise(of: Answer.self)
        let timer = loop.scheduleTask(in: TimeAmount(timeout)) { promise.fail(Silence.tooLong) }
        defer { timer.cancel() }
        do {
            let channel = try await makeChannel(on: loop, exchanging: call, promise)
            promise.futureResult.whenComplete { _ in channel.close(promise: nil) }
            return try await promise.futureResult.get()
        } catch {
            promise.fail(error)
            throw address.failure(error, lateness: .tooLong)
        }
    }

    private func makeChannel(
        on loop: any EventLoop, exchanging call: ManagementCall, _ promise: EventLoopPromise<Answer>
    ) async throws -> any Channel {
        let content = call.body.map { Array($0.text.utf8) } ?? []
        let head = requestHead(of: call, contentLength: content.count)
        return try await address.connect(on: loop, within: timeout) {
            [ManagementExchange(head, content: content, promise)]
        }
    }

    private func requestHead(of call: ManagementCall, contentLength: Int) -> HTTPRequestHead {
        var headers = HTTPHeaders([
            ("Host", address.authority), ("Authorization", "Bearer \(token)"), ("Accept", "application/json"),
            ("User-Agent", "llm-proxy/\(productVersion)"), ("Connection", "close"),
        ])
        if let tag = call.expectedTag { headers.add(name: "If-Match", value: tag) }
        if call.body != nil { headers.add(name: "Content-Type", value: "application/json") }
        // A POST without a body says so; what has no body by its method says nothing (RFC 9110 section 8.6).
        if call.method == .post || call.method == .patch {
            headers.add(name: "Content-Length", value: "\(contentLength)")
        }
        return HTTPRequestHead(
            version: .http1_1, method: HTTPMethod(rawValue: call.method.rawValue), uri: address.prefix + call.target,
            headers: headers)
    }
}

/// Sends one request and keeps its answer. Confined to its channel's event loop.
private final class ManagementExchange: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    private let request: HTTPRequestHead
    private let content: [UInt8]
    private let promise: EventLoopPromise<ManagementClient.Answer>
    private var head: HTTPResponseHead?
    private var body: [UInt8] = []

    init(_ request: HTTPRequestHead, content: [UInt8], _ promise: EventLoopPromise<ManagementClient.Answer>) {
        self.request = request
        self.content = content
        self.promise = promise
    }

    func channelActive(context: ChannelHandlerContext) {
        context.write(wrapOutboundOut(.head(request)), promise: nil)
        if !content.isEmpty {
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: content)))), promise: nil)
        }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): self.head = head
        case .body(let part): collect(part)
        case .end: complete()
        }
    }

    private func collect(_ part: ByteBuffer) {
        guard body.count + part.readableBytes <= ManagementClient.maximumBodyBytes else {
            let limit = ManagementClient.maximumBodyBytes >> 20
            return promise.fail(ManageError.failed("the answer is larger than \(limit) MiB"))
        }
        body.append(contentsOf: part.readableBytesView)
    }

    private func complete() {
        guard let head else { return promise.fail(Silence.cut) }
        promise.succeed(
            ManagementClient.Answer(
                status: Int(head.status.code), links: head.headers["link"],
                tag: head.headers.first(name: "etag"), body: body))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        promise.fail(error)
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) { promise.fail(Silence.cut) }
}
