/// An upstream that does as it is told and keeps what it got.
///
/// Each request takes the next script; without one it is read whole and gets ``HTTPAnswer/usual``.
public protocol UpstreamDouble: Sendable {
    /// Where it listens, on 127.0.0.1.
    var port: Int { get }
    /// What it got, in the order in which requests ended or broke off.
    var received: [ReceivedRequest] { get }
    /// How many connections it has accepted.
    var connectionCount: Int { get }
    /// How many ``UpstreamStep/awaitClose`` steps have seen the proxy close.
    var closedByProxy: Int { get }
    /// The frames of HTTP/2 that its steps have read on a connection, by the connection's number.
    func frames(of connection: Int) -> [HTTP2Frame]

    /// Adds a script for the next request that has none.
    func script(_ steps: [UpstreamStep])
    /// Takes back the scripts that no request has taken.
    func unscript()

    /// Lets every ``UpstreamStep/await(_:)`` of that name go on.
    func release(_ gate: String)

    /// Closes every connection and accepts no more.
    func stop()
}

/// One thing an upstream double does.
public enum UpstreamStep: Sendable {
    /// Reads the head of the request.
    case readHead
    /// Reads the body that follows the head.
    case readBody
    /// Reads so many bytes, whatever they are.
    case readBytes(Int)
    /// Reads frames of HTTP/2, the first time after the preface that comes before them, until all of the connection's
    /// so far are enough.
    case readFrames(until: @Sendable ([HTTP2Frame]) -> Bool)
    /// Sends so many bytes as the content of a stream of HTTP/2, no more at any time than the proxy has room for, which it
    /// reads from the proxy's frames. No step before it may send content on that connection.
    case sendContent(stream: UInt32, count: Int)
    case send([UInt8])
    /// Sends the same bytes over and over.
    case sendTimes([UInt8], Int)
    /// Sends each byte with a write of its own.
    case sendBytewise([UInt8])
    /// Waits until ``UpstreamDouble/release(_:)``.
    case await(String)
    /// Waits until the proxy closes, and notes that it did.
    case awaitClose
    case close
    case reset

    /// Reads a whole request.
    static var readRequest: [UpstreamStep] { [.readHead, .readBody] }
    /// Sends text.
    static func send(text: String) -> UpstreamStep { .send(Array(text.utf8)) }
}

/// What an upstream double got.
public struct ReceivedRequest: Sendable {
    public let method: String
    public let target: String
    public let fields: [HTTPField]
    /// The content, chunks put together.
    public var body: [UInt8]
    /// Whether the body came in chunks.
    public let wasChunked: Bool
    public var trailers: [HTTPField]
    /// Whether all of it came.
    public var isComplete: Bool
    /// The connection's number, from 1.
    public let connection: Int
    /// The head as it came, for finding what should not be in it.
    public let head: [UInt8]

    public init(
        method: String, target: String, fields: [HTTPField], body: [UInt8] = [], wasChunked: Bool = false,
        trailers: [HTTPField] = [], isComplete: Bool = false, connection: Int, head: [UInt8]
    ) {
        self.method = method
        self.target = target
        self.fields = fields
        self.body = body
        self.wasChunked = wasChunked
        self.trailers = trailers
        self.isComplete = isComplete
        self.connection = connection
        self.head = head
    }
}

/// Answers for upstream doubles.
public enum HTTPAnswer {
    /// What a request without a script gets: a chat completion of 5 prompt and 7 completion tokens.
    public static let usual = json(usualBody)
    static let usualBody =
        #"{"id":"chatcmpl-1","object":"chat.completion","model":"gpt-4o-mini-2024","choices":[{"index":0,"message":"#
        + #"{"role":"assistant","content":"Hello"},"finish_reason":"stop"}],"#
        + #""usage":{"prompt_tokens":5,"completion_tokens":7,"total_tokens":12}}"#

    /// A sized JSON answer.
    static func json(_ body: String, status: String = "200 OK", fields: String = "") -> [UInt8] {
        sized(Array(body.utf8), status: status, fields: "Content-Type: application/json\r\n" + fields)
    }

    /// A sized answer.
    static func sized(_ body: [UInt8], status: String = "200 OK", fields: String = "") -> [UInt8] {
        Array("HTTP/1.1 \(status)\r\n\(fields)Content-Length: \(body.count)\r\n\r\n".utf8) + body
    }

    /// The head of an answer in chunks.
    static func chunkedHead(fields: String = "Content-Type: text/event-stream\r\n") -> [UInt8] {
        Array("HTTP/1.1 200 OK\r\n\(fields)Transfer-Encoding: chunked\r\n\r\n".utf8)
    }

    /// One chunk.
    static func chunk(_ text: String) -> [UInt8] { chunk(Array(text.utf8)) }

    /// One chunk.
    static func chunk(_ bytes: [UInt8]) -> [UInt8] {
        Array("\(String(bytes.count, radix: 16))\r\n".utf8) + bytes + Array("\r\n".utf8)
    }

    /// What ends an answer in chunks.
    static let lastChunk = Array("0\r\n\r\n".utf8)
}
