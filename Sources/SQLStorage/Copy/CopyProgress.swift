import Synchronization

/// How far a copy is.
public struct CopyProgress: Hashable, Sendable {
    public enum Phase: String, Hashable, Sendable {
        case copying
        case comparing
    }

    public let phase: Phase
    public let table: String
    /// Rows of all tables that are done with in this phase, those done by an earlier run included.
    public let done: Int64
    /// Rows that were done when this phase began.
    public let doneBefore: Int64
    public let total: Int64
}

/// Adds up the pages of one phase.
final class CopyMeter: Sendable {
    private let phase: CopyProgress.Phase
    private let total: Int64
    private let doneBefore: Int64
    private let state: Mutex<(table: String, done: Int64)>
    private let tell: @Sendable (CopyProgress) -> Void

    init(
        _ phase: CopyProgress.Phase, total: Int64, alreadyDone: [TableRows],
        _ tell: @escaping @Sendable (CopyProgress) -> Void
    ) {
        self.phase = phase
        self.total = total
        self.tell = tell
        doneBefore = alreadyDone.reduce(0) { $0 + $1.rows }
        state = Mutex((table: "", done: doneBefore))
    }

    func begin(_ table: String) { report { $0.table = table } }

    func add(_ rows: Int) { report { $0.done += Int64(rows) } }

    private func report(_ change: (inout (table: String, done: Int64)) -> Void) {
        let state = state.withLock { state in
            change(&state)
            return state
        }
        tell(
            CopyProgress(phase: phase, table: state.table, done: state.done, doneBefore: doneBefore, total: total))
    }
}
