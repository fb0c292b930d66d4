import ProxyConformance

/// What has come of HTTP/2 on a connection of an upstream double, and how much may be sent on it.
struct UpstreamFrames {
    private(set) var received: [HTTP2Frame] = []
    private var hasPreface = false
    /// Bytes of content that have been sent.
    private var sent: [UInt32: Int] = [:]
    private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    /// Reads a frame, and the preface before the first. Gives `nil` when the stream ends before, or begins as no HTTP/2
    /// does.
    mutating func read(from reader: inout UpstreamReader) -> HTTP2Frame? {
        if !hasPreface {
            guard reader.take(Self.preface.count) == Self.preface else { return nil }
            hasPreface = true
        }
        let head = reader.take(9)
        guard head.count == 9 else { return nil }
        let length = Int(head[0]) << 16 | Int(head[1]) << 8 | Int(head[2])
        let payload = reader.take(length)
        guard payload.count == length else { return nil }
        let stream = head[5..<9].reduce(UInt32(0)) { $0 << 8 | UInt32($1) } & 0x7FFF_FFFF
        let frame = HTTP2Frame(kind: head[3], flags: head[4], stream: stream, payload)
        received.append(frame)
        return frame
    }

    /// How many bytes of content there is room for, on the stream and on the connection (RFC 9113 section 5.2).
    func room(of stream: UInt32) -> Int {
        let initial = received.compactMap(\.initialWindow).last ?? 65_535
        let ofStream = initial + opened(stream) - sent[stream, default: 0]
        return min(ofStream, 65_535 + opened(0) - sent.values.reduce(0, +))
    }

    mutating func send(_ count: Int, on stream: UInt32) { sent[stream, default: 0] += count }

    private func opened(_ stream: UInt32) -> Int {
        received.filter { $0.stream == stream }.reduce(0) { $0 + ($1.windowIncrement ?? 0) }
    }
}
