import NIOCore

/// What a client costs without asking for anything (RFC 9113 section 10.5): so much of it is let pass, and more with time.
///
/// Pings and settings, which must be answered; streams that are reset as soon as they are made; priorities, empty frames, and frames
/// of streams that are no more.
public struct ClientConduct: Sendable {
    private var idleFrames = 0
    private var resets = 0
    private var since = NIODeadline.now()

    /// What it may be at most within ``period``.
    private static let mostIdleFrames = 1000
    private static let mostResets = 200
    private static let period = TimeAmount.seconds(30)

    public init() {}

    /// A frame that was of no use.
    public mutating func noteIdleFrame() throws(HTTP2Fault) {
        idleFrames += 1
        if idleFrames > Self.mostIdleFrames { try beginAnew() }
    }

    /// A stream that was reset before its answer was whole.
    public mutating func noteReset() throws(HTTP2Fault) {
        resets += 1
        if resets > Self.mostResets { try beginAnew() }
    }

    private mutating func beginAnew() throws(HTTP2Fault) {
        let now = NIODeadline.now()
        guard now - since > Self.period else { throw HTTP2Fault(.enhanceYourCalm) }
        since = now
        (idleFrames, resets) = (0, 0)
    }
}
