import ProxyBlackBox
import Foundation
import ProxyConformance
import Testing

/// Gathers verdicts while suites run, and writes the matrix when they have ended, failed or not.
struct WritesReport: SuiteTrait, TestScoping {
    static let report = Shared(RunReport())
    static let faults = Shared<[FaultRow]>([])

    func provideScope(
        for test: Test, testCase: Test.Case?, performing body: @concurrent @Sendable () async throws -> Void
    ) async throws {
        do {
            try await body()
        } catch {
            write()
            throw error
        }
        write()
    }

    private func write() {
        let report = Self.report.value
        guard !report.catalogues.isEmpty else { return }
        for gap in Self.gaps(in: report) { Issue.record("\(gap) was not run: nothing may be skipped in silence") }
        let folder = ProcessInfo.processInfo.environment["REPORTS_DIR"] ?? packageFolder + "reports"
        try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for (name, text) in [
            ("conformance.txt", report.text), ("conformance.md", report.markdown), ("conformance.xml", report.junit),
            ("faults.md", Self.faults.value.markdown),
        ] {
            do {
                try text.write(toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8)
            } catch {
                Issue.record("\(folder)/\(name) can't be written: \(error)")
            }
        }
        print("Conformance: \(report.summary); the matrix is in \(folder)/conformance.txt")
    }

    /// Scenarios of a catalogue and backend that ran in part, for which there is no verdict.
    private static func gaps(in report: RunReport) -> [String] {
        report.catalogues.flatMap { catalogue in
            report.backends(of: catalogue).flatMap { backend in
                let ran = Set(
                    report.entries.filter { $0.catalogue == catalogue && $0.backend == backend }.map(\.scenario))
                return Catalogue.ids(of: catalogue).filter { !ran.contains($0) }.map { "\($0) on \(backend)" }
            }
        }
    }
}

extension Trait where Self == WritesReport {
    /// Writes the matrix of scenarios and backends when the suite has ended.
    static var writesReport: Self { WritesReport() }
}

/// The catalogues by name.
enum Catalogue {
    static let storage = "storage"
    static let http = "http"
    static let command = "command"

    /// The scenarios to run: all, or those whose id begins with one of the texts of `SCENARIOS`, parted by commas, while they
    /// are worked on. The report then names the rest as gaps, and the run fails.
    static func chosen<Scenario: CustomStringConvertible>(_ all: [Scenario]) -> [Scenario] {
        guard let prefixes = ProcessInfo.processInfo.environment["SCENARIOS"]?.split(separator: ",") else { return all }
        return all.filter { scenario in prefixes.contains { "\(scenario)".hasPrefix($0) } }
    }

    static func ids(of catalogue: String) -> [String] {
        switch catalogue {
        case storage: StorageScenario.all.map(\.id)
        case http: HTTPScenario.all.map(\.id)
        default: CommandScenario.all.map(\.id)
        }
    }
}

/// One run of one scenario on one backend: into the report, and into Swift Testing's.
struct Trial {
    let catalogue: String
    let id: String
    let promise: String
    let place: Check.Line
    let backend: String

    func conclude(_ run: () async -> Verdict) async throws {
        let clock = ContinuousClock()
        let start = clock.now
        let figures = FaultFigures()
        let verdict = await FaultFigures.$current.withValue(figures) { await run() }
        if id.hasPrefix("fault.") || !figures.values.isEmpty, verdict.missing == nil {
            let database = backend == "process" ? figures.usesPostgres ? "postgres" : "sqlite-file" : backend
            WritesReport.faults.change { [self] rows in
                rows.append(
                    FaultRow(
                        scenario: id, promise: promise, database: database, values: figures.values,
                        isKept: !verdict.isFailure))
            }
        }
        WritesReport.report.change { [self, duration = start.duration(to: clock.now)] report in
            report.record(
                RunReport.Entry(
                    catalogue: catalogue, scenario: id, promise: promise, backend: backend, verdict: verdict,
                    duration: duration))
        }
        switch verdict {
        case .kept: break
        case .notApplicable: try Test.cancel("\(verdict.reason)")
        case .vacuous:
            Issue.record("\(id) reached no expectation on \(backend)", sourceLocation: SourceLocation(place))
        case .broken(let findings):
            for finding in findings {
                Issue.record("\(promise) [\(backend)] \(finding)", sourceLocation: SourceLocation(finding.place))
            }
        }
    }
}

extension SourceLocation {
    init(_ place: Check.Line) {
        self.init(fileID: place.file, filePath: place.file, line: place.line, column: 1)
    }
}
