/// What an upstream says that speaks HTTP/2, for scripts of an upstream double behind `{tls-http2}`.
enum HTTP2Script {
    /// One loop, so that all requests may share a connection.
    static let settings = [
        "OPENAI_API_URL": "{tls-http2}", "UPSTREAM_CA_FILE": "{authority}", "UPSTREAM_HTTP2": "true",
        "EVENT_LOOPS": "1",
    ]

    /// The same with further ones.
    static func settings(with more: [String: String]) -> [String: String] { settings.merging(more) { $1 } }

    /// Begins the connection, and has its first request whole.
    /// - Parameter settings: identifier and value of each.
    static func begin(settings: [(UInt16, UInt32)] = []) -> [UpstreamStep] {
        let payload = settings.flatMap { [UInt8($0.0 >> 8), UInt8($0.0 & 255)] + HTTP2Frame.bytes(of: $0.1) }
        return [
            .send(HTTP2Frame(.settings, payload).bytes), .readFrames(throughEndOf: 1),
            .send(HTTP2Frame(.settings, flags: 1).bytes),
        ]
    }

    /// Answers the requests of these streams one after another, each as usual.
    static func answering(_ streams: UInt32...) -> [UpstreamStep] {
        streams.flatMap { [.readFrames(throughEndOf: $0), .send(usual($0))] }
    }

    /// A connection on which these requests are answered.
    static func serving(_ streams: UInt32...) -> [UpstreamStep] {
        begin() + streams.flatMap { answering($0) } + [.awaitClose]
    }

    /// The usual answer.
    static func usual(_ stream: UInt32) -> [UInt8] {
        let body = Array(HTTPAnswer.usualBody.utf8)
        let fields = [("content-type", "application/json"), ("content-length", "\(body.count)")]
        return head(stream, fields) + content(stream, body, isLast: true)
    }

    /// A head of 200.
    static func head(_ stream: UInt32, _ fields: [(String, String)] = []) -> [UInt8] {
        fieldSection(stream, [(":status", "200")] + fields)
    }

    static func fieldSection(_ stream: UInt32, _ fields: [(String, String)], isLast: Bool = false) -> [UInt8] {
        HTTP2Frame(
            .headers, flags: HTTP2Frame.endHeaders | (isLast ? HTTP2Frame.endStream : 0), stream: stream,
            HTTP2Frame.literals(fields)
        ).bytes
    }

    static func content(_ stream: UInt32, _ bytes: [UInt8], isLast: Bool = false) -> [UInt8] {
        HTTP2Frame(.data, flags: isLast ? HTTP2Frame.endStream : 0, stream: stream, bytes).bytes
    }

    static func content(_ stream: UInt32, _ text: String, isLast: Bool = false) -> [UInt8] {
        content(stream, Array(text.utf8), isLast: isLast)
    }

    /// - Parameter code: RFC 9113 section 7.
    static func reset(_ stream: UInt32, code: UInt32) -> [UInt8] {
        HTTP2Frame(.reset, stream: stream, HTTP2Frame.bytes(of: code)).bytes
    }

    /// Says that no stream after `last` was or will be looked at.
    static func goAway(last: UInt32) -> [UInt8] {
        HTTP2Frame(.goAway, HTTP2Frame.bytes(of: last) + HTTP2Frame.bytes(of: 0)).bytes
    }

    static func room(_ count: UInt32, on stream: UInt32) -> [UInt8] {
        HTTP2Frame(.windowUpdate, stream: stream, HTTP2Frame.bytes(of: count)).bytes
    }

    /// Pings, and waits for the `number`th answer to a ping: all that the proxy sent before has been read then.
    static func ping(_ number: Int) -> [UpstreamStep] {
        [
            .send(HTTP2Frame(.ping, [0, 0, 0, 0, 0, 0, 0, UInt8(number)]).bytes),
            .readFrames { $0.count { $0.isA(.ping) && $0.isAcknowledgement } >= number },
        ]
    }
}

extension UpstreamStep {
    /// Reads until the request of this stream is whole.
    static func readFrames(throughEndOf stream: UInt32) -> UpstreamStep {
        .readFrames { $0.contains { $0.stream == stream && $0.endsStream } }
    }
}

extension [HTTP2Frame] {
    /// The streams that were begun, in order.
    var begun: [UInt32] {
        var streams: [UInt32] = []
        for frame in self where frame.isA(.headers) && !streams.contains(frame.stream) { streams.append(frame.stream) }
        return streams
    }

    /// The content of a stream.
    func content(of stream: UInt32) -> [UInt8] {
        filter { $0.isA(.data) && $0.stream == stream }.flatMap(\.payload)
    }

    /// The code of the frame that reset a stream.
    func resetCode(of stream: UInt32) -> Int? { first { $0.isA(.reset) && $0.stream == stream }?.number }

    /// The code that the proxy ended the connection with.
    var goAwayCode: UInt8? { last { $0.isA(.goAway) }?.payload.dropFirst(4).prefix(4).last }
}
