import NIOCore

/// What the other side costs to no purpose (RFC 9113 section 10.5): so much of it is let pass, and more with time.
public struct PeerConduct: Sendable {
    /// Frames that change nothing or must be answered: pings, settings, priorities, empty ones, and those of streams that are no more.
    private var idleFrames = Allowance(most: 4000, perSecond: 200)
    /// Streams that end before their answer does, by its will or by what it does wrong.
    private var resets = Allowance(most: 1000, perSecond: 33)

    public init() {}

    public mutating func noteIdleFrame() throws(HTTP2Fault) { try idleFrames.take() }
    public mutating func noteReset() throws(HTTP2Fault) { try resets.take() }
    /// An answer was taken to its end.
    public mutating func noteServed() { resets.giveBack() }
    /// One of our streams has ended. More of it may be on its way, which means nothing: room for a request that was read, say, or, where
    /// it ended before the other side's will, its answer.
    public mutating func noteEnded(wasCancelled: Bool) { idleFrames.giveBack(wasCancelled ? 64 : 8) }
}

/// How often something may happen: so many times at once, and so many more each second.
private struct Allowance {
    private let most: Int
    private let perSecond: Int64
    private var left: Int
    /// When it was `most`, or was filled up last.
    private var since = NIODeadline.now()

    init(most: Int, perSecond: Int64) {
        self.most = most
        self.perSecond = perSecond
        left = most
    }

    mutating func giveBack(_ count: Int = 1) { left = min(most, left + count) }

    mutating func take() throws(HTTP2Fault) {
        if left == 0 { fillUp() }
        guard left > 0 else { throw HTTP2Fault(.enhanceYourCalm) }
        left -= 1
    }

    /// The clock is asked when nothing is left: not for each frame.
    private mutating func fillUp() {
        let now = NIODeadline.now()
        let more = (now - since).nanoseconds / 1_000_000 * perSecond / 1000
        left = Int(min(Int64(most), more))
        if left > 0 { since = now }
    }
}
