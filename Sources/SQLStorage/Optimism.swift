/// Whether the next batch is worth writing on the assumption that all of it will be granted.
///
/// A token at its cap, asked for again and again, would prove the assumption wrong for each batch; so after each
/// disappointment twice as many batches are written without it, up to ``longestDoubt``.
struct Optimism {
    static let longestDoubt = 64
    private var doubtful = 0
    private var nextDoubt = 1

    /// Asked once for each batch.
    mutating func isJustified() -> Bool {
        guard doubtful > 0 else { return true }
        doubtful -= 1
        return false
    }

    /// How the assumption fared.
    mutating func note(wasRight: Bool) {
        if wasRight {
            nextDoubt = 1
        } else {
            doubtful = nextDoubt
            nextDoubt = min(nextDoubt * 2, Self.longestDoubt)
        }
    }
}
