/// How one request is answered: when, in what pieces, framed how, and what goes wrong on purpose.
///
/// The usual script answers at once, whole, in good order. Requests choose another with `X-Sim-*` fields (see
/// ``directives``), tests with ``Simulator/script(_:path:times:)``.
public struct SimulatorScript: Hashable, Sendable {
    /// Wait before the head.
    public var headDelay = Duration.zero
    /// How many requests of the same content fail, with ``status`` or 503, before one is answered as usual; `nil` for none.
    public var failures: Int?
    /// Wait between two pieces of the body.
    public var chunkDelay = Duration.zero
    /// Words of a generated text, and so events of a streamed one; `nil` leaves it to the request.
    public var chunkCount: Int?
    /// Number that the answer's identifiers hold instead of the request's own: answers to the same request are then the same bytes.
    public var answerNumber: Int?
    /// Bytes per piece of a body that is not streamed; `nil` for all at once.
    public var chunkSize: Int?
    /// Most bytes per write to the socket, head included; `nil` for no bound.
    public var writeSize: Int?
    /// Wait between two writes that ``writeSize`` cut.
    public var writeDelay = Duration.zero
    /// Status instead of the answer's own. From 400 on the body is an error of OpenAI's shape.
    public var status: Int?
    /// Seconds for a `Retry-After` field.
    public var retryAfter: Int?
    /// A generated body of so many bytes instead of the answer's own; see ``GeneratedBody``.
    public var bodySize: Int?
    public var framing = Framing.automatic
    /// Status codes of interim answers before the head: 100…199 but 101.
    public var interim: [Int] = []
    public var fault: SimulatorFault?
    /// For faults inside a body: bytes of content before it. For wrong lengths: how far off.
    public var faultAfter: Int?
    /// Bytes of an additional field in the head.
    public var headSize = 0
    /// Whether the answer is the request's own body, with its content type.
    public var echoes = false
    public var expectation = Expectation.continues
    /// Whether the answer begins at the request's head, before its body has come.
    public var answersEarly = false
    /// After an answer, close the connection when it has been idle for this long, without having said so.
    public var idleClose: Duration?

    public init() {}

    /// Whether this is the script of a request that asks for nothing.
    var isUsual: Bool { self == SimulatorScript() }

    /// How an answer's end is told (RFC 9112 section 6.3).
    public enum Framing: String, Hashable, Sendable, CaseIterable {
        /// `Content-Length` for what is whole, chunks for what is streamed.
        case automatic = "auto"
        case contentLength = "length"
        case chunked
        /// Chunks, and trailer fields after them.
        case trailers
        /// The connection's end.
        case untilClose = "close"
        /// An HTTP/1.0 answer that the connection's end ends.
        case http10
    }

    /// What becomes of `Expect: 100-continue`.
    public enum Expectation: String, Hashable, Sendable, CaseIterable {
        /// 100 is sent at once, then the body is read.
        case continues = "continue"
        /// Nothing is sent until the body has come.
        case ignores = "ignore"
        /// 417 is sent at once, and the connection closed.
        case refuses = "refuse"
    }
}
