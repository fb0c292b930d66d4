/// What a run of the catalogues found: scenario × backend, with the reason wherever it is not a pass.
public struct RunReport: Sendable {
    /// How one scenario ended on one backend.
    public struct Entry: Sendable {
        /// `storage`, `http` or `command`.
        public let catalogue: String
        public let scenario: String
        public let promise: String
        public let backend: String
        public let verdict: Verdict
        public let duration: Duration

        public init(
            catalogue: String, scenario: String, promise: String, backend: String, verdict: Verdict, duration: Duration
        ) {
            self.catalogue = catalogue
            self.scenario = scenario
            self.promise = promise
            self.backend = backend
            self.verdict = verdict
            self.duration = duration
        }
    }

    /// One row of the matrix.
    struct Row {
        let scenario: String
        let promise: String
        var entries: [String: Entry] = [:]
    }

    /// What was recorded, in the order it ended.
    public private(set) var entries: [Entry] = []

    public init() {}

    /// Adds how a scenario ended.
    public mutating func record(_ entry: Entry) { entries.append(entry) }

    /// The catalogues of which anything was recorded, in alphabetical order.
    public var catalogues: [String] { Set(entries.map(\.catalogue)).sorted() }

    /// The backends on which anything of `catalogue` was recorded, in alphabetical order.
    public func backends(of catalogue: String) -> [String] {
        Set(entries.filter { $0.catalogue == catalogue }.map(\.backend)).sorted()
    }

    /// Rows of `catalogue` in the order of their identifiers.
    func rows(of catalogue: String) -> [Row] {
        var rows: [String: Row] = [:]
        for entry in entries where entry.catalogue == catalogue {
            rows[entry.scenario, default: Row(scenario: entry.scenario, promise: entry.promise)]
                .entries[entry.backend] = entry
        }
        return rows.values.sorted { $0.scenario < $1.scenario }
    }

    /// Passed, failed and not applicable, in words.
    public var summary: String {
        let failed = entries.count { $0.verdict.isFailure }
        let notApplicable = entries.count { $0.verdict.missing != nil }
        let passed = entries.count - failed - notApplicable
        return "\(passed) passed, \(failed) failed, \(notApplicable) not applicable, of \(entries.count)"
    }
}

extension Verdict {
    /// Whether a run with this verdict must fail.
    public var isFailure: Bool {
        switch self {
        case .kept, .notApplicable: false
        case .broken, .vacuous: true
        }
    }

    /// What the backend lacks, when that is why the scenario did not run.
    public var missing: String? {
        switch self {
        case .notApplicable(let missing): missing
        case .kept, .broken, .vacuous: nil
        }
    }

    /// One word for a cell of the matrix.
    var word: String {
        switch self {
        case .kept: "pass"
        case .broken, .vacuous: "FAIL"
        case .notApplicable: "n/a"
        }
    }

    /// Why it is not a pass; empty for a pass.
    public var reason: String {
        switch self {
        case .kept: ""
        case .broken(let findings): findings.map(\.description).joined(separator: "\n")
        case .vacuous: "reached no expectation"
        case .notApplicable(let missing): "the backend does not offer: \(missing)"
        }
    }
}
