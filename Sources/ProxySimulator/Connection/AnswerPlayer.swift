import Glibc
import NIOCore

/// Plays the steps of one answer on a channel, no faster than the other side takes them. Confined to its event loop.
final class AnswerPlayer {
    private let context: ChannelHandlerContext
    private let register: Register
    private let script: SimulatorScript
    private var steps: AnswerSteps
    /// What a bound on the size of writes has cut off, to be written next.
    private var rest = ByteBuffer()
    private var isPaused = false
    private var isOver = false
    private(set) var bytesSent = 0
    private let ended: (_ keepsAlive: Bool) -> Void

    /// - Parameter ended: called once, when the answer is over and was not cut off.
    init(
        _ steps: AnswerSteps, script: SimulatorScript, context: ChannelHandlerContext, register: Register,
        ended: @escaping (_ keepsAlive: Bool) -> Void
    ) {
        self.steps = steps
        self.script = script
        self.context = context
        self.register = register
        self.ended = ended
    }

    /// Goes on until the answer is over, pauses, or has filled what the channel holds.
    func run() {
        while !isOver, !isPaused, context.channel.isWritable {
            if rest.readableBytes > 0 {
                writePart()
            } else if let step = steps.next() {
                perform(step)
            } else {
                isOver = true
            }
        }
        if !isOver { context.flush() }
    }

    /// The other side has left.
    func stop() { isOver = true }

    private func perform(_ step: AnswerStep) {
        switch step {
        case .write(let buffer):
            rest = buffer
            if script.writeSize == nil { writePart() }
        case .pause(let time): pause(time)
        case .hang:
            isOver = true
            context.flush()
        case .close: finish { self.context.close(promise: nil) }
        case .reset: finish { self.reset() }
        case .end(let keepsAlive): finish { self.ended(keepsAlive) }
        }
    }

    private func writePart() {
        guard let part = rest.readSlice(length: min(rest.readableBytes, script.writeSize ?? .max)) else { return }
        bytesSent += part.readableBytes
        guard script.writeSize != nil else { return context.write(NIOAny(part), promise: nil) }
        context.writeAndFlush(NIOAny(part), promise: nil)
        if script.writeDelay > .zero { pause(script.writeDelay) }
    }

    private func pause(_ time: Duration) {
        guard time > .zero else { return }
        context.flush()
        isPaused = true
        context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(time)) {
            self.isPaused = false
            self.run()
        }
    }

    /// Does something once all that was written is with the kernel.
    private func finish(_ action: @escaping () -> Void) {
        isOver = true
        let written = context.eventLoop.makePromise(of: Void.self)
        context.writeAndFlush(NIOAny(ByteBuffer()), promise: written)
        written.futureResult.assumeIsolated().whenSuccess(action)
    }

    private func reset() {
        _ = (context.channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
        context.close(promise: nil)
    }
}
