import NIOCore

/// What the proxy itself adds to the time of a request: what others hold it up for is left out.
extension Exchange {
    /// What we, and neither the upstream nor the client, have added so far, in microseconds.
    func overheadUntilNow() -> Int64 {
        let now = NIODeadline.now()
        let total = microseconds(from: startedAt, to: now) - othersMicroseconds
        // What follows the head comes as the client sends it, and goes on at once.
        guard let since = headSentAt ?? heldUpSince else { return max(0, total) }
        return max(0, total - microseconds(from: since, to: firstByteAt ?? now))
    }

    /// What it was held up by is over.
    func noteHeldUp() {
        guard let since = heldUpSince else { return }
        othersMicroseconds += microseconds(from: since, to: .now())
        heldUpSince = nil
    }

    /// An attempt is over that the client will see nothing of.
    func noteLostAttempt() {
        if headSentAt != nil { heldUpSince = headSentAt }
        noteHeldUp()
    }
}
