import Synchronization

/// What a scenario measured while it broke things: one column each of the published table.
public enum FaultFigure: String, Hashable, Sendable, CaseIterable {
    /// How often something was broken.
    case rounds
    /// Answers that clients saw begin.
    case answers
    /// Of those, the ones that the database doesn't know.
    case lost
    /// Rows or answers that are there twice.
    case duplicated
    /// Requests admitted beyond a cap.
    case overAdmitted = "over-admitted"
    /// Requests whose end is not known.
    case inDoubt = "in doubt"
    /// Longest time from the fault's end to the first good answer, in milliseconds.
    case backAfter = "back after (ms)"
}

/// Gathers the figures of the scenario that runs in the present task.
public final class FaultFigures: Sendable {
    /// Where figures go; nowhere unless somebody gathers them.
    @TaskLocal public static var current: FaultFigures?

    private let state = Mutex((values: [FaultFigure: Int](), usesPostgres: false))

    public init() {}

    public var values: [FaultFigure: Int] { state.withLock { $0.values } }
    /// Whether the scenario's programs used PostgreSQL.
    public var usesPostgres: Bool { state.withLock { $0.usesPostgres } }

    /// Adds to a figure; of times the longest is kept.
    static func note(_ figure: FaultFigure, _ value: Int) {
        current?.state.withLock { state in
            let before = state.values[figure] ?? 0
            state.values[figure] = figure == .backAfter ? max(before, value) : before + value
        }
    }

    /// The time from `instant` to now.
    static func noteBack(since instant: ContinuousClock.Instant) {
        note(.backAfter, Int((ContinuousClock.now - instant) / .milliseconds(1)))
    }

    static func notePostgres() { current?.state.withLock { $0.usesPostgres = true } }
}

/// The figures of one scenario on one backend.
public struct FaultRow: Hashable, Sendable {
    public let scenario: String
    public let promise: String
    public let database: String
    public let values: [FaultFigure: Int]
    public let isKept: Bool

    public init(scenario: String, promise: String, database: String, values: [FaultFigure: Int], isKept: Bool) {
        self.scenario = scenario
        self.promise = promise
        self.database = database
        self.values = values
        self.isKept = isKept
    }
}

extension [FaultRow] {
    /// The table fault × database, as Markdown.
    public var markdown: String {
        let figures = FaultFigure.allCases
        let head = ["fault", "database", "promise kept"] + figures.map(\.rawValue)
        let rules = ["---", "---", "---"] + figures.map { _ in "---:" }
        let rows = sorted { ($0.scenario, $0.database) < ($1.scenario, $1.database) }.map { row in
            ["`\(row.scenario)`: \(row.promise)", row.database, row.isKept ? "yes" : "**no**"]
                + figures.map { row.values[$0].map(String.init) ?? "–" }
        }
        return ([head, rules] + rows).map { "| \($0.joined(separator: " | ")) |\n" }.joined()
    }
}
