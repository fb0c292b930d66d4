/// What the simulator really received of one request.
public struct ObservedRequest: Sendable {
    /// From 1, in the order in which requests were noted.
    public internal(set) var number: Int
    public let method: String
    /// As it stood in the request line, query included.
    public let target: String
    /// In the order and with the case they came in.
    public let fields: [(name: String, value: String)]
    /// Bytes of content received, chunk framing not counted.
    public let bodyCount: Int
    /// ``ContentHash`` of the content received.
    public let bodyHash: UInt64
    /// The content, if it was no more than 64 KiB; else `nil`.
    public let body: [UInt8]?
    /// Whether the request came to its end.
    public let isComplete: Bool
    /// Which connection it came on, from 1.
    public let connection: Int
    /// When its head had come.
    public let instant: ContinuousClock.Instant
    /// Whether the other side closed before it had all of the answer.
    public internal(set) var wasAbandoned = false

    /// The values of every field of that name, in order, whatever its case.
    public func values(of name: String) -> [String] {
        let wanted = name.lowercased()
        return fields.filter { $0.name.lowercased() == wanted }.map(\.value)
    }
}
