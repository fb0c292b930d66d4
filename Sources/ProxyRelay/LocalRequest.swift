public import NIOCore

/// A request that is not for an upstream, collected whole: the management side answers it.
public struct LocalRequest: Sendable {
    public let method: String
    /// Path and query as they came.
    public let target: String
    public let fields: [(name: String, value: String)]
    public let body: ByteBuffer
    /// Address of the other end of the connection, without its port.
    public let peerAddress: String
}

/// Its answer. The relay adds `Date`, `Content-Length` and what belongs to the connection.
public struct LocalResponse: Sendable {
    public let status: Int
    public let fields: [(name: String, value: String)]
    public let body: ByteBuffer
    /// What `Content-Length` says; `nil` where the field must not be sent (RFC 9110 section 8.6).
    public let contentLength: Int?

    public init(status: Int, fields: [(name: String, value: String)], body: ByteBuffer, contentLength: Int?) {
        self.status = status
        self.fields = fields
        self.body = body
        self.contentLength = contentLength
    }
}

/// Answers requests that are not for an upstream. Must not throw: an error is an answer too.
public typealias LocalResponder = @Sendable (LocalRequest) async -> LocalResponse
