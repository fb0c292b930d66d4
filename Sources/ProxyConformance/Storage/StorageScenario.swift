public import ProxyStorage

/// One promise that every storage keeps, and the steps that show it kept.
///
/// A scenario is a value. It is written once, names what it needs, and knows nothing of any engine or test framework.
public struct StorageScenario: Sendable {
    /// Stable name, `area.act.promise`; filters, reports and known-gap lists use it. Never reused for another promise.
    public let id: String
    /// The promise, as one sentence.
    public let promise: String
    /// What a backend must have for this promise to apply to it.
    public let needs: StorageCapabilities
    public let tags: ScenarioTags
    /// Where in the catalogue it is written.
    public let place: Check.Line
    private let steps: @Sendable (any StorageSite, Check) async throws -> Void

    init(
        _ id: String, _ promise: String, needs: StorageCapabilities = [], tags: ScenarioTags = [],
        file: String = #fileID, line: Int = #line,
        steps: @escaping @Sendable (any StorageSite, Check) async throws -> Void
    ) {
        self.id = id
        self.promise = promise
        self.needs = needs
        self.tags = tags
        self.place = Check.Line(file: file, line: line)
        self.steps = steps
    }

    /// Runs the steps on an empty site of `backend`.
    public func run(on backend: any StorageBackend) async -> Verdict {
        let missing = needs.subtracting(backend.capabilities)
        guard missing.isEmpty else { return .notApplicable(missing: missing.description) }
        let check = Check()
        do {
            try await backend.withSite { site in try await steps(site, check) }
        } catch {
            return check.verdict(stoppedBy: error, at: place)
        }
        return check.verdict(stoppedBy: nil, at: place)
    }
}

extension StorageScenario: CustomStringConvertible {
    public var description: String { id }
}

extension StorageScenario {
    /// Every storage scenario, by area.
    public static let all: [StorageScenario] = [
        projects, upstreams, responses, tokens, tokenChanges, grants, admissions, refusals, settlements, exactlyOnce,
        verification,
        retention,
        paging,
        edges, durability, concurrency, abandonment, instances, faults, limits, tokenRates, budgets, operations, audit,
        rememberedAnswers, usage,
    ].flatMap { $0 }
}
