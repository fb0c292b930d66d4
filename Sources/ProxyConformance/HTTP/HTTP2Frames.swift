/// Frames of HTTP/2 (RFC 9113 section 4.1), put together and taken apart by hand: also such as no sound client sends.
public struct HTTP2Frame: Sendable {
    enum Kind: UInt8 {
        case data = 0
        case headers = 1
        case reset = 3
        case settings = 4
        case pushPromise = 5
        case ping = 6
        case goAway = 7
        case windowUpdate = 8
        case continuation = 9
    }

    static let endStream: UInt8 = 1
    static let endHeaders: UInt8 = 4

    /// RFC 9113 section 6.
    public var kind: UInt8
    public var flags: UInt8 = 0
    /// 0 for the connection.
    public var stream: UInt32 = 0
    public var payload: [UInt8] = []

    init(_ kind: Kind, flags: UInt8 = 0, stream: UInt32 = 0, _ payload: [UInt8] = []) {
        self.init(kind: kind.rawValue, flags: flags, stream: stream, payload)
    }

    /// Of any kind.
    public init(kind: UInt8, flags: UInt8 = 0, stream: UInt32 = 0, _ payload: [UInt8] = []) {
        self.kind = kind
        self.flags = flags
        self.stream = stream
        self.payload = payload
    }

    package var bytes: [UInt8] {
        let length = payload.count
        return [UInt8(length >> 16 & 255), UInt8(length >> 8 & 255), UInt8(length & 255), kind, flags]
            + Self.bytes(of: stream) + payload
    }

    func isA(_ kind: Kind) -> Bool { self.kind == kind.rawValue }
    /// What the first four bytes say.
    var number: Int { payload.prefix(4).reduce(0) { $0 << 8 | Int($1) } }
    /// What settings say of one of them.
    func setting(_ name: UInt8) -> Int? {
        guard isA(.settings) else { return nil }
        let start = stride(from: 0, to: payload.count, by: 6).first { payload[$0 + 1] == name }
        return start.map { payload[($0 + 2)..<($0 + 6)].reduce(0) { $0 << 8 | Int($1) } }
    }
    /// The room of each stream at its beginning, where settings say so.
    package var initialWindow: Int? { setting(4) }
    /// How much more room it gives.
    package var windowIncrement: Int? { isA(.windowUpdate) ? number : nil }
    /// Whether it is the acknowledgement of settings or of a ping.
    var isAcknowledgement: Bool { (isA(.settings) || isA(.ping)) && flags & 1 != 0 }
    var endsStream: Bool { (isA(.data) || isA(.headers)) && flags & Self.endStream != 0 }

    /// Content of padding alone, which takes 256 bytes of room.
    static func padding(_ stream: UInt32) -> HTTP2Frame {
        HTTP2Frame(.data, flags: 0x08, stream: stream, [255] + [UInt8](repeating: 0, count: 255))
    }

    /// A whole request that needs no token.
    static func live(_ stream: UInt32) -> HTTP2Frame {
        HTTP2Frame(
            .headers, flags: endHeaders | endStream, stream: stream,
            literals([(":method", "GET"), (":scheme", "http"), (":path", "/live"), (":authority", "a")]))
    }

    /// Four bytes, the highest first.
    static func bytes(of number: UInt32) -> [UInt8] {
        [UInt8(number >> 24 & 255), UInt8(number >> 16 & 255), UInt8(number >> 8 & 255), UInt8(number & 255)]
    }

    /// Fields that are neither packed nor remembered (RFC 7541 section 6.2.2). Names and values of less than 127 bytes, or else the
    /// length is written in two bytes, up to 254.
    static func literals(_ fields: [(String, String)]) -> [UInt8] {
        func text(_ text: String) -> [UInt8] {
            let bytes = Array(text.utf8)
            return (bytes.count < 127 ? [UInt8(bytes.count)] : [127, UInt8(bytes.count - 127)]) + bytes
        }
        return fields.flatMap { [0] + text($0.0) + text($0.1) }
    }
}

/// A connection on which HTTP/2 is spoken by hand.
struct HTTP2Talk {
    let connection: any RawConnection
    private var unread: [UInt8] = []
    private(set) var hasEnded = false

    static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    /// Connects and says hello.
    /// - Parameter settings: identifier and value of each.
    init(_ access: some ProxyAccess, settings: [(UInt16, UInt32)] = []) async throws {
        connection = try await access.connect()
        let payload = settings.flatMap { [UInt8($0.0 >> 8), UInt8($0.0 & 255)] + HTTP2Frame.bytes(of: $0.1) }
        try await connection.send(Self.preface + HTTP2Frame(.settings, payload).bytes)
    }

    func send(_ frames: HTTP2Frame...) async throws { try await connection.send(frames.flatMap(\.bytes)) }

    /// A usual request on a stream.
    func ask(
        _ stream: UInt32, _ secret: String, path: String = "/v1/models", method: String = "GET",
        fields: [(String, String)] = [], endsStream: Bool = true
    ) async throws {
        let head = [
            (":method", method), (":scheme", "http"), (":path", path), (":authority", "proxy.test"),
            ("authorization", "Bearer \(secret)"),
        ]
        try await send(
            HTTP2Frame(
                .headers, flags: HTTP2Frame.endHeaders | (endsStream ? HTTP2Frame.endStream : 0), stream: stream,
                HTTP2Frame.literals(head + fields)))
    }

    /// The next frame; `nil` when the connection has ended.
    mutating func next(within time: Duration = .seconds(10)) async throws -> HTTP2Frame? {
        while true {
            if unread.count >= 9 {
                let length = Int(unread[0]) << 16 | Int(unread[1]) << 8 | Int(unread[2])
                if unread.count >= 9 + length {
                    var frame = HTTP2Frame(.data, Array(unread[9..<9 + length]))
                    frame.kind = unread[3]
                    frame.flags = unread[4]
                    frame.stream = unread[5..<9].reduce(0) { $0 << 8 | UInt32($1) } & 0x7FFF_FFFF
                    unread.removeFirst(9 + length)
                    return frame
                }
            }
            do {
                let more = try await connection.receive(atMost: 1 << 16, within: time)
                if more.isEmpty {
                    hasEnded = true
                    return nil
                }
                unread += more
            } catch ConnectionFailure.reset {
                hasEnded = true
                return nil
            }
        }
    }

    /// Reads to the end of the connection. Gives the code of the last GOAWAY, which is below 256; `nil` when none came.
    mutating func goodbye() async throws -> UInt8? {
        var code: UInt8?
        while let frame = try await next() { if frame.isA(.goAway) { code = frame.payload.last } }
        return code
    }

    /// What came on one stream until it ended.
    struct Answer {
        /// The head, packed.
        var block: [UInt8] = []
        var body: [UInt8] = []
        /// Packed too.
        var trailers: [UInt8] = []
        /// Whether it ended as a whole answer does.
        var isWhole = false
        /// The code of the frame that broke it off.
        var reset: Int?
    }

    mutating func answer(on stream: UInt32) async throws -> Answer {
        var answer = Answer()
        while let frame = try await next() {
            guard frame.stream == stream else { continue }
            if frame.isA(.headers) {
                if answer.block.isEmpty { answer.block = frame.payload } else { answer.trailers = frame.payload }
            }
            if frame.isA(.data) { answer.body += frame.payload }
            if frame.isA(.reset) { answer.reset = frame.number }
            answer.isWhole = frame.endsStream
            if answer.isWhole || answer.reset != nil { break }
        }
        return answer
    }

    /// Reads until the connection ends, for at most so long.
    mutating func drain(within time: Duration = .seconds(10)) async throws {
        while try await next(within: time) != nil {}
    }
}
