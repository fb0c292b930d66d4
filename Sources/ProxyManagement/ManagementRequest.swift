public import NIOCore

/// A request for the control plane, collected whole by whoever holds the connection.
public struct ManagementRequest: Sendable {
    public let method: String
    /// Path and query as they came, in origin form (RFC 9112 section 3.2.1).
    public let target: String
    public let fields: [(name: String, value: String)]
    /// At most ``Management/maximumBodyBytes`` are read; a longer one is answered with 413.
    public let body: ByteBuffer
    /// Address of the other end without its port: refused credentials are throttled by it.
    public let peerAddress: String
    /// Whether it came under TLS.
    public let isSecure: Bool

    public init(
        method: String, target: String, fields: [(name: String, value: String)], body: ByteBuffer, peerAddress: String,
        isSecure: Bool = false
    ) {
        self.method = method
        self.target = target
        self.fields = fields
        self.body = body
        self.peerAddress = peerAddress
        self.isSecure = isSecure
    }

    /// All values of a field, in order; `name` in lower case.
    package func values(of name: String) -> [String] {
        fields.filter { $0.name.lowercased() == name }.map(\.value)
    }

    /// The target up to its query.
    package var path: Substring { target.prefix { $0 != "?" } }

    /// What follows the target's `?`; empty without one.
    package var query: Substring { target.dropFirst(path.count).dropFirst() }
}
