import NIOCore
import NIOHTTP1

/// One connection: reads requests, notes them, and plays their answers in order. Confined to its event loop.
final class SimulatorConnection: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = ByteBuffer

    private let register: Register
    private var number = 0
    private var context: ChannelHandlerContext?
    private var request: IncomingRequest?
    private var player: AnswerPlayer?
    /// What a client has sent ahead while an answer is under way.
    private var ahead = CircularBuffer<HTTPServerRequestPart>()
    private var isInputClosed = false
    /// Whether the present answer is over while its request is not.
    private var awaitsRequestEnd = false
    private var idleTimer: Scheduled<Void>?

    init(register: Register) { self.register = register }

    func channelActive(context: ChannelHandlerContext) {
        self.context = context
        number = register.opened(context.channel)
    }

    func channelInactive(context: ChannelHandlerContext) {
        if let player {
            player.stop()
            noteRequest()
            register.noteSent(player.bytesSent)
            register.noteAbandoned(request?.noted)
        } else if request != nil {
            noteRequest()
        }
        player = nil
        request = nil
        idleTimer?.cancel()
        self.context = nil
        register.closed(number)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed = event {
            isInputClosed = true
            if player == nil { context.close(promise: nil) }
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { player?.run() }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard error is HTTPParserError, player == nil else { return context.close(promise: nil) }
        register.noteMalformed()
        let answer = Answer.error(400, "This is no HTTP request: \(error).", type: "invalid_request_error")
        play(answer, script: SimulatorScript(), isHead: false, clientIsOld: false, keepsAlive: false)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = unwrapInboundIn(data)
        if player != nil, request?.isComplete ?? true {
            ahead.append(part)
        } else {
            take(part)
        }
    }

    // MARK: Requests

    private func take(_ part: HTTPServerRequestPart) {
        switch part {
        case .head(let head): begin(head)
        case .body(let bytes): request?.take(bytes)
        case .end:
            request?.isComplete = true
            guard let request else { return }
            if awaitsRequestEnd {
                noteRequest()
                goOn(keepsAlive: true)
            } else if player == nil {
                noteRequest()
                answer(request)
            }
        }
    }

    private func begin(_ head: HTTPRequestHead) {
        idleTimer?.cancel()
        idleTimer = nil
        let path = head.uri.prefix { $0 != "?" }
        if path == IncomingRequest.truthPath { return inquire(head) }
        let (usual, count) = register.begin(path: path)
        switch usual.changed(by: head.headers.map { (name: $0.name, value: $0.value) }) {
        case .failure(let unread):
            request = IncomingRequest(head, path: String(path), number: count, script: usual)
            request?.complaint = .error(
                400, "\(unread.name) is no directive of this simulator, or its value can't be read.",
                type: "invalid_request_error")
        case .success(let script):
            request = IncomingRequest(head, path: String(path), number: count, script: script)
            expect(head, script)
        }
        if let request, request.script.answersEarly { answer(request) }
    }

    /// What was done is told without being counted itself.
    private func inquire(_ head: HTTPRequestHead) {
        request = IncomingRequest(head, path: IncomingRequest.truthPath, number: 0, script: SimulatorScript())
        request?.complaint = .json(register.truth.json)
    }

    private func expect(_ head: HTTPRequestHead, _ script: SimulatorScript) {
        guard head.headers["expect"].contains(where: { $0.lowercased() == "100-continue" }) else { return }
        switch script.expectation {
        case .continues:
            context?.writeAndFlush(NIOAny(ByteBuffer(string: "HTTP/1.1 100 Continue\r\n\r\n")), promise: nil)
        case .ignores: break
        case .refuses:
            let refusal = Answer.error(417, "The script refuses expectations.", type: "invalid_request_error")
            play(refusal, script: script, isHead: false, clientIsOld: false, keepsAlive: false)
        }
    }

    private func noteRequest() {
        guard let request, request.noted == nil, !request.isInquiry, register.isRecording else { return }
        self.request?.noted = register.note(request.observed(connection: number))
    }

    // MARK: Answers

    private func answer(_ request: IncomingRequest) {
        var call = request.call
        if let times = call.script.failures {
            let content = ContentHash.of(Array(call.path.utf8) + call.body)
            call.script.status = register.fails(content, times: times) ? call.script.status ?? 503 : nil
        }
        let answer = request.complaint ?? call.answer(files: register.files, batches: register.batches)
        self.request?.usage = answer.usage
        play(
            answer, script: request.script,
            isHead: request.head.method == .HEAD, clientIsOld: request.head.version.minor == 0,
            keepsAlive: request.head.isKeepAlive)
    }

    private func play(
        _ answer: Answer, script: SimulatorScript, isHead: Bool, clientIsOld: Bool, keepsAlive: Bool
    ) {
        guard let context else { return }
        let steps = AnswerSteps(
            answer, script: script, isHead: isHead, clientIsOld: clientIsOld, keepsAlive: keepsAlive)
        let player = AnswerPlayer(steps, script: script, context: context, register: register) {
            [weak self] keepsAlive in
            self?.answerEnded(keepsAlive: keepsAlive)
        }
        self.player = player
        player.run()
    }

    private func answerEnded(keepsAlive: Bool) {
        guard let player else { return }
        if request?.isInquiry != true {
            register.noteCompleted(request?.usage ?? SimulatedUsage(), bytes: player.bytesSent)
        }
        if keepsAlive, let request, !request.isComplete {
            awaitsRequestEnd = true
        } else {
            goOn(keepsAlive: keepsAlive)
        }
    }

    /// The present request is dealt with: the next one, or the end.
    private func goOn(keepsAlive: Bool) {
        noteRequest()
        let idleClose = request?.script.idleClose
        player = nil
        request = nil
        awaitsRequestEnd = false
        guard keepsAlive, !isInputClosed || !ahead.isEmpty, let context else {
            context?.close(promise: nil)
            return
        }
        while player == nil, let part = ahead.popFirst() { take(part) }
        guard player == nil else { return }
        if isInputClosed { return context.close(promise: nil) }
        if let idleClose, request == nil {
            idleTimer = context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(idleClose)) {
                context.close(promise: nil)
            }
        }
    }
}
