import NIOCore
import NIOHPACK
import NIOHTTP2
import ProxyWire

/// One stream of an HTTP/2 connection, as the connection for one request that a ``DownstreamConnection`` serves.
///
/// Heads are written as HTTP/1.1 has them, so that everything is judged, forwarded and answered by the same rules; what HTTP/2
/// may carry and HTTP/1.1 may not is refused here. Trailers of answers are left out. Confined to its event loop.
final class HTTP2Stream: ChannelDuplexHandler {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = HTTP2Frame.FramePayload

    private enum Body {
        case none
        case sized
        case chunked
    }

    // The request
    private var hasRequestHead = false
    /// The head of a request that most likely has no body, until that is known.
    private var heldHead: HTTP2RequestHead?
    private var requestBody = Body.none
    private var method = RequestMethod.other

    // Its answer
    private let limits: WireLimits
    private var parser: ResponseHeadParser
    private var head = ResponseHead()
    private var reader: BodyReader
    private var unread = ByteBuffer()
    private var hasHead = false
    private var isAnswerWhole = false
    /// Kept when the last of the answer has left.
    private var lastSent: EventLoopPromise<Void>?

    private let connection: HTTP2Connection

    init(limits: WireLimits, on connection: HTTP2Connection) {
        self.limits = limits
        self.connection = connection
        parser = ResponseHeadParser(limits: limits)
        reader = BodyReader(limits: limits)
    }

    func handlerAdded(context: ChannelHandlerContext) { connection.streamBegan() }
    func handlerRemoved(context: ChannelHandlerContext) { connection.streamEnded() }

    // MARK: Request

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .headers(let frame) where !hasRequestHead: receiveHead(frame.headers, frame.endStream, context)
        case .headers(let frame): receiveTrailers(frame.headers, context)
        case .data(let frame):
            if case .byteBuffer(let bytes) = frame.data { receiveBody(bytes, frame.endStream, context) }
        default: break
        }
    }

    private func receiveHead(_ fields: HPACKHeaders, _ isWhole: Bool, _ context: ChannelHandlerContext) {
        guard let request = HTTP2RequestHead(fields) else { return refuse(context) }
        hasRequestHead = true
        method = request.method
        // Some clients end a request without a body with an empty frame.
        if !isWhole, request.mayBeWithoutBody {
            heldHead = request
        } else {
            pass(request, isWhole, context)
        }
    }

    private func pass(_ request: HTTP2RequestHead, _ isWhole: Bool, _ context: ChannelHandlerContext) {
        heldHead = nil
        requestBody = isWhole ? .none : request.hasLength ? .sized : .chunked
        var bytes = ByteBuffer()
        request.write(to: &bytes, isChunked: requestBody == .chunked)
        context.fireChannelRead(wrapInboundOut(bytes))
    }

    private func receiveBody(_ content: ByteBuffer, _ isWhole: Bool, _ context: ChannelHandlerContext) {
        if let heldHead {
            pass(heldHead, isWhole && content.readableBytes == 0, context)
            if requestBody == .none { return }
        }
        var bytes = content
        if requestBody == .chunked {
            bytes = ByteBuffer()
            if content.readableBytes > 0 {
                bytes.writeString(String(content.readableBytes, radix: 16) + "\r\n")
                bytes.writeImmutableBuffer(content)
                bytes.writeString("\r\n")
            }
            if isWhole { bytes.writeString("0\r\n\r\n") }
        }
        if bytes.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(bytes)) }
    }

    private func receiveTrailers(_ fields: HPACKHeaders, _ context: ChannelHandlerContext) {
        if let heldHead { pass(heldHead, false, context) }
        guard requestBody == .chunked else { return }
        var bytes = ByteBuffer()
        bytes.writeString("0\r\n")
        for field in fields {
            guard !field.name.hasPrefix(":"), HTTP2RequestHead.isSound(field.name, field.value) else {
                return refuse(context)
            }
            bytes.writeString("\(field.name): \(field.value)\r\n")
        }
        bytes.writeString("\r\n")
        context.fireChannelRead(wrapInboundOut(bytes))
    }

    /// Malformed (RFC 9113 section 8.1.1).
    private func refuse(_ context: ChannelHandlerContext) {
        let reset = HTTP2Frame.FramePayload.rstStream(.protocolError)
        context.writeAndFlush(wrapOutboundOut(reset), promise: nil)
    }

    // MARK: Answer

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        var bytes = unwrapOutboundIn(data)
        unread.writeBuffer(&bytes)
        do {
            while unread.readableBytes > 0, !isAnswerWhole {
                guard try hasHead ? passBody(context) : passHead(context) else { break }
            }
            if let promise { told(promise) }
        } catch {
            promise?.fail(error)
            context.close(promise: nil)
        }
        if unread.readableBytes == 0 { unread = ByteBuffer() }
    }

    /// - Returns: whether a head was there.
    private func passHead(_ context: ChannelHandlerContext) throws(WireFault) -> Bool {
        guard try parser.parse(unread, answering: method, into: &head),
            let bytes = unread.readSlice(length: head.length)
        else { return false }
        if !head.isInterim {
            hasHead = true
            reader.begin(head.framing, limits: limits)
            isAnswerWhole = reader.isComplete
        }
        let fields = bytes.withUnsafeReadableBytes { HPACKHeaders(head, $0) }
        // It must fit a frame, as what writes frames does not go on in others.
        guard fields.reduce(0, { $0 + $1.name.utf8.count + $1.value.utf8.count + 32 }) < Self.mostHeadBytes else {
            throw .headTooLarge
        }
        let frame = HTTP2Frame.FramePayload.headers(.init(headers: fields, endStream: isAnswerWhole))
        context.write(wrapOutboundOut(frame), promise: promiseOfLast(context))
        return true
    }

    private func passBody(_ context: ChannelHandlerContext) throws(WireFault) -> Bool {
        var content = ByteBuffer()
        if head.framing == .chunked {
            _ = try reader.take(from: &unread) { content.writeBytes($0) }
        } else {
            content = try reader.take(from: &unread) { _ in }
        }
        isAnswerWhole = reader.isComplete
        guard content.readableBytes > 0 || isAnswerWhole else { return false }
        writeData(content, context)
        return true
    }

    private func writeData(_ content: ByteBuffer, _ context: ChannelHandlerContext) {
        let frame = HTTP2Frame.FramePayload.data(.init(data: .byteBuffer(content), endStream: isAnswerWhole))
        context.write(wrapOutboundOut(frame), promise: promiseOfLast(context))
    }

    private static let mostHeadBytes = 16_000

    private func promiseOfLast(_ context: ChannelHandlerContext) -> EventLoopPromise<Void>? {
        if isAnswerWhole { lastSent = context.eventLoop.makePromise(of: Void.self) }
        return isAnswerWhole ? lastSent : nil
    }

    /// Tells when all that was written has left, as far as anybody waits for that: at an answer's end.
    private func told(_ promise: EventLoopPromise<Void>) {
        if let lastSent { lastSent.futureResult.cascade(to: promise) } else { promise.succeed() }
    }

    /// Our side ends: an answer that ends so is whole now, any other is broken off.
    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard mode == .output else {
            if isAnswerWhole {
                // The client has all of its answer, and need not go on with its request (RFC 9113 section 8.1).
                context.writeAndFlush(wrapOutboundOut(.rstStream(.noError)), promise: promise)
            } else {
                context.close(mode: mode, promise: promise)
            }
            return
        }
        if hasHead, !isAnswerWhole, reader.connectionEnded() {
            isAnswerWhole = true
            writeData(ByteBuffer(), context)
            context.flush()
        }
        // The rest of a request that is not wanted is let go by whoever lingers for it.
        guard isAnswerWhole else { return context.close(promise: promise) }
        if let promise { told(promise) }
    }

    /// The last byte of an answer may end the stream while it is written: told after that, so that what was answered has been answered.
    func channelInactive(context: ChannelHandlerContext) {
        guard isAnswerWhole else { return context.fireChannelInactive() }
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        context.eventLoop.execute { bound.value.fireChannelInactive() }
    }
}

/// A request's head as HTTP/2 has it, found sound (RFC 9113 sections 8.2 and 8.3).
struct HTTP2RequestHead {
    let method: RequestMethod
    let hasLength: Bool
    private let expectsContinue: Bool
    /// Whether a request like this rarely has a body.
    var mayBeWithoutBody: Bool { ![.post, .put, .patch].contains(method) && !hasLength && !expectsContinue }
    private let line: String
    private let fields: [(name: String, value: String)]

    /// `nil` for what is malformed, or could be read as something else once it is written as HTTP/1.1.
    init?(_ headers: HPACKHeaders) {
        var (name, path, authority): (String?, String?, String?)
        var fields: [(name: String, value: String)] = []
        var cookies: [String] = []
        var hosts: [String] = []
        for field in headers {
            switch field.name {
            case ":method": name = field.value
            case ":path": path = field.value
            case ":authority": authority = field.value
            case ":scheme": break
            case "host": hosts.append(field.value)
            case "cookie": cookies.append(field.value)
            case "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade": return nil
            default:
                guard !field.name.hasPrefix(":") else { return nil }
                fields.append((field.name, field.value))
            }
        }
        guard let name, let path, Self.isTarget(name), Self.isTarget(path), path.hasPrefix("/") || path == "*",
            hosts.allSatisfy({ $0 == authority ?? hosts[0] }), hosts.count <= 1
        else { return nil }
        if let host = authority ?? hosts.first { fields.insert(("host", host), at: 0) }
        // Split so that each part can be packed by itself (section 8.2.3).
        if !cookies.isEmpty { fields.append(("cookie", cookies.joined(separator: "; "))) }
        guard fields.allSatisfy({ Self.isSound($0.name, $0.value) }) else { return nil }
        method = RequestMethod.allCases.first { $0.name == name } ?? .other
        hasLength = fields.contains { $0.name == "content-length" }
        expectsContinue = fields.contains { $0.name == "expect" }
        line = "\(name) \(path) HTTP/1.1\r\n"
        self.fields = fields
    }

    func write(to buffer: inout ByteBuffer, isChunked: Bool) {
        buffer.writeString(line)
        for field in fields { buffer.writeString("\(field.name): \(field.value)\r\n") }
        buffer.writeString(isChunked ? "transfer-encoding: chunked\r\n\r\n" : "\r\n")
    }

    /// Visible ASCII: nothing that ends a request line or a part of one.
    private static func isTarget(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }

    /// A name in lower case, and a value without what ends a line (section 8.2.1).
    static func isSound(_ name: String, _ value: String) -> Bool {
        !name.isEmpty
            && name.utf8.allSatisfy {
                (0x21...0x7E).contains($0) && $0 != UInt8(ascii: ":") && !(0x41...0x5A).contains($0)
            }
            && value.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }
            && value.utf8.first.map { $0 != 0x20 && $0 != 0x09 } ?? true
            && value.utf8.last.map { $0 != 0x20 && $0 != 0x09 } ?? true
    }
}

extension HPACKHeaders {
    /// An answer's head: what concerns one connection of HTTP/1.1 is left out, and names are in lower case (RFC 9113 section 8.2).
    init(_ head: ResponseHead, _ bytes: UnsafeRawBufferPointer) {
        self.init()
        reserveCapacity(head.fields.count + 1)
        add(name: ":status", value: "\(head.status)")
        for field in head.fields where !FieldKinds.hopByHop.contains(field.kind) {
            add(
                name: String(decoding: bytes[field.nameRange], as: UTF8.self).lowercased(),
                value: String(decoding: bytes[field.valueRange], as: UTF8.self))
        }
    }
}
