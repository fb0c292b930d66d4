package import ProxyWire

/// One message in the terms that two parsers can be compared in.
package struct Message: Equatable, CustomStringConvertible {
    package var start = ""
    package var version = ""
    package var fields: [String] = []
    package var keepsAlive = false
    package var body: [UInt8] = []

    package init(
        start: String = "", version: String = "", fields: [String] = [], keepsAlive: Bool = false, body: [UInt8] = []
    ) {
        self.start = start
        self.version = version
        self.fields = fields
        self.keepsAlive = keepsAlive
        self.body = body
    }

    package var description: String {
        "\(start) \(version) \(keepsAlive ? "keeps" : "closes") \(fields) \(text(body).debugDescription)"
    }
}

/// What one parser made of a connection's bytes.
package struct Exchange: Equatable {
    package var messages: [Message] = []
    /// A message that has begun, whose head at least was accepted.
    package var hasBegun = false
    /// Why it refused to go on.
    package var refusal: String?
    /// Whether it stopped because nothing more belongs to the exchange.
    package var isOver = false

    package init(messages: [Message] = []) { self.messages = messages }
}

/// Reads a connection's messages as the relay does: head, body, next head.
package struct OurReader {
    package let bytes: [UInt8]
    private let cutsBodies: Bool
    private var position = 0

    /// - Parameter cutsBodies: whether chunked bodies come byte by byte, instead of all at once.
    package init(_ bytes: [UInt8], cutsBodies: Bool = false) {
        self.bytes = bytes
        self.cutsBodies = cutsBodies
    }

    package mutating func requests() -> Exchange {
        var exchange = Exchange()
        var parser = RequestHeadParser()
        var head = RequestHead()
        do throws(WireFault) {
            while position < bytes.count {
                let rest = bytes[position...]
                let done = try rest.seen { seen throws(WireFault) in try parser.parse(seen, into: &head) }
                guard done else { break }
                var message = Message(
                    start: "\(string(head.methodRange)) \(string(head.targetRange))", version: "1.\(head.minorVersion)",
                    fields: fields(head.fields), keepsAlive: head.keepsAlive)
                exchange.hasBegun = true
                position += head.length
                guard try readBody(head.framing, into: &message) else { break }
                exchange.hasBegun = false
                exchange.messages.append(message)
                exchange.isOver = !head.keepsAlive || head.method == .connect || head.wantsUpgrade
                if exchange.isOver { break }
            }
        } catch { exchange.refusal = "\(error)" }
        return exchange
    }

    /// The responses to one request, interim ones included.
    package mutating func responses(to method: RequestMethod) -> Exchange {
        var exchange = Exchange()
        var parser = ResponseHeadParser()
        var head = ResponseHead()
        do throws(WireFault) {
            repeat {
                let rest = bytes[position...]
                let done = try rest.seen { seen throws(WireFault) in
                    try parser.parse(seen, answering: method, into: &head)
                }
                guard done else { break }
                var message = Message(
                    start: "\(head.status)", version: "1.\(head.minorVersion)", fields: fields(head.fields),
                    keepsAlive: head.keepsAlive)
                exchange.hasBegun = true
                position += head.length
                guard try readBody(head.framing, into: &message) else { break }
                exchange.hasBegun = false
                exchange.messages.append(message)
                exchange.isOver = !head.isInterim
            } while head.isInterim
        } catch { exchange.refusal = "\(error)" }
        return exchange
    }

    private func string(_ range: Range<Int>) -> String {
        String(decoding: bytes[position + range.lowerBound..<position + range.upperBound], as: UTF8.self)
    }

    private func fields(_ lines: [FieldLine]) -> [String] {
        lines.map { "\(string($0.nameRange)): \(string($0.valueRange))" }
    }

    /// Whether the body is whole.
    private mutating func readBody(_ framing: BodyFraming, into message: inout Message) throws(WireFault) -> Bool {
        switch framing {
        case .none: break
        case .length(let length):
            guard length <= UInt64(bytes.count - position) else { return false }
            message.body = Array(bytes[position..<position + Int(length)])
            position += Int(length)
        case .chunked:
            var scanner = ChunkScanner()
            while position < bytes.count, !scanner.isComplete {
                let piece = bytes[position..<(cutsBodies ? position + 1 : bytes.count)]
                position += try piece.seen { seen throws(WireFault) in
                    try scanner.scan(seen) { message.body += seen[$0] }
                }
            }
            return scanner.isComplete
        case .untilClose:
            message.body = Array(bytes[position...])
            position = bytes.count
        }
        return true
    }
}
