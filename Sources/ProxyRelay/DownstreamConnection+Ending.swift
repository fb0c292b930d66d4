import Glibc
import NIOCore
import NIOSSL

/// How a client's connection ends: so that the client reads our last words, or so that it can't take an answer for whole.
extension DownstreamConnection {
    /// Sends what is written, then ends our side and waits a little for the client's end (RFC 9112 section 9.6).
    func closeAfterAnswer() {
        guard let link, phase != .lingering else { return }
        phase = .lingering
        inbound = ByteBuffer()
        deadline = .now() + relay.settings.streamIdleTimeout
        flush()
        if isInputClosed { deadline = .now() + .seconds(2) }
        setReading(true)
        link.endOutput { self.outputEnded() }
    }

    private func outputEnded() {
        guard let link else { return }
        isOutputClosed = true
        if case .stream(let stream) = link, stream.isRequestWhole { isInputClosed = true }
        if isInputClosed { close() } else { deadline = .now() + .seconds(2) }
    }

    /// What comes from now on is no request any more: with TLS it may still come, until the other side ends too.
    func close() {
        phase = .lingering
        inbound = ByteBuffer()
        link?.close()
    }

    /// Closes so that the client sees an error, never a clean end: beneath TLS, which would say goodbye.
    func abort() {
        guard case .channel(let context) = link else { return close() }
        _ = (context.channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
        if let tls = try? context.pipeline.syncOperations.context(handlerType: NIOSSLServerHandler.self) {
            tls.close(promise: nil)
        } else {
            context.close(promise: nil)
        }
    }

    // MARK: From the loop

    func sweep(at now: NIODeadline) {
        exchange.sweep(at: now)
        guard takingDeadline > now else {
            takingDeadline = .distantFuture
            return abort()
        }
        guard deadline <= now else { return }
        deadline = .distantFuture
        switch phase {
        case .awaitingHead where isWithinHead, .relayingBody, .collectingBody: refuseAndClose(.requestTimeout)
        case .answering: abort()
        case .awaitingHead: closeOnceSent()
        case .discardingBody, .lingering: close()
        }
    }

    func drain() {
        // Of streams the connection that carries them takes care.
        if !isCarried, phase == .awaitingHead, inbound.readableBytes == 0 { closeOnceSent() }
    }

    /// Closes between requests. The end of the last answer may still be on its way.
    private func closeOnceSent() { link?.hasUnsent == true ? closeAfterAnswer() : close() }

    func abandon() { abort() }
}
