/// A header field as it came, value trimmed.
public struct HTTPField: Hashable, Sendable, CustomStringConvertible {
    public let name: String
    public let value: String

    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }

    public var description: String { "\(name): \(value)" }
}

extension [HTTPField] {
    /// All values of a field, in order. Names are compared without regard to case.
    package func all(_ name: String) -> [String] {
        let wanted = name.lowercased()
        return filter { $0.name.lowercased() == wanted }.map(\.value)
    }

    /// The first value of a field.
    package func first(_ name: String) -> String? { all(name).first }
}

/// A request to be sent as it is: nothing is added but `Host`, and `Content-Length` where there is a body.
package struct HTTPRequest: Sendable {
    package var method = "POST"
    package var target = "/v1/chat/completions"
    package var fields: [HTTPField] = []
    package var body: [UInt8]?
    /// Whether ``body`` is framed already, or `fields` say how it is.
    package var framesItself = false

    package init(
        method: String = "POST", target: String = "/v1/chat/completions", fields: [HTTPField] = [], body: [UInt8]? = nil
    ) {
        self.method = method
        self.target = target
        self.fields = fields
        self.body = body
    }

    /// Everything on the wire.
    package var bytes: [UInt8] {
        var head = "\(method) \(target) HTTP/1.1\r\n"
        if fields.first("host") == nil { head += "Host: proxy.test\r\n" }
        for field in fields { head += "\(field.name): \(field.value)\r\n" }
        if let body, !framesItself { head += "Content-Length: \(body.count)\r\n" }
        return Array((head + "\r\n").utf8) + (body ?? [])
    }

    /// The body of a usual request.
    package static let usualBody = Array(
        #"{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Hi"}]}"#.utf8)
}

/// The head of an answer.
package struct HTTPHead: Sendable {
    package let status: Int
    package let reason: String
    package let minorVersion: Int
    package let fields: [HTTPField]
    /// As it came.
    package let bytes: [UInt8]

    package var isInterim: Bool { (100..<200).contains(status) && status != 101 }
}

/// How an answer ended.
package enum HTTPEnd: Hashable, Sendable {
    /// As its framing says.
    case complete
    /// The stream ended in good order before the answer did.
    case cutShort
    /// The connection was reset before the answer ended.
    case reset
}

/// An answer and all that came before it.
package struct HTTPResponse: Sendable {
    package let head: HTTPHead
    /// 1xx heads that came first.
    package let interim: [HTTPHead]
    package let body: [UInt8]
    /// Sizes of the chunks, in order; empty for a body that did not come in chunks.
    package let chunks: [Int]
    package let trailers: [HTTPField]
    package let end: HTTPEnd

    package var status: Int { head.status }
    package var fields: [HTTPField] { head.fields }
    package var text: String { String(decoding: body, as: UTF8.self) }
    package var json: JSONDocument { JSONDocument(body) ?? .null }
}
