import NIOCore

/// What the connection does next.
enum AnswerStep {
    case write(ByteBuffer)
    case pause(Duration)
    /// Nothing more happens until the other side leaves.
    case hang
    /// Orderly end of the stream.
    case close
    case reset
    /// The answer is over. Next on this connection is another request, or its end.
    case end(keepsAlive: Bool)
}

/// An answer as the steps that its script turns it into, made one at a time, so that a large body is never held.
struct AnswerSteps {
    private enum Phase { case before, body, after, over }

    private let answer: Answer
    private let script: SimulatorScript
    private let isHead: Bool
    private var framing: AnswerFraming
    private var phase = Phase.before
    /// Steps that come before what the phase makes next.
    private var ready: [AnswerStep] = []
    private var pieceIndex = 0
    private var bodySent = 0
    private let bodySize: Int?
    /// Bytes of content before a fault in the body.
    private let faultAt: Int?

    init(_ answer: Answer, script: SimulatorScript, isHead: Bool, clientIsOld: Bool, keepsAlive: Bool) {
        self.answer = answer
        self.script = script
        self.isHead = isHead
        bodySize = answer.content.size
        framing = AnswerFraming(
            script: script, size: answer.content.size, isStreamed: answer.content.isStreamed, status: answer.status,
            clientIsOld: clientIsOld, keepsAlive: keepsAlive)
        switch script.fault {
        case .resetInBody, .closeInBody, .hangInBody:
            faultAt = script.faultAfter ?? (answer.content.size.map { $0 / 2 } ?? 1)
        default: faultAt = nil
        }
    }

    mutating func next() -> AnswerStep? {
        while ready.isEmpty {
            switch phase {
            case .before:
                begin()
                phase = .body
            case .body:
                if isHead || !framing.hasBody || !makePiece() { phase = .after }
            case .after:
                finish()
                phase = .over
            case .over: return nil
            }
        }
        return ready.removeFirst()
    }

    // MARK: Before the body

    private mutating func begin() {
        if script.headDelay > .zero { ready.append(.pause(script.headDelay)) }
        for status in script.interim {
            let link = status == 103 ? "Link: </style.css>; rel=preload\r\n" : ""
            ready.append(
                .write(ByteBuffer(string: "HTTP/1.1 \(status) \(AnswerFraming.reason(status))\r\n\(link)\r\n")))
        }
        let head = framing.head(of: answer, script: script)
        switch script.fault {
        case .resetBeforeHead: ready.append(.reset)
        case .closeBeforeHead: ready.append(.close)
        case .closeInHead: ready += [.write(ByteBuffer(string: String(head.prefix(head.count / 2)))), .close]
        case .hang: ready.append(.hang)
        case .garbage: ready += [.write(ByteBuffer(string: "\u{1}\u{2} this is no HTTP \u{0}\r\n\r\n")), .close]
        case .endlessHead:
            let field = "X-Endless: \(String(repeating: "a", count: 1000))\r\n"
            // Far more than anybody reads; each is made when the one before it is gone.
            ready.append(.write(ByteBuffer(string: "HTTP/1.1 200 OK\r\n")))
            ready += Array(repeating: .write(ByteBuffer(string: field)), count: 100_000) + [.close]
        case .resetAfterHead: ready += [.write(ByteBuffer(string: head)), .reset]
        case .hangAfterHead: ready += [.write(ByteBuffer(string: head)), .hang]
        default: ready.append(.write(ByteBuffer(string: head)))
        }
    }

    // MARK: The body

    /// - Returns: whether there was another piece.
    private mutating func makePiece() -> Bool {
        guard let piece = nextPiece() else { return false }
        if pieceIndex > 1, script.chunkDelay > .zero { ready.append(.pause(script.chunkDelay)) }
        if let faultAt, bodySent + piece.readableBytes >= faultAt {
            var part = piece
            let count = max(0, min(piece.readableBytes, faultAt - bodySent))
            if let slice = part.readSlice(length: count), count > 0 { ready.append(.write(framing.framed(slice))) }
            ready.append(script.fault == .resetInBody ? .reset : script.fault == .closeInBody ? .close : .hang)
            return true
        }
        bodySent += piece.readableBytes
        if script.fault == .badChunkSize {
            ready += [.write(ByteBuffer(string: "zz\r\nnothing\r\n0\r\n\r\n")), .close]
        } else {
            ready.append(.write(framing.framed(piece)))
        }
        return true
    }

    private mutating func nextPiece() -> ByteBuffer? {
        defer { pieceIndex += 1 }
        switch answer.content {
        case .whole(let bytes):
            let size = script.chunkSize ?? max(bytes.count, 1)
            guard bodySent < bytes.count else { return nil }
            return ByteBuffer(bytes: bytes[bodySent..<min(bytes.count, bodySent + size)])
        case .generated(let count):
            let size = min(script.chunkSize ?? GeneratedBody.largestPiece, GeneratedBody.largestPiece)
            guard bodySent < count else { return nil }
            return ByteBuffer(bytes: GeneratedBody.bytes(from: bodySent, count: min(size, count - bodySent)))
        case .pieces(let count, let piece):
            guard pieceIndex < count else { return nil }
            return ByteBuffer(string: piece(pieceIndex))
        }
    }

    // MARK: After the body

    private mutating func finish() {
        switch script.fault {
        case .noLastChunk, .lengthTooLong, .lengthTooShort, .bothLengths, .twoLengths:
            if script.fault == .bothLengths { ready.append(.write(ByteBuffer(string: framing.ending))) }
            ready.append(.close)
            return
        case .closeAfterAnswer, .extraAfterAnswer, nil: break
        default: break  // What makes a head unsound does not change the body.
        }
        if !isHead, framing.hasBody, !framing.ending.isEmpty {
            ready.append(.write(ByteBuffer(string: framing.ending)))
        }
        if script.fault == .extraAfterAnswer {
            ready.append(.write(ByteBuffer(string: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nextra")))
        }
        if script.fault == .closeAfterAnswer { ready.append(.close) }
        ready.append(.end(keepsAlive: framing.keepsAlive))
    }
}

extension Answer.Content {
    /// Bytes of content, when that is known before it is made.
    var size: Int? {
        switch self {
        case .whole(let bytes): bytes.count
        case .generated(let count): count
        case .pieces: nil
        }
    }

    var isStreamed: Bool { if case .pieces = self { true } else { false } }
}
