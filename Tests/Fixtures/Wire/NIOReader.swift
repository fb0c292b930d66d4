import NIOCore
import NIOEmbedded
package import NIOHTTP1

/// Reads the same bytes with swift-nio's parser, which is llhttp: the oracle.
package enum NIOReader {
    package static func requests(_ bytes: [UInt8]) -> Exchange {
        let channel = EmbeddedChannel(handler: ByteToMessageHandler(HTTPRequestDecoder()))
        defer { _ = try? channel.finish() }
        var exchange = Exchange()
        do { try channel.writeInbound(ByteBuffer(bytes: bytes)) } catch { exchange.refusal = "\(error)" }
        var message = Message()
        while let part = try? channel.readInbound(as: HTTPServerRequestPart.self) {
            switch part {
            case .head(let head):
                message = Message(
                    start: "\(head.method.rawValue) \(head.uri)",
                    version: "\(head.version.major).\(head.version.minor)",
                    fields: fields(head.headers), keepsAlive: head.isKeepAlive)
                exchange.hasBegun = true
            case .body(let data): message.body += Array(buffer: data)
            case .end:
                exchange.messages.append(message)
                exchange.hasBegun = false
            }
        }
        return exchange
    }

    package static func responses(_ bytes: [UInt8], to method: HTTPMethod) -> Exchange {
        let decoder = HTTPResponseDecoder(leftOverBytesStrategy: .dropBytes, informationalResponseStrategy: .forward)
        let channel = EmbeddedChannel(handler: ByteToMessageHandler(decoder))
        var exchange = Exchange()
        do {
            let head = HTTPRequestHead(version: .http1_1, method: method, uri: "/")
            try channel.writeOutbound(HTTPClientRequestPart.head(head))
            try channel.writeInbound(ByteBuffer(bytes: bytes))
            // The end of the connection ends a body that lasts until then.
            _ = try channel.finish()
        } catch { exchange.refusal = "\(error)" }
        var message = Message()
        while let part = try? channel.readInbound(as: HTTPClientResponsePart.self) {
            switch part {
            case .head(let head):
                // An interim response has no end part of its own.
                if exchange.hasBegun, message.start.hasPrefix("1") { exchange.messages.append(message) }
                message = Message(
                    start: "\(head.status.code)", version: "\(head.version.major).\(head.version.minor)",
                    fields: fields(head.headers), keepsAlive: head.isKeepAlive)
                exchange.hasBegun = true
            case .body(let data): message.body += Array(buffer: data)
            case .end:
                exchange.messages.append(message)
                exchange.hasBegun = false
            }
        }
        if exchange.hasBegun, message.start.hasPrefix("1") { exchange.messages.append(message) }
        return exchange
    }

    private static func fields(_ headers: HTTPHeaders) -> [String] {
        headers.map { "\($0.name): \(trimmed($0.value))" }
    }

    /// NIO leaves white space behind a value.
    private static func trimmed(_ value: String) -> Substring {
        var value = value[...]
        while let last = value.last, last == " " || last == "\t" { value.removeLast() }
        return value
    }
}
