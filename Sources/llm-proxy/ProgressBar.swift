import Synchronization

/// One line on standard error that tells how far long work is, and how long it will take.
final class ProgressBar: Sendable {
    private struct State {
        var title = ""
        var began = ContinuousClock.now
        var shown: ContinuousClock.Instant?
    }

    private let isShown: Bool
    private let state = Mutex(State())

    init(isShown: Bool) { self.isShown = isShown }

    /// Shows a step, five times a second at most.
    /// - Parameters:
    ///   - title: what is done now; its first word is the phase, whose rate is shown.
    ///   - doneBefore: what was done already when the phase began.
    func show(_ title: String, done: Int64, doneBefore: Int64, of total: Int64) {
        guard isShown else { return }
        let phase = title.prefix { $0 != " " }
        let passed: Duration? = state.withLock { state in
            let now = ContinuousClock.now
            if state.title.prefix(while: { $0 != " " }) != phase { state.began = now }
            state.title = title
            if let shown = state.shown, now - shown < .milliseconds(200) { return nil }
            state.shown = now
            return now - state.began
        }
        guard let passed else { return }
        let share = total > 0 ? min(1, Double(done) / Double(total)) : 1
        let rate = Double(done - doneBefore) / max(passed / .seconds(1), 0.001)
        let left = rate > 0 ? ", \(Self.text(seconds: Double(total - done) / rate)) left" : ""
        StandardError.replaceLine(
            with: "\(Self.bar(share)) \(Int(share * 100)) % \(title), \(Int(rate)) rows/s\(left)")
    }

    /// Takes the line away.
    func end() {
        guard isShown else { return }
        StandardError.replaceLine()
    }

    /// - Parameter share: 0…1.
    static func bar(_ share: Double) -> String {
        let filled = Int(share * 30)
        return String(repeating: "█", count: filled) + String(repeating: "·", count: 30 - filled)
    }

    private static func text(seconds: Double) -> String {
        let whole = Int(seconds.rounded(.up))
        return whole < 60 ? "\(whole) s" : "\(whole / 60) min \(whole % 60) s"
    }
}
