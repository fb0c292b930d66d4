/// One promise that the program keeps, run as a process of its own, and the steps that show it kept.
public struct CommandScenario: Sendable {
    /// Stable name, `area.act.promise`. Never reused for another promise.
    public let id: String
    /// The promise, as one sentence.
    public let promise: String
    public let tags: ScenarioTags
    /// Where in the catalogue it is written.
    public let place: Check.Line
    private let steps: @Sendable (any CommandBench, Check) async throws -> Void

    init(
        _ id: String, _ promise: String, tags: ScenarioTags = [], file: String = #fileID, line: Int = #line,
        steps: @escaping @Sendable (any CommandBench, Check) async throws -> Void
    ) {
        self.id = id
        self.promise = promise
        self.tags = tags
        self.place = Check.Line(file: file, line: line)
        self.steps = steps
    }

    /// Runs the steps at `bench`, whose folder must be empty.
    public func run(at bench: any CommandBench) async -> Verdict {
        let check = Check()
        do {
            try await steps(bench, check)
        } catch {
            return check.verdict(stoppedBy: error, at: place)
        }
        return check.verdict(stoppedBy: nil, at: place)
    }
}

extension CommandScenario: CustomStringConvertible {
    public var description: String { id }
}

extension CommandScenario {
    /// Every command scenario, by area.
    public static let all: [CommandScenario] = [
        starting, refusing, ending, bounds, sharedServers, sharedCaches, sharedMigrations, postgres, kills, spools,
        outages,
        diskFaults,
        stops, clocks, copies, moves, auditFiles, manageCommands, manageUsage, keys, backups, operators, imports,
        proofs, auditedCommands, troubles, completions,
    ].flatMap { $0 }
}
