/// Whether admissions that nobody waits for yet are worth keeping back for company.
///
/// Behind an upstream that takes its time they are: one commit serves several. But where answers come before company
/// does, waiting only makes the commit late. After ``patience`` admissions in a row that were hurried on alone the next
/// ones are written at once; now and then one lingers, to find out whether that is still so.
struct LingerHabit: Sendable {
    static let patience = 8
    static let trialEvery = 64
    private var lonely = 0
    private var untilTrial = 0

    /// Asked once for each admission that could begin to linger.
    mutating func isWorthwhile() -> Bool {
        guard lonely >= Self.patience else { return true }
        untilTrial -= 1
        return untilTrial <= 0
    }

    /// Admissions have lingered.
    /// - Parameter hadPurpose: `false` when it was one alone, and its answer came first.
    mutating func ended(hadPurpose: Bool) {
        lonely = hadPurpose ? 0 : lonely + 1
        untilTrial = Self.trialEvery
    }
}
