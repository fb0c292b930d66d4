public import NIOCore

/// The control plane's answer. `Date`, `Content-Length` and what belongs to the connection are left to the caller.
public struct ManagementResponse: Sendable {
    public let status: Int
    public let fields: [(name: String, value: String)]
    /// Empty for HEAD.
    public let body: ByteBuffer
    /// What `Content-Length` is to say: for HEAD the length that GET would have (RFC 9110 section 9.3.2).
    /// `nil` where the field must not be sent, which is 204.
    public let contentLength: Int?

    package init(status: Int, fields: [(name: String, value: String)], body: ByteBuffer, contentLength: Int?) {
        self.status = status
        self.fields = fields
        self.body = body
        self.contentLength = contentLength
    }
}
